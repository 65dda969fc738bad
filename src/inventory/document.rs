//! The bytes of an inventory as a TOML document: rules A01 and A02, and A06 for characters that are not escaped.

use toml::de::DeTable;

use crate::diag::{Diagnostic, Report, Span, Subject, find_keys};
use crate::model::is_invisible;

use super::reader::refuse_invisible;
use super::syntax::{self, MOST_FAULTS, duplicates};

/// The largest inventory: 100,000 nodes take 31 MB.
pub const LARGEST: usize = 64 << 20;

/// The text of `bytes`, or the fault that makes them unreadable.
///
/// # Errors
/// Under rule A01, when `bytes` is too large, is not UTF-8 or begins with a byte order mark.
pub fn text(bytes: &[u8]) -> Result<&str, Diagnostic> {
    let refuse = |message: String| Diagnostic::error("PG-A01", &(0..0), message).about(Subject::Syntax);
    if bytes.len() > LARGEST {
        return Err(refuse(format!("the inventory has more than {LARGEST} bytes"))
            .help("an inventory of 100,000 nodes has half of that: is this the right file?"));
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        let fault = refuse("the inventory begins with a byte order mark".to_owned());
        return Err(fault.help("save it as UTF-8 without BOM").edit(0..3, ""));
    }
    // Without a byte order mark, every other byte of a text in English is zero.
    let is_wide = bytes.get(..2).is_some_and(|first| first.contains(&0));
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || is_wide {
        return Err(
            refuse("the inventory is UTF-16, not UTF-8".to_owned()).help("save it as UTF-8 without BOM")
        );
    }
    std::str::from_utf8(bytes).map_err(|why| {
        let line = bytes[..why.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        refuse(format!("the inventory is not UTF-8: see line {line}")).help("save it as UTF-8")
    })
}

/// Parses `text` and reports where it does not parse.
///
/// After a value that does not parse, the rest is read. `None` where the document cannot be trusted: after a header that
/// is not closed, for example, every reference to that table would be reported as well.
pub(super) fn parse<'i>(text: &'i str, report: &mut Report) -> Option<toml::Spanned<DeTable<'i>>> {
    let mut readable = true;
    let is_refused = |(_, c): &(usize, char)| is_invisible(*c) && !matches!(c, '\n' | '\r' | '\t');
    for (at, c) in text.char_indices().filter(is_refused).take(MOST_FAULTS) {
        report.push(refuse_invisible(c, &(at..at + c.len_utf8())));
        readable = false;
    }
    if !readable {
        return None;
    }
    // The parser that goes on after an error keeps every error, of which there may be as many as bytes.
    if let Ok(document) = DeTable::parse(text) {
        return Some(document);
    }
    if let Some(key) = find_keys(text).first() {
        report.push(refuse_key(key));
        return None;
    }
    let slips = syntax::find_faults(text);
    if slips.len() >= MOST_FAULTS {
        slips.into_iter().for_each(|fault| report.push(fault));
        return None;
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    let (duplicates, errors): (Vec<_>, Vec<_>) = errors.iter().partition(|error| syntax::is_duplicate(error));
    // Behind a fault after which the parser mixes tables, a key may seem to stand twice.
    let mut trusted = text.len();
    for error in &errors {
        let span = error.span().unwrap_or(0..0);
        match find_recovery(error.message()) {
            Recovery::Whole => {}
            Recovery::Value => report.mark_unreadable(&span),
            Recovery::Lost => {
                trusted = trusted.min(span.start);
                readable = false;
            }
        }
    }
    let mut places: Vec<Span> = duplicates.iter().filter_map(|error| error.span()).collect();
    places.sort_unstable_by_key(|place| place.start);
    let twice = duplicates::refuse(text, &places, trusted);
    readable &= twice.is_whole;
    let is_silent = slips.is_empty() && twice.faults.is_empty();
    slips.into_iter().chain(twice.faults).for_each(|fault| report.push(fault));
    if is_silent {
        errors.iter().for_each(|error| {
            let message = format!("this is not TOML: {}", error.message());
            let fault = Diagnostic::error("PG-A01", &error.span().unwrap_or(0..0), message);
            report.push(fault.about(Subject::Syntax));
        });
    }
    readable.then_some(document)
}

/// How far the parser's document is what the author meant, after a syntax error.
enum Recovery {
    /// All of it.
    Whole,
    /// All but one value, which the parser replaced.
    Value,
    /// Not at all: keys may be missing, or stand in another table.
    Lost,
}

fn find_recovery(why: &str) -> Recovery {
    if why.starts_with("missing comma between array elements") {
        return Recovery::Whole;
    }
    let value = why.starts_with("invalid ") || why.starts_with("string values must be quoted");
    if value && !why.contains("key") && !why.contains("multi-line") {
        Recovery::Value
    } else {
        Recovery::Lost
    }
}

/// The fault of text that is not TOML and holds a private key: every other fault could quote the key.
fn refuse_key(key: &Span) -> Diagnostic {
    Diagnostic::error("PG-A01", key, "this is a private key, and the text around it is not TOML")
        .about(Subject::Secret)
        .help(
            "is this the right file? An inventory is committed to git: write the path of the file that holds the key, \
             and take a new key if this one was committed",
        )
}
#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<Diagnostic> {
        let mut report = Report::default();
        parse(text, &mut report);
        report.finish()
    }

    #[test]
    fn bytes_that_are_no_text() {
        assert!(text(b"\xef\xbb\xbfschema = 1").is_err());
        assert!(text(b"a = 1\n\xff").unwrap_err().message.contains("line 2"));
        for wide in [&b"\xff\xfea\0"[..], b"a\0 \0", b"\0a\0 "] {
            assert!(text(wide).unwrap_err().message.contains("UTF-16"));
        }
        assert!(text(&vec![b' '; LARGEST + 1]).is_err());
    }

    #[test]
    fn duplicates_show_the_first() {
        let faults = faults("a = 1\n[t]\nx = 1\ny = 2\nx = 3\n[u]\n[t]\n");
        let spans: Vec<_> = faults.iter().map(|d| (d.code, d.span.start, d.related[0].span.start)).collect();
        assert_eq!(spans, [("PG-A02", 22, 10), ("PG-A02", 33, 7)]);
    }

    #[test]
    fn what_is_around_a_value_that_is_none_is_read() {
        let mut report = Report::default();
        let mut parsed = |text| parse(text, &mut report);
        assert!(parsed("a = 52:54:00:12:34:56\nb = node01\nc = \"x\nd = [10.0.0.1, 2 3]\n").is_some());
        assert!(parsed("a = {b = 1\nc = 2\n").is_none());
        assert!(parsed("a = \"\"\"x\n").is_none());
        assert!(parsed("[a\nb = 2\n").is_none());
    }

    #[test]
    fn nothing_that_follows_from_an_open_bracket_is_reported() {
        let text = "a = 1 2\nb = [1,\nc = 2\n[t]\nd = [3]\n";
        let found: Vec<_> = faults(text).iter().map(|d| (d.span.start, d.message.clone())).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[1], (12, "this bracket is never closed".to_owned()));
    }

    #[test]
    fn syntax_errors_are_all_found_and_depth_is_said_once() {
        assert!(faults("a = = 1\nb = 1 2\n").len() > 1);
        let deep = format!("a = {}{}", "[".repeat(5000), "]".repeat(5000));
        assert_eq!(faults(&deep).iter().filter(|d| d.message.contains("recurs")).count(), 1);
    }
}
