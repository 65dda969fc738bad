//! The lock `.plasmagen/lock`: one run at a time writes beside an inventory.

use std::fmt;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, Mode, OFlags, flock, fstat, fsync, mkdirat, openat};
use rustix::io::Errno;

use super::scan::StatData;
use super::{STATE, disk, swap};

/// The directory of an inventory, held for writing until this is dropped.
///
/// Held by flock(2), so the lock of a process that died is no obstacle.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    root: OwnedFd,
    state: OwnedFd,
    file: File,
    taken: i128,
}

/// The error of [`Lock::acquire`] when another run holds the lock; found with [`anyhow::Error::downcast_ref`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its process, if it has said so yet.
    pub pid: Option<u32>,
}

impl std::error::Error for Held {}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another plasmagen")?;
        if let Some(pid) = self.pid {
            write!(f, " (process {pid})")?;
        }
        f.write_str(" is writing beside this inventory. Wait until it is done, and run again")
    }
}

impl Lock {
    /// Takes the lock on the directory `root` and brings to an end what a run that died has left there: afterwards
    /// `nodes/` and `site/` are of one version, the old or the new one.
    ///
    /// # Errors
    /// [`Held`] when another run has the lock. Else when `root` can't be written or a left-over can't be finished.
    pub fn acquire(root: &Path) -> Result<Self> {
        let lock =
            Self::take(root).with_context(|| format!("could not take the lock in {}", root.display()))?;
        swap::recover(&lock).context("could not finish what an earlier run left")?;
        Ok(lock)
    }

    fn take(path: &Path) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(path, flags, Mode::empty()).context("could not open the directory")?;
        match mkdirat(&root, STATE, Mode::from_raw_mode(disk::DIR_MODE)) {
            Ok(()) => fsync(&root).context("could not make the directory durable")?,
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error).context("could not make .plasmagen"),
        }
        let state = disk::open_dir(&root, STATE).context("could not open the directory .plasmagen")?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(disk::file_mode(false));
        let file = File::from(openat(&state, "lock", flags, mode).context("could not open .plasmagen/lock")?);
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => return Err(Held { pid: holder(&file) }.into()),
            locked => locked.context("could not lock .plasmagen/lock")?,
        }
        let mut lock = Self { path: path.to_owned(), root, state, file, taken: 0 };
        lock.taken = lock.mark()?;
        Ok(lock)
    }

    pub(super) fn root(&self) -> &OwnedFd {
        &self.root
    }

    /// `.plasmagen`.
    pub(super) fn state(&self) -> &OwnedFd {
        &self.state
    }

    pub(super) fn state_path(&self) -> PathBuf {
        self.path.join(STATE)
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

    /// Writes our process id, and returns the time that the file system gave that.
    fn mark(&self) -> Result<i128> {
        let pid = format!("{}\n", std::process::id());
        let mark = || {
            self.file.write_all_at(pid.as_bytes(), 0)?;
            self.file.set_len(pid.len() as u64)?;
            anyhow::Ok(StatData::new(&fstat(&self.file)?).mtime)
        };
        mark().context("could not write .plasmagen/lock")
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file would do, were there no copy of it in a child process that has not reached exec(3) yet.
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}

fn holder(file: &File) -> Option<u32> {
    let mut text = [0; 16];
    let length = file.read_at(&mut text, 0).ok()?;
    std::str::from_utf8(&text[..length]).ok()?.lines().next()?.parse().ok()
}
