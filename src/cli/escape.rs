//! Text that somebody else wrote, on its way to a terminal: file names, certificates, manifests, what other programs say. A
//! terminal obeys control characters, and some characters hide others.

use std::borrow::Cow;

use crate::model::is_invisible;

/// Writes `text` on one line, with the characters that a terminal obeys or hides as `\u{1b}`.
pub(super) fn one_line(text: &str) -> Cow<'_, str> {
    escape(text, is_invisible)
}

/// Writes the characters that a terminal obeys or hides as `\u{1b}`, except line ends and tabs.
pub(super) fn many_lines(text: &str) -> Cow<'_, str> {
    escape(text, |c| is_invisible(c) && c != '\n' && c != '\t')
}

fn escape(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let shown = |c: char| if is_escaped(c) { c.escape_unicode().to_string() } else { c.to_string() };
    Cow::Owned(text.chars().map(shown).collect())
}

/// Writes the characters of `json` that a terminal obeys or hides as JSON's `\u009b`. Apart from line ends, such
/// characters stand within strings only.
pub(super) fn ascii_controls(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if is_invisible(c) && c != '\n' {
            let units =
                c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
            escaped.push_str(&units);
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_raw_reaches_a_terminal() {
        assert_eq!(one_line("a\x1b[2J\n\u{202e}é"), "a\\u{1b}[2J\\u{a}\\u{202e}é");
        assert_eq!(many_lines("a\x1b[2J\n\tb\r\u{202e}é"), "a\\u{1b}[2J\n\tb\\u{d}\\u{202e}é");
        assert_eq!(ascii_controls("\"\u{7f}\u{9b}\u{e0001}é\"\n"), "\"\\u007f\\u009b\\udb40\\udc01é\"\n");
    }
}
