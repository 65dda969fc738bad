//! Recovery: finishes the exchanges that a killed run has begun. Every run begins with it, and ends with it when its own
//! exchanges failed.

use std::path::Path;

use anyhow::{Context, Result};

use super::exchange::{explain, finish, move_tree};
use super::journal::{Journal, JournalEntry};
use super::lock::SiteLock;
use super::{scan, staging};
use crate::fs::{Dir, Errno, STATE};

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

/// How far the exchanges of a journal have come.
struct Progress<'a> {
    /// How many new trees are in their places.
    done: usize,
    /// The exchanges whose new trees are still in the staging directory.
    waiting: Vec<&'a JournalEntry>,
}

impl<'a> Progress<'a> {
    fn look(root: &Dir, staging: &Dir, journal: &'a Journal) -> Result<Self> {
        let mut progress = Self { done: 0, waiting: Vec::new() };
        for tree in &journal.trees {
            let lies_in = |dir: &Dir| {
                let stat =
                    dir.stat(&tree.name).with_context(|| format!("could not look at {}", tree.name))?;
                anyhow::Ok(stat.is_some_and(|stat| stat.st_ino == tree.staged))
            };
            if lies_in(root)? {
                progress.done += 1;
            } else if lies_in(staging)? {
                progress.waiting.push(tree);
            }
        }
        Ok(progress)
    }

    /// Whether one tree is new and another one is old.
    fn is_half_done(&self) -> bool {
        self.done > 0 && !self.waiting.is_empty()
    }
}

/// Exchanges the remaining trees when one is exchanged already. When none is, the old version is still whole.
fn roll_forward(lock: &SiteLock, staging: &Dir, journal: &Journal) -> Result<()> {
    let progress = Progress::look(lock.root(), staging, journal)?;
    if !progress.is_half_done() {
        return Ok(());
    }
    for tree in progress.waiting {
        if scan::scan_tree(lock.root(), &tree.name, &|_| None)?.fingerprint() == tree.old {
            move_tree(staging, lock.root(), tree).map_err(|error| explain(&tree.name, error))?;
        }
    }
    Ok(())
}

/// Whether a run was killed between its exchanges in the directory `root`, so that one tree is new and the other one is old
/// until the next [`SiteLock::acquire`]. Takes no lock: while a run is at work, the answer holds for that moment.
///
/// # Errors
/// When the journal is damaged, or the disk refuses.
pub fn is_half_written(root: &Path) -> Result<bool> {
    let open = |dir: &Dir, name| match dir.open_dir(name) {
        Ok(dir) => Ok(Some(dir)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("could not open {name}/")),
    };
    let root = Dir::open(root).context("could not open the directory of the inventory")?;
    let Some(state) = open(&root, STATE)? else { return Ok(false) };
    let Some(journal) = Journal::read(&state)? else { return Ok(false) };
    let Some(staging) = open(&state, staging::NAME)? else { return Ok(false) };
    Ok(Progress::look(&root, &staging, &journal)?.is_half_done())
}
