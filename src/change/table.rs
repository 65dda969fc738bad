//! The table of keys: for each key of `site/inventory.json`, and for each fact that follows from several keys, the effects
//! of its change. A test walks the file of every golden case and the types of the model, and fails on a key without a row.
//!
//! A row is data. Where the effect depends on the values, the row names a function as well. No row has a pattern that matches
//! keys of another kind.

use std::collections::HashMap;

use super::row::Row;
use super::rows;

/// All rows.
pub fn list_rows() -> impl Iterator<Item = &'static Row> {
    [rows::SITE, rows::PROFILES, rows::NETWORKS, rows::NODES, rows::MACHINES, rows::DERIVED, rows::DRIFT]
        .into_iter()
        .flatten()
}

/// The rows by key.
#[must_use]
pub fn index_rows() -> HashMap<&'static str, &'static Row> {
    list_rows().map(|row| (row.key, row)).collect()
}
