//! An archive of any entries is packed, and unpacks to the same entries.

#![no_main]

use std::collections::BTreeMap;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use plasmagen::image::{
    Archive, ArchiveEntry, ArchivePath, Codec, EntryKind, FileContent, Owner, pack, read_initrd,
};

#[derive(Arbitrary, Debug)]
struct AnyEntry {
    path: String,
    mode: u16,
    kind: AnyKind,
}

#[derive(Arbitrary, Debug)]
enum AnyKind {
    Directory,
    File(Vec<u8>),
    Symlink(String),
    Character(u16, u16),
    Fifo,
}

fuzz_target!(|input: (Vec<AnyEntry>, u8)| {
    let (entries, codec) = input;
    let mut archive = Archive::default();
    for entry in entries {
        let Ok(path) = ArchivePath::new(entry.path) else { continue };
        let kind = match entry.kind {
            AnyKind::Directory => EntryKind::Directory,
            AnyKind::File(bytes) => EntryKind::File { content: FileContent::Bytes(bytes), group: None },
            AnyKind::Symlink(target) => EntryKind::Symlink(target),
            AnyKind::Character(major, minor) => EntryKind::Character(major.into(), minor.into()),
            AnyKind::Fifo => EntryKind::Fifo,
        };
        // The archive refuses entries that collide.
        let _ = archive.insert(path, ArchiveEntry { owner: Owner::ROOT, mode: u32::from(entry.mode) & 0o7777, kind });
    }
    let codec = [Codec::Plain, Codec::Gzip(1), Codec::Zstd(1)][usize::from(codec) % 3];
    let mut packed = Vec::new();
    let facts = pack(&archive, codec, &mut packed, &|_| {}).expect("memory takes everything");
    let mut found = BTreeMap::new();
    let unpacked = read_initrd(packed.as_slice(), &mut |header, content| {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        found.insert(header.path.clone(), (header.mode & 0o7777, bytes));
        Ok(())
    });
    assert_eq!(unpacked.expect("what we pack we read").sha256, facts.archive_sha256);
    let content = |kind: &EntryKind| match kind {
        EntryKind::File { content: FileContent::Bytes(bytes), .. } => bytes.clone(),
        EntryKind::Symlink(target) => target.clone().into_bytes(),
        _ => Vec::new(),
    };
    let expected: BTreeMap<_, _> = archive
        .iter()
        .map(|(path, entry)| (path.as_str().as_bytes().to_vec(), (entry.mode, content(&entry.kind))))
        .collect();
    assert_eq!(found, expected);
});
