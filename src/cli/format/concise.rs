//! `file:line:column: error[PG-C13]: …`: a line each, the form that editors and `grep` know from compilers.

use crate::diag::Severity;

use super::Findings;
use super::source::one_line;

/// The word for `severity` that every format has.
pub(super) fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

pub(super) fn render(findings: &[Findings<'_>]) -> anyhow::Result<String> {
    let mut text = String::new();
    for Findings { source, found } in findings {
        for fault in found {
            let at = source.position(fault.span.start);
            let (severity, message) = (word(fault.severity), one_line(&fault.message));
            text +=
                &format!("{}:{}:{}: {severity}[{}]: {message}", source.shown, at.line, at.column, fault.code);
            if let Some(help) = &fault.help {
                text += &format!("; help: {}", one_line(help));
            }
            text.push('\n');
        }
    }
    Ok(text)
}
