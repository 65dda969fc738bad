//! Whole lines: a table with the comment above it, and the blank line that goes with it.

use crate::diag::Span;

use super::source::{SourceMap, Statement};

/// The line end of the text: that of its first line.
pub(super) fn line_end(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// The white space at the beginning of the line that begins at `start`.
pub(super) fn indent_at(text: &str, start: usize) -> &str {
    let line = &text[start..];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// The line that ends at `end`, which is a beginning of a line.
fn line_before(text: &str, end: usize) -> Option<Span> {
    let last = end.checked_sub(1)?;
    let start = text[..last].rfind('\n').map_or(0, |at| at + 1);
    Some(start..end)
}

/// The line that begins at `start`.
fn line_after(text: &str, start: usize) -> Option<Span> {
    let end = text[start..].find('\n').map_or(text.len(), |at| start + at + 1);
    (start < end).then_some(start..end)
}

fn is_blank(text: &str, line: &Span) -> bool {
    text[line.clone()].trim().is_empty()
}

/// Whether the line is a comment that may be about the statement below; `#:schema` is about the file.
fn is_comment(text: &str, line: &Span) -> bool {
    let line = text[line.clone()].trim_start();
    line.starts_with('#') && !line.starts_with("#:")
}

/// The beginning of the comment that stands directly above the line that begins at `start`, else `start`.
pub(super) fn with_comment_above(text: &str, mut start: usize) -> usize {
    while let Some(line) = line_before(text, start).filter(|line| is_comment(text, line)) {
        start = line.start;
    }
    start
}

/// The end of the comment that stands directly below the line that ends at `end`, else `end`. A comment that stands
/// directly above another statement belongs to that.
fn with_comment_below(text: &str, end: usize) -> usize {
    let mut below = end;
    while let Some(line) = line_after(text, below).filter(|line| is_comment(text, line)) {
        below = line.end;
    }
    let is_free = line_after(text, below).is_none_or(|line| is_blank(text, &line));
    if is_free { below } else { end }
}

/// The lines of the table whose header is the statement `header`: from the comment directly above to the last value,
/// and the comment directly below.
pub(super) fn table_block(map: &SourceMap<'_>, header: usize) -> Span {
    let statements = &map.statements[header..];
    let mut last = header;
    let body = statements.iter().enumerate().skip(1).take_while(|(_, statement)| !statement.is_header);
    body.for_each(|(at, _)| last = header + at);
    let start = with_comment_above(map.text, map.statements[header].lines.start);
    start..with_comment_below(map.text, map.statements[last].lines.end)
}

/// The lines of a single key with its value, and the comment directly above.
pub(super) fn entry_block(map: &SourceMap<'_>, entry: &Statement) -> Span {
    with_comment_above(map.text, entry.lines.start)..entry.lines.end
}

/// `block` with one blank line beside it: that above, or that below where there is none above.
pub(super) fn with_blank_line(text: &str, block: &Span) -> Span {
    match (line_before(text, block.start), line_after(text, block.end)) {
        (Some(above), _) if is_blank(text, &above) => above.start..block.end,
        (_, Some(below)) if is_blank(text, &below) => block.start..below.end,
        _ => block.clone(),
    }
}

/// Gives `edited` the end of `text`: with a line end, or without.
pub(super) fn keep_end(text: &str, edited: String) -> String {
    if text.ends_with('\n') || text.is_empty() {
        return edited;
    }
    match edited.strip_suffix('\n') {
        Some(cut) => cut.strip_suffix('\r').unwrap_or(cut).to_owned(),
        None => edited,
    }
}
