//! The lock of a web root, and the stage that only its holder has.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::{Context, Result, bail};
use rustix::fs::{FileType, fsync};

use super::root::{MARKER, Root, STATE, TFTP, discard, make_dir, open, put, write_marker};
use crate::write::{FileLock, disk};

const STAGE: &str = "stage";

/// A web root that nobody else publishes into until this is dropped.
#[derive(Debug)]
pub struct Lock {
    pub(super) root: Root,
    /// Where new things grow before they take their places.
    pub(super) stage: OwnedFd,
    _lock: FileLock,
}

impl Lock {
    /// Opens the web root at `path`, made where there is none, takes its lock, and removes what a run that died has
    /// left half done.
    ///
    /// # Errors
    /// [`Held`](crate::write::Held) when another run has the lock. Else when the directory holds something else, or a
    /// disk refuses.
    pub fn acquire(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).with_context(|| format!("could not make {}", path.display()))?;
        let dir = open(path)?;
        let take = || Self::take(dir);
        take().with_context(|| format!("could not take the lock of {}", path.display()))
    }

    fn take(dir: OwnedFd) -> Result<Self> {
        let ours = disk::stat(&dir, STATE).context("could not look at .plasmagen")?.is_some();
        if !ours {
            refuse_foreign(&dir)?;
        }
        let state = make_dir(&dir, STATE)?;
        let lock = FileLock::take(&state, "publishing into this web root")?;
        lock.mark()?;
        if disk::stat(&state, MARKER)?.is_none() {
            // A run that died before it wrote the marker has made nothing else.
            refuse_foreign(&dir)?;
            write_marker(&state, 0)?;
        }
        fsync(&dir).context("could not make the web root durable")?;
        discard(&state, STAGE)?;
        let stage = make_dir(&state, STAGE)?;
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

    /// Puts `body` at `name` in `dir` by one rename: a reader sees the old file or the new one.
    pub(super) fn put(&self, dir: &OwnedFd, name: &str, body: &[u8]) -> Result<()> {
        put(&self.stage, dir, name, body)
    }

    /// Removes what has been staged.
    pub(super) fn clean(&self) -> Result<()> {
        discard(&self.root.state, STAGE)
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
fn refuse_foreign(dir: &OwnedFd) -> Result<()> {
    for (name, stat) in disk::list(dir).context("could not list it")? {
        let is_dir = disk::kind(&stat) == FileType::Directory;
        let known = match name.as_str() {
            STATE | TFTP | "lost+found" => is_dir,
            _ => is_dir && is_hollow(&disk::open_dir(dir, &name)?)?,
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
fn is_hollow(dir: &OwnedFd) -> Result<bool> {
    for (name, stat) in disk::list(dir)? {
        if disk::kind(&stat) != FileType::Directory || !is_hollow(&disk::open_dir(dir, &name)?)? {
            return Ok(false);
        }
    }
    Ok(true)
}
