//! The bytes of a cpio entry in a newc archive (cpio(5), and the kernel's
//! Documentation/driver-api/early-userspace/buffer-format.rst).

use std::collections::HashMap;
use std::io::Write;

use anyhow::{Context, Result};
use cpio::newc::{Builder, ModeFileType, trailer};

use super::archive::Archive;
use super::entry::{ArchiveEntry, ArchivePath, EntryKind, FileContent};

/// An entry of an archive, with the header fields that depend on the other entries.
pub(super) struct CpioEntry<'a> {
    pub(super) path: &'a ArchivePath,
    entry: &'a ArchiveEntry,
    /// The inode number: zero except for hard links. Running numbers would change every later segment when a file is
    /// added.
    inode: u32,
    links: u32,
    /// The bytes after the header. Of several hard links the last carries the content, as GNU cpio writes them.
    pub(super) content: CpioContent<'a>,
}

/// The bytes that follow the header of a cpio entry.
pub(super) enum CpioContent<'a> {
    /// No bytes: a directory, a device, or a hard link whose content comes later.
    Empty,
    /// The target of a symbolic link.
    Target(&'a str),
    /// The content of a file.
    File(&'a FileContent),
}

impl CpioContent<'_> {
    /// The size of the content in bytes.
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Target(target) => target.len() as u64,
            Self::File(content) => content.len(),
        }
    }
}

/// Converts the entries of `archive` to cpio entries, in order.
pub(super) fn to_cpio_entries(archive: &Archive) -> impl Iterator<Item = CpioEntry<'_>> {
    let group_of = |entry: &ArchiveEntry| match &entry.kind {
        EntryKind::File { group, .. } => *group,
        _ => None,
    };
    let mut links: HashMap<u64, u32> = HashMap::new();
    for group in archive.iter().filter_map(|(_, entry)| group_of(entry)) {
        *links.entry(group).or_default() += 1;
    }
    let mut seen: HashMap<u64, (u32, u32)> = HashMap::new();
    archive.iter().map(move |(path, entry)| {
        let mut cpio_entry = CpioEntry { path, entry, inode: 0, links: 1, content: content_of(entry) };
        if let Some(group) = group_of(entry)
            && links[&group] > 1
        {
            let next = u32::try_from(seen.len()).unwrap_or(u32::MAX).saturating_add(1);
            let (inode, written) = seen.entry(group).or_insert((next, 0));
            *written += 1;
            cpio_entry.inode = *inode;
            cpio_entry.links = links[&group];
            if *written < cpio_entry.links {
                cpio_entry.content = CpioContent::Empty;
            }
        }
        cpio_entry
    })
}

fn content_of(entry: &ArchiveEntry) -> CpioContent<'_> {
    match &entry.kind {
        EntryKind::File { content, .. } => CpioContent::File(content),
        EntryKind::Symlink(target) => CpioContent::Target(target),
        _ => CpioContent::Empty,
    }
}

impl CpioEntry<'_> {
    /// Appends the header, and the padded path, to `out`.
    ///
    /// # Errors
    /// When the content is too large for the format. [`Archive::insert`] has refused such files before.
    pub(super) fn write_header(&self, out: &mut Vec<u8>) -> Result<()> {
        let (kind, (major, minor)) = match &self.entry.kind {
            EntryKind::Directory => (ModeFileType::Directory, (0, 0)),
            EntryKind::File { .. } => (ModeFileType::Regular, (0, 0)),
            EntryKind::Symlink(_) => (ModeFileType::Symlink, (0, 0)),
            EntryKind::Character(major, minor) => (ModeFileType::Char, (*major, *minor)),
            EntryKind::Block(major, minor) => (ModeFileType::Block, (*major, *minor)),
            EntryKind::Fifo => (ModeFileType::Fifo, (0, 0)),
        };
        let len = u32::try_from(self.content.len()).with_context(|| format!("{} is too large", self.path))?;
        let builder = Builder::new(self.path.as_str()).mode(self.entry.mode).set_mode_file_type(kind);
        let builder = builder.uid(self.entry.owner.user).gid(self.entry.owner.group);
        let builder = builder.ino(self.inode).nlink(self.links).rdev_major(major).rdev_minor(minor);
        // The cpio crate writes the header with the first bytes of the content, even when these are none.
        let _count = builder.write(out, len).write(&[])?;
        Ok(())
    }
}

/// Appends the padding after a content of `len` bytes: the format aligns every content to four bytes.
pub(super) fn write_padding(out: &mut Vec<u8>, len: u64) {
    out.resize(out.len() + (len.wrapping_neg() % 4) as usize, 0);
}

/// Appends the entry that marks the end of an archive.
///
/// # Errors
/// Never: writing to memory does not fail.
pub(super) fn write_trailer(out: &mut Vec<u8>) -> Result<()> {
    trailer(out)?;
    Ok(())
}
