//! The lock of a web root, and the stage that only its holder has.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::root::{MARKER, Root, TFTP, open, write_marker};
use crate::fs::{Dir, FileLock, FileType, LockedDir, STATE, kind, make_dirs};

const STAGE: &str = "stage";

/// A web root that nobody else publishes into until this is dropped.
#[derive(Debug)]
pub struct Lock {
    pub(super) root: Root,
    /// Where new things grow before they take their places.
    pub(super) stage: Dir,
    _lock: FileLock,
}

impl Lock {
    /// Opens the web root at `path`, made where there is none, takes its lock, and removes what a run that died has
    /// left half done.
    ///
    /// # Errors
    /// [`Held`](crate::fs::Held) when another run has the lock. Else when the directory holds something else, or a
    /// disk refuses.
    pub fn acquire(path: &Path) -> Result<Self> {
        make_dirs(path)?;
        let dir = open(path)?;
        let take = || Self::take(dir);
        take().with_context(|| format!("could not take the lock of {}", path.display()))
    }

    fn take(dir: Dir) -> Result<Self> {
        let ours = dir.stat(STATE).context("could not look at .plasmagen")?.is_some();
        if !ours {
            refuse_foreign(&dir)?;
        }
        let LockedDir { dir, state, lock } = LockedDir::take(dir, "publishing into this web root")?;
        lock.mark()?;
        if state.stat(MARKER)?.is_none() {
            // A run that died before it wrote the marker has made nothing else.
            refuse_foreign(&dir)?;
            write_marker(&state, 0)?;
        }
        dir.sync().context("could not make the web root durable")?;
        // A symbolic link in its place is refused, not removed: somebody has put it there for a reason.
        state.ensure_dir(STAGE)?;
        state.remove_tree(STAGE)?;
        let stage = state.ensure_dir(STAGE)?;
        let root = Root { dir, state };
        root.generation()?;
        Ok(Self { root, stage, _lock: lock })
    }

    /// A generation that is higher than every one that was given before, whatever becomes of this one.
    pub(super) fn next_generation(&self) -> Result<u64> {
        let last = self.root.generation()?;
        let next = last.checked_add(1).context("the counter of generations is at its end")?;
        write_marker(&self.root.state, next)?;
        Ok(next)
    }

    /// Removes what has been staged.
    pub(super) fn clean(&self) -> Result<()> {
        self.root.state.remove_tree(STAGE)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // After a refusal there may be something left, which the next run removes if this one can't.
        let _ = self.clean();
    }
}

/// Refuses a directory that holds what nobody but its owner should replace. Empty directories, such as tmpfiles.d(5)
/// makes, and loaders in tftp/ are no obstacle.
fn refuse_foreign(dir: &Dir) -> Result<()> {
    for (name, stat) in dir.list().context("could not list it")? {
        let is_dir = kind(&stat) == FileType::Directory;
        let known = match name.as_str() {
            STATE | TFTP | "lost+found" => is_dir,
            _ => is_dir && is_hollow(&dir.open_dir(&name)?)?,
        };
        if !known {
            bail!(
                "it holds {}, and is no web root of plasmagen's: name an empty directory, or move that away",
                name.escape_debug()
            );
        }
    }
    Ok(())
}

/// Whether there are only directories in it.
fn is_hollow(dir: &Dir) -> Result<bool> {
    for (name, stat) in dir.list()? {
        if kind(&stat) != FileType::Directory || !is_hollow(&dir.open_dir(&name)?)? {
            return Ok(false);
        }
    }
    Ok(true)
}
