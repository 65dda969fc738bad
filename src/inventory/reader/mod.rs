//! A reader that collects: it reports every fault of a table and goes on.
//!
//! Serde would stop at the first one, and its spans do not survive tagged enums.

mod entries;
mod table;

use serde_json::json;
use toml::de::{DeInteger, DeValue};

use crate::diag::{Diagnostic, Report, Span, Spanned};
use crate::model::{Invalid, Word, is_invisible};

use super::schema::{self, Schema, list_of, map_of};

pub use entries::{Entries, Entry};
pub(super) use table::Table;

/// A value of the document with its place.
#[derive(Clone, Copy)]
pub(super) struct Cell<'a> {
    pub(super) value: &'a DeValue<'a>,
    /// The place of the value, or of the key for a table with a header of its own.
    pub(super) start: usize,
    pub(super) end: usize,
}

impl<'a> Cell<'a> {
    pub(super) fn span(&self) -> Span {
        self.start..self.end
    }

    pub(super) fn at(value: &'a toml::Spanned<DeValue<'a>>) -> Self {
        let span = value.span();
        Self { value: value.get_ref(), start: span.start, end: span.end }
    }

    /// Says that something else was expected here.
    pub(super) fn expected(&self, what: &str, report: &mut Report) {
        let message = format!("expected {what}, found {}", kind(self.value));
        let fault = Diagnostic::error("PG-A04", &self.span(), message);
        report.push(match what {
            "a table" => fault.help("write `{ key = value }`"),
            "a list" => fault.help("write it in brackets: `[ … ]`"),
            "a string" => fault.help("write it in quotes"),
            _ => fault.help("write it without quotes"),
        });
    }
}

/// A type that a value of the document is read as.
pub(super) trait Read: Sized {
    /// Reads the value in `cell`. `None` means that a fault was reported.
    fn read(cell: Cell<'_>, report: &mut Report) -> Option<Self>;

    /// The JSON Schema of such a value.
    fn schema() -> Schema;

    /// The stand-in for a faulty value, where the type has one.
    fn faulty() -> Option<Self> {
        None
    }
}

impl<T: Word> Read for T {
    fn read(cell: Cell<'_>, report: &mut Report) -> Option<Self> {
        let text = text(cell, report)?;
        T::parse(text)
            .map_err(|invalid| report.push(refusal(replaced(text).unwrap_or(invalid), &cell.span())))
            .ok()
    }

    fn schema() -> Schema {
        schema::word::<T>()
    }
}

impl Read for bool {
    fn read(cell: Cell<'_>, report: &mut Report) -> Option<Self> {
        let DeValue::Boolean(value) = cell.value else {
            cell.expected("`true` or `false`", report);
            return None;
        };
        Some(*value)
    }

    fn schema() -> Schema {
        map_of(json!({ "type": "boolean" }))
    }
}

/// A faulty value stays visible as `None`, so that rules do not take it for a missing one.
impl<T: Read> Read for Option<T> {
    fn read(cell: Cell<'_>, report: &mut Report) -> Option<Self> {
        Some(T::read(cell, report))
    }

    fn schema() -> Schema {
        T::schema()
    }

    fn faulty() -> Option<Self> {
        Some(None)
    }
}

impl<T: Read> Read for Vec<Spanned<T>> {
    fn read(cell: Cell<'_>, report: &mut Report) -> Option<Self> {
        let DeValue::Array(items) = cell.value else {
            cell.expected("a list", report);
            return None;
        };
        let mut read = |item| {
            let cell = Cell::at(item);
            Some(Spanned::new(T::read(cell, report)?, cell.span()))
        };
        Some(items.iter().filter_map(&mut read).collect())
    }

    fn schema() -> Schema {
        list_of(&T::schema())
    }
}

impl<T: Read> Read for Spanned<T> {
    fn read(cell: Cell<'_>, report: &mut Report) -> Option<Self> {
        Some(Self::new(T::read(cell, report)?, cell.span()))
    }

    fn schema() -> Schema {
        T::schema()
    }
}

/// The text of a string, which rule A06 keeps free of control characters.
pub(super) fn text<'a>(cell: Cell<'a>, report: &mut Report) -> Option<&'a str> {
    let DeValue::String(text) = cell.value else {
        cell.expected("a string", report);
        return None;
    };
    printable(text, &cell.span(), report).then_some(text)
}

pub(super) fn printable(text: &str, span: &Span, report: &mut Report) -> bool {
    let Some(c) = text.chars().find(|c| is_invisible(*c)) else { return true };
    report.push(invisible(c, span));
    false
}

/// Rule A06.
pub(super) fn invisible(c: char, span: &Span) -> Diagnostic {
    let message = match c {
        '\n' | '\r' => "this text has more than one line".to_owned(),
        c => format!("this text holds the invisible character U+{:04X}", u32::from(c)),
    };
    Diagnostic::error("PG-A06", span, message).help("write one line of visible characters")
}

/// Rule A14, of a text that its type refuses: whether it holds a variable of the shell's, of Nix's or of a template's.
fn replaced(text: &str) -> Option<Invalid> {
    let opens = |(at, _): (usize, &str)| {
        text[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '{' | '('))
    };
    if !text.match_indices('$').any(opens) && !text.contains("{{") {
        return None;
    }
    let message =
        format!("nothing is put in the place of variables, and `{text}` is none of the legal values");
    Some(Invalid::new(
        "PG-A14",
        message,
        "write the value itself; for several sites, make the inventory with a script",
    ))
}

pub(super) fn refusal(invalid: Invalid, span: &Span) -> Diagnostic {
    Diagnostic::error(invalid.code, span, invalid.message).help(invalid.help).about(invalid.subject)
}

/// A value's type in TOML's words.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// The number, where it fits; a leading zero is a syntax error of TOML already.
pub(super) fn integer(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}
