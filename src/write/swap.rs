//! New trees take the places of the old ones: one rename each, all of them or none.

use anyhow::{Context, Result};

use super::compare::Plan;
use super::journal::{Entry, Journal};
use super::lock::Lock;
use super::{scan, stage};
use crate::fs::{Dir, Errno, refused};

/// Exchanges each staged tree with the one in its place; the old trees then lie on the stage.
///
/// # Errors
/// When the disk or the kernel refuses. Then [`recover`] has to be called.
pub(super) fn swap(lock: &Lock, plans: &[&Plan<'_>]) -> Result<()> {
    let stage = open_stage(lock)?;
    let journal = Journal::new(&stage, plans)?;
    journal.write(lock.state())?;
    for (index, tree) in journal.trees.iter().enumerate() {
        if let Err(error) = place(lock.root(), &stage, tree) {
            for placed in journal.trees[..index].iter().rev() {
                // What can't be taken back is what `recover` finds, and finishes.
                let _ = take_back(lock.root(), &stage, placed);
            }
            return Err(explain(&tree.name, error));
        }
    }
    finish(lock, &stage)
}

/// Brings the trees from whatever state a run left them in to the old version or the new one, the same for both, and
/// removes the journal and the stage.
///
/// A tree that was edited after that run died stays as it is: the next commit reports the edits.
///
/// # Errors
/// When the disk or the kernel refuses, or the journal is damaged.
pub(super) fn recover(lock: &Lock) -> Result<()> {
    if let Some(journal) = Journal::read(lock.state())? {
        let stage = lock.state().stat(stage::NAME).context("could not look at .plasmagen/stage")?;
        // Without a stage, which only a person can have removed, there is nothing left to place.
        if stage.is_some() {
            let stage = open_stage(lock)?;
            roll_forward(lock, &stage, &journal)?;
            finish(lock, &stage)?;
        } else {
            Journal::remove(lock.state())?;
        }
    }
    stage::discard(lock)
}

/// Places the rest of the trees where one is placed already; where none is, the old version is still whole.
fn roll_forward(lock: &Lock, stage: &Dir, journal: &Journal) -> Result<()> {
    let (mut placed, mut waiting) = (0, Vec::new());
    for tree in &journal.trees {
        let lies_in = |dir: &Dir| {
            let stat = dir.stat(&tree.name).with_context(|| format!("could not look at {}", tree.name))?;
            anyhow::Ok(stat.is_some_and(|stat| stat.st_ino == tree.staged))
        };
        if lies_in(lock.root())? {
            placed += 1;
        } else if lies_in(stage)? {
            waiting.push(tree);
        }
    }
    for tree in waiting.into_iter().filter(|_| placed > 0) {
        if scan::tree(lock.root(), &tree.name, &|_| None)?.fingerprint() == tree.old {
            place(lock.root(), stage, tree).map_err(|error| explain(&tree.name, error))?;
        }
    }
    Ok(())
}

fn finish(lock: &Lock, stage: &Dir) -> Result<()> {
    lock.root().sync().context("could not make the new nodes/ and site/ durable")?;
    stage.sync().context("could not make .plasmagen/stage durable")?;
    Journal::remove(lock.state())
}

fn open_stage(lock: &Lock) -> Result<Dir> {
    lock.state().open_dir(stage::NAME).context("could not open .plasmagen/stage")
}

fn place(root: &Dir, stage: &Dir, tree: &Entry) -> Result<(), Errno> {
    stage.place(&tree.name, root, &tree.name, tree.old.is_some())
}

fn take_back(root: &Dir, stage: &Dir, tree: &Entry) -> Result<(), Errno> {
    root.place(&tree.name, stage, &tree.name, tree.old.is_some())
}

/// Says why a tree can't be replaced as a whole.
fn explain(tree: &str, error: Errno) -> anyhow::Error {
    refused(error, tree, "the inventory", format!("could not put the new {tree}/ in its place"))
}
