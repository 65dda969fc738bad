//! The lock `.plasmagen/lock`: only one run at a time writes beside an inventory.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result};

use super::scan::StatData;
use crate::fs::{Dir, LockedDir};

/// The directory of an inventory, locked for writing until this value is dropped.
#[derive(Debug)]
pub struct SiteLock {
    locked: LockedDir,
    taken: i128,
}

impl SiteLock {
    /// Takes the lock in the directory `root`. What a killed run has left there is not touched yet.
    pub(super) fn take(root: &Path) -> Result<Self> {
        let take = || {
            let root = Dir::open(root).context("could not open the directory")?;
            let locked = LockedDir::take(root, "writing beside this inventory")?;
            let mut lock = Self { locked, taken: 0 };
            lock.taken = lock.mark()?;
            anyhow::Ok(lock)
        };
        take().with_context(|| format!("could not take the lock in {}", root.display()))
    }

    /// The directory of the inventory.
    pub(super) fn root(&self) -> &Dir {
        &self.locked.dir
    }

    /// The state directory `.plasmagen`.
    pub(super) fn state(&self) -> &Dir {
        &self.locked.state
    }

    /// When the lock was taken, by the clock of the file system, in nanoseconds since 1970.
    pub(super) fn taken(&self) -> i128 {
        self.taken
    }

    /// Waits for a moment of the file system's clock that is later than every change up to now, and not later than any
    /// change from now on.
    ///
    /// The clock ticks every few milliseconds. On a file system that counts whole seconds, the moment may be the one of
    /// the last changes.
    pub(super) fn wait_for_tick(&self) -> Result<i128> {
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

    /// Writes the lock file, and returns the time that the file system gave to that change.
    fn mark(&self) -> Result<i128> {
        Ok(StatData::new(&self.locked.lock.mark()?).mtime)
    }
}
