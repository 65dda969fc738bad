//! A web root that is ours: the marker that says so, with the counter of generations.

use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, fchmod, fsync, mkdirat, renameat, statat};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::write::disk;

/// Where our state lies in the root; nginx serves nothing whose name begins with a dot.
pub(super) const STATE: &str = ".plasmagen";
pub(super) const MARKER: &str = "web-root.json";
const SCHEMA: u32 = 1;

/// What belongs to a root beside the names of the site.
pub(super) const NIXOS: &str = "nixos";
pub(super) const SITE: &str = "site";
pub(super) const ARMED: &str = "armed";
pub(super) const TFTP: &str = crate::model::TFTP_DIR;

/// A web root of ours, open.
#[derive(Debug)]
pub struct Root {
    pub(super) dir: OwnedFd,
    pub(super) state: OwnedFd,
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

/// Puts `body` at `name` in `dir` by one rename, by way of `stage`, a directory of the same file system.
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

/// Opens the directory that the command line or the inventory names.
pub(super) fn open(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).with_context(|| format!("could not open {}", path.display()))
}

/// Says that generations up to `generation` were given.
pub(super) fn write_marker(state: &OwnedFd, generation: u64) -> Result<()> {
    let body = serde_json::to_vec(&Marker { schema: SCHEMA, generation })?;
    disk::replace(state, MARKER, &body, true).context("could not write .plasmagen/web-root.json")
}

/// Whether something lies at `name`, whatever it is.
pub(super) fn exists(dir: &OwnedFd, name: &str) -> Result<bool> {
    match statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(_) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(error) => Err(error).with_context(|| format!("could not look at {name}")),
    }
}
