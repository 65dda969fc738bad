//! A table that is being read, key by key.

use std::ops::RangeInclusive;

use toml::de::{DeString, DeTable, DeValue};

use crate::diag::{Code, Diagnostic, Report, Span, Spanned};
use crate::inventory::nearest::find_nearest_free;
use crate::inventory::values::RuleCode;
use crate::inventory::written::Maybe;
use crate::model::Word;

use super::entries::Entries;
use super::expected::{Expected, name_type};
use super::value::{Cell, Read, cell_of, parse_integer};

/// A table that is being read.
pub(in crate::inventory) struct Table<'a, 'r> {
    table: &'a DeTable<'a>,
    /// The place where a missing key is reported: the table's name.
    pub(in crate::inventory) span: Span,
    /// The legal keys, which the reader asks for one by one.
    keys: &'static [&'static str],
    /// The number of keys that the reader has asked for.
    asked: usize,
    /// The illegal keys, each with the legal key that was probably meant.
    unknown: Vec<(&'a toml::Spanned<DeString<'a>>, Option<&'static str>)>,
    pub(in crate::inventory) report: &'r mut Report,
}

impl<'a, 'r> Table<'a, 'r> {
    /// Opens the table in `cell`, whose legal keys are `keys`.
    pub(in crate::inventory) fn open(
        cell: Cell<'a>,
        keys: &'static [&'static str],
        report: &'r mut Report,
    ) -> Option<Self> {
        let DeValue::Table(table) = cell.value else {
            cell.report_unexpected(Expected::Table, report);
            return None;
        };
        let unknown = table.keys().filter(|name| !keys.contains(&name.get_ref().as_ref()));
        // A table of tables, such as `node`, is written in several places.
        let is_of_tables = |key: &str| table.get(key).is_some_and(holds_tables);
        let is_taken =
            |name: &str, key: &str| table.contains_key(key) && !(is_of_tables(key) && is_of_tables(name));
        let meant = |name: &str| find_nearest_free(name, keys, |key| is_taken(name, key));
        let unknown = unknown.map(|name| (name, meant(name.get_ref()))).collect();
        Some(Self { table, span: cell.span(), keys, asked: 0, unknown, report })
    }

    fn find(&mut self, key: &'static str) -> Option<Cell<'a>> {
        // A layout other than LVM has only some of the declared keys.
        if !self.keys.contains(&key) {
            return None;
        }
        self.asked += 1;
        let (name, value) = self.table.get_key_value(key)?;
        Some(cell_of(name, value))
    }

    /// Whether an illegal key looks as if `key` were meant: then `key` is faulty rather than missing.
    fn is_misspelt(&self, key: &str) -> bool {
        self.unknown.iter().any(|(_, meant)| *meant == Some(key))
    }

    /// The value of `key`, if it is written and sound.
    pub(in crate::inventory) fn optional<T: Read>(&mut self, key: &'static str) -> Option<Spanned<T>> {
        let Some(cell) = self.find(key) else {
            let faulty = T::faulty().filter(|_| self.is_misspelt(key))?;
            return Some(Spanned::new(faulty, self.span.clone()));
        };
        Some(Spanned::new(T::read(cell, self.report)?, cell.span()))
    }

    /// The value of `key`, as [`optional`](Self::optional) reads it; a missing key is a fault.
    pub(in crate::inventory) fn required<T: Read>(&mut self, key: &'static str) -> Option<Spanned<T>> {
        self.need(key);
        self.optional(key)
    }

    /// Whether `key` is written, sound or not.
    pub(in crate::inventory) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Whether the value of `key` is a table.
    pub(in crate::inventory) fn has_table(&self, key: &str) -> bool {
        self.table.get(key).is_some_and(|value| value.get_ref().is_table())
    }

    /// Whether `key` is missing, and no unknown key is meant to be `key`.
    pub(in crate::inventory) fn lacks(&self, key: &'static str) -> bool {
        !self.has(key) && !self.is_misspelt(key)
    }

    /// Reports `key` if it is missing.
    pub(in crate::inventory) fn need(&mut self, key: &'static str) {
        self.need_as(key, &format!("{key} = …"));
    }

    /// Reports `key` if it is missing; the help says to add `written`.
    pub(in crate::inventory) fn need_as(&mut self, key: &'static str, written: &str) {
        if self.lacks(key) {
            let fault = Diagnostic::error("PG-A04", &self.span, format!("`{key}` is missing here"));
            self.report.push(fault.help(format!("add `{written}`")));
        }
    }

    /// A whole number; a number outside of `range` is a fault under the rule `code`.
    pub(in crate::inventory) fn number(
        &mut self,
        key: &'static str,
        code: Code,
        range: RangeInclusive<u16>,
    ) -> Maybe<u16> {
        let Some(cell) = self.find(key) else {
            return self.is_misspelt(key).then(|| Spanned::new(None, self.span.clone()));
        };
        Some(Spanned::new(self.in_range(key, cell, code, range), cell.span()))
    }

    fn in_range(&mut self, key: &str, cell: Cell<'_>, code: Code, range: RangeInclusive<u16>) -> Option<u16> {
        let DeValue::Integer(number) = cell.value else {
            if let DeValue::Float(_) = cell.value {
                let message = format!("expected a whole number, found {}", name_type(cell.value));
                let fault = Diagnostic::error("PG-A10", &cell.span(), message);
                self.report.push(fault.help("write it without a fraction"));
            } else {
                let days = key.ends_with("_days");
                let expected = if days { Expected::Days } else { Expected::Number };
                cell.report_unexpected(expected, self.report);
            }
            return None;
        };
        let value = parse_integer(number)
            .and_then(|value| u16::try_from(value).ok())
            .filter(|value| range.contains(value));
        if value.is_none() {
            let message = format!("`{key}` is {number}, and {} to {} are legal", range.start(), range.end());
            self.report.push(Diagnostic::error(code, &cell.span(), message));
        }
        value
    }

    /// A table whose keys are names of the user's; missing, it is empty.
    pub(in crate::inventory) fn entries<K: Word, T: Read>(&mut self, key: &'static str) -> Entries<K, T> {
        let mut entries = Entries::default();
        entries.unread = self.is_misspelt(key);
        match self.find(key).map(|cell| (cell, cell.value)) {
            None => {}
            Some((_, DeValue::Table(table))) => entries.read(table, self.report),
            Some((cell, _)) => {
                cell.report_unexpected(Expected::Table, self.report);
                entries.unread = true;
            }
        }
        entries
    }

    /// A table as [`entries`](Self::entries) reads it; a missing table is a fault.
    pub(in crate::inventory) fn required_entries<K: Word, T: Read>(
        &mut self,
        key: &'static str,
    ) -> Entries<K, T> {
        self.need_as(key, &format!("[{key}.NAME]"));
        let mut entries = self.entries(key);
        entries.unread |= !self.has(key);
        entries
    }

    /// The key of an enum-like choice that is written as a sub-table, `disk.single = { … }`: exactly one of the keys.
    pub(in crate::inventory) fn choice(&mut self) -> Option<(&'static str, Cell<'a>)> {
        let legal = self.keys;
        self.asked = legal.len();
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
        if self.table.is_empty() {
            let legal = legal.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
            let fault = Diagnostic::error("PG-A04", &self.span, "nothing is chosen here");
            self.report.push(fault.help(format!("choose one of {legal}")));
        }
        let (key, (name, value)) = first?;
        Some((key, cell_of(name, value)))
    }

    /// `allow = ["PG-…"]`: acknowledges warnings of this table and of all below it.
    pub(in crate::inventory) fn allow(&mut self) {
        let Some(codes) = self.optional::<Vec<Spanned<RuleCode>>>("allow") else { return };
        let mut places = vec![self.span.clone()];
        let others = self.table.iter().filter(|(name, _)| name.get_ref() != "allow");
        collect_spans(others, &mut places);
        for code in codes.value {
            self.report.acknowledge(Spanned::new(code.value.0, code.span), &places);
        }
    }

    /// Reports each of `keys` that is written with `fault`, which says more than that the key is unknown. Returns whether
    /// one of them is written.
    pub(in crate::inventory) fn refuse(
        &mut self,
        keys: &[&str],
        fault: impl Fn(&Span) -> Diagnostic,
    ) -> bool {
        let before = self.unknown.len();
        let report = &mut *self.report;
        self.unknown.retain(|(name, _)| {
            let refused = keys.contains(&name.get_ref().as_ref());
            report.push_some(refused.then(|| fault(&name.span())));
            !refused
        });
        self.unknown.len() < before
    }

    /// Reports every illegal key (rule A03).
    pub(in crate::inventory) fn finish(self) {
        debug_assert_eq!(self.asked, self.keys.len(), "a key is legal and never read: {:?}", self.keys);
        for (name, meant) in self.unknown {
            let message = format!("unknown key `{}`", name.get_ref().escape_debug());
            let fault = Diagnostic::error("PG-A03", &name.span(), message);
            self.report.push(match meant {
                Some(near) => fault.help(format!("did you mean `{near}`?")).edit(name.span(), near),
                None => fault.help(format!("known here: {}", self.keys.join(", "))),
            });
        }
    }
}

/// Whether `value` is a table of tables.
fn holds_tables(value: &toml::Spanned<DeValue<'_>>) -> bool {
    value.get_ref().as_table().is_some_and(|table| table.iter().all(|(_, value)| value.get_ref().is_table()))
}

/// A key and its value.
type KeyValue<'t, 'i> = (&'t toml::Spanned<DeString<'i>>, &'t toml::Spanned<DeValue<'i>>);

/// Collects the places of all keys and values.
fn collect_spans<'t, 'i: 't>(items: impl Iterator<Item = KeyValue<'t, 'i>>, places: &mut Vec<Span>) {
    for (name, value) in items {
        places.push(name.span());
        match value.get_ref() {
            DeValue::Table(inner) => collect_spans(inner.iter(), places),
            _ => places.push(value.span()),
        }
    }
}
