//! A reader that collects: it reports every fault of a table and goes on.
//!
//! Serde would stop at the first one, and its spans do not survive tagged enums.

use std::ops::RangeInclusive;

use toml::de::{DeInteger, DeTable, DeValue};

use crate::diag::{Code, Diagnostic, Report, Span, Spanned};
use crate::model::{Invalid, Word};

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

    fn at(value: &'a toml::Spanned<DeValue<'a>>) -> Self {
        let span = value.span();
        Self { value: value.get_ref(), start: span.start, end: span.end }
    }

    /// Says that something else was expected here.
    pub(super) fn expected(&self, what: &str, report: &mut Report) {
        let message = format!("expected {what}, found {}", kind(self.value));
        report.push(Diagnostic::error("PG-A04", &self.span(), message));
    }
}

/// A type that can be read off a value. `None` means that a fault was reported.
pub(super) trait Read: Sized {
    fn read(cell: Cell<'_>, report: &mut Report) -> Option<Self>;
}

impl<T: Word> Read for T {
    fn read(cell: Cell<'_>, report: &mut Report) -> Option<Self> {
        let text = text(cell, report)?;
        T::parse(text).map_err(|invalid| report.push(refusal(invalid, &cell.span()))).ok()
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
}

/// What is faulty stays visible as `None`, so that rules do not take it for missing.
impl<T: Read> Read for Option<T> {
    fn read(cell: Cell<'_>, report: &mut Report) -> Option<Self> {
        Some(T::read(cell, report))
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
}

/// The text of a string, which rule A06 keeps free of control characters.
pub(super) fn text<'a>(cell: Cell<'a>, report: &mut Report) -> Option<&'a str> {
    let DeValue::String(text) = cell.value else {
        cell.expected("a string", report);
        return None;
    };
    printable(text, &cell.span(), report).then_some(text)
}

/// Rule A06: characters that move the cursor, end a line or reorder what is shown.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn printable(text: &str, span: &Span, report: &mut Report) -> bool {
    let Some(control) = text.chars().find(|c| is_control(*c)) else { return true };
    let message = format!("this text holds the control character U+{:04X}", u32::from(control));
    report.push(Diagnostic::error("PG-A06", span, message).help("write visible characters only"));
    false
}

