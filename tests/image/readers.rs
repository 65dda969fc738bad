//! Other programs read what we pack.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Output};

use plasmagen::image::{
    Archive, ArchiveEntry, ArchivePath, Codec, EntryKind, FileContent, Owner, read_directory,
};

use crate::kit::{CODECS, packed, tree};

/// The first line of what a program complains of.
fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default().to_owned()
}

/// Unpacks `initrd` with `command`, and compares with the tree at `from`.
fn unpacked_equals(initrd: &Path, command: &str, from: &Path) {
    let dir = tempfile::tempdir().unwrap();
    let script = format!("cd \"$1\" && {command}");
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script, "sh"])
        .arg(dir.path())
        .arg(initrd)
        .output()
        .unwrap();
    assert!(output.status.success(), "{command}: {}", said(&output));
    let there = read_directory(dir.path()).unwrap();
    let expected = read_directory(from).unwrap();
    let list = |archive: &Archive| {
        archive.iter().map(|(path, entry)| (path.clone(), entry.mode)).collect::<Vec<_>>()
    };
    assert_eq!(list(&there), list(&expected), "{command}");
    assert_eq!(packed(&there, Codec::Plain).1, packed(&expected, Codec::Plain).1, "{command}");
    let inode = |path: &str| dir.path().join(path).symlink_metadata().unwrap().ino();
    assert_eq!(inode("bin/tool"), inode("lib/tool"), "{command}: hard links are one file");
}

#[test]
fn gnu_cpio_and_bsdtar_unpack_the_tree() {
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("tree");
    tree(&from);
    let archive = read_directory(&from).unwrap();
    for (codec, decompress) in CODECS.into_iter().zip(["cat", "gzip -dc", "zstd -dc"]) {
        let initrd = dir.path().join("initrd");
        fs::write(&initrd, packed(&archive, codec).0).unwrap();
        for reader in ["cpio -idm --quiet", "bsdtar -xpf -"] {
            unpacked_equals(&initrd, &format!("{decompress} < \"$2\" | {reader}"), &from);
        }
    }
}

#[test]
fn lsinitramfs_lists_every_path() {
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("tree");
    tree(&from);
    let archive = read_directory(&from).unwrap();
    // An initrd without compression it takes for a microcode update in front of another.
    for codec in [Codec::Gzip(6), Codec::Zstd(3)] {
        let initrd = dir.path().join("initrd");
        fs::write(&initrd, packed(&archive, codec).0).unwrap();
        let output = Command::new("lsinitramfs").arg(&initrd).output().unwrap();
        assert!(
            output.status.success(),
            "{codec:?}: {} (Debian package initramfs-tools-core)",
            said(&output)
        );
        let listed = String::from_utf8(output.stdout).unwrap();
        let listed: Vec<&str> = listed.lines().collect();
        for (path, _) in archive.iter() {
            assert!(listed.contains(&path.as_str()), "{codec:?}: {path} is not in {listed:?}");
        }
    }
}

#[test]
fn devices_need_no_root_to_be_packed() {
    let mut archive = Archive::default();
    let mut add = |path: &str, kind| {
        archive
            .insert(ArchivePath::new(path).unwrap(), ArchiveEntry { owner: Owner::ROOT, mode: 0o600, kind })
            .unwrap();
    };
    add("dev/console", EntryKind::Character(5, 1));
    add("dev/sda", EntryKind::Block(8, 0));
    add("dev/pipe", EntryKind::Fifo);
    add("dev/file", EntryKind::File { content: FileContent::Bytes(b"x".to_vec()), group: None });
    let dir = tempfile::tempdir().unwrap();
    let initrd = dir.path().join("initrd");
    fs::write(&initrd, packed(&archive, Codec::Plain).0).unwrap();
    let output = Command::new("cpio")
        .args(["-itv", "--quiet", "-F"])
        .arg(&initrd)
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    let listed = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    let found: Vec<_> =
        lines.iter().map(|words| (words[0], words[2], words[3], *words.last().unwrap())).collect();
    let expected = [
        ("drwxr-xr-x", "root", "root", "dev"),
        ("crw-------", "root", "root", "dev/console"),
        ("-rw-------", "root", "root", "dev/file"),
        ("prw-------", "root", "root", "dev/pipe"),
        ("brw-------", "root", "root", "dev/sda"),
    ];
    assert_eq!(found, expected, "{listed}");
    assert!(listed.contains(" 5,   1 ") && listed.contains(" 8,   0 "), "{listed}");
}
