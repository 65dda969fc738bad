//! The bytes of an inventory as a TOML document: rules A01 and A02, and A06 for characters that are not escaped.

use std::collections::HashMap;

use toml::de::{DeTable, DeValue};

use crate::diag::{Diagnostic, Report, Span, Subject, find_keys};

use super::brackets;
use super::reader::refuse_invisible;
use crate::model::is_invisible;

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
        return Err(fault.help("save it as UTF-8 without BOM"));
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
    for (at, c) in text.char_indices().filter(|(_, c)| is_invisible(*c) && !matches!(c, '\n' | '\r' | '\t')) {
        report.push(refuse_invisible(c, &(at..at + c.len_utf8())));
        readable = false;
    }
    if !readable {
        return None;
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    if let Some(key) = find_keys(text).first().filter(|_| !errors.is_empty()) {
        report.push(refuse_key(key));
        return None;
    }
    let open = if errors.is_empty() { None } else { brackets::unclosed(text) };
    if let Some(at) = open {
        report.push(refuse_open_bracket(text, at));
        readable = false;
    }
    let mut firsts = None;
    // The text below a header that stands there for the second time.
    let mut copied = 0..0;
    let mut too_deep = false;
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        if open.is_some_and(|at| span.start >= at) {
            continue;
        }
        if error.message().starts_with("duplicate key") {
            if copied.contains(&span.start) {
                continue;
            }
            if header(&text[line_start(text, span.start)..]).is_some() {
                // The parser has mixed the two tables.
                readable = false;
                copied = span.end..text[span.end..].find("\n[").map_or(text.len(), |at| span.end + at);
            }
            let firsts = firsts.get_or_insert_with(|| Firsts::of(text, document.get_ref()));
            report.push(refuse_duplicate(text, firsts, &span));
            continue;
        }
        match judge_recovery(error.message()) {
            Recovery::Whole => {}
            Recovery::Value => report.mark_unreadable(&span),
            Recovery::Lost => readable = false,
        }
        if error.message().starts_with("cannot recurse") && std::mem::replace(&mut too_deep, true) {
            continue;
        }
        report.push(refuse_syntax(&span, error.message()));
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

fn judge_recovery(why: &str) -> Recovery {
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

fn refuse_syntax(span: &Span, why: &str) -> Diagnostic {
    let fault = Diagnostic::error("PG-A01", span, format!("this is not TOML: {why}")).about(Subject::Syntax);
    // `52:54:00:12:34:56` begins like a time, and `10.0.1.10` like a number.
    if (why.starts_with("invalid") && !why.contains("string")) || why.starts_with("string values must") {
        return fault.help("write text, such as an address, in quotes");
    }
    fault
}

fn refuse_open_bracket(text: &str, at: usize) -> Diagnostic {
    let closing = if text[at..].starts_with('[') { ']' } else { '}' };
    Diagnostic::error("PG-A01", &(at..at + 1), "this bracket is never closed")
        .about(Subject::Syntax)
        .help(format!("write `{closing}` after its last item: what stands behind it could not be read"))
}

fn refuse_duplicate(text: &str, firsts: &Firsts<'_>, span: &Span) -> Diagnostic {
    let key = text.get(span.clone()).unwrap_or_default();
    let fault = Diagnostic::error("PG-A02", span, format!("`{key}` is here for the second time"));
    let fault = match firsts.header(text, span).or_else(|| firsts.key(key, span)) {
        Some(first) => fault.related(&first, "first used here"),
        None => fault,
    };
    fault.help("keep one of the two, or rename it")
}

/// The places where keys and headers stand for the first time, for those that stand twice.
struct Firsts<'i> {
    /// The places of all keys of a name, in order.
    keys: HashMap<&'i str, Vec<Span>>,
    /// The start of the first header of each text. The parser keeps the place of the last header only.
    headers: HashMap<&'i str, usize>,
}

impl<'i> Firsts<'i> {
    fn of(text: &'i str, document: &DeTable<'_>) -> Self {
        let mut firsts = Self { keys: HashMap::new(), headers: HashMap::new() };
        firsts.add(text, document);
        firsts.keys.values_mut().for_each(|places| places.sort_unstable_by_key(|place| place.start));
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            if let Some(header) = header(line) {
                firsts.headers.entry(header).or_insert(start);
            }
            start += line.len();
        }
        firsts
    }

    fn add(&mut self, text: &'i str, table: &DeTable<'_>) {
        for (name, value) in table {
            let written = text.get(name.span()).unwrap_or_default();
            self.keys.entry(written).or_default().push(name.span());
            if let DeValue::Table(inner) = value.get_ref() {
                self.add(text, inner);
            }
        }
    }

    /// The place of the same header further up, where `span` lies in a header.
    fn header(&self, text: &str, span: &Span) -> Option<Span> {
        let start = line_start(text, span.start);
        let first = *self.headers.get(header(&text[start..])?)?;
        let offset = span.start - start;
        (first < start).then(|| first + offset..first + offset + span.len())
    }

    /// The last key of that name before `span`.
    fn key(&self, key: &str, span: &Span) -> Option<Span> {
        let places = self.keys.get(key)?;
        places[..places.partition_point(|place| place.start < span.start)].last().cloned()
    }
}

/// The start of the line that holds `at`.
fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

/// The header that `text` begins with, without what follows it.
fn header(text: &str) -> Option<&str> {
    let line = text.starts_with('[').then(|| text.lines().next())??;
    Some(line.split('#').next().unwrap_or(line).trim_end())
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