pub(super) fn refusal(invalid: Invalid, span: &Span) -> Diagnostic {
    Diagnostic::error(invalid.code, span, invalid.message).help(invalid.help)
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

/// An entry of a table whose keys are names of the user's.
#[derive(Clone, Debug)]
pub struct Entry<K, T> {
    /// The name as it is written, so that references to it can be told from dangling ones even where it is illegal.
    pub key: String,
    /// Where it is written.
    pub span: Span,
    /// The name, where it is legal.
    pub name: Option<K>,
    /// What it names.
    pub value: T,
}

/// A table that is being read.
pub(super) struct Table<'a, 'r> {
    table: &'a DeTable<'a>,
    /// What a missing key is reported at: the table's name.
    pub(super) span: Span,
    known: Vec<&'static str>,
    pub(super) report: &'r mut Report,
}

impl<'a, 'r> Table<'a, 'r> {
    pub(super) fn open(cell: Cell<'a>, report: &'r mut Report) -> Option<Self> {
        let DeValue::Table(table) = cell.value else {
            cell.expected("a table", report);
            return None;
        };
        Some(Self { table, span: cell.span(), known: Vec::new(), report })
    }

    fn find(&mut self, key: &'static str) -> Option<Cell<'a>> {
        self.known.push(key);
        let (name, value) = self.table.get_key_value(key)?;
        Some(place(name, value))
    }

    /// The value of `key`, if it is there and sound.
    pub(super) fn optional<T: Read>(&mut self, key: &'static str) -> Option<Spanned<T>> {
        let cell = self.find(key)?;
        Some(Spanned::new(T::read(cell, self.report)?, cell.span()))
    }

    /// The same, and a fault if it is not there.
    pub(super) fn required<T: Read>(&mut self, key: &'static str) -> Option<Spanned<T>> {
        self.need(key);
        self.optional(key)
    }

    /// Whether `key` is there, sound or not.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Reports `key` if it is missing.
    pub(super) fn need(&mut self, key: &'static str) {
        if !self.has(key) {
            let fault = Diagnostic::error("PG-A04", &self.span, format!("`{key}` is missing here"));
            self.report.push(fault.help(format!("add `{key} = …`")));
        }
    }

    /// A whole number within `range`; outside it, the fault `code`.
    pub(super) fn number(
        &mut self,
        key: &'static str,
        code: Code,
        range: RangeInclusive<u16>,
    ) -> Option<Spanned<u16>> {
        let cell = self.find(key)?;
        let DeValue::Integer(number) = cell.value else {
            // A10: no floats for counts.
            let code = if matches!(cell.value, DeValue::Float(_)) { "PG-A10" } else { "PG-A04" };
            let message = format!("expected a whole number, found {}", kind(cell.value));
            self.report.push(Diagnostic::error(code, &cell.span(), message));
            return None;
        };
        let value =
            integer(number).and_then(|value| u16::try_from(value).ok()).filter(|value| range.contains(value));
        if value.is_none() {
            let message = format!("`{key}` is {number}, and {} to {} are legal", range.start(), range.end());
            self.report.push(Diagnostic::error(code, &cell.span(), message));
        }
        Some(Spanned::new(value?, cell.span()))
    }

    /// A table whose keys are names of the user's; missing, it is empty.
    pub(super) fn entries<K: Word, T: Read>(&mut self, key: &'static str) -> Vec<Entry<K, T>> {
        let Some(cell) = self.find(key) else { return Vec::new() };
        let DeValue::Table(table) = cell.value else {
            cell.expected("a table", self.report);
            return Vec::new();
        };
        let mut entries = Vec::with_capacity(table.len());
        for (name, value) in table {
            let span = name.span();
            if !printable(name.get_ref(), &span, self.report) {
                continue;
            }
            let word =
                K::parse(name.get_ref()).map_err(|invalid| self.report.push(refusal(invalid, &span))).ok();
            if let Some(value) = T::read(place(name, value), self.report) {
                entries.push(Entry { key: name.get_ref().to_string(), span, name: word, value });
            }
        }
        same_but_for_case(&entries, self.report);
        entries
    }

    /// The key of an enum-like choice that is written as a sub-table, `disk.single = { … }`: exactly one of `legal`.
    pub(super) fn choice(&mut self, legal: &[&'static str]) -> Option<(&'static str, Table<'a, '_>)> {
        self.known.extend_from_slice(legal);
        let mut found = legal.iter().filter_map(|key| Some((*key, self.table.get_key_value(*key)?)));
        let first = found.next();
        if let (Some((one, (name, _))), Some((two, (second, _)))) = (first, found.next()) {
            let fault = Diagnostic::error(
                "PG-A04",
                &second.span(),
                format!("`{two}` stands beside `{one}`, and there is one choice"),
            );
            self.report.push(fault.related(&name.span(), "the other one").help("keep one of the two"));
        }
        let (key, (name, value)) = first?;
        Some((key, Table::open(place(name, value), self.report)?))
    }

    /// `allow = ["PG-…"]`: acknowledges warnings of this table and of all below it.
    pub(super) fn allow(&mut self) {
        let Some(codes) = self.optional::<Vec<Spanned<super::values::RuleCode>>>("allow") else { return };
        let mut places = vec![self.span.clone()];
        spans_below(self.table, &mut places);
        for code in codes.value {
            self.report.acknowledge(Spanned::new(code.value.0, code.span), &places);
        }
    }

    /// Rule A03: reports every key that nobody asked for.
    pub(super) fn finish(self) {
        for name in self.table.keys().filter(|name| !self.known.contains(&name.get_ref().as_ref())) {
            let fault = Diagnostic::error(
                "PG-A03",
                &name.span(),
                format!("unknown key `{}`", name.get_ref().escape_debug()),
            );
            let help = match super::values::nearest(name.get_ref(), &self.known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", self.known.join(", ")),
            };
            self.report.push(fault.help(help));
        }
    }
}

/// Where to point at for `name = value`: at the value, or at the name of a table.
fn place<'a>(
    name: &toml::Spanned<toml::de::DeString<'a>>,
    value: &'a toml::Spanned<DeValue<'a>>,
) -> Cell<'a> {
    match value.get_ref() {
        table @ DeValue::Table(_) => Cell { value: table, start: name.span().start, end: name.span().end },
        _ => Cell::at(value),
    }
}

fn spans_below(table: &DeTable<'_>, places: &mut Vec<Span>) {
    for (name, value) in table {
        places.push(name.span());
        match value.get_ref() {
            DeValue::Table(inner) => spans_below(inner, places),
            _ => places.push(value.span()),
        }
    }
}

/// The number, where it fits; a leading zero is a syntax error of TOML already.
pub(super) fn integer(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// Rule A08: DNS and some file systems do not tell names apart by case.
fn same_but_for_case<K, T>(entries: &[Entry<K, T>], report: &mut Report) {
    let mut seen = std::collections::HashMap::new();
    for entry in entries {
        if let Some(first) = seen.insert(entry.key.to_ascii_lowercase(), entry) {
            let message = format!("`{}` and `{}` differ in case only", entry.key, first.key);
            let fault =
                Diagnostic::error("PG-A08", &entry.span, message).related(&first.span, "first used here");
            report.push(fault.help("give one of them another name"));
        }
    }
}
