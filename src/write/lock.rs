//! The lock `.plasmagen/lock`: one run at a time writes beside an inventory.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result};

use super::scan::StatData;
use super::{STATE, swap};
use crate::fs::{Dir, FileLock};

/// The directory of an inventory, held for writing until this is dropped.
#[derive(Debug)]
pub struct Lock {
    root: Dir,
    state: Dir,
    file: FileLock,
    taken: i128,
}

impl Lock {
    /// Takes the lock on the directory `root` and brings to an end what a run that died has left there: afterwards
    /// `nodes/` and `site/` are of one version, the old or the new one.
    ///
    /// # Errors
    /// [`Held`](crate::fs::Held) when another run has the lock. Else when `root` can't be written or a left-over can't be finished.
    pub fn acquire(root: &Path) -> Result<Self> {
        let lock =
            Self::take(root).with_context(|| format!("could not take the lock in {}", root.display()))?;
        swap::recover(&lock).context("could not finish what an earlier run left")?;
        Ok(lock)
    }

    fn take(path: &Path) -> Result<Self> {
        let root = Dir::open(path).context("could not open the directory")?;
        let state = root.ensure_dir(STATE)?;
        let file = FileLock::take(&state, "writing beside this inventory")?;
        let mut lock = Self { root, state, file, taken: 0 };
        lock.taken = lock.mark()?;
        Ok(lock)
    }

    pub(super) fn root(&self) -> &Dir {
        &self.root
    }

    /// `.plasmagen`.
    pub(super) fn state(&self) -> &Dir {
        &self.state
    }

    /// When the lock was taken by the clock of its file system, in nanoseconds.
    pub(super) fn taken(&self) -> i128 {
        self.taken
    }

    /// A moment of that clock which is later than every change up to now, and not later than any change from now on.
    ///
    /// The clock ticks every few milliseconds, which this waits for. On file systems that count whole seconds the moment
    /// may be the one of the last changes.
    pub(super) fn moment(&self) -> Result<i128> {
        let start = self.mark()?;
        for _ in 0..20 {
            let now = self.mark()?;
            if now > start {
                return Ok(now);
            }
            sleep(Duration::from_millis(1));
        }
        Ok(start)
    }

    /// Marks the lock anew, and returns the time that the file system gave that.
    fn mark(&self) -> Result<i128> {
        Ok(StatData::new(&self.file.mark()?).mtime)
    }
}
