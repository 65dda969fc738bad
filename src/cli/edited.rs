//! The inventory that a command edits.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::edit::{Addition, NotEditable};
use crate::fs::replace_edited;
use crate::inventory::Sources;
use crate::model::{Word, list_few, quote_for_shell};
use crate::write::{FileChange, Side, unified_diff};

use super::inventory::{INVENTORY, InventoryOption, root_of};
use super::printer::Printer;
use super::sources::InventoryFiles;

/// An inventory as it was read, to be replaced by an edited one.
pub(super) struct EditedInventory {
    path: PathBuf,
    files: InventoryFiles,
}

impl EditedInventory {
    /// Reads the inventory that the command line names.
    pub(super) fn read(option: &InventoryOption) -> anyhow::Result<Self> {
        let path = option.find()?;
        Ok(Self { files: InventoryFiles::read(&path)?, path })
    }

    /// The bytes of the files that were read.
    pub(super) fn sources(&self) -> Sources<'_> {
        self.files.sources()
    }

    /// Replaces the inventory by `text`, and its table of nodes by `table`, where they differ: both, or none.
    ///
    /// The inventory is first. A run that is killed behind it has removed a name from the cluster whose row is left:
    /// `plasmagen check` refuses that, and the next run removes the row.
    pub(super) fn replace(&self, text: &str, table: Option<&str>) -> anyhow::Result<()> {
        let old = &self.files.bytes[..];
        let changes_inventory = old != text.as_bytes();
        if changes_inventory {
            replace_edited(&self.path, old, text.as_bytes())?;
        }
        let Some((path, old_table, table)) = self.changed_table(table) else { return Ok(()) };
        replace_edited(path, old_table, table.as_bytes()).or_else(|error| {
            if changes_inventory {
                replace_edited(&self.path, text.as_bytes(), old).with_context(|| format!("{error:#}"))?;
            }
            Err(error)
        })
    }

    /// The path and the old bytes of the table of nodes, and `table`, where that differs.
    fn changed_table<'t>(&self, table: Option<&'t str>) -> Option<(&Path, &[u8], &'t str)> {
        let (file, table) = self.files.table.as_ref().zip(table)?;
        let old = file.read.as_ref().ok()?;
        (old != table.as_bytes()).then_some((&file.path, old, table))
    }

    /// The directory of the inventory, which holds `nodes/` and `site/`.
    pub(super) fn root(&self) -> &Path {
        root_of(&self.path)
    }

    /// The path of the file that nodes are added to, for messages.
    pub(super) fn name_for_nodes(&self) -> String {
        self.files.table.as_ref().map_or_else(|| self.name(), |table| table.name.clone())
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

    /// Prints the difference between the inventory and `text`, and between its table of nodes and `table`, as a patch.
    pub(super) fn print_diff(
        &self,
        printer: &Printer,
        text: &str,
        table: Option<&str>,
    ) -> anyhow::Result<()> {
        let side = |body: &[u8]| Side::File { body: body.to_vec(), executable: false };
        let change = |path, old: &[u8], new: &str| {
            let change = FileChange { path, old: side(old), new: side(new.as_bytes()) };
            unified_diff(&change)
        };
        let mut patch = String::new();
        if self.files.bytes != text.as_bytes() {
            patch += &change(self.name(), &self.files.bytes, text);
        }
        if let Some((path, old, table)) = self.changed_table(table) {
            patch += &change(path.display().to_string(), old, table);
        }
        printer.print_diff(&patch)
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
