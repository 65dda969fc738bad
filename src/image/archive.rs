//! The content of an initrd before it is packed: a map from path to entry. The order of the entries is always the same,
//! and no path occurs twice.

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};

use super::entry::{ArchiveEntry, ArchivePath, EntryKind, LostAttribute, Owner};

/// The largest file that a newc archive can hold, in bytes: the size is a field of eight hexadecimal digits.
const LARGEST_FILE: u64 = u32::MAX as u64;

/// The entries of an initrd, by path.
#[derive(Clone, Debug, Default)]
pub struct Archive {
    entries: BTreeMap<ArchivePath, ArchiveEntry>,
    lost: Vec<LostAttribute>,
}

impl Archive {
    /// Adds an entry. Parent directories that are missing are added with the mode 0755.
    ///
    /// # Errors
    /// When the archive has a different entry at `path`, when a parent of `path` is not a directory, or when the file
    /// has 4 GiB or more. An archive without the file would be worse than no archive.
    pub fn insert(&mut self, path: ArchivePath, entry: ArchiveEntry) -> Result<()> {
        if let EntryKind::File { content, .. } = &entry.kind {
            let len = content.len();
            ensure!(
                len <= LARGEST_FILE,
                "{path} has {len} bytes, and a newc archive takes files of at most 4 GiB - 1: leave the file out or split it"
            );
        }
        let mut next_parent = path.parent();
        while let Some(parent) = next_parent {
            next_parent = match self.entries.get(&parent) {
                Some(ArchiveEntry { kind: EntryKind::Directory, .. }) => None,
                Some(_) => bail!("{path} needs the directory {parent}, and {parent} is not a directory"),
                None => {
                    let grandparent = parent.parent();
                    self.entries.insert(
                        parent,
                        ArchiveEntry { owner: Owner::ROOT, mode: 0o755, kind: EntryKind::Directory },
                    );
                    grandparent
                }
            };
        }
        match self.entries.get(&path) {
            None => {}
            // A parent directory that was added above, or the directory of another tree: the new mode counts.
            Some(ArchiveEntry { kind: EntryKind::Directory, .. }) if entry.kind == EntryKind::Directory => {}
            Some(existing) if *existing == entry => {}
            Some(_) => bail!("{path} occurs twice in the archive with different contents"),
        }
        self.entries.insert(path, entry);
        Ok(())
    }

    /// Records an attribute that the file at `path` has on disk and loses in the archive.
    pub(super) fn record_lost(&mut self, path: ArchivePath, what: &'static str) {
        self.lost.push(LostAttribute { path, what });
    }

    /// The attributes that files have on disk and lose in the archive, in the order of reading.
    #[must_use]
    pub fn lost(&self) -> &[LostAttribute] {
        &self.lost
    }

    /// The entries, sorted by path: a directory comes before the entries in it.
    pub fn iter(&self) -> impl Iterator<Item = (&ArchivePath, &ArchiveEntry)> {
        self.entries.iter()
    }

    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the archive has no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The size of all files together, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let len = |entry: &ArchiveEntry| match &entry.kind {
            EntryKind::File { content, .. } => content.len(),
            _ => 0,
        };
        self.entries.values().map(len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::FileContent;
    use super::*;

    fn path(text: &str) -> ArchivePath {
        ArchivePath::new(text).unwrap()
    }

    fn file(text: &str) -> ArchiveEntry {
        let kind = EntryKind::File { content: FileContent::Bytes(text.into()), group: None };
        ArchiveEntry { owner: Owner::ROOT, mode: 0o644, kind }
    }

    #[test]
    fn parent_directories_are_added_before_their_entries() {
        let mut archive = Archive::default();
        archive.insert(path("b/c/d"), file("x")).unwrap();
        archive.insert(path("b.d"), file("y")).unwrap();
        let directory = ArchiveEntry { owner: Owner::ROOT, mode: 0o700, kind: EntryKind::Directory };
        archive.insert(path("b/c"), directory).unwrap();
        let listed: Vec<_> = archive.iter().map(|(path, entry)| (path.as_str(), entry.mode)).collect();
        assert_eq!(listed, [("b", 0o755), ("b.d", 0o644), ("b/c", 0o700), ("b/c/d", 0o644)]);
    }

    #[test]
    fn collisions_and_too_large_files_are_refused() {
        let mut archive = Archive::default();
        archive.insert(path("a"), file("x")).unwrap();
        archive.insert(path("a"), file("x")).unwrap();
        assert!(archive.insert(path("a"), file("y")).is_err());
        assert!(archive.insert(path("a/b"), file("y")).is_err());
        let of_size = |len| {
            let kind = EntryKind::File { content: FileContent::Disk("g".into(), len), group: None };
            ArchiveEntry { owner: Owner::ROOT, mode: 0o644, kind }
        };
        assert!(archive.insert(path("g"), of_size(1 << 32)).is_err());
        assert!(archive.insert(path("g"), of_size((1 << 32) - 1)).is_ok());
    }
}
