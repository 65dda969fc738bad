//! What an initrd holds: a map from path to entry, so that the order is always the same and no path is there twice.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use anyhow::{Result, bail, ensure};

/// The longest path that the kernel unpacks, its NUL included (`PATH_MAX` of linux/limits.h).
const PATH_BYTES: usize = 4096;

/// The name of a newc archive's last entry (cpio(5)).
const TRAILER: &str = "TRAILER!!!";

/// The largest file of a newc archive: eight hexadecimal digits.
pub(super) const LARGEST_FILE: u64 = u32::MAX as u64;

/// A path in an archive: relative, of plain components, at most 4,095 bytes of UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArchivePath(String);

impl ArchivePath {
    /// Takes a path such as `etc/hostname`.
    ///
    /// # Errors
    /// When it is absolute or empty, has an empty component, `.` or `..`, holds a NUL, is too long for the kernel, or is
    /// the name that ends an archive.
    pub fn new(path: impl Into<String>) -> Result<Self> {
        let path = path.into();
        let plain = |part: &str| !matches!(part, "" | "." | "..");
        ensure!(
            path.split('/').all(plain) && !path.contains('\0'),
            "`{path}` cannot be a path in an archive: paths are relative and have no `.`, `..` or empty parts"
        );
        ensure!(
            path.len() < PATH_BYTES,
            "`{path}` has more bytes than the kernel takes of a path ({PATH_BYTES})"
        );
        ensure!(
            path != TRAILER,
            "`{path}` is the name that ends an archive: everything behind it would be lost"
        );
        Ok(Self(path))
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The directory that it lies in; none at the top.
    fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(parent, _)| Self(parent.to_owned()))
    }
}

impl fmt::Display for ArchivePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What lies at a path. Owner, group and times are always zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Permissions: the twelve low bits of `st_mode` (inode(7)).
    pub mode: u32,
    /// What it is.
    pub kind: Kind,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A file; those with one `group` are hard links to one another, and their contents are the same.
    File {
        /// Its content.
        source: Source,
        /// Which files it is one with.
        group: Option<u64>,
    },
    /// A symbolic link to this.
    Symlink(String),
    /// A character device.
    Character(u32, u32),
    /// A block device.
    Block(u32, u32),
    /// A named pipe.
    Fifo,
}

/// Where the content of a file comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file that has this many bytes.
    Disk(PathBuf, u64),
    /// Memory.
    Bytes(Vec<u8>),
}

impl Source {
    /// How many bytes it has.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Disk(_, len) => *len,
            Self::Bytes(bytes) => bytes.len() as u64,
        }
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The entries of an initrd, by path.
#[derive(Clone, Debug, Default)]
pub struct Archive {
    entries: BTreeMap<ArchivePath, Entry>,
}

impl Archive {
    /// Adds an entry. Directories above it that are missing are added with the mode 0755.
    ///
    /// # Errors
    /// When there is something else at that path, or no directory above it, or the file has 4 GiB or more: an archive in
    /// which something is missing is worse than none.
    pub fn insert(&mut self, path: ArchivePath, entry: Entry) -> Result<()> {
        if let Kind::File { source, .. } = &entry.kind {
            let len = source.len();
            ensure!(
                len <= LARGEST_FILE,
                "{path} has {len} bytes, and a newc archive takes 4 GiB - 1 of a file: leave it out, or split it"
            );
        }
        let mut above = path.parent();
        while let Some(dir) = above {
            above = match self.entries.get(&dir) {
                Some(Entry { kind: Kind::Directory, .. }) => None,
                Some(_) => bail!("{path} needs the directory {dir}, and {dir} is none"),
                None => {
                    let next = dir.parent();
                    self.entries.insert(dir, Entry { mode: 0o755, kind: Kind::Directory });
                    next
                }
            };
        }
        match self.entries.get(&path) {
            None => {}
            // A directory that was filled in, or the same one from another tree: its own mode counts.
            Some(Entry { kind: Kind::Directory, .. }) if entry.kind == Kind::Directory => {}
            Some(there) if *there == entry => {}
            Some(_) => bail!("{path} is there twice with different contents"),
        }
        self.entries.insert(path, entry);
        Ok(())
    }

    /// The entries, sorted by path: parents come before what they hold.
    pub fn iter(&self) -> impl Iterator<Item = (&ArchivePath, &Entry)> {
        self.entries.iter()
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many bytes all files have together.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let len = |entry: &Entry| if let Kind::File { source, .. } = &entry.kind { source.len() } else { 0 };
        self.entries.values().map(len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ArchivePath {
        ArchivePath::new(text).unwrap()
    }

    fn file(text: &str) -> Entry {
        Entry { mode: 0o644, kind: Kind::File { source: Source::Bytes(text.into()), group: None } }
    }

    #[test]
    fn paths_stay_inside() {
        for bad in ["", "/etc", "a//b", "a/", "../a", "a/../b", "./a", "a\0b", "TRAILER!!!"] {
            assert!(ArchivePath::new(bad).is_err(), "{bad:?}");
        }
        assert!(ArchivePath::new("a".repeat(4095)).is_ok() && ArchivePath::new("a".repeat(4096)).is_err());
    }

    #[test]
    fn parents_are_filled_in_before_what_they_hold() {
        let mut archive = Archive::default();
        archive.insert(path("b/c/d"), file("x")).unwrap();
        archive.insert(path("b.d"), file("y")).unwrap();
        archive.insert(path("b/c"), Entry { mode: 0o700, kind: Kind::Directory }).unwrap();
        let listed: Vec<_> = archive.iter().map(|(path, entry)| (path.as_str(), entry.mode)).collect();
        assert_eq!(listed, [("b", 0o755), ("b.d", 0o644), ("b/c", 0o700), ("b/c/d", 0o644)]);
    }

    #[test]
    fn collisions_and_giants_are_refused() {
        let mut archive = Archive::default();
        archive.insert(path("a"), file("x")).unwrap();
        archive.insert(path("a"), file("x")).unwrap();
        assert!(archive.insert(path("a"), file("y")).is_err());
        assert!(archive.insert(path("a/b"), file("y")).is_err());
        let giant = |len| Kind::File { source: Source::Disk("g".into(), len), group: None };
        assert!(archive.insert(path("g"), Entry { mode: 0o644, kind: giant(1 << 32) }).is_err());
        assert!(archive.insert(path("g"), Entry { mode: 0o644, kind: giant((1 << 32) - 1) }).is_ok());
    }
}
