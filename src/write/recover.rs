//! Recovery: finishes the exchanges that a killed run has begun. Every run begins with it, and ends with it when its own
//! exchanges failed.

use std::path::Path;

use anyhow::{Context, Result};

use super::exchange::{explain, finish, move_tree};
use super::journal::Journal;
use super::lock::SiteLock;
use super::{scan, staging};
use crate::fs::Dir;

impl SiteLock {
    /// Takes the lock in the directory `root` and recovers what a killed run has left there: afterwards `nodes/` and
    /// `site/` are of one version, the old or the new one.
    ///
    /// # Errors
    /// [`Held`](crate::fs::Held) when another run has the lock. Else when `root` can't be written or the recovery fails.
    pub fn acquire(root: &Path) -> Result<Self> {
        let lock = Self::take(root)?;
        recover(&lock).context("could not finish what an earlier run left")?;
        Ok(lock)
    }
}

/// Brings the trees, in whatever state a run has left them, to one version, the old or the new one; removes the journal and
/// the staging directory.
///
/// A tree that was edited after that run died stays as it is: the next commit reports the edits.
///
/// # Errors
/// When the disk or the kernel refuses, or the journal is damaged.
pub(super) fn recover(lock: &SiteLock) -> Result<()> {
    if let Some(journal) = Journal::read(lock.state())? {
        // Without a staging directory, which only a person can have removed, no new tree is left.
        if staging::exists(lock)? {
            let staging = staging::open(lock)?;
            roll_forward(lock, &staging, &journal)?;
            finish(lock, &staging)?;
        } else {
            Journal::remove(lock.state())?;
        }
    }
    staging::discard(lock)
}

/// Exchanges the remaining trees when one is exchanged already. When none is, the old version is still whole.
fn roll_forward(lock: &SiteLock, staging: &Dir, journal: &Journal) -> Result<()> {
    let (mut done, mut waiting) = (0, Vec::new());
    for tree in &journal.trees {
        let lies_in = |dir: &Dir| {
            let stat = dir.stat(&tree.name).with_context(|| format!("could not look at {}", tree.name))?;
            anyhow::Ok(stat.is_some_and(|stat| stat.st_ino == tree.staged))
        };
        if lies_in(lock.root())? {
            done += 1;
        } else if lies_in(staging)? {
            waiting.push(tree);
        }
    }
    for tree in waiting.into_iter().filter(|_| done > 0) {
        if scan::scan_tree(lock.root(), &tree.name, &|_| None)?.fingerprint() == tree.old {
            move_tree(staging, lock.root(), tree).map_err(|error| explain(&tree.name, error))?;
        }
    }
    Ok(())
}
