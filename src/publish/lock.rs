//! The lock of a web root, and the staging directory that only the holder of the lock uses.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::root::{ARMED, MARKER, SCHEMA, SHARED_SCHEMA, TFTP, WebRoot, open_named, write_marker};
use super::timer::is_stamp;
use crate::fs::{Dir, FileLock, FileType, LockedDir, STATE, kind_of, make_dirs};

const STAGING: &str = "stage";

/// The staging directory of `arm` in an earlier version, which a killed run of that version has left.
const FORMER_STAGING: &str = "arm";

/// A web root, locked until this value is dropped, for a run that publishes or that arms machines. Disarming needs no lock:
/// a machine that is armed no more takes nothing from a run at work.
#[derive(Debug)]
pub struct WebRootLock {
    pub(super) root: WebRoot,
    /// The staging directory, where generations are built before they are moved to their places.
    pub(super) staging: Dir,
    _lock: FileLock,
}

impl WebRootLock {
    /// Opens the web root at `path`, which is made where there is none, takes its lock, and removes what a killed run has
    /// left in the staging directory.
    ///
    /// # Errors
    /// [`Held`](crate::fs::Held) when another run has the lock for a while. Else when the directory holds other files, or the
    /// disk refuses.
    pub fn acquire(path: &Path) -> Result<Self> {
        make_dirs(path)?;
        let dir = open_named(path)?;
        let take = || Self::take(dir);
        take().with_context(|| format!("could not take the lock of {}", path.display()))
    }

    fn take(dir: Dir) -> Result<Self> {
        let is_ours = dir.stat(STATE).context("could not look at .plasmagen")?.is_some();
        if !is_ours {
            refuse_foreign(&dir)?;
        }
        let LockedDir { dir, state, lock } = LockedDir::wait(dir, "changing this web root")?;
        lock.mark()?;
        if state.stat(MARKER)?.is_none() {
            // A run that died before it wrote the marker has made nothing else.
            refuse_foreign(&dir)?;
            write_marker(&state, 0, SCHEMA)?;
        }
        dir.sync().context("could not make the web root durable")?;
        // The provisioner's timer leaves a stamp there, also before the first machine is armed.
        dir.ensure_dir(ARMED)?;
        // A symbolic link in the place of the staging directory is refused, not removed: a person has made the link.
        state.ensure_dir(STAGING)?;
        state.remove_tree(STAGING)?;
        state.remove_tree(FORMER_STAGING)?;
        let staging = state.ensure_dir(STAGING)?;
        let root = WebRoot { dir, state };
        root.last_generation()?;
        Ok(Self { root, staging, _lock: lock })
    }

    /// Reserves the number of the next generation. No number is given twice, even when its generation is never published. The
    /// marker says from then on that several clusters share the web root where `is_shared` is true.
    pub(super) fn next_generation(&self, is_shared: bool) -> Result<u64> {
        let (last, schema) = self.root.read_marker()?;
        let next = last.checked_add(1).context("the counter of generations is at its end")?;
        write_marker(&self.root.state, next, if is_shared { SHARED_SCHEMA } else { schema })?;
        Ok(next)
    }

    /// Removes the staging directory.
    pub(super) fn remove_staging(&self) -> Result<()> {
        self.root.state.remove_tree(STAGING)
    }
}

impl Drop for WebRootLock {
    fn drop(&mut self) {
        // After a refusal there may be something left, which the next run removes if this one can't.
        let _ = self.remove_staging();
    }
}

/// Refuses a directory that holds files of somebody else. Empty directories, such as tmpfiles.d(5) makes, and loaders in
/// tftp/ are no obstacle.
fn refuse_foreign(dir: &Dir) -> Result<()> {
    for (name, stat) in dir.list().context("could not list it")? {
        let is_dir = kind_of(&stat) == FileType::Directory;
        let is_known = match name.as_str() {
            STATE | TFTP | "lost+found" => is_dir,
            ARMED => is_dir && dir.open_dir(&name)?.list()?.iter().all(|(name, _)| is_stamp(name)),
            _ => is_dir && has_only_dirs(&dir.open_dir(&name)?)?,
        };
        if !is_known {
            bail!(
                "it holds {}, and is not a web root of plasmagen's: name an empty directory, or move that away",
                name.escape_debug()
            );
        }
    }
    Ok(())
}

/// Whether `dir` holds only directories, at any depth.
fn has_only_dirs(dir: &Dir) -> Result<bool> {
    for (name, stat) in dir.list()? {
        if kind_of(&stat) != FileType::Directory || !has_only_dirs(&dir.open_dir(&name)?)? {
            return Ok(false);
        }
    }
    Ok(true)
}
