//! Workflow commands of GitHub Actions ("Workflow commands for GitHub Actions", setting an error message).

use crate::diag::Diagnostic;
use crate::model::escape_line;

use super::findings::Findings;
use super::source::SourceText;

/// Encodes the message of a command: `%` and line ends, which the runner decodes.
fn encode_message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Encodes the value of a property, which `:` and `,` would end as well.
fn encode_property(text: &str) -> String {
    encode_message(&escape_line(text)).replace(':', "%3A").replace(',', "%2C")
}

pub(super) fn render(findings: &[Findings<'_>]) -> anyhow::Result<String> {
    let commands = findings.iter().flat_map(|Findings { source, found }| {
        found.iter().map(|fault| {
            let (severity, title) = (fault.severity.as_str(), encode_property(fault.code));
            format!(
                "::{severity} {},title={title}::{}\n",
                write_place(source, fault),
                encode_message(&write_message(source, fault))
            )
        })
    });
    Ok(commands.collect())
}

/// Writes the properties of the place: `file=…,line=…`.
fn write_place(source: &SourceText<'_>, fault: &Diagnostic) -> String {
    let (source, span) = source.locate(&fault.span);
    let file = format!("file={}", encode_property(source.path));
    if !source.is_text() {
        return file;
    }
    let (start, end) = source.ends(&span);
    let lines = format!("{file},line={},endLine={}", start.line, end.line);
    // Columns are allowed for a place on one line only, and the end column belongs to the place.
    if start.line != end.line {
        return lines;
    }
    format!("{lines},col={},endColumn={}", start.column, (end.column - 1).max(start.column))
}

/// Writes message, related places and help as one text, since an annotation has a single place.
fn write_message(source: &SourceText<'_>, fault: &Diagnostic) -> String {
    let mut lines = vec![escape_line(&fault.message).into_owned()];
    for related in &fault.related {
        let (other, span) = source.locate(&related.span);
        let at = other.position(span.start);
        let is_same_file = std::ptr::eq(other, source.locate(&fault.span).0);
        let file = if is_same_file { String::new() } else { format!("{}:", other.shown) };
        lines.push(format!("{file}{}:{}: {}", at.line, at.column, escape_line(&related.label)));
    }
    lines.extend(fault.help.iter().map(|help| format!("help: {}", escape_line(help))));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_property_or_a_message_is_encoded() {
        assert_eq!(encode_property("a:b,c%\u{1b}\n"), "a%3Ab%2Cc%25\\u{1b}\\u{a}");
        assert_eq!(encode_message("50 %, a::b\r\n"), "50 %25, a::b%0D%0A");
    }
}
