//! Workflow commands of GitHub Actions ("Workflow commands for GitHub Actions", setting an error message).

use crate::diag::Diagnostic;

use super::findings::Findings;
use super::source::{SourceText, one_line};

/// A message: the runner decodes these three.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, in which two more end it.
fn property(text: &str) -> String {
    data(&one_line(text)).replace(':', "%3A").replace(',', "%2C")
}

pub(super) fn render(findings: &[Findings<'_>]) -> anyhow::Result<String> {
    let commands = findings.iter().flat_map(|Findings { source, found }| {
        found.iter().map(|fault| {
            let (severity, title) = (fault.severity.as_str(), property(fault.code));
            format!(
                "::{severity} {},title={title}::{}\n",
                place(source, fault),
                data(&message(source, fault))
            )
        })
    });
    Ok(commands.collect())
}

/// `file=…,line=…`.
fn place(source: &SourceText<'_>, fault: &Diagnostic) -> String {
    let file = format!("file={}", property(source.path));
    if !source.is_text() {
        return file;
    }
    let (start, end) = source.ends(&fault.span);
    let lines = format!("{file},line={},endLine={}", start.line, end.line);
    // Columns are for one line only, and the last one belongs to the place.
    if start.line != end.line {
        return lines;
    }
    format!("{lines},col={},endColumn={}", start.column, (end.column - 1).max(start.column))
}

/// All that is to be said, for an annotation has no further places.
fn message(source: &SourceText<'_>, fault: &Diagnostic) -> String {
    let mut lines = vec![one_line(&fault.message).into_owned()];
    for related in &fault.related {
        let at = source.position(related.span.start);
        lines.push(format!("{}:{}: {}", at.line, at.column, one_line(&related.label)));
    }
    lines.extend(fault.help.iter().map(|help| format!("help: {}", one_line(help))));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_property_or_a_message_is_encoded() {
        assert_eq!(property("a:b,c%\u{1b}\n"), "a%3Ab%2Cc%25\\u{1b}\\u{a}");
        assert_eq!(data("50 %, a::b\r\n"), "50 %25, a::b%0D%0A");
    }
}
