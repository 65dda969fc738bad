//! Linux itself unpacks what we write: Debian's kernel in QEMU, with busybox in an initrd that looks around.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use plasmagen::fs::Sha256Sum;
use plasmagen::image::{
    Archive, ArchiveEntry, ArchivePath, Codec, EntryKind, FileContent, InitrdSource, Owner, Recipe,
    build_bundle, read_directory,
};

use crate::kit::{packed, tree};

/// Says what lies in /tree, and turns the machine off.
const INIT: &str = r#"#!/bin/busybox sh
b=/bin/busybox
cd /tree
echo BEGIN
$b find . -exec $b stat -c 'stat %f %t:%T %i %n' {} +
$b find . -type f -exec $b sha256sum {} +
$b find . -type l -exec $b sh -c 'for l; do echo "link $(/bin/busybox readlink "$l") $l"; done' sh {} +
echo END
$b poweroff -f
"#;

/// How often a machine is started that stops as QEMU's do now and then, long before an initrd counts.
const ATTEMPTS: usize = 4;

/// Where Debian's kernel and its static busybox lie, unpacked.
fn debian() -> PathBuf {
    let hint = "PLASMAGEN_BOOT_DIR names no directory with Debian's linux-image-cloud-amd64 and busybox-static unpacked: tests/run makes one";
    PathBuf::from(std::env::var_os("PLASMAGEN_BOOT_DIR").unwrap_or_else(|| panic!("{hint}")))
}

fn kernel() -> PathBuf {
    let dir = fs::read_dir(debian().join("boot")).unwrap();
    let mut images = dir.map(|entry| entry.unwrap().path());
    images.find(|path| path.to_string_lossy().contains("/vmlinuz-")).unwrap()
}

/// What a machine prints that boots `initrd`.
fn boot(kernel: &Path, initrd: &Path, command_line: &str) -> String {
    for _ in 0..ATTEMPTS {
        // Firmware stops under some virtual KVM devices: always emulated.
        let machine =
            ["300", "qemu-system-x86_64", "-accel", "tcg", "-m", "384", "-nodefaults", "-no-reboot"];
        let output = Command::new("timeout")
            .args(machine)
            .args(["-display", "none", "-serial", "stdio", "-append", command_line, "-kernel"])
            .args([kernel, "-initrd".as_ref(), initrd])
            .output()
            .unwrap();
        let (said, error) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_ne!(output.status.code(), Some(127), "{error} (Debian package qemu-system-x86)");
        if !said.contains("IO-APIC + timer doesn't work") {
            return format!("{said}{error}").replace('\r', "");
        }
    }
    panic!("QEMU's timer did not work {ATTEMPTS} times in a row");
}

/// busybox, the script and `archive`.
fn bootable(mut archive: Archive) -> Archive {
    let busybox = debian().join("bin/busybox");
    let len = fs::metadata(&busybox).unwrap().len();
    let file = |mode, content| ArchiveEntry {
        owner: Owner::ROOT,
        mode,
        kind: EntryKind::File { content, group: None },
    };
    for (path, entry) in [
        ("bin/busybox", file(0o755, FileContent::Disk(busybox, len))),
        ("init", file(0o755, FileContent::Bytes(INIT.into()))),
    ] {
        archive.insert(ArchivePath::new(path).unwrap(), entry).unwrap();
    }
    archive
}

/// What the machine is to say of an archive, and of one over it; hard links by the first of their names.
fn expected(layers: &[&Archive]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for archive in layers {
        let mut first = BTreeMap::new();
        for (path, entry) in archive.iter() {
            let Some(path) = path.as_str().strip_prefix("tree/") else { continue };
            let (kind, what) = match &entry.kind {
                EntryKind::Directory => (0o040_000, String::new()),
                EntryKind::Symlink(target) => (0o120_000, format!("link {target}")),
                EntryKind::Character(major, minor) => (0o020_000, format!("{major:x}:{minor:x}")),
                EntryKind::Block(major, minor) => (0o060_000, format!("{major:x}:{minor:x}")),
                EntryKind::Fifo => (0o010_000, String::new()),
                EntryKind::File { content, group } => {
                    let content = match content {
                        FileContent::Bytes(bytes) => bytes.clone(),
                        FileContent::Disk(file, _) => fs::read(file).unwrap(),
                    };
                    let one =
                        group.map(|group| first.entry(group).or_insert_with(|| path.to_owned()).clone());
                    (0o100_000, format!("{} {}", hex(&content), one.unwrap_or_else(|| path.to_owned())))
                }
            };
            found.insert(path.to_owned(), format!("{:x} {what}", kind | entry.mode));
        }
    }
    found
}

fn hex(content: &[u8]) -> String {
    Sha256Sum::of(content).to_string()
}

