//! Makes an archive from a directory on disk.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use anyhow::{Context, Result, bail};
use rustix::fs::llistxattr;
use rustix::io::Errno;
use rustix::process::geteuid;
use walkdir::WalkDir;

use super::archive::Archive;
use super::entry::{ArchiveEntry, ArchivePath, EntryKind, FileContent, Owner};

/// The most bytes that the names of a file's extended attributes take (linux/limits.h).
const XATTR_LIST_MAX: usize = 65_536;

/// The extended attributes whose loss changes who may do something, with their names in messages.
const LOST: [(&[u8], &str); 3] = [
    (b"security.capability", "the capabilities"),
    (b"system.posix_acl_access", "the access control list"),
    (b"system.posix_acl_default", "the default access control list"),
];

/// Makes an archive of everything below the directory `root`. The directory itself is not part of the archive. Symbolic
/// links are kept as links and never followed.
///
/// Owners are kept, except that the files of a normal user who runs plasmagen belong to root. Capabilities and access control lists have no place in an archive: [`Archive::lost`] lists them.
///
/// # Errors
/// When an entry cannot be read, has a name that is not UTF-8, or is a socket.
pub fn read_directory(root: &Path) -> Result<Archive> {
    let mut archive = Archive::default();
    let mut groups = HashMap::new();
    let mut names = vec![0; XATTR_LIST_MAX];
    for found in WalkDir::new(root).min_depth(1) {
        let found = found.map_err(|error| explain_list_error(root, error))?;
        let inside = found.path().strip_prefix(root).unwrap_or(found.path());
        let name = inside
            .to_str()
            .with_context(|| format!("the name of {} is not UTF-8", found.path().display()))?;
        let metadata =
            found.metadata().with_context(|| format!("could not look at {}", found.path().display()))?;
        let kind = read_kind(found.path(), &metadata, &mut groups)?;
        let path = ArchivePath::new(name)?;
        for what in list_lost_attributes(found.path(), &mut names)? {
            archive.record_lost(path.clone(), what);
        }
        let mode = metadata.mode() & 0o7777;
        archive.insert(path, ArchiveEntry { owner: pick_owner(&metadata), mode, kind })?;
    }
    Ok(archive)
}

/// The owner of an entry in the archive.
fn pick_owner(metadata: &Metadata) -> Owner {
    let user = geteuid();
    if !user.is_root() && metadata.uid() == user.as_raw() {
        return Owner::ROOT;
    }
    Owner { user: metadata.uid(), group: metadata.gid() }
}

/// Lists the attributes of the file `path` that an archive has no room for. `names` is a buffer for the names of its
/// extended attributes (xattr(7)).
fn list_lost_attributes(path: &Path, names: &mut [u8]) -> Result<Vec<&'static str>> {
    let length = match llistxattr(path, &mut *names) {
        Ok(length) => length,
        // The file system has no extended attributes.
        Err(Errno::NOTSUP) => 0,
        Err(error) => {
            return Err(error)
                .with_context(|| format!("could not list the attributes of {}", path.display()));
        }
    };
    let names = names[..length].split(|byte| *byte == 0);
    let lost = names.filter_map(|name| LOST.iter().find(|(lost, _)| *lost == name));
    Ok(lost.map(|(_, what)| *what).collect())
}

/// Says once why a directory could not be listed: walkdir's own error says it twice.
fn explain_list_error(root: &Path, error: walkdir::Error) -> anyhow::Error {
    let what = format!("could not list {}", error.path().unwrap_or(root).display());
    let why = error.into_io_error().unwrap_or_else(|| ErrorKind::Other.into());
    anyhow::Error::new(why).context(what)
}

/// Reads the type of the entry at `path`. `groups` maps device and inode of hard links to their group number.
fn read_kind(path: &Path, metadata: &Metadata, groups: &mut HashMap<(u64, u64), u64>) -> Result<EntryKind> {
    let file_type = metadata.file_type();
    let device = || (rustix::fs::major(metadata.rdev()), rustix::fs::minor(metadata.rdev()));
    Ok(if file_type.is_dir() {
        EntryKind::Directory
    } else if file_type.is_symlink() {
        let target =
            fs::read_link(path).with_context(|| format!("could not read the link {}", path.display()))?;
        let target = target.into_os_string().into_string().ok();
        EntryKind::Symlink(target.with_context(|| format!("the target of {} is not UTF-8", path.display()))?)
    } else if file_type.is_char_device() {
        let (major, minor) = device();
        EntryKind::Character(major, minor)
    } else if file_type.is_block_device() {
        let (major, minor) = device();
        EntryKind::Block(major, minor)
    } else if file_type.is_fifo() {
        EntryKind::Fifo
    } else if file_type.is_file() {
        let next = groups.len() as u64;
        let group =
            (metadata.nlink() > 1).then(|| *groups.entry((metadata.dev(), metadata.ino())).or_insert(next));
        EntryKind::File { content: FileContent::Disk(path.to_owned(), metadata.len()), group }
    } else {
        bail!("{} is a socket, which cannot be part of an archive: leave it out", path.display());
    })
}
