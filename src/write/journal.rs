//! The journal `.plasmagen/journal`: which trees are about to take their places, so that a run that dies between the
//! first and the last is finished by the next.

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::TREES;
use super::compare::Plan;
use crate::fs::{Dir, Sha256Sum};

const NAME: &str = "journal";
const SCHEMA: u32 = 1;

/// What a run is about to do.
#[derive(Serialize, Deserialize)]
pub(super) struct Journal {
    schema: u32,
    pub(super) trees: Vec<Entry>,
}

/// One tree of it.
#[derive(Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) name: String,
    /// Inode of the new tree's directory: tells whether it still is on the stage or already in its place.
    pub(super) staged: u64,
    /// Fingerprint of the tree that it replaces, if there is one: tells whether somebody has edited that since.
    pub(super) old: Option<Sha256Sum>,
}

impl Journal {
    /// The journal for `plans`, whose new trees lie in `stage`.
    pub(super) fn new(stage: &Dir, plans: &[&Plan<'_>]) -> Result<Self> {
        let entry = |plan: &&Plan<'_>| {
            let stat = stage.stat(plan.tree)?.context("it is gone")?;
            Ok(Entry { name: plan.tree.to_owned(), staged: stat.st_ino, old: plan.found.fingerprint() })
        };
        let trees =
            plans.iter().map(entry).collect::<Result<_>>().context("could not look at a staged tree")?;
        Ok(Self { schema: SCHEMA, trees })
    }

    /// Writes it to the state directory and makes it durable.
    pub(super) fn write(&self, state: &Dir) -> Result<()> {
        let body = serde_json::to_vec(self)?;
        state.replace(NAME, &body, true).context("could not write .plasmagen/journal")
    }

    /// The journal that an earlier run left in the state directory, if one did.
    ///
    /// # Errors
    /// When it can't be read or makes no sense: since it is put there whole, that is damage, and what lies on the stage
    /// may be the only copy.
    pub(super) fn read(state: &Dir) -> Result<Option<Self>> {
        if state.stat(NAME).context("could not look at .plasmagen/journal")?.is_none() {
            return Ok(None);
        }
        let journal = || {
            let journal: Self = serde_json::from_slice(&state.read(NAME)?)?;
            ensure!(journal.schema == SCHEMA, "it has schema {}", journal.schema);
            ensure!(
                journal.trees.iter().all(|tree| TREES.contains(&tree.name.as_str())),
                "it names other trees"
            );
            Ok(journal)
        };
        journal().map(Some).context(
            "could not read .plasmagen/journal, which an earlier run left. Compare nodes/ and site/ with what lies in \
             .plasmagen/stage/ (git diff shows what changed), then remove .plasmagen",
        )
    }

    /// Removes it, for good.
    pub(super) fn remove(state: &Dir) -> Result<()> {
        state.remove_file(NAME)?;
        state.sync().context("could not make .plasmagen durable")
    }
}
