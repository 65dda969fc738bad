//! Where the tables of nodes and networks are, whichever way they are written.

use std::collections::HashMap;
use std::fmt;

use crate::diag::Span;

use super::blocks::{entry_block, table_block};
use super::source::{Part, SourceMap, Statement};

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `[node.NAME]`, and headers below, such as `[node.NAME.bmc]`.
    Headers,
    /// `NAME = { … }` on one line.
    Inline,
    /// `NAME.key = …`, a line for each key.
    Dotted,
}

/// The table of a node or a network.
#[derive(Debug)]
pub(super) struct Place {
    /// The name of the table.
    pub(super) name: String,
    /// How the table is written.
    pub(super) form: Form,
    /// The statements of the table, by their numbers: for headers, with the keys below them.
    pub(super) statements: Vec<usize>,
}

/// The tables of one kind, in the order of the text.
#[derive(Debug)]
pub(super) struct Places {
    list: Vec<Place>,
    index: HashMap<String, usize>,
}

/// The error for a text that is sound and is written in a form that an edit does not know.
#[derive(Debug)]
pub struct NotEditable {
    /// The reason.
    pub why: String,
    /// The lines to write by hand.
    pub block: String,
}

impl std::error::Error for NotEditable {}

impl fmt::Display for NotEditable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl Places {
    /// Finds the tables `[<kind>.<name>]` in `map`, such as those of nodes for `node`.
    pub(super) fn find(map: &SourceMap<'_>, kind: &str) -> Self {
        let mut places = Self { list: Vec::new(), index: HashMap::new() };
        for (at, statement) in map.statements.iter().enumerate() {
            let [table, name, rest @ ..] = &statement.path[..] else { continue };
            if table != kind {
                continue;
            }
            let form = match rest {
                _ if statement.is_header || statement.inherited >= 2 => Form::Headers,
                [] => Form::Inline,
                _ => Form::Dotted,
            };
            let next = places.list.len();
            let place = *places.index.entry(name.clone()).or_insert(next);
            if place == next {
                places.list.push(Place { name: name.clone(), form, statements: Vec::new() });
            }
            places.list[place].statements.push(at);
        }
        places
    }

    /// The table called `name`.
    pub(super) fn get(&self, name: &str) -> Option<&Place> {
        self.index.get(name).map(|at| &self.list[*at])
    }

    /// The last table whose name `is_wanted`.
    pub(super) fn last(&self, is_wanted: impl Fn(&str) -> bool) -> Option<&Place> {
        let wanted = self.list.iter().filter(|place| is_wanted(&place.name));
        wanted.max_by_key(|place| place.statements.last().copied())
    }
}

impl Place {
    /// The keys of the table below its name, with the places of their values.
    pub(super) fn keys(&self, map: &SourceMap<'_>) -> Vec<Part> {
        let statements = self.statements.iter().map(|at| &map.statements[*at]);
        let entries = statements.filter(|statement| !statement.is_header);
        if self.form == Form::Inline {
            return entries.flat_map(|entry| map.parts(&entry.events)).collect();
        }
        let part = |entry: &Statement| Part {
            path: entry.path[2..].to_vec(),
            value: entry.value.clone(),
            events: entry.events.clone(),
        };
        entries.map(part).collect()
    }

    /// The lines of the table, each with the comment that belongs to it: for headers with everything below.
    pub(super) fn blocks(&self, map: &SourceMap<'_>) -> Vec<Span> {
        let statements = self.statements.iter().map(|at| (*at, &map.statements[*at]));
        if self.form == Form::Headers {
            let headers = statements.filter(|(_, statement)| statement.is_header);
            return headers.map(|(at, _)| table_block(map, at)).collect();
        }
        statements.map(|(_, entry)| entry_block(map, entry)).collect()
    }

    /// The end of the last line of the table.
    pub(super) fn end(&self, map: &SourceMap<'_>) -> usize {
        self.blocks(map).last().map_or(map.text.len(), |block| block.end)
    }

    /// The place of the value of the key `path` below the table, also inside inline tables.
    pub(super) fn find(&self, map: &SourceMap<'_>, path: &[&str]) -> Option<Span> {
        find_among(map, self.keys(map), path)
    }
}

/// The place of the value of the key `path` among `keys` and below.
fn find_among(map: &SourceMap<'_>, keys: Vec<Part>, path: &[&str]) -> Option<Span> {
    for key in keys {
        let is_prefix =
            key.path.len() <= path.len() && key.path.iter().zip(path).all(|(one, other)| one == other);
        if key.path.is_empty() || !is_prefix {
            continue;
        }
        let rest = &path[key.path.len()..];
        if rest.is_empty() {
            return Some(key.value);
        }
        if map.text[key.value.clone()].starts_with('{')
            && let Some(found) = find_among(map, map.parts(&key.events), rest)
        {
            return Some(found);
        }
    }
    None
}
