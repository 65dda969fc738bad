//! The stage `.plasmagen/stage/`: new trees grow here, whole and durable, before they take their places, and old trees
//! end here.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::compare::{Pair, Plan};
use super::scan::{Content, StatData};
use super::{lock::Lock, wanted};
use crate::fs::{DIR_MODE, Dir, file_mode, split, sync_file};

/// Its name within our state directory.
pub(super) const NAME: &str = "stage";

/// From so many new files and directories on, one syncfs(2) is cheaper than an fsync(2) of each.
const MANY: usize = 64;

/// Builds the new tree of each plan and makes it durable; returns what it wrote.
///
/// # Errors
/// When the disk refuses. The stage is then incomplete, and the caller has it discarded.
pub(super) fn build(lock: &Lock, plans: &[&Plan<'_>]) -> Result<Vec<Content>> {
    lock.state().make_dir(NAME, DIR_MODE).context("could not make .plasmagen/stage")?;
    let stage = lock.state().open_dir(NAME).context("could not open .plasmagen/stage")?;
    let new: usize = plans.iter().map(|plan| plan.differences().count() + dirs(plan).len()).sum();
    let each = new < MANY;
    let mut fresh = Vec::new();
    for plan in plans {
        fresh.extend(
            tree(lock.root(), &stage, plan, each)
                .with_context(|| format!("could not stage {}/", plan.tree))?,
        );
    }
    if each {
        stage.sync().context("could not make .plasmagen/stage durable")?;
    } else {
        stage.sync_file_system().context("could not make the staged files durable")?;
    }
    // Once they are in place, anybody may edit them: from now on that shows in their times.
    lock.moment()?;
    Ok(fresh)
}

/// What goes into each directory of the new tree, parents first.
fn dirs<'p, 'a>(plan: &'p Plan<'a>) -> BTreeMap<&'p str, Vec<&'p Pair<'a>>> {
    let files = || plan.pairs.iter().filter(|pair| pair.wanted.is_some());
    let mut dirs: BTreeMap<_, _> =
        wanted::dirs(files().map(|pair| pair.path)).into_iter().map(|dir| (dir, Vec::new())).collect();
    for pair in files() {
        dirs.entry(split(pair.path).0).or_default().push(pair);
    }
    dirs
}

fn tree(root: &Dir, stage: &Dir, plan: &Plan<'_>, sync: bool) -> Result<Vec<Content>> {
    let dirs = dirs(plan);
    stage.make_dir(plan.tree, DIR_MODE)?;
    let new = stage.open_dir(plan.tree)?;
    for dir in dirs.keys().filter(|dir| !dir.is_empty()) {
        new.make_dir(dir, DIR_MODE).with_context(|| format!("could not make {dir}/"))?;
    }
    // A file that can't be linked is written instead, so an old tree that can't be opened is no fault either.
    let old = root.open_dir(plan.tree).ok();
    let filled = dirs.into_par_iter().map(|(dir, files)| {
        let to = new.open_dir(dir).with_context(|| format!("could not open {dir}/"))?;
        let from = old.as_ref().and_then(|old| old.open_dir(dir).ok());
        let fresh = fill(&to, from.as_ref(), &files, sync)?;
        to.set_mode(DIR_MODE).with_context(|| format!("could not set the mode of {dir}/"))?;
        if sync {
            to.sync().with_context(|| format!("could not make {dir}/ durable"))?;
        }
        Ok(fresh)
    });
    Ok(filled.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

/// Puts `files` into the new directory: hard links where the old one has them as wanted, else written.
fn fill(to: &Dir, from: Option<&Dir>, files: &[&Pair<'_>], sync: bool) -> Result<Vec<Content>> {
    let mut fresh = Vec::new();
    for pair in files {
        let name = split(pair.path).1;
        let Some(wanted) = pair.wanted else { continue };
        let mode = file_mode(wanted.executable);
        let kept = pair.same().is_some_and(|file| file.mode == mode);
        if kept && from.is_some_and(|from| from.hard_link(name, to).is_ok()) {
            continue;
        }
        let (file, stat) = to
            .write_new(name, mode, &wanted.body)
            .with_context(|| format!("could not write {}", pair.path))?;
        if sync {
            sync_file(&file).with_context(|| format!("could not make {} durable", pair.path))?;
        }
        fresh.push((StatData::new(&stat), wanted.sha256));
    }
    Ok(fresh)
}

/// Removes the stage with all that is in it, if there is one.
///
/// # Errors
/// When the disk refuses; the next run tries again.
pub(super) fn discard(lock: &Lock) -> Result<()> {
    lock.state().remove_tree(NAME).context("could not clean up .plasmagen")
}
