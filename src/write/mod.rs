//! The only room that writes public files: [`commit`] puts an [`ArtifactSet`] on disk, wholly or not at all.
//!
//! `nodes/` and `site/` beside the inventory are owned whole: a commit replaces both, and what is not in the set is
//! gone. So nobody ever sees half a change, neither a power cut nor a second run nor a full disk.
//!
//! ```text
//! lock     one run at a time                    .plasmagen/lock
//! wanted   artifacts, hashed, with manifests    in memory
//! scan     what is on disk, hashed;             nodes/ site/
//! cache    contents known by their stat data    .plasmagen/stat-cache
//! compare  what changes; what must not be lost  nodes/manifest.json site/manifest.json
//! stage    the new trees, made durable          .plasmagen/stage/
//! journal  what is about to happen, durable     .plasmagen/journal
//! swap     one rename a tree; recovery          nodes/ site/
//! check    the same comparison, only shown
//! ```
//!
//! Nothing here prints, and no file is ever written in place: a file that stays is a hard link to the old one.

mod cache;
mod check;
mod compare;
mod journal;
mod lock;
pub(crate) mod manifest;
mod scan;
mod stage;
mod swap;
mod wanted;

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};

pub use self::check::{Change, Side, check, unified_diff};
pub use self::lock::Lock;

use self::cache::Cache;
use self::compare::Plan;
use self::scan::{Content, FoundFile, FoundTree, Known, StatData};
use crate::artifact::ArtifactSet;
use crate::fs::Sha256Sum;

/// The directories that are ours, in the order in which they are replaced.
const TREES: [&str; 2] = ["nodes", "site"];

/// Where our state lies beside the inventory, ignored by git. On the same file system as the trees, so that a rename
/// can move them.
const STATE: &str = ".plasmagen";

/// How to commit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Throw away what was changed or added by hand in `nodes/` and `site/`.
    pub discard_edits: bool,
}

/// What a commit did: paths relative to the directory of the inventory, sorted, manifests included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Files that are new.
    pub added: Vec<String>,
    /// Files with another content, or another executable bit.
    pub changed: Vec<String>,
    /// What is gone; an empty directory ends with `/`.
    pub removed: Vec<String>,
}

impl Outcome {
    /// Whether everything was as wanted, so that nothing was touched.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }

    fn of(plans: &[Plan<'_>]) -> Self {
        let mut outcome = Self::default();
        for plan in plans {
            for pair in plan.differences() {
                let list = match (pair.found, pair.wanted) {
                    (None, _) => &mut outcome.added,
                    (Some(_), Some(_)) => &mut outcome.changed,
                    (Some(_), None) => &mut outcome.removed,
                };
                list.push(format!("{}/{}", plan.tree, pair.path));
            }
        }
        outcome
    }
}

/// Makes `nodes/` and `site/` hold exactly `artifacts` and their manifests: durably, and both or neither.
///
/// When they do already, nothing in them is touched. `first` is done after everything has been staged and before
/// anything shows: for what must be durable before, such as the keys of published certificates.
///
/// # Errors
/// Before anything is changed: when a tree is not ours, was edited by hand (unless [`Options::discard_edits`]), also
/// during this run, or is a symbolic link. Later when the disk refuses, or the kernel can't replace a directory as a
/// whole; both trees are then as they were, or, when only cleaning up failed, wholly new. On a disk that refuses even to
/// take back the first tree, the next [`Lock::acquire`] brings both to one version.
pub fn commit(
    lock: &Lock,
    artifacts: &ArtifactSet,
    options: Options,
    first: impl FnOnce() -> Result<()>,
) -> Result<Outcome> {
    let wanted = wanted::trees(artifacts)?;
    let cache = Cache::load(lock.state());
    let found = scan_all(lock, &|stat| cache.get(stat))?;
    let plans: Vec<_> = (0..TREES.len()).map(|n| Plan::new(TREES[n], &wanted[n], &found[n])).collect();

    let mut edits = Vec::new();
    for plan in &plans {
        edits.extend(plan.edits(lock.root())?);
    }
    if !edits.is_empty() && !options.discard_edits {
        return Err(compare::refusal(&edits));
    }
    let outcome = Outcome::of(&plans);
    if outcome.is_unchanged() {
        if found.iter().flat_map(FoundTree::files).any(|file| file.read) {
            // The cache only saves time: without it the next run reads every file.
            let _ = Cache::save(lock.state(), contents(&found), lock.taken());
        }
        return Ok(outcome);
    }
    let stale: Vec<_> = plans.iter().filter(|plan| plan.is_stale()).collect();
    let fresh = stage::build(lock, &stale).and_then(|fresh| {
        refuse_late_edits(lock, &found)?;
        first()?;
        swap::swap(lock, &stale)?;
        Ok(fresh)
    });
    let cleaned = swap::recover(lock);
    let fresh = fresh.map_err(|error| match &cleaned {
        Ok(()) => error,
        Err(more) => {
            error.context(format!("could not clean up, which the next run will try again ({more:#})"))
        }
    })?;
    cleaned.context("nodes/ and site/ are written, but the old ones could not be removed")?;
    // As above.
    let _ = remember(lock, &found, &fresh);
    Ok(outcome)
}

fn scan_all(lock: &Lock, known: Known<'_>) -> Result<[FoundTree; 2]> {
    let [nodes, site] = TREES.map(|tree| scan::tree(lock.root(), tree, known));
    Ok([nodes?, site?])
}

/// Looks once more, now that staging has taken its time: what a person saved meanwhile must not be thrown away unseen.
fn refuse_late_edits(lock: &Lock, found: &[FoundTree]) -> Result<()> {
    let now = scan_all(lock, &known(lock, found, &[]))?;
    for ((tree, before), now) in TREES.iter().zip(found).zip(&now) {
        ensure!(
            before.fingerprint() == now.fingerprint(),
            "{tree}/ was changed while this run was going on. Run again"
        );
    }
    Ok(())
}

/// Fills the cache after a commit; no content is read.
fn remember(lock: &Lock, found: &[FoundTree], fresh: &[Content]) -> Result<()> {
    let moment = lock.moment()?;
    if contents(found).next().is_none() {
        return Cache::save(lock.state(), fresh.iter().copied(), moment);
    }
    let trees = scan_all(lock, &known(lock, found, fresh))?;
    Cache::save(lock.state(), contents(&trees), moment)
}

/// What this run knows of contents. The change time is left out: linking a file to the stage changed it. A file of
/// `found` so young that a change might not show in its times counts as unknown.
fn known(
    lock: &Lock,
    found: &[FoundTree],
    fresh: &[Content],
) -> impl Fn(&StatData) -> Option<Sha256Sum> + Sync {
    let key = |stat: &StatData| (stat.ino, stat.size, stat.mtime);
    let settled = contents(found).filter(|(stat, _)| stat.mtime < lock.taken());
    let known: HashMap<_, _> =
        settled.chain(fresh.iter().copied()).map(|(stat, sum)| (key(&stat), sum)).collect();
    move |stat| known.get(&key(stat)).copied()
}

fn contents(trees: &[FoundTree]) -> impl Iterator<Item = Content> {
    trees.iter().flat_map(FoundTree::files).map(FoundFile::content)
}
