//! The staging directory `.plasmagen/stage/`: new trees are built here, whole and durable, before they are exchanged with
//! the old ones, which are removed from here.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::compare::{Pair, TreeComparison};
use super::lock::SiteLock;
use super::scan::{HashedStat, StatData};
use super::wanted;
use crate::fs::{DIR_MODE, Dir, file_mode, split, sync_file};

/// The name of the staging directory in the state directory.
pub(super) const NAME: &str = "stage";

/// From this number of new files and directories on, one syncfs(2) is cheaper than an fsync(2) of each.
const MANY: usize = 64;

/// Opens the staging directory.
pub(super) fn open(lock: &SiteLock) -> Result<Dir> {
    lock.state().open_dir(NAME).context("could not open .plasmagen/stage")
}

/// Whether there is a staging directory.
pub(super) fn exists(lock: &SiteLock) -> Result<bool> {
    let stat = lock.state().stat(NAME).context("could not look at .plasmagen/stage")?;
    Ok(stat.is_some())
}

/// Builds the new version of each tree and makes it durable; returns the files that were written.
///
/// # Errors
/// When the disk refuses. The staging directory is then incomplete, and the caller has it discarded.
pub(super) fn build(lock: &SiteLock, trees: &[&TreeComparison<'_>]) -> Result<Vec<HashedStat>> {
    lock.state().make_dir(NAME, DIR_MODE).context("could not make .plasmagen/stage")?;
    let staging = open(lock)?;
    let new: usize = trees.iter().map(|tree| tree.differences().count() + files_by_dir(tree).len()).sum();
    let sync_each = new < MANY;
    let mut written = Vec::new();
    for tree in trees {
        let built = build_tree(lock.root(), &staging, tree, sync_each);
        written.extend(built.with_context(|| format!("could not stage {}/", tree.tree))?);
    }
    if sync_each {
        staging.sync().context("could not make .plasmagen/stage durable")?;
    } else {
        staging.sync_file_system().context("could not make the staged files durable")?;
    }
    // After the exchange anybody may edit these files. From this tick on, an edit shows in their times.
    lock.wait_for_tick()?;
    Ok(written)
}

/// Groups the files of the new tree by directory; parents come first.
fn files_by_dir<'p, 'a>(tree: &'p TreeComparison<'a>) -> BTreeMap<&'p str, Vec<&'p Pair<'a>>> {
    let files = || tree.pairs.iter().filter(|pair| pair.wanted.is_some());
    let mut dirs: BTreeMap<_, _> =
        wanted::list_dirs(files().map(|pair| pair.path)).into_iter().map(|dir| (dir, Vec::new())).collect();
    for pair in files() {
        dirs.entry(split(pair.path).0).or_default().push(pair);
    }
    dirs
}

fn build_tree(root: &Dir, staging: &Dir, tree: &TreeComparison<'_>, sync: bool) -> Result<Vec<HashedStat>> {
    let dirs = files_by_dir(tree);
    staging.make_dir(tree.tree, DIR_MODE)?;
    let new = staging.open_dir(tree.tree)?;
    for dir in dirs.keys().filter(|dir| !dir.is_empty()) {
        new.make_dir(dir, DIR_MODE).with_context(|| format!("could not make {dir}/"))?;
    }
    // A file that can't be linked is written instead, so an old tree that can't be opened is no fault either.
    let old = root.open_dir(tree.tree).ok();
    let filled = dirs.into_par_iter().map(|(dir, files)| {
        let to = new.open_dir(dir).with_context(|| format!("could not open {dir}/"))?;
        let from = old.as_ref().and_then(|old| old.open_dir(dir).ok());
        let written = fill_dir(&to, from.as_ref(), &files, sync)?;
        to.set_mode(DIR_MODE).with_context(|| format!("could not set the mode of {dir}/"))?;
        if sync {
            to.sync().with_context(|| format!("could not make {dir}/ durable"))?;
        }
        Ok(written)
    });
    Ok(filled.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

/// Puts `files` into the new directory: as hard links where the old directory has them as wanted, else written.
fn fill_dir(to: &Dir, from: Option<&Dir>, files: &[&Pair<'_>], sync: bool) -> Result<Vec<HashedStat>> {
    let mut written = Vec::new();
    for pair in files {
        let name = split(pair.path).1;
        let Some(wanted) = pair.wanted else { continue };
        let mode = file_mode(wanted.executable);
        let is_kept = pair.unchanged().is_some_and(|file| file.mode == mode);
        if is_kept && from.is_some_and(|from| from.hard_link(name, to).is_ok()) {
            continue;
        }
        let (file, stat) = to
            .write_new(name, mode, &wanted.body)
            .with_context(|| format!("could not write {}", pair.path))?;
        if sync {
            sync_file(&file).with_context(|| format!("could not make {} durable", pair.path))?;
        }
        written.push((StatData::new(&stat), wanted.sha256));
    }
    Ok(written)
}

/// Removes the staging directory and everything in it, if there is one.
///
/// # Errors
/// When the disk refuses; the next run tries again.
pub(super) fn discard(lock: &SiteLock) -> Result<()> {
    lock.state().remove_tree(NAME).context("could not clean up .plasmagen")
}
