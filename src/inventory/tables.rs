//! Tables of the inventory: one declaration makes the struct, the reader and the JSON Schema of a table.
//!
//! A key is declared as `field: Type = how to read it`, under its description, which an editor shows:
//!
//! ```text
//! /// TCP port that nginx listens on.
//! http_port: Maybe<u16> = number("PG-G09", 1..=u16::MAX).default(8080),
//! /// Networks, by name.
//! networks as "network": Entries<Label, NetworkTable> = required_entries(),
//! ```
//!
//! The header of a table may say `(allow)`, for a table that acknowledges warnings, and `+ common: Common`, for the keys of
//! another declaration, whose defaults `(drop_defaults)` removes. Behind the table, `then check` names a function that looks
//! at the table as a whole.

use super::reader::Table;
use super::schema::{Schema, TableSchema};

/// A declared table: its keys, their reader and their schema.
pub(super) trait Keys: Sized {
    /// The names of the keys.
    const KEYS: &'static [&'static str];

    /// Reads the keys of `table`.
    fn read_keys(table: &mut Table<'_, '_>) -> Self;

    /// Adds the keys to `schema`.
    fn describe_keys(schema: &mut TableSchema);
}

/// The JSON Schema of the table `T`, which `about` describes.
pub(super) fn table_schema<T: Keys>(about: &[&str]) -> Schema {
    let mut schema = TableSchema::default();
    T::describe_keys(&mut schema);
    schema.finish(about)
}

/// The names in `lists`, one list behind the other.
pub(super) const fn join<const ALL: usize>(lists: &[&[&'static str]]) -> [&'static str; ALL] {
    let mut all = [""; ALL];
    let (mut list, mut next) = (0, 0);
    while list < lists.len() {
        let mut at = 0;
        while at < lists[list].len() {
            all[next] = lists[list][at];
            next += 1;
            at += 1;
        }
        list += 1;
    }
    assert!(next == ALL);
    all
}

/// Declares tables of the inventory; see the top of this file.
macro_rules! tables {
    ($(
        $(#[doc = $about:literal])+
        $name:ident $(($allow:ident))? $(+ $common:ident: $common_type:ident $(($drop_defaults:ident))?)? {
            $(
                $(#[doc = $description:literal])+
                $field:ident $(as $renamed:literal)?: $type:ty = $key:expr,
            )*
        } $(then $check:ident)?
    )+) => {$(
        $(#[doc = $about])+
        #[derive(Clone, Debug, Default)]
        pub struct $name {
            $($(#[doc = $description])+ pub $field: $type,)*
            $(
                /// The keys that profiles and nodes have in common.
                pub $common: $common_type,
            )?
        }

        impl $crate::inventory::tables::Keys for $name {
            const KEYS: &'static [&'static str] = {
                use $crate::inventory::tables::join;
                const OWN: &[&str] = &[
                    $(tables!(@name $field $($renamed)?),)* $(stringify!($allow),)?
                ];
                const LISTS: &[&[&str]] = &[OWN $(, <$common_type as $crate::inventory::tables::Keys>::KEYS)?];
                const ALL: usize = OWN.len() $(+ <$common_type as $crate::inventory::tables::Keys>::KEYS.len())?;
                &join::<ALL>(LISTS)
            };

            fn read_keys(table: &mut $crate::inventory::reader::Table<'_, '_>) -> Self {
                $(table.$allow();)?
                let read = Self {
                    $($field: $crate::inventory::key::Key::<$type>::read(
                        &$key, table, tables!(@name $field $($renamed)?)
                    ),)*
                    $($common: <$common_type as $crate::inventory::tables::Keys>::read_keys(table),)?
                };
                $(let read = $check(read, table);)?
                read
            }

            fn describe_keys(schema: &mut $crate::inventory::schema::TableSchema) {
                $(schema.add(
                    tables!(@name $field $($renamed)?),
                    &[$($description),+],
                    $crate::inventory::key::Key::<$type>::property(&$key),
                );)*
                $(schema.$allow();)?
                $(
                    <$common_type as $crate::inventory::tables::Keys>::describe_keys(schema);
                    $(schema.$drop_defaults();)?
                )?
            }
        }

        impl $crate::inventory::reader::Read for $name {
            fn read(
                cell: $crate::inventory::reader::Cell<'_>,
                report: &mut $crate::diag::Report,
            ) -> Option<Self> {
                use $crate::inventory::tables::Keys;
                let mut table = $crate::inventory::reader::Table::open(cell, Self::KEYS, report)?;
                let read = Self::read_keys(&mut table);
                table.finish();
                Some(read)
            }

            fn schema() -> $crate::inventory::schema::Schema {
                $crate::inventory::tables::table_schema::<Self>(&[$($about),+])
            }
        }
    )+};
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $renamed:literal) => { $renamed };
}
pub(super) use tables;
