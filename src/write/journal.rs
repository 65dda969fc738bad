//! The journal `.plasmagen/journal`: the exchanges that are about to happen. When a run dies between the first and the last
//! of them, the next run finishes them.

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::compare::TreeComparison;
use super::trees::TREES;
use crate::fs::{Dir, Sha256Sum, TEXT_LIMIT};

const NAME: &str = "journal";
const SCHEMA: u32 = 1;

/// The exchanges of a run.
#[derive(Serialize, Deserialize)]
pub(super) struct Journal {
    schema: u32,
    pub(super) trees: Vec<JournalEntry>,
}

/// The exchange of one tree.
#[derive(Serialize, Deserialize)]
pub(super) struct JournalEntry {
    /// Name of the tree.
    pub(super) name: String,
    /// Inode of the new tree's directory: tells whether the new tree is in the staging directory or already in its place.
    pub(super) staged: u64,
    /// Fingerprint of the old tree, if there is one: tells whether somebody has edited the old tree since.
    pub(super) old: Option<Sha256Sum>,
}

impl Journal {
    /// The journal for trees whose new versions are in the directory `staging`.
    pub(super) fn new(staging: &Dir, trees: &[&TreeComparison<'_>]) -> Result<Self> {
        let entry = |comparison: &&TreeComparison<'_>| {
            let stat = staging.stat(comparison.tree)?.context("it is gone")?;
            Ok(JournalEntry {
                name: comparison.tree.to_owned(),
                staged: stat.st_ino,
                old: comparison.scanned.fingerprint(),
            })
        };
        let trees =
            trees.iter().map(entry).collect::<Result<_>>().context("could not look at a staged tree")?;
        Ok(Self { schema: SCHEMA, trees })
    }

    /// Writes the journal to the state directory and makes it durable.
    pub(super) fn write(&self, state: &Dir) -> Result<()> {
        let body = serde_json::to_vec(self)?;
        state.replace(NAME, &body, true).context("could not write .plasmagen/journal")
    }

    /// Reads the journal that an earlier run left in the state directory, if there is one.
    ///
    /// # Errors
    /// When the journal can't be read or is damaged. Since it is written whole, the disk is damaged then, and the staging
    /// directory may hold the only copy of a tree.
    pub(super) fn read(state: &Dir) -> Result<Option<Self>> {
        if state.stat(NAME).context("could not look at .plasmagen/journal")?.is_none() {
            return Ok(None);
        }
        let journal = || {
            let journal: Self = serde_json::from_slice(&state.read_limited(NAME, TEXT_LIMIT)?)?;
            ensure!(journal.schema == SCHEMA, "it has schema {}", journal.schema);
            ensure!(
                journal.trees.iter().all(|tree| TREES.contains(&tree.name.as_str())),
                "it names other trees"
            );
            Ok(journal)
        };
        journal().map(Some).context(
            "could not read .plasmagen/journal, which an earlier run left. Compare nodes/ and site/ with the files in \
             .plasmagen/stage/ (git diff shows what changed), then remove .plasmagen",
        )
    }

    /// Removes the journal durably.
    pub(super) fn remove(state: &Dir) -> Result<()> {
        state.remove_file(NAME)?;
        state.sync().context("could not make .plasmagen durable")
    }
}
