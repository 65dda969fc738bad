//! A lock of flock(2) on the file `lock` in a directory `.plasmagen`, which says who holds it.

use std::fmt;
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, Mode, OFlags, Stat, flock, fstat, openat};
use rustix::io::Errno;

use super::disk;

/// The lock, held until this is dropped; that of a process that died is no obstacle.
#[derive(Debug)]
pub(crate) struct FileLock(File);

/// The error when another run holds the lock; found with [`anyhow::Error::downcast_ref`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its process, if it has said so yet.
    pub pid: Option<u32>,
    /// What it is doing.
    pub doing: &'static str,
}

impl std::error::Error for Held {}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another plasmagen")?;
        if let Some(pid) = self.pid {
            write!(f, " (process {pid})")?;
        }
        write!(f, " is {}. Wait until it is done, and run again", self.doing)
    }
}

impl FileLock {
    /// Takes the lock in `state`, a directory `.plasmagen`, for a run that will be `doing` that; it is still to
    /// [`mark`](Self::mark) it.
    ///
    /// # Errors
    /// [`Held`] when another run has it. Else when the disk refuses.
    pub(crate) fn take(state: impl AsFd, doing: &'static str) -> Result<Self> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(disk::file_mode(false));
        let file = File::from(openat(state, "lock", flags, mode).context("could not open .plasmagen/lock")?);
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => return Err(Held { pid: holder(&file), doing }.into()),
            locked => locked.context("could not lock .plasmagen/lock")?,
        }
        Ok(Self(file))
    }

    /// Writes our process id; returns what the file system then says of the file.
    pub(crate) fn mark(&self) -> Result<Stat> {
        let pid = format!("{}\n", std::process::id());
        let mark = || {
            self.0.write_all_at(pid.as_bytes(), 0)?;
            self.0.set_len(pid.len() as u64)?;
            anyhow::Ok(fstat(&self.0)?)
        };
        mark().context("could not write .plasmagen/lock")
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // Closing it is not enough: a process that another thread is just starting has the file open too, see flock(2).
        let _ = flock(&self.0, FlockOperation::Unlock);
    }
}

fn holder(file: &File) -> Option<u32> {
    let mut text = [0; 16];
    let length = file.read_at(&mut text, 0).ok()?;
    std::str::from_utf8(&text[..length]).ok()?.lines().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_ends_with_its_holder_whoever_else_has_the_file_open() {
        let state = tempfile::tempdir().unwrap();
        let take = || FileLock::take(File::open(state.path()).unwrap(), "at work");
        let lock = take().unwrap();
        lock.mark().unwrap();
        let held = Held { pid: Some(std::process::id()), doing: "at work" };
        assert_eq!(take().unwrap_err().downcast_ref::<Held>(), Some(&held));
        let inherited = lock.0.try_clone().unwrap();
        drop(lock);
        take().unwrap();
        drop(inherited);
    }
}
