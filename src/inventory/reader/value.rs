//! Values of the document: how each type is read, and its JSON Schema.

use serde_json::json;
use toml::de::{DeInteger, DeString, DeValue};

use crate::diag::{Diagnostic, Report, Span, Spanned, Subject};
use crate::inventory::schema::{self, Schema, list_of, map_of};
use crate::model::{Invalid, Word, is_invisible};

use super::expected::{Expected, name_type, quote};

/// A value of the document with its place.
#[derive(Clone, Copy)]
pub(in crate::inventory) struct Cell<'a> {
    pub(in crate::inventory) value: &'a DeValue<'a>,
    /// The place of the value, or of the key for a table with a header.
    pub(in crate::inventory) start: usize,
    pub(in crate::inventory) end: usize,
}

impl<'a> Cell<'a> {
    pub(in crate::inventory) fn span(&self) -> Span {
        self.start..self.end
    }

    pub(in crate::inventory) fn at(value: &'a toml::Spanned<DeValue<'a>>) -> Self {
        let span = value.span();
        Self { value: value.get_ref(), start: span.start, end: span.end }
    }

    /// Reports that `what` was expected here.
    pub(in crate::inventory) fn report_unexpected(&self, what: Expected, report: &mut Report) {
        let message = format!("expected {}, found {}", what.name(), name_type(self.value));
        let fault = Diagnostic::error("PG-A04", &self.span(), message);
        let text = what.convert(self.value);
        report.push(match text {
            Some(text) => fault.help(format!("write `{text}`")).edit(self.span(), text),
            None => fault.help(what.help(self.value)),
        });
    }
}

/// A type that a value of the document is read as.
pub(in crate::inventory) trait Read: Sized {
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
        let text = read_text(cell, report)?;
        T::parse(text)
            .map_err(|invalid| report.push(refuse(find_variable(text).unwrap_or(invalid), &cell.span())))
            .ok()
    }

    fn schema() -> Schema {
        schema::word::<T>()
    }
}

impl Read for bool {
    fn read(cell: Cell<'_>, report: &mut Report) -> Option<Self> {
        let DeValue::Boolean(value) = cell.value else {
            cell.report_unexpected(Expected::Flag, report);
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
            cell.report_unexpected(Expected::List, report);
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
pub(in crate::inventory) fn read_text<'a>(cell: Cell<'a>, report: &mut Report) -> Option<&'a str> {
    let DeValue::String(text) = cell.value else {
        cell.report_unexpected(Expected::Text, report);
        return None;
    };
    check_printable(text, &cell.span(), report).then_some(text)
}

/// Reports `text` if it holds an invisible character. Returns whether it holds none.
pub(in crate::inventory) fn check_printable(text: &str, span: &Span, report: &mut Report) -> bool {
    let Some(c) = text.chars().find(|c| is_invisible(*c)) else { return true };
    report.push(refuse_invisible(c, span));
    false
}

/// The fault of an invisible character (rule A06).
pub(in crate::inventory) fn refuse_invisible(c: char, span: &Span) -> Diagnostic {
    let message = match c {
        '\n' | '\r' => "this text has more than one line".to_owned(),
        c => format!("this text holds the invisible character U+{:04X}", u32::from(c)),
    };
    Diagnostic::error("PG-A06", span, message).help("write one line of visible characters")
}

/// The refusal under rule A14, if a text that its type refuses holds a variable of the shell, of Nix or of a template.
fn find_variable(text: &str) -> Option<Invalid> {
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

/// The diagnostic of a refused text that stands in quotes at `span`.
pub(in crate::inventory) fn refuse(invalid: Invalid, span: &Span) -> Diagnostic {
    let instead =
        invalid.instead.as_ref().filter(|_| invalid.subject != Subject::Secret).map(|text| quote(text));
    let fault =
        Diagnostic::error(invalid.code, span, invalid.message).help(invalid.help).about(invalid.subject);
    match instead {
        Some(text) => fault.edit(span.clone(), text),
        None => fault,
    }
}

/// The number, where it fits into 64 bits. A leading zero is a syntax error in TOML.
pub(in crate::inventory) fn parse_integer(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// The cell of `name = value`. Its place is that of the value, or of the name of a table.
pub(super) fn cell_of<'a>(
    name: &toml::Spanned<DeString<'a>>,
    value: &'a toml::Spanned<DeValue<'a>>,
) -> Cell<'a> {
    match value.get_ref() {
        table @ DeValue::Table(_) => Cell { value: table, start: name.span().start, end: name.span().end },
        _ => Cell::at(value),
    }
}
