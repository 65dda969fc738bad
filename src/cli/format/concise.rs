//! One line per diagnostic, `file:line:column: error[PG-C13]: …`, as compilers print them for editors and `grep`.

use crate::model::escape_line;

use super::findings::Findings;

pub(super) fn render(findings: &[Findings<'_>]) -> anyhow::Result<String> {
    let mut text = String::new();
    for Findings { source, found } in findings {
        for fault in found {
            let (source, span) = source.locate(&fault.span);
            let at = source.position(span.start);
            let (severity, message) = (fault.severity.as_str(), escape_line(&fault.message));
            text +=
                &format!("{}:{}:{}: {severity}[{}]: {message}", source.shown, at.line, at.column, fault.code);
            if let Some(help) = &fault.help {
                text += &format!("; help: {}", escape_line(help));
            }
            text.push('\n');
        }
    }
    Ok(text)
}
