//! From text to an inventory.

use toml::de::DeValue;

use crate::diag::Report;

use super::reader::{Cell, Read};
use super::root::Inventory;
use super::syntax::other_file::refuse_other_file;
use super::tables::Keys;
use super::{document, secrets};

/// Reads `text` and reports every fault of its form. Text that is not TOML is read as an empty inventory.
#[must_use]
pub fn parse(text: &str, report: &mut Report) -> Inventory {
    if let Some(fault) = refuse_other_file(text, Inventory::KEYS) {
        report.push(fault);
        return Inventory::default();
    }
    let Some(document) = document::parse(text, report) else { return Inventory::default() };
    let root = DeValue::Table(document.into_inner());
    let cell = Cell { value: &root, start: 0, end: 0 };
    let inventory = Inventory::read(cell, report).unwrap_or_default();
    if let DeValue::Table(table) = &root {
        secrets::check(table, report);
    }
    inventory
}
