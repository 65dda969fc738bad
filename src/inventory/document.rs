//! The bytes of an inventory as a TOML document: rules A01 and A02.

use toml::de::{DeTable, DeValue};

use crate::diag::{Diagnostic, Report, Span};

/// The largest inventory: 100,000 nodes take 31 MB.
pub const LARGEST: usize = 64 << 20;

/// The text of `bytes`, or the fault that makes it unreadable.
///
/// # Errors
/// Under rule A01, when `bytes` is too large, is not UTF-8 or begins with a byte order mark.
pub fn text(bytes: &[u8]) -> Result<&str, Diagnostic> {
    let refuse = |message: String| Diagnostic::error("PG-A01", &(0..0), message);
    if bytes.len() > LARGEST {
        return Err(refuse(format!("the inventory has {} bytes, and {LARGEST} are the most", bytes.len())));
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

/// Parses `text` as far as it goes and reports where it does not.
pub(super) fn parse<'i>(text: &'i str, report: &mut Report) -> toml::Spanned<DeTable<'i>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut too_deep = false;
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        if error.message().starts_with("duplicate key") {
            report.push(duplicate(text, document.get_ref(), span));
            continue;
        }
        if error.message().starts_with("cannot recurse") && std::mem::replace(&mut too_deep, true) {
            continue;
        }
        report.push(Diagnostic::error("PG-A01", &span, format!("this is not TOML: {}", error.message())));
    }
    document
}

fn duplicate(text: &str, document: &DeTable<'_>, span: Span) -> Diagnostic {
    let key = text.get(span.clone()).unwrap_or_default();
    let fault = Diagnostic::error("PG-A02", &span, format!("`{key}` is here for the second time"));
    let first = first_header(text, &span).or_else(|| nearest_before(document, key, span.start));
    let fault = match first {
        Some(first) => fault.related(&first, "first used here"),
        None => fault,
    };
    fault.help("keep one of the two, or rename it")
}

/// The same header further up, where `span` lies in one: the parser keeps the place of the last only.
fn first_header(text: &str, span: &Span) -> Option<Span> {
    let start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let line = text[start..].lines().next()?.trim_end();
    let header = line.starts_with('[').then_some(line)?;
    let first =
        text[..start].match_indices(header).find(|(at, _)| *at == 0 || text.as_bytes()[at - 1] == b'\n')?.0;
    let offset = span.start - start;
    Some(first + offset..first + offset + span.len())
}

/// The last key of that name before `end`.
fn nearest_before(table: &DeTable<'_>, key: &str, end: usize) -> Option<Span> {
    let mut nearest: Option<Span> = None;
    for (name, value) in table {
        let inner = match value.get_ref() {
            DeValue::Table(inner) => nearest_before(inner, key, end),
            _ => None,
        };
        let own = (name.get_ref() == key && name.span().start < end).then(|| name.span());
        for span in [own, inner].into_iter().flatten() {
            if nearest.as_ref().is_none_or(|best| best.start < span.start) {
                nearest = Some(span);
            }
        }
    }
    nearest
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
    fn syntax_errors_are_all_found_and_depth_is_said_once() {
        assert!(faults("a = = 1\nb = [1,\nc = 2\n").iter().filter(|d| d.code == "PG-A01").count() > 1);
        let deep = format!("a = {}", "[".repeat(5000));
        assert_eq!(faults(&deep).iter().filter(|d| d.message.contains("recurs")).count(), 1);
    }
}
