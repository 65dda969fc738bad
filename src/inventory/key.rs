//! The kinds of keys: how each is read, and what the JSON Schema says of it.

use std::marker::PhantomData;
use std::ops::RangeInclusive;

use serde_json::{Value, json};

use crate::diag::{Code, Spanned};
use crate::model::Word;

use super::reader::{Entries, Read, Table};
use super::schema::{Need, Property, Schema, map_of};
use super::written::Maybe;

/// How a key is read and described.
pub(super) trait Key<V> {
    /// Reads the value of `key`, and reports its faults.
    fn read(&self, table: &mut Table<'_, '_>, key: &'static str) -> V;

    /// The JSON Schema of the value.
    fn property(&self) -> Property;
}

/// A default as the JSON Schema shows it. `resolve` fills it in; a test compares the two.
#[derive(Clone, Copy)]
pub(super) enum DefaultValue {
    /// No default, or one that depends on other keys.
    None,
    Flag(bool),
    Number(u16),
    Text(&'static str),
}

impl From<bool> for DefaultValue {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<u16> for DefaultValue {
    fn from(number: u16) -> Self {
        Self::Number(number)
    }
}

impl From<&'static str> for DefaultValue {
    fn from(text: &'static str) -> Self {
        Self::Text(text)
    }
}

impl DefaultValue {
    fn add_to(self, mut schema: Schema) -> Schema {
        let value = match self {
            Self::None => return schema,
            Self::Flag(flag) => Value::from(flag),
            Self::Number(number) => Value::from(number),
            Self::Text(text) => Value::from(text),
        };
        schema.insert("default".into(), value);
        schema
    }
}

/// One value.
pub(super) struct One<T> {
    need: Need,
    default: DefaultValue,
    is_never_empty: bool,
    read_as: PhantomData<T>,
}

/// A value that need not be written.
pub(super) fn optional<T>() -> One<T> {
    One { need: Need::Optional, default: DefaultValue::None, is_never_empty: false, read_as: PhantomData }
}

/// A value that must be written.
pub(super) fn required<T>() -> One<T> {
    One { need: Need::Required, ..optional() }
}

/// One of several values, of which at least one must be written; the table's check reports where none is.
pub(super) fn alternative<T>() -> One<T> {
    One { need: Need::Alternative, ..optional() }
}

/// A value that must be written unless the value of the key `other` is a table; the table's check reports a missing one.
pub(super) fn required_beside<T>(other: &'static str) -> One<T> {
    One { need: Need::RequiredBeside(other), ..optional() }
}

impl<T> One<T> {
    /// Shows `default` in editors.
    pub(super) fn default(self, default: impl Into<DefaultValue>) -> Self {
        Self { default: default.into(), ..self }
    }

    /// Shows in editors that the list has an item; the table's check reports an empty list.
    pub(super) fn never_empty(self) -> Self {
        Self { is_never_empty: true, ..self }
    }
}

impl<T: Read> Key<Option<Spanned<T>>> for One<T> {
    fn read(&self, table: &mut Table<'_, '_>, key: &'static str) -> Option<Spanned<T>> {
        if matches!(self.need, Need::Required) { table.required(key) } else { table.optional(key) }
    }

    fn property(&self) -> Property {
        let mut schema = self.default.add_to(T::schema());
        if self.is_never_empty {
            schema.insert("minItems".into(), json!(1));
        }
        Property { schema, need: self.need }
    }
}

/// A required value whose words are read by another type than that of the field.
pub(super) struct ReadAs<W>(PhantomData<W>);

/// A required value that is read as a `W`.
pub(super) fn required_as<W>() -> ReadAs<W> {
    ReadAs(PhantomData)
}

impl<W: Read + Into<T>, T> Key<Option<Spanned<T>>> for ReadAs<W> {
    fn read(&self, table: &mut Table<'_, '_>, key: &'static str) -> Option<Spanned<T>> {
        let Spanned { value, span } = table.required::<W>(key)?;
        Some(Spanned::new(value.into(), span))
    }

    fn property(&self) -> Property {
        Property { schema: W::schema(), need: Need::Required }
    }
}

/// A whole number in a range; a number outside is a fault under the rule `code`.
pub(super) struct Number {
    default: DefaultValue,
    code: Code,
    range: RangeInclusive<u16>,
}

/// A whole number within `range`, which need not be written.
pub(super) fn number(code: Code, range: RangeInclusive<u16>) -> Number {
    Number { default: DefaultValue::None, code, range }
}

impl Number {
    /// Shows `default` in editors.
    pub(super) fn default(self, default: u16) -> Self {
        Self { default: default.into(), ..self }
    }
}

impl Key<Maybe<u16>> for Number {
    fn read(&self, table: &mut Table<'_, '_>, key: &'static str) -> Maybe<u16> {
        table.number(key, self.code, self.range.clone())
    }

    fn property(&self) -> Property {
        let schema = json!({ "type": "integer", "minimum": self.range.start(), "maximum": self.range.end() });
        Property { schema: self.default.add_to(map_of(schema)), need: Need::Optional }
    }
}

/// A table whose keys are names of the user's.
pub(super) struct Named(Need);

/// A table of names that need not be written.
pub(super) fn entries() -> Named {
    Named(Need::Optional)
}

/// A table of names that must be written.
pub(super) fn required_entries() -> Named {
    Named(Need::Required)
}

/// A table of names that must be written unless the table `other` is, whose names are put into this one.
pub(super) fn entries_beside(other: &'static str) -> Named {
    Named(Need::RequiredBeside(other))
}

impl<K: Word, T: Read> Key<Entries<K, T>> for Named {
    fn read(&self, table: &mut Table<'_, '_>, key: &'static str) -> Entries<K, T> {
        match self.0 {
            Need::Required | Need::RequiredBeside(_) => table.required_entries(key),
            Need::Optional | Need::Alternative => table.entries(key),
        }
    }

    fn property(&self) -> Property {
        Property { schema: Entries::<K, T>::schema(), need: self.0 }
    }
}

/// A table within the table.
pub(super) struct Section(Need);

/// A table that need not be written.
pub(super) fn section() -> Section {
    Section(Need::Optional)
}

/// A table that must be written.
pub(super) fn required_section() -> Section {
    Section(Need::Required)
}

impl<T: Read> Key<Option<T>> for Section {
    fn read(&self, table: &mut Table<'_, '_>, key: &'static str) -> Option<T> {
        if matches!(self.0, Need::Required) {
            table.need_as(key, &format!("[{key}]"));
        }
        table.optional(key).map(|section| section.value)
    }

    fn property(&self) -> Property {
        Property { schema: T::schema(), need: self.0 }
    }
}

/// A table that is empty where it is not written.
pub(super) struct EmptySection;

/// A table that need not be written, and is empty then.
pub(super) fn section_or_empty() -> EmptySection {
    EmptySection
}

impl<T: Read + Default> Key<T> for EmptySection {
    fn read(&self, table: &mut Table<'_, '_>, key: &'static str) -> T {
        Key::<Option<T>>::read(&section(), table, key).unwrap_or_default()
    }

    fn property(&self) -> Property {
        Property { schema: T::schema(), need: Need::Optional }
    }
}
