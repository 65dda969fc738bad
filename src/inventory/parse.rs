//! From text to an inventory.

use toml::de::DeValue;

use crate::diag::Report;

use super::node_table;
use super::reader::{Cell, Read};
use super::root::Inventory;
use super::sources::{Texts, node_table_offset};
use super::syntax::other_file::refuse_other_file;
use super::tables::Keys;
use super::{document, secrets};

/// Reads the texts of an inventory and reports every fault of their form. Text that is not TOML is read as an empty
/// inventory.
#[must_use]
pub fn parse<'t>(texts: impl Into<Texts<'t>>, report: &mut Report) -> Inventory {
    let texts = texts.into();
    let text = texts.inventory;
    if let Some(fault) = refuse_other_file(text, Inventory::KEYS) {
        report.push(fault);
        return Inventory::default();
    }
    let Some(document) = document::parse(text, report) else { return Inventory::default() };
    let mut table = document.into_inner();
    let is_whole = node_table::merge(&mut table, texts.nodes.as_ref(), node_table_offset(text.len()), report);
    let root = DeValue::Table(table);
    let cell = Cell { value: &root, start: 0, end: 0 };
    let mut inventory = Inventory::read(cell, report).unwrap_or_default();
    if !is_whole {
        inventory.nodes.mark_partly_read();
    }
    if let DeValue::Table(table) = &root {
        secrets::check(table, report);
    }
    inventory
}
