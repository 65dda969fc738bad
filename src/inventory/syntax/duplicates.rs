//! Keys and tables that are written twice (rule A02), each with the place where it stands first.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

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

/// The number of a key among the paths from the root of the document; that of the root is 0.
type PathNumber = usize;

/// The keys of the document, and where each stands for the first time.
struct Firsts<'i> {
    /// The number of each path, by the number of the path above and the last key as it is written. Paths as lists would
    /// take the square of a key of many parts.
    numbers: HashMap<(PathNumber, &'i str), PathNumber>,
    /// The first place where each path is defined: that of a key with a value, or of a header.
    defined: Vec<Option<Span>>,
    /// The first place where each path is the way to another key.
    mentioned: Vec<Option<Span>>,
}

/// Makes the faults of the keys of `text` that stand at `places`, in order, for the second time. Places behind `end` are
/// left out.
pub(in crate::inventory) fn refuse(text: &str, places: &[Span], end: usize) -> Duplicates {
    let mut duplicates = Duplicates { faults: Vec::new(), is_whole: true };
    if places.is_empty() {
        return duplicates;
    }
    let mut firsts = Firsts::new();
    let mut header = 0;
    // The first part of the header, or of the key of a statement before all headers.
    let mut top = "";
    // Below a header that stands there for the second time, keys follow from the header.
    let mut is_copy = false;
    for statement in Statements::of(text).take_while(|statement| statement.span().start < end) {
        let span = statement.span();
        let before = |at: usize| places.partition_point(|place| place.start < at);
        let here = &places[before(span.start)..before(span.end)];
        if statement.is_header() {
            header = 0;
            is_copy = !here.is_empty();
            duplicates.is_whole &= !is_copy;
        } else if is_copy {
            continue;
        }
        let key = parts_of(&statement);
        if header == 0 {
            top = key.first().map_or("", |token| statement.text_of(token));
        }
        let numbers = firsts.number(header, &statement, &key);
        let in_value = if here.is_empty() { HashMap::new() } else { find_in_value(&statement) };
        for place in here {
            let at = key.binary_search_by_key(&place.start, |token| token.span().start());
            let first = match at {
                Ok(at) => firsts.find(numbers[at]),
                Err(_) => in_value.get(&place.start).cloned(),
            };
            let is_table = at.is_ok_and(|at| at + 1 < key.len());
            duplicates.faults.push(refuse_second(text, place, first, is_table.then_some(top)));
        }
        firsts.add(&numbers, &key);
        if statement.is_header() {
            header = numbers.last().copied().unwrap_or_default();
        }
    }
    duplicates
}

impl<'i> Firsts<'i> {
    fn new() -> Self {
        Self { numbers: HashMap::new(), defined: vec![None], mentioned: vec![None] }
    }

    /// The number of the path of each part of the `key` of `statement`, below the path `header`.
    fn number(&mut self, header: PathNumber, statement: &Statement<'i>, key: &[&Token]) -> Vec<PathNumber> {
        let mut above = header;
        let number = |token: &&Token| {
            let name = statement.text_of(token).trim_matches(['"', '\'']);
            above = *self.numbers.entry((above, name)).or_insert_with(|| {
                self.defined.push(None);
                self.mentioned.push(None);
                self.defined.len() - 1
            });
            above
        };
        key.iter().map(number).collect()
    }

    /// Adds the places of the parts of `key`, whose paths have the numbers `numbers`.
    fn add(&mut self, numbers: &[PathNumber], key: &[&Token]) {
        for (at, (number, token)) in numbers.iter().zip(key).enumerate() {
            let places = if at + 1 == key.len() { &mut self.defined } else { &mut self.mentioned };
            places[*number].get_or_insert_with(|| span_of(token));
        }
    }

    fn find(&self, number: PathNumber) -> Option<Span> {
        self.defined[number].clone().or_else(|| self.mentioned[number].clone())
    }
}

/// The parts of the key of `statement`, without the dots.
fn parts_of<'s>(statement: &'s Statement<'_>) -> Vec<&'s Token> {
    let mut key = statement.key();
    key.retain(|token| token.kind() != TokenKind::Dot);
    key
}

/// Finds the keys in the inline tables of `statement` that are there for the second time: where each begins, and the
/// first place of the same key in the same table.
fn find_in_value(statement: &Statement<'_>) -> HashMap<usize, Span> {
    let mut tables = Vec::new();
    let (mut firsts, mut found) = (HashMap::new(), HashMap::new());
    let mut is_key = false;
    for token in statement.tokens() {
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
                match firsts.entry(written) {
                    Entry::Occupied(first) => {
                        found.insert(token.span().start(), Span::clone(first.get()));
                    }
                    Entry::Vacant(first) => drop(first.insert(span_of(token))),
                }
            }
            _ => {}
        }
    }
    found
}

/// Makes the fault of the key at `place`. Where the key is a table there, and a value at its `first` place, `top` is the
/// first part of the path.
fn refuse_second(text: &str, place: &Span, first: Option<Span>, top: Option<&str>) -> Diagnostic {
    let key = text.get(place.clone()).unwrap_or_default();
    let (message, help) = match (top, key) {
        (Some("provisioner"), "interface") => (
            format!("`{key}` is a table here, and has a value already"),
            "write a table for each interface, and one with its `network` and `address` in the place of the value, such \
             as `[provisioner.interface.eth0]`",
        ),
        (Some(_), _) => (
            format!("`{key}` is a table here, and has a value already"),
            "keep the value or the table, or rename one of the two",
        ),
        (None, _) => (format!("`{key}` is here for the second time"), "keep one of the two, or rename it"),
    };
    let fault = Diagnostic::error("PG-A02", place, message);
    let fault = match first {
        Some(first) => fault.related(&first, "first used here"),
        None => fault,
    };
    fault.help(help)
}
