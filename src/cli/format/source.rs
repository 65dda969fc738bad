//! The text of an inventory, and the lines and columns in that text.

use std::borrow::Cow;

use serde::Serialize;

use crate::diag::{Span, find_keys};
use crate::inventory::{LARGEST, find_secret_cells, find_secret_values, node_table_offset};
use crate::model::{escape_line, is_invisible};

/// A place by line and column, both counted from 1; a column is a character (a Unicode scalar value).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// The text of an inventory, with the offsets at which its lines begin.
pub(in crate::cli) struct SourceText<'a> {
    /// The name of the inventory, as the command line has it.
    pub(super) path: &'a str,
    /// The name as shown to people, on one line.
    pub(super) shown: Cow<'a, str>,
    /// The text as shown to people; empty where the file is not UTF-8 or too large.
    text: Cow<'a, str>,
    /// The offset at which each line begins.
    starts: Vec<usize>,
    /// The number of characters before each block of [`BLOCK`] bytes: a line may be as long as the whole text, and have as
    /// many faults.
    characters: Vec<usize>,
    /// The places of private keys, in order.
    pub(super) keys: Vec<Span>,
    /// The table of nodes, and the offset at which its places begin.
    table: Option<(usize, Box<SourceText<'a>>)>,
}

impl<'a> SourceText<'a> {
    pub(in crate::cli) fn new(path: &'a str, bytes: &'a [u8]) -> Self {
        Self::read(path, bytes, find_secret_values)
    }

    /// The text with the table of nodes called `path`, which holds `bytes`, beside an inventory of `length` bytes.
    pub(in crate::cli) fn with_table(self, path: &'a str, bytes: &'a [u8], length: usize) -> Self {
        let table = Box::new(Self::read(path, bytes, find_secret_cells));
        Self { table: Some((node_table_offset(length), table)), ..self }
    }

    /// The file that holds `span`, and the place in that file.
    pub(in crate::cli) fn locate(&self, span: &Span) -> (&Self, Span) {
        match &self.table {
            Some((offset, table)) if span.start >= *offset => (table, span.start - offset..span.end - offset),
            _ => (self, span.clone()),
        }
    }

    /// The place of `span` in the table of nodes, as `file:line`; none where it stands in the inventory.
    pub(in crate::cli) fn line_in_table(&self, span: &Span) -> Option<String> {
        let (source, place) = self.locate(span);
        (!std::ptr::eq(source, self))
            .then(|| format!("{}:{}", source.shown, source.position(place.start).line))
    }

    fn read(path: &'a str, bytes: &'a [u8], find_secrets: fn(&str) -> Vec<Span>) -> Self {
        // A file that is not UTF-8 or too large is refused as a whole, and has no places to show.
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= LARGEST);
        let text = hide_secrets(visible(text.unwrap_or_default()), find_secrets);
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let keys = find_keys(&text);
        let characters = count_characters(&text);
        Self { path, shown: escape_line(path), text, starts, characters, keys, table: None }
    }

    /// Whether the source is text, so that it has places.
    pub(super) fn is_text(&self) -> bool {
        !self.text.is_empty()
    }

    /// The number of the line that holds `offset`, from 0.
    fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// The whole lines around `span`, the number of the first line, and the offset at which that line begins.
    pub(super) fn lines(&self, span: &Span) -> (&str, usize, usize) {
        let (first, last) = (self.line(span.start), self.line(span.end));
        let start = self.starts[first];
        let end = self.starts.get(last + 1).map_or(self.text.len(), |next| next - 1);
        (&self.text[start..end.max(start)], first + 1, start)
    }

    /// The line and column of the byte `offset`.
    pub(super) fn position(&self, offset: usize) -> Position {
        let line = self.line(offset);
        let before = self.characters_before(offset) - self.characters_before(self.starts[line]);
        Position { line: line + 1, column: before + 1 }
    }

    /// The number of characters that begin before the byte `offset`.
    fn characters_before(&self, offset: usize) -> usize {
        let offset = offset.min(self.text.len());
        let block = offset / BLOCK;
        self.characters[block] + count_beginnings(&self.text.as_bytes()[block * BLOCK..offset])
    }

    /// The first position of `span`, and the position after its last.
    pub(super) fn ends(&self, span: &Span) -> (Position, Position) {
        (self.position(span.start), self.position(span.end))
    }
}

/// The number of bytes between two places at which the number of characters is known.
const BLOCK: usize = 1024;

/// The number of characters before each block of `text`.
fn count_characters(text: &str) -> Vec<usize> {
    let mut before = 0;
    let blocks = text.as_bytes().chunks(BLOCK).map(|block| {
        before += count_beginnings(block);
        before
    });
    std::iter::once(0).chain(blocks).collect()
}

/// The number of characters that begin in `bytes` of UTF-8.
fn count_beginnings(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0b1100_0000 != 0b1000_0000).count()
}

/// Replaces the values that `find_secrets` finds in `text`, each character by one of as many bytes, so that places
/// stay valid.
fn hide_secrets(text: Cow<'_, str>, find_secrets: fn(&str) -> Vec<Span>) -> Cow<'_, str> {
    let secrets = find_secrets(&text);
    if secrets.is_empty() {
        return text;
    }
    let hidden = |c: char| match c.len_utf8() {
        _ if c == '\n' => c,
        1 => '*',
        2 => '\u{bf}',
        3 => '\u{fffd}',
        _ => '\u{1f5ff}',
    };
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for secret in secrets {
        shown.push_str(&text[at..secret.start]);
        shown.extend(text[secret.clone()].chars().map(hidden));
        at = secret.end;
    }
    shown.push_str(&text[at..]);
    Cow::Owned(shown)
}

/// Replaces the characters of `text` that a terminal obeys or hides, each by a character of as many bytes, so that
/// places stay valid. ASCII characters are left to the renderer, which shows them as `␛` and similar.
fn visible(text: &str) -> Cow<'_, str> {
    let odd = |c: char| !c.is_ascii() && is_invisible(c);
    if !text.contains(odd) {
        return Cow::Borrowed(text);
    }
    let shown = |c: char| match c.len_utf8() {
        _ if !odd(c) => c,
        2 => '\u{bf}',
        3 => '\u{fffd}',
        _ => '\u{1f5ff}',
    };
    Cow::Owned(text.chars().map(shown).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let source = SourceText::new("a.toml", "α = 'é😀x'\r\nb\n".as_bytes());
        let at = |what| source.position(source.text.find(what).unwrap());
        assert_eq!(at("x"), Position { line: 1, column: 8 });
        assert_eq!(at("b"), Position { line: 2, column: 1 });
        assert_eq!(source.position(source.text.len()), Position { line: 3, column: 1 });
        // Never a panic: within a character, beyond the end, in nothing.
        assert_eq!(source.position(1), Position { line: 1, column: 2 });
        assert_eq!(source.position(1 << 40), Position { line: 3, column: 1 });
        assert_eq!(SourceText::new("", b"\xff").position(7), Position { line: 1, column: 1 });
    }
}
