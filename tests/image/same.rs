//! The same tree is the same bytes.

use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use plasmagen::image::{Codec, pack, read_directory};

use crate::kit::{CODECS, packed, tree};

#[test]
fn neither_copies_nor_threads_change_a_byte() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (dir.path().join("one"), dir.path().join("other"));
    tree(&one);
    // Another order on disk, other inodes, other times.
    fs::create_dir(&other).unwrap();
    let copy = "cd \"$1\" && find . -depth | sort -r | cpio -pdm --quiet \"$2\" && touch -d 2001-01-01 \"$2/etc/hostname\"";
    let status = Command::new("sh").args(["-c", copy, "sh"]).args([&one, &other]).status().unwrap();
    assert!(status.success());
    let (one, other) = (read_directory(&one).unwrap(), read_directory(&other).unwrap());
    for codec in CODECS {
        let (bytes, facts) = packed(&one, codec);
        assert_eq!((packed(&other, codec)), (bytes.clone(), facts.clone()), "{codec:?}: a copy");
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let alone = pool.install(|| packed(&one, codec));
            assert_eq!(alone, (bytes.clone(), facts.clone()), "{codec:?}: {threads} threads");
        }
        assert_eq!(facts.written, bytes.len() as u64);
    }
}

#[test]
fn the_archive_is_the_same_however_it_is_compressed() {
    let dir = tempfile::tempdir().unwrap();
    tree(dir.path());
    let archive = read_directory(dir.path()).unwrap();
    let plain = packed(&archive, Codec::Plain).1;
    assert_eq!(plain.archive_bytes, plain.written);
    for codec in CODECS {
        let facts = packed(&archive, codec).1;
        assert_eq!((facts.archive_bytes, facts.archive_sha256), (plain.archive_bytes, plain.archive_sha256));
    }
}

#[test]
fn a_file_that_changes_meanwhile_is_an_error() {
    for len in [10, 20 << 20] {
        for longer in [true, false] {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join("a"), vec![b'x'; len]).unwrap();
            let archive = read_directory(dir.path()).unwrap();
            fs::write(dir.path().join("a"), vec![b'x'; if longer { len + 1 } else { len - 1 }]).unwrap();
            let error = pack(&archive, Codec::Zstd(3), &mut Vec::new(), &|_| {}).unwrap_err();
            assert!(error.to_string().contains("changed while it was read"), "{error:#}");
        }
    }
}

#[test]
fn a_full_disk_ends_it_and_progress_counts_every_byte() {
    let dir = tempfile::tempdir().unwrap();
    tree(dir.path());
    let archive = read_directory(dir.path()).unwrap();
    let full = &mut fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for codec in CODECS {
        assert!(pack(&archive, codec, full, &|_| {}).is_err());
    }
    let read = AtomicU64::new(0);
    let count = |bytes| {
        read.fetch_add(bytes, Ordering::Relaxed);
    };
    pack(&archive, Codec::Zstd(1), &mut Vec::new(), &count).unwrap();
    // Hard links are read once.
    assert_eq!(read.into_inner(), archive.bytes() - 2 * "#!/bin/sh\n".len() as u64);
}
