//! flock(2): the lock of a directory with a state directory, whose file names the holder, and locks that wait.

use std::fmt;
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, Mode, OFlags, Stat, flock, fstat, openat};
use rustix::io::Errno;

use super::change::file_mode;
use super::dir::Dir;

/// How a lock file is opened, and made where there is none.
const LOCK: OFlags = OFlags::RDWR.union(OFlags::CREATE).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The name of the state directory: beside an inventory, and in a web root.
pub(crate) const STATE: &str = ".plasmagen";

/// The lock file of a state directory.
const LOCK_FILE: &str = "lock";

/// A directory and its state directory, locked for one run until this value is dropped. The lock of a process that died is
/// no obstacle.
#[derive(Debug)]
pub(crate) struct LockedDir {
    /// The directory.
    pub(crate) dir: Dir,
    /// The state directory, [`STATE`].
    pub(crate) state: Dir,
    /// The lock.
    pub(crate) lock: FileLock,
}

/// A lock file of a state directory, held until this value is dropped.
#[derive(Debug)]
pub(crate) struct FileLock(File);

/// The error when another run holds the lock; found with [`anyhow::Error::downcast_ref`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The process that holds the lock, if it has written its id yet.
    pub pid: Option<u32>,
    /// The activity of that process, as in "is publishing".
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

/// How often a lock is tried that another run holds, and the pause between two tries: five seconds in all.
const TRIES: usize = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// Takes the lock of an open file or directory; waits a while for another holder.
///
/// # Errors
/// `WOULDBLOCK` when another run holds the lock all that time: every user who can read a file can hold the lock of the file
/// for ever.
fn lock_patiently(file: impl AsFd) -> Result<(), Errno> {
    for _ in 1..TRIES {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => sleep(PAUSE),
            locked => return locked,
        }
    }
    flock(file, FlockOperation::NonBlockingLockExclusive)
}

impl LockedDir {
    /// As [`take`](Self::take), but waits a while for another holder.
    ///
    /// # Errors
    /// [`Held`] when another run has the lock all that time. Else when the disk refuses.
    pub(crate) fn wait(dir: Dir, doing: &'static str) -> Result<Self> {
        let state = dir.ensure_dir(STATE)?;
        let lock = FileLock::lock(&state, LOCK_FILE, doing, |file| lock_patiently(file))?;
        Ok(Self { dir, state, lock })
    }

    /// Takes the lock of `dir`, whose state directory is made where there is none, for a run that is `doing` something, as
    /// a user reads it.
    ///
    /// # Errors
    /// [`Held`] when another run has the lock. Else when the disk refuses.
    pub(crate) fn take(dir: Dir, doing: &'static str) -> Result<Self> {
        let state = dir.ensure_dir(STATE)?;
        let lock = FileLock::take(&state, doing)?;
        Ok(Self { dir, state, lock })
    }
}

impl FileLock {
    fn take(state: &Dir, doing: &'static str) -> Result<Self> {
        Self::take_named(state, LOCK_FILE, doing)
    }

    /// Takes the lock file `name` of the state directory `state`, for a run that is `doing` something, as a user reads it.
    ///
    /// # Errors
    /// [`Held`] when another run has the lock. Else when the disk refuses.
    pub(crate) fn take_named(state: &Dir, name: &str, doing: &'static str) -> Result<Self> {
        Self::lock(state, name, doing, |file| flock(file, FlockOperation::NonBlockingLockExclusive))
    }

    fn lock(
        state: &Dir,
        name: &str,
        doing: &'static str,
        lock: impl Fn(&File) -> Result<(), Errno>,
    ) -> Result<Self> {
        let mode = Mode::from_raw_mode(file_mode(false));
        let file = openat(&state.0, name, LOCK, mode);
        let file = File::from(file.with_context(|| format!("could not open {STATE}/{name}"))?);
        match lock(&file) {
            Err(Errno::WOULDBLOCK) => return Err(Held { pid: holder(&file), doing }.into()),
            locked => locked.with_context(|| format!("could not lock {STATE}/{name}"))?,
        }
        Ok(Self(file))
    }

    /// Writes the id of this process into the lock file, and returns the stat of the file after that: its modification
    /// time is the present by the clock of the file system.
    pub(crate) fn mark(&self) -> Result<Stat> {
        let pid = format!("{}\n", std::process::id());
        let mark = || {
            self.0.write_all_at(pid.as_bytes(), 0)?;
            self.0.set_len(pid.len() as u64)?;
            anyhow::Ok(fstat(&self.0)?)
        };
        mark().context("could not write the lock file in .plasmagen")
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

/// A lock file that only its owner may open; held until this value is dropped, so also when the process is killed.
#[derive(Debug)]
pub(crate) struct LockedFile {
    _file: FileLock,
}

impl LockedFile {
    /// Takes the lock file `name` of `dir` for a run that is `doing` something, as a user reads it. Waits a while for
    /// another holder. The file stays empty: where nothing is stored, nothing beside it changes either.
    ///
    /// # Errors
    /// [`Held`] when another run has the lock all that time. Else when the disk refuses.
    pub(crate) fn wait(dir: &Dir, name: &str, doing: &'static str) -> Result<Self> {
        let file = File::from(openat(&dir.0, name, LOCK, Mode::from_raw_mode(0o600))?);
        match lock_patiently(&file) {
            Err(Errno::WOULDBLOCK) => return Err(Held { pid: None, doing }.into()),
            locked => locked?,
        }
        Ok(Self { _file: FileLock(file) })
    }
}

impl Dir {
    /// Takes the lock of this directory, and holds it until the directory is closed. Waits a while for another holder.
    ///
    /// # Errors
    /// `WOULDBLOCK` when another process holds the lock all that time. Else when the disk refuses.
    pub(crate) fn wait_for_lock(&self) -> Result<(), Errno> {
        lock_patiently(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_ends_with_its_holder_whoever_else_has_the_file_open() {
        let state = tempfile::tempdir().unwrap();
        let take = || FileLock::take(&Dir::open(state.path()).unwrap(), "at work");
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
