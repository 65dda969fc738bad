//! The inventory that a command edits.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::edit::{Addition, NotEditable};
use crate::fs::replace_edited;
use crate::model::{Word, list_few, quote_for_shell};
use crate::write::{FileChange, Side, unified_diff};

use super::inventory::{INVENTORY, InventoryOption, read, root_of};
use super::printer::Printer;

/// An inventory as it was read, to be replaced by an edited one.
pub(super) struct EditedInventory {
    path: PathBuf,
    /// The bytes that were read.
    pub(super) bytes: Vec<u8>,
}

impl EditedInventory {
    /// Reads the inventory that the command line names.
    pub(super) fn read(option: &InventoryOption) -> anyhow::Result<Self> {
        let path = option.find()?;
        Ok(Self { bytes: read(&path)?, path })
    }

    /// Replaces the inventory by `text`.
    pub(super) fn replace(&self, text: &str) -> anyhow::Result<()> {
        replace_edited(&self.path, &self.bytes, text.as_bytes())
    }

    /// The directory of the inventory, which holds `nodes/` and `site/`.
    pub(super) fn root(&self) -> &Path {
        root_of(&self.path)
    }

    /// The path of the inventory, for messages.
    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// The inventory as an argument of another command: nothing where the command finds it.
    pub(super) fn argument(&self) -> String {
        let name = self.name();
        if name == INVENTORY { String::new() } else { format!(" -i {}", quote_for_shell(&name)) }
    }

    /// Prints the difference between the inventory and `text` as a patch.
    pub(super) fn print_diff(&self, printer: &Printer, text: &str) -> anyhow::Result<()> {
        let side = |text: &str| Side::File { body: text.as_bytes().to_vec(), executable: false };
        let old = String::from_utf8_lossy(&self.bytes);
        printer.print_diff(&unified_diff(&FileChange { path: self.name(), old: side(&old), new: side(text) }))
    }
}

/// Parses an argument as a word of the inventory.
pub(super) fn parse_word<T: Word>(text: &str) -> Result<T, String> {
    T::parse(text).map_err(|invalid| format!("{}: {}", invalid.message, invalid.help))
}

/// Parses an argument `NAME=VALUE`, whose value is a word of the inventory.
pub(super) fn parse_pair<T: Word>(text: &str) -> Result<(String, T), String> {
    let (name, value) =
        text.split_once('=').ok_or_else(|| format!("`{text}` has no `=`: write NAME=VALUE"))?;
    Ok((name.to_owned(), parse_word(value)?))
}

/// Prints the lines that the operator has to write by hand, where `error` is about a form that is not edited.
pub(super) fn print_block(error: anyhow::Error) -> anyhow::Error {
    if let Some(form) = error.downcast_ref::<NotEditable>()
        && let Err(error) = Printer::print(&form.block)
    {
        return error;
    }
    error
}

/// Prints the facts of machines that `added` lacks, and where to get them.
pub(super) fn print_missing(printer: &Printer, inventory: &EditedInventory, added: &Addition) {
    let mut nodes: BTreeMap<&[String], Vec<&str>> = BTreeMap::new();
    for node in added.nodes.iter().filter(|node| !node.lacks.is_empty()) {
        nodes.entry(&node.lacks).or_default().push(&node.name);
    }
    for (lacks, nodes) in &nodes {
        printer.say(&format!(
            "still missing: {} of {}; the console of the installer prints what a machine has",
            lacks.join(", "),
            list_few(nodes)
        ));
    }
    if nodes.is_empty() && !added.missing.is_empty() {
        let messages: Vec<_> = added.missing.iter().map(|fault| fault.message.as_str()).collect();
        printer.say(&format!(
            "still to do: {} (plasmagen check{})",
            list_few(&messages),
            inventory.argument()
        ));
    }
}
