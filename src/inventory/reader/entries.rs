//! Tables whose keys are names of the user's.

use std::collections::HashMap;

use serde_json::json;
use toml::de::{DeString, DeTable};

use crate::diag::{Diagnostic, Report, Span};
use crate::model::Word;

use crate::inventory::schema::{Schema, map_of, word};

use super::value::{Read, cell_of, check_printable, refuse};

/// An entry of a table whose keys are names that the user gives.
#[derive(Clone, Debug)]
pub struct Entry<K, T> {
    /// The name as written: references to an illegal name are not dangling.
    pub key: String,
    /// The place of the name.
    pub span: Span,
    /// The name, where it is legal.
    pub name: Option<K>,
    /// The value under that name.
    pub value: T,
}

/// A table whose keys are names that the user gives.
#[derive(Clone, Debug)]
pub struct Entries<K, T> {
    list: Vec<Entry<K, T>>,
    /// The names of entries that could not be read at all.
    lost: Vec<String>,
    /// The legal names that were proposed for illegal ones.
    proposed: Vec<String>,
    /// Whether the table could not be read at all, or is missing where it must not be.
    pub(super) unread: bool,
}

impl<K, T> Default for Entries<K, T> {
    fn default() -> Self {
        Self { list: Vec::new(), lost: Vec::new(), proposed: Vec::new(), unread: false }
    }
}

impl<K, T> Entries<K, T> {
    /// The entries that could be read, by name.
    pub fn iter(&self) -> std::slice::Iter<'_, Entry<K, T>> {
        self.list.iter()
    }

    /// The JSON Schema of such a table.
    pub(in crate::inventory) fn schema() -> Schema
    where
        K: Word,
        T: Read,
    {
        map_of(json!({
            "type": "object",
            "propertyNames": word::<K>(),
            "additionalProperties": T::schema(),
        }))
    }

    /// Reads every entry of `table`.
    pub(super) fn read(&mut self, table: &DeTable<'_>, report: &mut Report)
    where
        K: Word,
        T: Read,
    {
        let names = NamesByCase::of(table);
        for (name, value) in table {
            let key = name.get_ref().to_string();
            if !check_printable(&key, &name.span(), report) {
                self.lost.push(key);
                continue;
            }
            let word = names.read(name, report).unwrap_or_else(|proposed| {
                self.proposed.extend(proposed);
                None
            });
            match T::read(cell_of(name, value), report) {
                Some(value) => self.list.push(Entry { key, span: name.span(), name: word, value }),
                None => self.lost.push(key),
            }
        }
    }

    /// Notes that there are more entries than could be read.
    pub(in crate::inventory) fn mark_partly_read(&mut self) {
        self.unread = true;
    }

    /// Whether every entry could be read, so that a name that is not here is missing.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        !self.unread && self.lost.is_empty()
    }

    /// Whether `name` may be the name of an entry that could not be read, or whose name is illegal and should be `name`: a
    /// reference to it is not known to dangle.
    #[must_use]
    pub fn may_have_lost(&self, name: &str) -> bool {
        self.unread || self.lost.iter().chain(&self.proposed).any(|lost| lost == name)
    }
}

impl<'e, K, T> IntoIterator for &'e Entries<K, T> {
    type Item = &'e Entry<K, T>;
    type IntoIter = std::slice::Iter<'e, Entry<K, T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The names of a table's entries in lower case, to find names that differ in case only.
struct NamesByCase<'a>(HashMap<String, &'a toml::Spanned<DeString<'a>>>);

impl<'a> NamesByCase<'a> {
    fn of(table: &'a DeTable<'a>) -> Self {
        let mut first = HashMap::with_capacity(table.len());
        for name in table.keys() {
            let first = first.entry(name.get_ref().to_ascii_lowercase()).or_insert(name);
            if name.span().start < first.span().start {
                *first = name;
            }
        }
        Self(first)
    }

    /// Reads `name` as a word. Otherwise reports the fault, and returns the name that is proposed instead, if any.
    fn read<K: Word>(
        &self,
        name: &toml::Spanned<DeString<'_>>,
        report: &mut Report,
    ) -> Result<Option<K>, Option<String>> {
        let (text, span) = (name.get_ref(), name.span());
        // A08: DNS and some file systems do not tell names apart by case.
        if let Some(first) = self.0.get(&text.to_ascii_lowercase()).filter(|first| first.get_ref() != text) {
            let message = format!("`{text}` and `{}` differ in case only", first.get_ref());
            let fault = Diagnostic::error("PG-A08", &span, message);
            report
                .push(fault.related(&first.span(), "first used here").help("give one of them another name"));
            return Err(None);
        }
        K::parse(text).map(Some).map_err(|invalid| {
            let proposed = invalid.instead.clone();
            let is_bare =
                |name: &String| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
            let mut fault = refuse(invalid, &span);
            if let (Some(edit), Some(name)) =
                (&mut fault.edit, proposed.as_ref().filter(|name| is_bare(name)))
            {
                edit.text.clone_from(name);
            }
            report.push(fault);
            proposed
        })
    }
}
