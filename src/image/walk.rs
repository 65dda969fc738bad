//! An archive from a directory on disk.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use anyhow::{Context, Result, bail};
use walkdir::WalkDir;

use super::archive::{Archive, ArchivePath, Entry, Kind, Source};

/// Everything below `root`, which is no part of it. Symbolic links are kept as links and never followed.
///
/// # Errors
/// When something cannot be read, has a name that is not UTF-8, or is a socket.
pub fn walk(root: &Path) -> Result<Archive> {
    let mut archive = Archive::default();
    let mut groups = HashMap::new();
    for found in WalkDir::new(root).min_depth(1) {
        let found = found.map_err(|error| untold(root, error))?;
        let inside = found.path().strip_prefix(root).unwrap_or(found.path());
        let name = inside
            .to_str()
            .with_context(|| format!("the name of {} is not UTF-8", found.path().display()))?;
        let metadata =
            found.metadata().with_context(|| format!("could not look at {}", found.path().display()))?;
        let kind = kind(found.path(), &metadata, &mut groups)?;
        archive.insert(ArchivePath::new(name)?, Entry { mode: metadata.mode() & 0o7777, kind })?;
    }
    Ok(archive)
}

/// Why a directory could not be listed, said once: walkdir's own error says it twice.
fn untold(root: &Path, error: walkdir::Error) -> anyhow::Error {
    let what = format!("could not list {}", error.path().unwrap_or(root).display());
    let why = error.into_io_error().unwrap_or_else(|| ErrorKind::Other.into());
    anyhow::Error::new(why).context(what)
}

fn kind(path: &Path, metadata: &Metadata, groups: &mut HashMap<(u64, u64), u64>) -> Result<Kind> {
    let what = metadata.file_type();
    let device = || (rustix::fs::major(metadata.rdev()), rustix::fs::minor(metadata.rdev()));
    Ok(if what.is_dir() {
        Kind::Directory
    } else if what.is_symlink() {
        let target =
            fs::read_link(path).with_context(|| format!("could not read the link {}", path.display()))?;
        let target = target.into_os_string().into_string();
        Kind::Symlink(target.ok().with_context(|| format!("the target of {} is not UTF-8", path.display()))?)
    } else if what.is_char_device() {
        let (major, minor) = device();
        Kind::Character(major, minor)
    } else if what.is_block_device() {
        let (major, minor) = device();
        Kind::Block(major, minor)
    } else if what.is_fifo() {
        Kind::Fifo
    } else if what.is_file() {
        let next = groups.len() as u64;
        let group =
            (metadata.nlink() > 1).then(|| *groups.entry((metadata.dev(), metadata.ino())).or_insert(next));
        Kind::File { source: Source::Disk(path.to_owned(), metadata.len()), group }
    } else {
        bail!("{} is a socket, which means nothing in an archive: leave it out", path.display());
    })
}