/// What the machine has said, in the same form.
fn told(said: &str) -> BTreeMap<String, String> {
    let (_, report) = said.split_once("BEGIN\n").unwrap_or_else(|| panic!("it did not boot: {said}"));
    let (report, _) = report.split_once("\nEND\n").unwrap_or_else(|| panic!("it stopped: {said}"));
    let (mut stats, mut more) = (BTreeMap::new(), BTreeMap::new());
    for line in report.lines() {
        let (what, path) = line.split_once(" ./").unwrap_or((line, ""));
        match what.strip_prefix("stat ") {
            Some(what) => drop(stats.insert(path, what.split(' ').collect::<Vec<_>>())),
            None => drop(more.insert(path, what.trim())),
        }
    }
    let mut first = BTreeMap::new();
    let mut found = BTreeMap::new();
    for (path, stat) in stats.iter().filter(|(path, _)| !path.is_empty()) {
        let &[mode, device, inode] = &stat[..] else { panic!("{path}: {stat:?}") };
        let what = match u32::from_str_radix(mode, 16).unwrap() >> 12 {
            0o10 => format!("{} {}", more[*path], first.entry(inode).or_insert(path)),
            0o12 => more[*path].to_owned(),
            0o02 | 0o06 => device.to_owned(),
            _ => String::new(),
        };
        found.insert((*path).to_owned(), format!("{mode} {what}"));
    }
    found
}

/// A base in one compression with overlays in another, as a bundle.
fn boots(base: Codec, over: Codec) {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    tree(&path("base/tree"));
    let mut archive = bootable(read_directory(&path("base")).unwrap());
    // Only root could make these on disk.
    for (name, kind) in
        [("console", EntryKind::Character(5, 1)), ("sda1", EntryKind::Block(8, 1)), ("pipe", EntryKind::Fifo)]
    {
        let name = ArchivePath::new(format!("tree/dev/{name}")).unwrap();
        archive.insert(name, ArchiveEntry { owner: Owner::ROOT, mode: 0o620, kind }).unwrap();
    }
    fs::write(path("initrd"), packed(&archive, base).0).unwrap();
    for (overlay, name) in [("one", "node01"), ("other", "node02, which is longer")] {
        fs::create_dir_all(path(overlay).join("tree/etc")).unwrap();
        fs::write(path(overlay).join("tree/etc/hostname"), name).unwrap();
        fs::write(path(overlay).join("tree/etc").join(overlay), "x").unwrap();
        fs::hard_link(path(overlay).join("tree/etc").join(overlay), path(overlay).join("tree/link")).unwrap();
        std::os::unix::fs::symlink(name, path(overlay).join("tree/etc/target")).unwrap();
    }
    let recipe = Recipe {
        base: "worker".to_owned(),
        arch: None,
        kernel: kernel(),
        initrd: InitrdSource::File(path("initrd")),
        overlays: vec![path("one"), path("other")],
        init: None,
        command_line: "console=ttyS0 loglevel=3 panic=-1".to_owned(),
        codec: over,
    };
    let manifest = build_bundle(&recipe, &path("out"), &|_| {}).unwrap().manifest;
    let said = boot(&path("out/bzImage"), &path("out/initrd"), &manifest.command_line);
    let layers = [archive, read_directory(&path("one")).unwrap(), read_directory(&path("other")).unwrap()];
    let (told, expected) = (told(&said), expected(&layers.each_ref()));
    let differ = |(path, what): &(&String, &String)| told.get(*path) != Some(what);
    let lost: Vec<_> =
        expected.iter().filter(differ).map(|(path, what)| (path, what, told.get(path))).collect();
    assert!(lost.is_empty(), "{lost:#?}");
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    assert!(!said.contains("unpacking failed"), "{said}");
}

#[test]
fn linux_boots_a_plain_base_with_gzip_over_it() {
    boots(Codec::Plain, Codec::Gzip(6));
}

#[test]
fn linux_boots_a_gzip_base_with_zstd_over_it() {
    boots(Codec::Gzip(6), Codec::Zstd(3));
}

#[test]
fn linux_boots_a_zstd_base_with_plain_archives_over_it() {
    boots(Codec::Zstd(3), Codec::Plain);
}

/// Why `read_initrd` refuses such an initrd, and `build_bundle` fills up before an overlay.
#[test]
fn linux_loses_a_plain_archive_off_the_multiples_of_four() {
    let dir = tempfile::tempdir().unwrap();
    for (name, tree) in [("base", "tree/base"), ("over", "tree/over")] {
        fs::create_dir_all(dir.path().join(name).join(tree)).unwrap();
    }
    let base = packed(&bootable(read_directory(&dir.path().join("base")).unwrap()), Codec::Gzip(6)).0;
    let over = packed(&read_directory(&dir.path().join("over")).unwrap(), Codec::Plain).0;
    for (off, kept) in [(0, true), (2, false)] {
        let mut initrd = base.clone();
        initrd.resize(base.len().next_multiple_of(4) + off, 0);
        initrd.extend_from_slice(&over);
        fs::write(dir.path().join("initrd"), initrd).unwrap();
        let said = boot(&kernel(), &dir.path().join("initrd"), "console=ttyS0 panic=-1");
        let names: Vec<_> = told(&said).into_keys().collect();
        assert_eq!(names, if kept { vec!["base", "over"] } else { vec!["base"] }, "{said}");
        assert_ne!(said.contains("unpacking failed"), kept, "{said}");
    }
}
