//! The entries of an archive: a path, and the file, directory, link or device that lies there.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Result, ensure};

use super::newc::TRAILER;
use crate::model::is_normal_path;

/// The longest path that the kernel unpacks, in bytes with the final NUL (`PATH_MAX` of linux/limits.h).
const PATH_BYTES: usize = 4096;

/// A path in an archive: relative, of plain components, at most 4,095 bytes of UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArchivePath(String);

impl ArchivePath {
    /// Checks a path such as `etc/hostname`.
    ///
    /// # Errors
    /// When the path is absolute or empty, has an empty component, `.` or `..`, holds a NUL, is too long for the
    /// kernel, or is the name that marks the end of an archive.
    pub fn new(path: impl Into<String>) -> Result<Self> {
        let path = path.into();
        ensure!(
            is_normal_path(&path) && !path.contains('\0'),
            "`{path}` cannot be a path in an archive: paths are relative and have no `.`, `..` or empty parts"
        );
        ensure!(
            path.len() < PATH_BYTES,
            "the path `{path}` has {} bytes, and the kernel unpacks paths of at most {} bytes",
            path.len(),
            PATH_BYTES - 1
        );
        ensure!(
            path != TRAILER,
            "`{path}` marks the end of a cpio archive, and the kernel would ignore every file after it: rename the file"
        );
        Ok(Self(path))
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The directory that holds this path, or `None` at the top of the archive.
    pub(super) fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(parent, _)| Self(parent.to_owned()))
    }
}

impl fmt::Display for ArchivePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The file, directory, link or device at a path of an archive. The times of every entry are zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveEntry {
    /// The user and the group that the entry belongs to.
    pub owner: Owner,
    /// The permissions: the twelve low bits of `st_mode` (inode(7)).
    pub mode: u32,
    /// The type of the entry, with its content.
    pub kind: EntryKind,
}

/// The numbers of a user and of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The number of the user.
    pub user: u32,
    /// The number of the group.
    pub group: u32,
}

impl Owner {
    /// root, and root's group.
    pub const ROOT: Self = Self { user: 0, group: 0 };
}

/// An attribute of a file that an archive has no room for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostAttribute {
    /// The path of the file in the archive.
    pub path: ArchivePath,
    /// The attribute, such as "the capabilities".
    pub what: &'static str,
}

/// The type of an entry, with its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A directory.
    Directory,
    /// A regular file.
    File {
        /// The bytes of the file.
        content: FileContent,
        /// Files with the same group number are hard links to one another and have the same content.
        group: Option<u64>,
    },
    /// A symbolic link, with its target.
    Symlink(String),
    /// A character device, with its major and minor number.
    Character(u32, u32),
    /// A block device, with its major and minor number.
    Block(u32, u32),
    /// A named pipe.
    Fifo,
}

/// Where the bytes of a file come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileContent {
    /// A file on disk, with its path and its size in bytes.
    Disk(PathBuf, u64),
    /// Bytes in memory.
    Bytes(Vec<u8>),
}

impl FileContent {
    /// The size of the file in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Disk(_, len) => *len,
            Self::Bytes(bytes) => bytes.len() as u64,
        }
    }

    /// Whether the file has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        for bad in ["", "/etc", "a//b", "a/", "../a", "a/../b", "./a", "a\0b", "TRAILER!!!"] {
            assert!(ArchivePath::new(bad).is_err(), "{bad:?}");
        }
        assert!(ArchivePath::new("a".repeat(4095)).is_ok() && ArchivePath::new("a".repeat(4096)).is_err());
    }
}
