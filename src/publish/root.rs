//! A web root that is ours: the marker that says so, the lock, and the counter of generations.

use std::fmt;
use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use rustix::fs::{
    AtFlags, FileType, FlockOperation, Mode, OFlags, fchmod, flock, fsync, mkdirat, openat, renameat, statat,
};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::write::disk;

/// Where our state lies in the root; nginx serves nothing whose name begins with a dot.
pub(super) const STATE: &str = ".plasmagen";
const MARKER: &str = "web-root.json";
const STAGE: &str = "stage";
const SCHEMA: u32 = 1;

/// What belongs to a root beside the names of the site.
pub(super) const NIXOS: &str = "nixos";
pub(super) const SITE: &str = "site";
pub(super) const ARMED: &str = "armed";
pub(super) const TFTP: &str = "tftp";

/// A web root of ours, open.
#[derive(Debug)]
pub struct Root {
    pub(super) dir: OwnedFd,
    pub(super) state: OwnedFd,
}

/// A web root that nobody else publishes into until this is dropped.
#[derive(Debug)]
pub struct Lock {
    pub(super) root: Root,
    /// Where new things grow before they take their places.
    pub(super) stage: OwnedFd,
    _file: File,
}

/// The error of [`Lock::acquire`] when another run holds the lock.
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
        f.write_str(" is publishing into this web root. Wait until it is done, and run again")
    }
}

/// What tells that a root is ours.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Marker {
    schema: u32,
    /// The last generation that was given.
    generation: u64,
}

impl Root {
    /// Opens the web root at `path`.
    ///
    /// # Errors
    /// When there is none, or it is not ours.
    pub fn open(path: &Path) -> Result<Self> {
        let dir = open(path)?;
        let state = disk::open_dir(&dir, STATE);
        ensure!(
            state.is_ok(),
            "{} is no web root of plasmagen's: plasmagen publish makes one",
            path.display()
        );
        let root = Self { dir, state: state? };
        root.generation().with_context(|| format!("{} is no web root of plasmagen's", path.display()))?;
        Ok(root)
    }

    /// Whether there is a web root of ours at `path`.
    #[must_use]
    pub fn is_at(path: &Path) -> bool {
        path.join(STATE).join(MARKER).exists()
    }

    /// The last generation that was given.
    pub(super) fn generation(&self) -> Result<u64> {
        let text = disk::read(&self.state, MARKER).context("could not read .plasmagen/web-root.json")?;
        let marker: Marker = serde_json::from_slice(&text).context(".plasmagen/web-root.json is damaged")?;
        ensure!(marker.schema == SCHEMA, "it was made by a later plasmagen (schema {})", marker.schema);
        Ok(marker.generation)
    }
}

impl Lock {
    /// Opens the web root at `path`, made where there is none, takes its lock, and removes what a run that died has
    /// left half done.
    ///
    /// # Errors
    /// [`Held`] when another run has the lock. Else when the directory holds something else, or a disk refuses.
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
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&state, "lock", flags, Mode::from_raw_mode(0o644));
        let file = File::from(file.context("could not open .plasmagen/lock")?);
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => return Err(Held { pid: holder(&file) }.into()),
            locked => locked.context("could not lock .plasmagen/lock")?,
        }
        let pid = format!("{}\n", std::process::id());
        let mark = || file.set_len(pid.len() as u64).and_then(|()| file.write_all_at(pid.as_bytes(), 0));
        mark().context("could not write .plasmagen/lock")?;
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
        Ok(Self { root, stage, _file: file })
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

/// The same, by way of `stage`, a directory of the same file system.
pub(super) fn put(stage: &OwnedFd, dir: &OwnedFd, name: &str, body: &[u8]) -> Result<()> {
    let run = || {
        disk::remove(stage, name)?;
        let (file, _) = disk::create(stage, name, disk::file_mode(false), body)?;
        fsync(&file)?;
        renameat(stage, name, dir, name)?;
        fsync(dir)?;
        anyhow::Ok(())
    };
    run().with_context(|| format!("could not write {name}"))
}

/// Opens the directory `name` in `parent`, made where there is none: readable by everybody, whatever the umask.
pub(super) fn make_dir(parent: &OwnedFd, name: &str) -> Result<OwnedFd> {
    let mode = Mode::from_raw_mode(disk::DIR_MODE);
    let made = match mkdirat(parent, name, mode) {
        Err(Errno::EXIST) => false,
        made => made.map(|()| true).with_context(|| format!("could not make {name}/"))?,
    };
    let dir = disk::open_dir(parent, name).map_err(|error| match error {
        Errno::LOOP | Errno::NOTDIR => anyhow::anyhow!(
            "{name} is no directory; plasmagen follows no symbolic link in a web root: remove it, or name the root where \
             it leads"
        ),
        error => anyhow::Error::new(error).context(format!("could not open {name}/")),
    })?;
    if made {
        fchmod(&dir, mode).with_context(|| format!("could not set the mode of {name}/"))?;
        fsync(parent).with_context(|| format!("could not make {name}/ durable"))?;
    }
    Ok(dir)
}

/// Removes the directory `name` of our state with all that is in it, if there is one.
pub(super) fn discard(state: &OwnedFd, name: &str) -> Result<()> {
    let run = || match disk::open_dir(state, name) {
        Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(dir) => {
            for (child, stat) in disk::list(&dir)? {
                if disk::kind(&stat) == FileType::Directory {
                    discard(&dir, &child)?;
                } else {
                    disk::remove(&dir, &child)?;
                }
            }
            rustix::fs::unlinkat(state, name, AtFlags::REMOVEDIR)?;
            anyhow::Ok(())
        }
    };
    run().with_context(|| format!("could not remove {name}"))
}

fn open(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).with_context(|| format!("could not open {}", path.display()))
}

fn write_marker(state: &OwnedFd, generation: u64) -> Result<()> {
    let body = serde_json::to_vec(&Marker { schema: SCHEMA, generation })?;
    disk::replace(state, MARKER, &body, true).context("could not write .plasmagen/web-root.json")
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

/// Whether something lies at `name`, whatever it is.
pub(super) fn exists(dir: &OwnedFd, name: &str) -> Result<bool> {
    match statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(_) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(error) => Err(error).with_context(|| format!("could not look at {name}")),
    }
}

fn holder(file: &File) -> Option<u32> {
    let mut text = [0; 16];
    let length = file.read_at(&mut text, 0).ok()?;
    std::str::from_utf8(&text[..length]).ok()?.lines().next()?.parse().ok()
}
