//! The stage `.plasmagen/stage/`: new trees grow here, whole and durable, before they take their places, and old trees
//! end here.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::{Context, Result};
use rayon::prelude::*;
use rustix::fs::{AtFlags, Mode, fchmod, fsync, linkat, mkdirat, syncfs};

use super::compare::{Pair, Plan};
use super::scan::{Content, StatData};
use super::{TREES, disk, lock::Lock, wanted};

/// Its name within our state directory.
pub(super) const NAME: &str = "stage";

/// From so many new files and directories on, one syncfs(2) is cheaper than an fsync(2) of each.
const MANY: usize = 64;

/// Builds the new tree of each plan and makes it durable; returns what it wrote.
///
/// # Errors
/// When the disk refuses. The stage is then incomplete, and the caller has it discarded.
pub(super) fn build(lock: &Lock, plans: &[&Plan<'_>]) -> Result<Vec<Content>> {
    let mode = Mode::from_raw_mode(disk::DIR_MODE);
    mkdirat(lock.state(), NAME, mode).context("could not make .plasmagen/stage")?;
    let stage = disk::open_dir(lock.state(), NAME).context("could not open .plasmagen/stage")?;
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
        fsync(&stage).context("could not make .plasmagen/stage durable")?;
    } else {
        syncfs(&stage).context("could not make the staged files durable")?;
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
        dirs.entry(disk::split(pair.path).0).or_default().push(pair);
    }
    dirs
}

fn tree(root: &OwnedFd, stage: &OwnedFd, plan: &Plan<'_>, sync: bool) -> Result<Vec<Content>> {
    let dirs = dirs(plan);
    let mode = Mode::from_raw_mode(disk::DIR_MODE);
    mkdirat(stage, plan.tree, mode)?;
    let new = disk::open_dir(stage, plan.tree)?;
    for dir in dirs.keys().filter(|dir| !dir.is_empty()) {
        mkdirat(&new, *dir, mode).with_context(|| format!("could not make {dir}/"))?;
    }
    // A file that can't be linked is written instead, so an old tree that can't be opened is no fault either.
    let old = disk::open_dir(root, plan.tree).ok();
    let filled = dirs.into_par_iter().map(|(dir, files)| {
        let to = disk::open_dir(&new, dir).with_context(|| format!("could not open {dir}/"))?;
        let from = old.as_ref().and_then(|old| disk::open_dir(old, dir).ok());
        let fresh = fill(&to, from.as_ref(), &files, sync)?;
        fchmod(&to, mode).with_context(|| format!("could not set the mode of {dir}/"))?;
        if sync {
            fsync(&to).with_context(|| format!("could not make {dir}/ durable"))?;
        }
        Ok(fresh)
    });
    Ok(filled.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

/// Puts `files` into the new directory: hard links where the old one has them as wanted, else written.
fn fill(to: &OwnedFd, from: Option<&OwnedFd>, files: &[&Pair<'_>], sync: bool) -> Result<Vec<Content>> {
    let mut fresh = Vec::new();
    for pair in files {
        let name = disk::split(pair.path).1;
        let Some(wanted) = pair.wanted else { continue };
        let mode = disk::file_mode(wanted.executable);
        let kept = pair.same().is_some_and(|file| file.mode == mode);
        if kept && from.is_some_and(|from| linkat(from, name, to, name, AtFlags::empty()).is_ok()) {
            continue;
        }
        let (file, stat) = disk::create(to, name, mode, &wanted.body)
            .with_context(|| format!("could not write {}", pair.path))?;
        if sync {
            fsync(&file).with_context(|| format!("could not make {} durable", pair.path))?;
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
    let stage = lock.state_path().join(NAME);
    let absent = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    // A repository from elsewhere may bring a symbolic link here: what lies behind it is not ours to remove.
    let is_dir = |path: &Path| path.symlink_metadata().is_ok_and(|stat| stat.is_dir());
    for tree in TREES.into_iter().filter(|tree| is_dir(&stage) && is_dir(&stage.join(tree))) {
        let children = match fs::read_dir(stage.join(tree)) {
            Err(error) if absent(&error) => continue,
            children => children.and_then(Iterator::collect::<io::Result<Vec<_>>>),
        };
        let dirs = children.context("could not list an old tree in .plasmagen/stage")?.into_par_iter();
        dirs.filter(|child| child.file_type().is_ok_and(|kind| kind.is_dir()))
            .try_for_each(|dir| fs::remove_dir_all(dir.path()))
            .context("could not remove an old tree from .plasmagen/stage")?;
    }
    match fs::remove_dir_all(&stage) {
        Err(error) if !absent(&error) => Err(error).context("could not remove .plasmagen/stage"),
        _ => Ok(()),
    }
}
