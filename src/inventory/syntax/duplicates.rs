//! Keys and tables that are written twice (rule A02), each with the place where it stands first.

use std::collections::HashMap;

use toml_parser::lexer::{Token, TokenKind};

use crate::diag::{Diagnostic, Span};

use super::statement::{Statement, Statements, span_of};

/// The keys and tables that the document has twice.
pub(in crate::inventory) struct Duplicates {
    /// The faults.
    pub(in crate::inventory) faults: Vec<Diagnostic>,
    /// Whether no table is written twice, so that the parser has not mixed two tables.
    pub(in crate::inventory) is_whole: bool,
}

/// The path of a key from the root of the document, as it is written.
type Path<'i> = Vec<&'i str>;

/// The places where keys stand for the first time, by their paths.
#[derive(Default)]
struct Firsts<'i> {
    /// Keys with a value, and headers.
    defined: HashMap<Path<'i>, Span>,
    /// The tables that longer keys name on their way.
    mentioned: HashMap<Path<'i>, Span>,
}

/// Makes the faults of the keys of `text` that stand at `places`, in order, for the second time. Places behind `end` are
/// left out.
pub(in crate::inventory) fn refuse(text: &str, places: &[Span], end: usize) -> Duplicates {
    let mut duplicates = Duplicates { faults: Vec::new(), is_whole: true };
    if places.is_empty() {
        return duplicates;
    }
    let mut firsts = Firsts::default();
    let mut header = Path::new();
    // Below a header that stands there for the second time, keys follow from the header.
    let mut is_copy = false;
    for statement in Statements::of(text).take_while(|statement| statement.span().start < end) {
        let key = parts_of(&statement);
        let span = statement.span();
        let before = |at: usize| places.partition_point(|place| place.start < at);
        let here = &places[before(span.start)..before(span.end)];
        if statement.is_header() {
            header = Path::new();
            is_copy = !here.is_empty();
            duplicates.is_whole &= !is_copy;
        } else if is_copy {
            continue;
        }
        for place in here {
            let at = key.iter().position(|token| span_of(token) == *place);
            let first = match at {
                Some(at) => firsts.find(&join(&header, &statement, &key[..=at])),
                None => find_in_value(&statement, place),
            };
            duplicates.faults.push(refuse_second(text, place, first));
        }
        firsts.add(&header, &statement, &key);
        if statement.is_header() {
            header = join(&[], &statement, &key);
        }
    }
    duplicates
}

impl<'i> Firsts<'i> {
    fn add(&mut self, header: &[&'i str], statement: &Statement<'i>, key: &[&Token]) {
        for (at, token) in key.iter().enumerate() {
            let path = join(header, statement, &key[..=at]);
            let places = if at + 1 == key.len() { &mut self.defined } else { &mut self.mentioned };
            places.entry(path).or_insert_with(|| span_of(token));
        }
    }

    fn find(&self, path: &Path<'i>) -> Option<Span> {
        self.defined.get(path).or_else(|| self.mentioned.get(path)).cloned()
    }
}

/// The parts of the key of `statement`, without the dots.
fn parts_of<'s>(statement: &'s Statement<'_>) -> Vec<&'s Token> {
    let mut key = statement.key();
    key.retain(|token| token.kind() != TokenKind::Dot);
    key
}

/// The path of the `key` of `statement` below `header`.
fn join<'i>(header: &[&'i str], statement: &Statement<'i>, key: &[&Token]) -> Path<'i> {
    let name = |token: &&Token| statement.text_of(token).trim_matches(['"', '\'']);
    header.iter().copied().chain(key.iter().map(name)).collect()
}

/// Finds the first place of the key at `place` in the same inline table of the value of `statement`.
fn find_in_value(statement: &Statement<'_>, place: &Span) -> Option<Span> {
    let mut tables = Vec::new();
    let mut firsts = HashMap::new();
    let mut is_key = false;
    for token in statement.meaningful() {
        match token.kind() {
            TokenKind::LeftCurlyBracket => {
                tables.push(token.span().start());
                is_key = true;
            }
            TokenKind::RightCurlyBracket => drop(tables.pop()),
            TokenKind::Comma => is_key = true,
            TokenKind::Equals | TokenKind::Dot => is_key = false,
            _ if is_key => {
                let written = (tables.last().copied(), statement.text_of(token));
                if span_of(token) == *place {
                    return firsts.get(&written).cloned();
                }
                firsts.entry(written).or_insert_with(|| span_of(token));
            }
            _ => {}
        }
    }
    None
}

fn refuse_second(text: &str, place: &Span, first: Option<Span>) -> Diagnostic {
    let key = text.get(place.clone()).unwrap_or_default();
    let fault = Diagnostic::error("PG-A02", place, format!("`{key}` is here for the second time"));
    let fault = match first {
        Some(first) => fault.related(&first, "first used here"),
        None => fault,
    };
    fault.help("keep one of the two, or rename it")
}
