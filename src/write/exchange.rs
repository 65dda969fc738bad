//! Exchanges new trees with old ones: one rename a tree, all trees or none.

use anyhow::{Context, Result};

use super::compare::TreeComparison;
use super::journal::{Journal, JournalEntry};
use super::lock::SiteLock;
use super::staging;
use crate::fs::{Dir, Errno, explain_refusal};

/// Exchanges each staged tree with the old one, which is in the staging directory afterwards.
///
/// # Errors
/// When the disk or the kernel refuses. Then `recover` has to be called.
pub(super) fn exchange(lock: &SiteLock, trees: &[&TreeComparison<'_>]) -> Result<()> {
    let staging = staging::open(lock)?;
    let journal = Journal::new(&staging, trees)?;
    journal.write(lock.state())?;
    for (index, tree) in journal.trees.iter().enumerate() {
        if let Err(error) = move_tree(&staging, lock.root(), tree) {
            for done in journal.trees[..index].iter().rev() {
                // When this fails, `recover` finishes the exchange.
                let _ = move_tree(lock.root(), &staging, done);
            }
            return Err(explain(&tree.name, error));
        }
    }
    finish(lock, &staging)
}

/// Makes exchanges durable and removes the journal.
pub(super) fn finish(lock: &SiteLock, staging: &Dir) -> Result<()> {
    lock.root().sync().context("could not make the new nodes/ and site/ durable")?;
    staging.sync().context("could not make .plasmagen/stage durable")?;
    Journal::remove(lock.state())
}

/// Moves a tree from one directory to another: exchanges it where there is an old tree.
pub(super) fn move_tree(from: &Dir, to: &Dir, tree: &JournalEntry) -> Result<(), Errno> {
    from.move_or_exchange(&tree.name, to, &tree.name, tree.old.is_some())
}

/// Explains why a tree can't be replaced as a whole.
pub(super) fn explain(tree: &str, error: Errno) -> anyhow::Error {
    explain_refusal(error, tree, "the inventory", format!("could not put the new {tree}/ in its place"))
}
