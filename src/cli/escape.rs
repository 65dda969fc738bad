//! Text that somebody else wrote, on its way to a terminal: file names, certificates, manifests, what other programs say. A
//! terminal obeys control characters, and some characters hide others.

use crate::model::{escape_line, is_invisible};

/// Writes the characters that a terminal obeys or hides as `\u{1b}`, except line ends and tabs.
pub(super) fn many_lines(text: &str) -> String {
    let parts = text.split_inclusive(['\n', '\t']).map(|part| {
        let line = part.strip_suffix(['\n', '\t']).unwrap_or(part);
        escape_line(line).into_owned() + &part[line.len()..]
    });
    parts.collect()
}

/// Where a message goes on in a further line. Only there does an error keep a line end: the name of a file may have one, and
/// its rest would look like a message of plasmagen.
const FURTHER_LINE: &str = "\n  ";

/// Writes the characters that a terminal obeys or hides as `\u{1b}`, except the line ends before an indented line.
pub(super) fn indented_lines(text: &str) -> String {
    let lines: Vec<_> = text.split(FURTHER_LINE).map(escape_line).collect();
    lines.join(FURTHER_LINE)
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
        assert_eq!(escape_line("a\x1b[2J\n\u{202e}é"), "a\\u{1b}[2J\\u{a}\\u{202e}é");
        assert_eq!(indented_lines("a\nerror: b\n  c\td"), "a\\u{a}error: b\n  c\\u{9}d");
        assert_eq!(many_lines("a\x1b[2J\n\tb\r\u{202e}é"), "a\\u{1b}[2J\n\tb\\u{d}\\u{202e}é");
        assert_eq!(ascii_controls("\"\u{7f}\u{9b}\u{e0001}é\"\n"), "\"\\u007f\\u009b\\udb40\\udc01é\"\n");
    }
}
