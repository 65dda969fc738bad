//! Whatever an archive holds, what is packed unpacks to it.

#![no_main]

use std::collections::BTreeMap;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use plasmagen::image::{
    Archive, ArchiveEntry, ArchivePath, Codec, EntryKind, FileContent, pack, read_initrd,
};

#[derive(Arbitrary, Debug)]
struct Member {
    path: String,
    mode: u16,
    kind: What,
}

#[derive(Arbitrary, Debug)]
enum What {
    Directory,
    File(Vec<u8>),
    Symlink(String),
    Character(u16, u16),
    Fifo,
}

fuzz_target!(|input: (Vec<Member>, u8)| {
    let (members, codec) = input;
    let mut archive = Archive::default();
    for member in members {
        let Ok(path) = ArchivePath::new(member.path) else { continue };
        let kind = match member.kind {
            What::Directory => EntryKind::Directory,
            What::File(bytes) => EntryKind::File { content: FileContent::Bytes(bytes), group: None },
            What::Symlink(target) => EntryKind::Symlink(target),
            What::Character(major, minor) => EntryKind::Character(major.into(), minor.into()),
            What::Fifo => EntryKind::Fifo,
        };
        // What collides is refused.
        let _ = archive.insert(path, ArchiveEntry { mode: u32::from(member.mode) & 0o7777, kind });
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
