//! One entry as bytes of a newc archive (cpio(5), the kernel's Documentation/driver-api/early-userspace/buffer-format.rst).

use std::collections::HashMap;
use std::io::Write;

use anyhow::{Context, Result};
use cpio::newc::{Builder, ModeFileType, trailer};

use super::archive::{Archive, ArchivePath, Entry, Kind, Source};

/// An entry with what depends on the others.
pub(super) struct Member<'a> {
    pub(super) path: &'a ArchivePath,
    entry: &'a Entry,
    /// 0, but for hard links: running numbers would make every later segment differ after one file more.
    inode: u32,
    links: u32,
    /// What follows the header. Of hard links the last carries the content, as GNU cpio has it.
    pub(super) content: Content<'a>,
}

/// What follows a header.
pub(super) enum Content<'a> {
    Nothing,
    Text(&'a str),
    File(&'a Source),
}

impl Content<'_> {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Nothing => 0,
            Self::Text(text) => text.len() as u64,
            Self::File(source) => source.len(),
        }
    }
}

/// The entries of `archive` in order.
pub(super) fn members(archive: &Archive) -> impl Iterator<Item = Member<'_>> {
    let group = |entry: &Entry| match &entry.kind {
        Kind::File { group, .. } => *group,
        _ => None,
    };
    let mut links: HashMap<u64, u32> = HashMap::new();
    for group in archive.iter().filter_map(|(_, entry)| group(entry)) {
        *links.entry(group).or_default() += 1;
    }
    let mut seen: HashMap<u64, (u32, u32)> = HashMap::new();
    archive.iter().map(move |(path, entry)| {
        let mut member = Member { path, entry, inode: 0, links: 1, content: content(entry) };
        if let Some(group) = group(entry)
            && links[&group] > 1
        {
            let next = u32::try_from(seen.len()).unwrap_or(u32::MAX).saturating_add(1);
            let (inode, written) = seen.entry(group).or_insert((next, 0));
            *written += 1;
            member.inode = *inode;
            member.links = links[&group];
            if *written < member.links {
                member.content = Content::Nothing;
            }
        }
        member
    })
}

fn content(entry: &Entry) -> Content<'_> {
    match &entry.kind {
        Kind::File { source, .. } => Content::File(source),
        Kind::Symlink(target) => Content::Text(target),
        _ => Content::Nothing,
    }
}

impl Member<'_> {
    /// Appends the header, and the name with its padding, to `out`.
    ///
    /// # Errors
    /// When the content is too large for the format, which [`Archive::insert`] has refused.
    pub(super) fn header(&self, out: &mut Vec<u8>) -> Result<()> {
        let (kind, (major, minor)) = match &self.entry.kind {
            Kind::Directory => (ModeFileType::Directory, (0, 0)),
            Kind::File { .. } => (ModeFileType::Regular, (0, 0)),
            Kind::Symlink(_) => (ModeFileType::Symlink, (0, 0)),
            Kind::Character(major, minor) => (ModeFileType::Char, (*major, *minor)),
            Kind::Block(major, minor) => (ModeFileType::Block, (*major, *minor)),
            Kind::Fifo => (ModeFileType::Fifo, (0, 0)),
        };
        let len = u32::try_from(self.content.len()).with_context(|| format!("{} is too large", self.path))?;
        let builder = Builder::new(self.path.as_str()).mode(self.entry.mode).set_mode_file_type(kind);
        let builder = builder.ino(self.inode).nlink(self.links).rdev_major(major).rdev_minor(minor);
        // The crate writes the header with the first bytes of the content, also where these are none.
        let _none = builder.write(out, len).write(&[])?;
        Ok(())
    }
}

/// Fills up to the next multiple of four bytes, as the format wants it behind each content.
pub(super) fn align(out: &mut Vec<u8>, len: u64) {
    out.resize(out.len() + (len.wrapping_neg() % 4) as usize, 0);
}

/// Appends the entry that ends an archive.
///
/// # Errors
/// Never: memory takes everything.
pub(super) fn end(out: &mut Vec<u8>) -> Result<()> {
    trailer(out)?;
    Ok(())
}
