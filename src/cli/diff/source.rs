//! Where the clusters of a comparison come from.

use std::io::{ErrorKind, stdin};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

use crate::change::Change;
use crate::check::check_with_former;
use crate::cli::inventory::{print_diagnostics, print_refusal, read_from, root_of};
use crate::cli::named;
use crate::cli::printer::Printer;
use crate::cli::sources::{InventoryFiles, TableFile};
use crate::diag::Severity;
use crate::fs::{LIST_LIMIT, read_input};
use crate::inventory::find_node_table;
use crate::model::{Cluster, read_resolved};
use crate::plan::former::FormerCluster;

use super::revision::{RENDERED, Revision};

/// A cluster that the command line names.
#[derive(Debug)]
pub(super) enum Source {
    /// An inventory or a resolved inventory in a file.
    Inventory(PathBuf),
    /// Standard input.
    Input,
    /// What was rendered last beside the inventory in this directory.
    Rendered(PathBuf),
    /// An inventory as it was in a revision of git.
    Revision {
        /// The inventory.
        inventory: PathBuf,
        /// The revision, as the user wrote it.
        revision: String,
    },
}

impl Source {
    /// The file `path`, or standard input for `-`.
    pub(super) fn named(path: &Path) -> Self {
        if path == Path::new("-") { Self::Input } else { Self::Inventory(path.to_owned()) }
    }

    /// The inventory that is the source.
    pub(super) fn inventory(&self) -> anyhow::Result<PathBuf> {
        match self {
            Self::Inventory(path) => Ok(path.clone()),
            _ => bail!("--since needs an inventory in a file: git knows no other"),
        }
    }

    /// The directory of the inventory.
    pub(super) fn root(&self) -> anyhow::Result<PathBuf> {
        match self {
            Self::Inventory(path) | Self::Revision { inventory: path, .. } => Ok(root_of(path).to_owned()),
            Self::Rendered(root) => Ok(root.clone()),
            Self::Input => {
                bail!("name the old cluster before the `-`: standard input lies beside no {RENDERED}")
            }
        }
    }

    /// The name of the source in messages.
    fn name(&self) -> String {
        match self {
            Self::Inventory(path) => path.display().to_string(),
            Self::Input => "standard input".to_owned(),
            Self::Rendered(root) => root.join(RENDERED).display().to_string(),
            Self::Revision { inventory, revision } => format!("{revision}:{}", inventory.display()),
        }
    }

    fn read(&self) -> anyhow::Result<Vec<u8>> {
        let failed = || format!("could not read {}", self.name());
        match self {
            Self::Inventory(path) => read_input(path, LIST_LIMIT).with_context(failed),
            Self::Input => read_from(stdin().lock()).with_context(failed),
            Self::Rendered(root) => match read_input(&root.join(RENDERED), LIST_LIMIT) {
                Err(error) if error.kind() == ErrorKind::NotFound => bail!(
                    "there is no {}, so nothing was rendered yet: run plasmagen render, or name the old cluster, as \
                     plasmagen diff OLD or plasmagen diff --since REV do",
                    self.name()
                ),
                read => read.with_context(failed),
            },
            Self::Revision { inventory, revision } => Revision::find(inventory, revision)?.read_inventory(),
        }
    }

    /// Finds the table of nodes that the inventory `bytes` names, at the same revision.
    fn find_table(&self, bytes: Vec<u8>) -> InventoryFiles {
        match self {
            Self::Inventory(path) => InventoryFiles::beside(path, bytes),
            Self::Revision { inventory, revision } => {
                let table = find_node_table(&bytes).map(|table| {
                    let path = root_of(inventory).join(&table);
                    let read =
                        Revision::find(inventory, revision).and_then(|revision| revision.read_file(&table));
                    let read = read.map_err(|why| why.to_string());
                    TableFile { name: format!("{revision}:{}", path.display()), path, read }
                });
                InventoryFiles { name: self.name(), bytes, table }
            }
            Self::Input | Self::Rendered(_) => InventoryFiles { name: self.name(), bytes, table: None },
        }
    }
}

/// The clusters of a comparison.
pub(super) struct Compared {
    /// The cluster as it was.
    pub(super) old: Cluster,
    /// The cluster as it will be.
    pub(super) new: Cluster,
}

impl Compared {
    /// Reads both clusters. None where an inventory is refused: its errors are printed.
    pub(super) fn read(printer: &Printer, old: &Source, new: &Source) -> anyhow::Result<Option<Self>> {
        ensure!(
            !matches!((old, new), (Source::Input, Source::Input)),
            "standard input is one cluster only: name the other one"
        );
        // What was rendered last says how the disks of installed nodes are called.
        let root = new.root().or_else(|_| old.root()).unwrap_or_else(|_| PathBuf::from("."));
        let Some(old) = read_cluster(printer, old, &root)? else { return Ok(None) };
        let Some(new) = read_cluster(printer, new, &root)? else { return Ok(None) };
        Ok(Some(Self { old, new }))
    }
}

/// Reads a cluster: a resolved inventory is JSON, which begins with `{` as no inventory does.
pub(super) fn read_cluster(
    printer: &Printer,
    source: &Source,
    root: &Path,
) -> anyhow::Result<Option<Cluster>> {
    let bytes = source.read()?;
    let name = source.name();
    if bytes.trim_ascii_start().starts_with(b"{") || matches!(source, Source::Rendered(_)) {
        let cluster = read_resolved(&bytes);
        return cluster.map(Some).with_context(|| format!("could not use {name}"));
    }
    let files = source.find_table(bytes);
    let former = match source {
        Source::Revision { inventory, revision } => {
            Some(Revision::find(inventory, revision)?.read_rendered()?)
        }
        _ => None,
    };
    let checked =
        check_with_former(files.sources(), |cluster| match former.filter(|former| !former.is_empty()) {
            // The tree that lay beside the old inventory says how disks were called then.
            Some(former) => former.gather(cluster),
            None => FormerCluster::gather(root, cluster),
        })?;
    if checked.cluster.is_none() {
        let errors = checked.diagnostics.iter().filter(|found| found.severity == Severity::Error);
        print_diagnostics(printer, &files.text(), &errors.cloned().collect::<Vec<_>>());
        print_refusal(&files.name, &checked);
    }
    Ok(checked.cluster)
}

/// Refuses the name of a node that neither cluster has.
pub(super) fn find_node(old: &Cluster, new: &Cluster, name: &str) -> anyhow::Result<()> {
    if named::find_node(old, name).is_err() {
        named::find_node(new, name)?;
    }
    Ok(())
}

/// The name in the new cluster of the machine that is called `name` on either side.
pub(super) fn find_new_name<'a>(change: &'a Change, name: &'a str) -> &'a str {
    let renamed = change.renamed.iter().find(|(old, _)| old == name);
    renamed.map_or(name, |(_, new)| new.as_str())
}
