//! The commit: compares, stages, exchanges and cleans up.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};

use super::cache::StatCache;
use super::compare::{TreeComparison, refuse_edits};
use super::exchange::exchange;
use super::lock::SiteLock;
use super::recover::recover;
use super::scan::{HashedStat, KnownDigest, ScannedFile, ScannedTree, StatData, scan_tree};
use super::trees::TREES;
use super::{staging, wanted};
use crate::artifact::ArtifactSet;
use crate::fs::Sha256Sum;

/// Options of a commit.
#[derive(Clone, Copy, Debug, Default)]
pub struct CommitOptions {
    /// Throw away what was changed or added by hand in `nodes/` and `site/`.
    pub discard_edits: bool,
}

/// The changes that a commit made: paths relative to the directory of the inventory, sorted, manifests included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommitOutcome {
    /// New files.
    pub added: Vec<String>,
    /// Files with another content, or another executable bit.
    pub changed: Vec<String>,
    /// Removed files; an empty directory ends with `/`.
    pub removed: Vec<String>,
}

impl CommitOutcome {
    /// Whether both trees were as wanted, so that nothing was touched.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }

    fn of(trees: &[TreeComparison<'_>]) -> Self {
        let mut outcome = Self::default();
        for comparison in trees {
            for pair in comparison.differences() {
                let list = match (pair.found, pair.wanted) {
                    (None, _) => &mut outcome.added,
                    (Some(_), Some(_)) => &mut outcome.changed,
                    (Some(_), None) => &mut outcome.removed,
                };
                list.push(format!("{}/{}", comparison.tree, pair.path));
            }
        }
        outcome
    }
}

/// Makes `nodes/` and `site/` hold exactly `artifacts` and their manifests: durably, and both trees or neither.
///
/// When they do already, nothing in them is touched. `before_exchange` is called after everything has been staged and before
/// anything is visible: it writes what must be durable earlier, such as the keys of published certificates.
///
/// # Errors
/// Before anything is changed: when a tree is not plasmagen's, was edited by hand (unless
/// [`CommitOptions::discard_edits`]), also during this run, or is a symbolic link. Later when the disk refuses, or the
/// kernel can't replace a directory as a whole; both trees are then as they were, or, when only cleaning up failed, wholly
/// new. On a disk that refuses even to move the first tree back, the next [`SiteLock::acquire`] brings both to one version.
pub fn commit(
    lock: &SiteLock,
    artifacts: &ArtifactSet,
    options: CommitOptions,
    before_exchange: impl FnOnce() -> Result<()>,
) -> Result<CommitOutcome> {
    let wanted = wanted::list_trees(artifacts)?;
    let cache = StatCache::load(lock.state());
    let scanned = scan_trees(lock, &|stat| cache.get(stat))?;
    let trees: Vec<_> =
        (0..TREES.len()).map(|n| TreeComparison::new(TREES[n], &wanted[n], &scanned[n])).collect();

    let mut edits = Vec::new();
    for tree in &trees {
        edits.extend(tree.edits(lock.root())?);
    }
    if !edits.is_empty() && !options.discard_edits {
        return Err(refuse_edits(&edits));
    }
    let outcome = CommitOutcome::of(&trees);
    if outcome.is_unchanged() {
        if scanned.iter().flat_map(ScannedTree::files).any(|file| file.was_read) {
            // The cache only saves time: without it the next run reads every file.
            let _ = StatCache::save(lock.state(), hashed_stats(&scanned), lock.taken());
        }
        return Ok(outcome);
    }
    let stale: Vec<_> = trees.iter().filter(|tree| tree.is_stale()).collect();
    let written = staging::build(lock, &stale).and_then(|written| {
        refuse_late_edits(lock, &scanned)?;
        before_exchange()?;
        exchange(lock, &stale)?;
        Ok(written)
    });
    let cleaned = recover(lock);
    let written = written.map_err(|error| match &cleaned {
        Ok(()) => error,
        Err(more) => {
            error.context(format!("could not clean up, which the next run will try again ({more:#})"))
        }
    })?;
    cleaned.context("nodes/ and site/ are written, but the old ones could not be removed")?;
    // As above.
    let _ = save_cache(lock, &scanned, &written);
    Ok(outcome)
}

fn scan_trees(lock: &SiteLock, known: KnownDigest<'_>) -> Result<[ScannedTree; 2]> {
    let [nodes, site] = TREES.map(|tree| scan_tree(lock.root(), tree, known));
    Ok([nodes?, site?])
}

/// Scans once more, since staging took its time: an edit that a person saved meanwhile must not be thrown away unseen.
fn refuse_late_edits(lock: &SiteLock, scanned: &[ScannedTree]) -> Result<()> {
    let now = scan_trees(lock, &known_digests(lock, scanned, &[]))?;
    for ((tree, before), now) in TREES.iter().zip(scanned).zip(&now) {
        ensure!(
            before.fingerprint() == now.fingerprint(),
            "{tree}/ was changed while this run was going on. Run again"
        );
    }
    Ok(())
}

/// Saves the cache after a commit; no content is read.
fn save_cache(lock: &SiteLock, scanned: &[ScannedTree], written: &[HashedStat]) -> Result<()> {
    let moment = lock.wait_for_tick()?;
    if hashed_stats(scanned).next().is_none() {
        return StatCache::save(lock.state(), written.iter().copied(), moment);
    }
    let trees = scan_trees(lock, &known_digests(lock, scanned, written))?;
    StatCache::save(lock.state(), hashed_stats(&trees), moment)
}

/// Looks digests up that this run knows. The change time is left out, since linking a file into the staging directory
/// changed it. A scanned file that is so young that a change might not show in its times counts as unknown.
fn known_digests(
    lock: &SiteLock,
    scanned: &[ScannedTree],
    written: &[HashedStat],
) -> impl Fn(&StatData) -> Option<Sha256Sum> + Sync {
    let key = |stat: &StatData| (stat.ino, stat.size, stat.mtime);
    let settled = hashed_stats(scanned).filter(|(stat, _)| stat.mtime < lock.taken());
    let known: HashMap<_, _> =
        settled.chain(written.iter().copied()).map(|(stat, sha256)| (key(&stat), sha256)).collect();
    move |stat| known.get(&key(stat)).copied()
}

fn hashed_stats(trees: &[ScannedTree]) -> impl Iterator<Item = HashedStat> {
    trees.iter().flat_map(ScannedTree::files).map(ScannedFile::hashed_stat)
}
