//! The statements of a TOML text: each header, and each key with its value, with their places.

use std::borrow::Cow;

use anyhow::{Context, Result};
use toml_parser::Source;
use toml_parser::parser::{Event, EventKind, parse_document};

use crate::diag::Span;

/// The statements of a text.
#[derive(Debug)]
pub(super) struct SourceMap<'t> {
    /// The text.
    pub(super) text: &'t str,
    /// The statements in the order of the text.
    pub(super) statements: Vec<Statement>,
    events: Vec<Event>,
}

/// A header, or a key with its value.
#[derive(Debug)]
pub(super) struct Statement {
    /// Whether the statement is a header, such as `[node.node01]`.
    pub(super) is_header: bool,
    /// The keys from the root of the document.
    pub(super) path: Vec<String>,
    /// How many keys of `path` the header above says.
    pub(super) inherited: usize,
    /// The place of the key, or of the header with its brackets.
    pub(super) key: Span,
    /// The place of the value; empty for a header.
    pub(super) value: Span,
    /// The place of all lines that the statement stands in, with the last line end.
    pub(super) lines: Span,
    /// The events of the value.
    pub(super) events: std::ops::Range<usize>,
}

/// A key inside an inline table, or an item of an array.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// The keys; none for an item of an array.
    pub(super) path: Vec<String>,
    /// The place of the value.
    pub(super) value: Span,
    /// The events of the value.
    pub(super) events: std::ops::Range<usize>,
}

impl<'t> SourceMap<'t> {
    /// Reads `text`, which is sound TOML.
    ///
    /// # Errors
    /// When the statements of the text are not found.
    pub(super) fn read(text: &'t str) -> Result<Self> {
        let tokens: Vec<_> = Source::new(text).lex().collect();
        let mut events: Vec<Event> = Vec::new();
        parse_document(&tokens, &mut events, &mut ());
        let mut map = Self { text, statements: Vec::new(), events };
        map.read_statements().context("the statements of the inventory were not found")?;
        Ok(map)
    }

    fn read_statements(&mut self) -> Option<()> {
        let mut section = Vec::new();
        let mut at = 0;
        while let Some(event) = self.events.get(at) {
            match event.kind() {
                EventKind::StdTableOpen | EventKind::ArrayTableOpen => {
                    let is_close =
                        |kind| matches!(kind, EventKind::StdTableClose | EventKind::ArrayTableClose);
                    let close = self.find_event(at, is_close)?;
                    let key = event.span().start()..self.events[close].span().end();
                    section = self.read_keys(at..close);
                    self.statements.push(Statement {
                        is_header: true,
                        path: section.clone(),
                        inherited: 0,
                        lines: self.lines_of(&key),
                        value: key.end..key.end,
                        key,
                        events: close..close,
                    });
                    at = close + 1;
                }
                EventKind::SimpleKey => {
                    let statement = self.read_entry(at, &section)?;
                    at = statement.events.end;
                    self.statements.push(statement);
                }
                _ => at += 1,
            }
        }
        Some(())
    }

    /// Reads the key that begins with the event `at`, and its value.
    fn read_entry(&self, at: usize, section: &[String]) -> Option<Statement> {
        let separator = self.find_event(at, |kind| kind == EventKind::KeyValSep)?;
        let names = self.read_keys(at..separator);
        let first = self.find_event(separator + 1, is_value)?;
        let last = self.find_end(first)?;
        let last_name =
            self.events[at..separator].iter().rfind(|event| event.kind() == EventKind::SimpleKey)?;
        let key = self.events[at].span().start()..last_name.span().end();
        let value = self.events[first].span().start()..self.events[last].span().end();
        Some(Statement {
            is_header: false,
            path: [section, &names].concat(),
            inherited: section.len(),
            lines: self.lines_of(&(key.start..value.end)),
            key,
            value,
            events: first..last + 1,
        })
    }

    fn find_event(&self, from: usize, is_wanted: impl Fn(EventKind) -> bool) -> Option<usize> {
        self.events[from..].iter().position(|event| is_wanted(event.kind())).map(|at| from + at)
    }

    /// The last event of the value that begins with the event `first`.
    fn find_end(&self, first: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for (at, event) in self.events.iter().enumerate().skip(first) {
            match event.kind() {
                EventKind::ArrayOpen | EventKind::InlineTableOpen => depth += 1,
                EventKind::ArrayClose | EventKind::InlineTableClose => depth = depth.checked_sub(1)?,
                _ => {}
            }
            if depth == 0 {
                return Some(at);
            }
        }
        None
    }

    /// The names of the keys among the events of `range`.
    fn read_keys(&self, range: std::ops::Range<usize>) -> Vec<String> {
        let keys = self.events[range].iter().filter(|event| event.kind() == EventKind::SimpleKey);
        keys.filter_map(|event| {
            let mut name = Cow::Borrowed("");
            Source::new(self.text).get(event)?.decode_key(&mut name, &mut ());
            Some(name.into_owned())
        })
        .collect()
    }

    /// The lines that `span` stands in, with the line end of the last one.
    fn lines_of(&self, span: &Span) -> Span {
        let start = self.text[..span.start].rfind('\n').map_or(0, |at| at + 1);
        let end = self.text[span.end..].find('\n').map_or(self.text.len(), |at| span.end + at + 1);
        start..end
    }

    /// The items of the array, or the keys of the inline table, whose events are `events`; none for another value.
    pub(super) fn parts(&self, events: &std::ops::Range<usize>) -> Vec<Part> {
        let (mut parts, mut path) = (Vec::new(), Vec::new());
        let mut at = events.start + 1;
        while at < events.end {
            let kind = self.events[at].kind();
            if kind == EventKind::SimpleKey {
                path.extend(self.read_keys(at..at + 1));
            } else if is_value(kind) {
                let Some(end) = self.find_end(at) else { break };
                let value = self.events[at].span().start()..self.events[end].span().end();
                parts.push(Part { path: std::mem::take(&mut path), value, events: at..end + 1 });
                at = end;
            }
            at += 1;
        }
        parts
    }

    /// The statement that gives `path` its value.
    pub(super) fn find_entry(&self, path: &[&str]) -> Option<&Statement> {
        self.statements.iter().find(|statement| !statement.is_header && statement.path == path)
    }

    /// The text of the string at `span`; the text as written where that is no string.
    pub(super) fn string_at(&self, span: &Span) -> String {
        let written = &self.text[span.clone()];
        let parsed = format!("value = {written}").parse::<toml::Table>().ok();
        let text = parsed.and_then(|table| table.get("value")?.as_str().map(str::to_owned));
        text.unwrap_or_else(|| written.to_owned())
    }
}

/// Whether a value begins with an event of `kind`.
fn is_value(kind: EventKind) -> bool {
    matches!(kind, EventKind::Scalar | EventKind::ArrayOpen | EventKind::InlineTableOpen)
}
