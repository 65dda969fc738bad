//! The files of an inventory: `inventory.toml`, and the table of nodes that it names.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::fs::{open_input, read_input};
use crate::inventory::{LARGEST, Sources, find_node_table};

use super::format::SourceText;

/// The file name of an inventory, where the command line names none.
pub(super) const INVENTORY: &str = "inventory.toml";

/// The files of an inventory as they were read.
pub(super) struct InventoryFiles {
    /// The name of the inventory, for messages.
    pub(super) name: String,
    /// The bytes of the inventory.
    pub(super) bytes: Vec<u8>,
    /// The table of nodes, where the inventory names one.
    pub(super) table: Option<TableFile>,
}

/// A table of nodes as it was read.
pub(super) struct TableFile {
    /// The path of the table.
    pub(super) path: PathBuf,
    /// The name of the table, for messages.
    pub(super) name: String,
    /// The bytes, or the reason why there are none.
    pub(super) read: Result<Vec<u8>, String>,
}

impl InventoryFiles {
    /// Reads the inventory at `path`, and its table of nodes.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        Ok(Self::beside(path, read(path)?))
    }

    /// The inventory `bytes`, and the table of nodes that lies beside `path`.
    pub(super) fn beside(path: &Path, bytes: Vec<u8>) -> Self {
        let table = find_node_table(&bytes).map(|table| TableFile::read(path, &table));
        Self { name: path.display().to_string(), bytes, table }
    }

    /// The bytes of the files.
    pub(super) fn sources(&self) -> Sources<'_> {
        let nodes = self.table.as_ref().map(|table| match &table.read {
            Ok(bytes) => Ok(&bytes[..]),
            Err(why) => Err(why.as_str()),
        });
        Sources { inventory: &self.bytes, nodes }
    }

    /// The texts of the files, for messages.
    pub(super) fn text(&self) -> SourceText<'_> {
        let source = SourceText::new(&self.name, &self.bytes);
        match &self.table {
            Some(TableFile { name, read: Ok(bytes), .. }) => source.with_table(name, bytes, self.bytes.len()),
            _ => source,
        }
    }
}

impl TableFile {
    /// Reads the table `table` of the inventory at `path`.
    fn read(path: &Path, table: &str) -> Self {
        // `inventory.toml` alone has an empty parent, and `nodes.csv` is named as it is.
        let file = path.parent().unwrap_or(Path::new("")).join(table);
        let read = read_below(root_of(path), &file);
        Self { name: file.display().to_string(), path: file, read }
    }
}

/// Reads the file `path`, which lies below `root`, also where links lead to it.
fn read_below(root: &Path, path: &Path) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let read = || -> std::io::Result<Option<Vec<u8>>> {
        let real = path.canonicalize()?;
        if !real.starts_with(root.canonicalize()?) {
            return Ok(None);
        }
        read_input(&real, LARGEST as u64).map(Some)
    };
    match read() {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(format!("{shown} is a link that leads out of the inventory's directory")),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(format!("there is no file {shown}")),
        Err(error) => Err(format!("{shown}: {error}")),
    }
}

/// The directory of an inventory, which holds `nodes/` and `site/`.
pub(super) fn root_of(inventory: &Path) -> &Path {
    match inventory.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

/// Reads the inventory at `path`.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let shown = path.display();
    match open_input(path, u64::MAX).and_then(read_from) {
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("there is no inventory {shown}: name another, or start one with plasmagen init DIR")
        }
        Err(error) if error.kind() == ErrorKind::IsADirectory => {
            bail!("{shown} is a directory: name the inventory, such as {}", path.join(INVENTORY).display())
        }
        Err(error) => Err(error).with_context(|| format!("could not read the inventory {shown}")),
    }
}

/// Reads an inventory from an open file: of one that is too large, one byte more than is allowed, so that the check
/// refuses it.
pub(super) fn read_from(file: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(LARGEST as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
