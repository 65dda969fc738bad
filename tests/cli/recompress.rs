//! `bundle` refuses an initrd that the kernel does not unpack, and prints the command that mends the initrd.

use std::fs;
use std::process::Command;

use crate::kit::{Run, Site};
use test_kit::bzimage::bzimage;

/// An archive in `cpio` and a kernel, in a directory without an inventory.
fn archive() -> Site {
    let site = Site::empty();
    fs::create_dir(site.path().join("root")).unwrap();
    fs::write(site.path().join("root/init"), "#!/bin/sh\n".repeat(1000)).unwrap();
    fs::write(site.path().join("kernel"), bzimage()).unwrap();
    shell(
        &site,
        "cd root && find . | cpio -o -H newc --quiet > ../cpio && head -c 1024 /dev/zero > ../zeros",
    );
    site
}

fn shell(site: &Site, script: &str) {
    let run = Command::new("bash").args(["-ec", script]).current_dir(site.path()).output().unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{script}: {said} (Debian packages cpio, xz-utils, zstd, lz4)");
}

fn bundle(site: &Site, initrd: &str) -> Run {
    let options = ["--kernel", "kernel", "--init", "/init", "--out"];
    let (base, out) = (["bundle", "--base", "worker", "--initrd", initrd], format!("out-{}", initrd.len()));
    site.within(site.path(), &[&base[..], &options, &[&out]].concat())
}

/// Each segment that the kernel refuses: how it is made, and what the message names.
const REFUSED: [(&str, &str); 11] = [
    ("xz < cpio", "the xz segment at offset 0 has an integrity check of CRC64"),
    ("xz --check=sha256 < cpio", "an integrity check of SHA-256"),
    ("xz --check=crc32 --delta --lzma2 < cpio", "filters that not every kernel undoes"),
    ("xz --check=crc32 --x86=start=4096 --lzma2 < cpio", "filters that not every kernel undoes"),
    ("zstd -q --long=28 < cpio", "the zstd segment at offset 0 has a window of 256 MiB"),
    (
        r"printf '\37\213\10\20\0\0\0\0\0\3why\0'; gzip -n < cpio | tail -c +11",
        "the gzip segment at offset 0 has a comment",
    ),
    (r"printf '\37\213\10\4\0\0\0\0\0\3\2\0ab'; gzip -n < cpio | tail -c +11", "an extra field"),
    ("lz4 -q -l < cpio", "the lz4 segment at offset 0 has no end mark"),
    ("cd root && find . | cpio -o -H crc --quiet", "has checksums"),
    // A segment before is kept: Debian's microcode, say.
    ("cat cpio zeros; lz4 -q -l < cpio", "the lz4 segment at offset "),
    ("gzip < cpio; xz < cpio", "the xz segment at offset "),
];

#[test]
fn an_initrd_that_the_kernel_does_not_unpack_is_refused_with_the_command_that_mends_it() {
    for (made, expected) in REFUSED {
        let site = archive();
        shell(&site, &format!("({made}) > \"it's\""));
        let refused = bundle(&site, "it's");
        refused.ends(2, &["it's is not an initrd that the kernel unpacks", expected]);
        assert!(!site.path().join("out-4").exists(), "{refused:?}");
        let (_, rest) = refused.stderr.split_once('`').unwrap_or_else(|| panic!("{refused:?}"));
        let (command, rest) = rest.split_once('`').unwrap();
        if rest.contains("new-initrd") {
            shell(&site, command);
            bundle(&site, "new-initrd").ends(0, &[]);
        } else {
            assert_eq!(command, "cpio -o -H newc");
        }
    }
}

#[test]
fn an_initrd_that_the_kernel_unpacks_is_taken() {
    for made in [
        "xz --check=crc32 < cpio",
        "xz --check=none < cpio",
        "xz -9e --check=crc32 --block-size=4096 < cpio",
        "xz --check=crc32 --x86 --lzma2 < cpio",
        "zstd -q -19 < cpio",
        "zstd -q --ultra -22 --no-check < cpio",
        "gzip < cpio",
        "gzip -N -c cpio",
        "lz4 -q -l < cpio | lz4 -dc | gzip; gzip < cpio",
    ] {
        let site = archive();
        shell(&site, &format!("({made}) > initrd"));
        bundle(&site, "initrd").ends(0, &[]);
    }
}

/// As root, who alone may give files away and set capabilities.
#[test]
fn owners_are_kept_and_capabilities_are_named() {
    let site = archive();
    let set = "install -d -m 700 -o 999 -g 998 root/db && install -o 999 -g 998 /dev/null root/db/data && \
               touch root/ping && python3 -c 'import os; os.setxattr(\"root/ping\", \"security.capability\", \
               bytes([1, 0, 0, 2, 0, 32] + [0] * 14))'";
    shell(&site, set);
    let good = ["bundle", "--base", "worker", "--kernel", "kernel", "--root", "root", "--out", "out"];
    let run = site.within(site.path(), &good);
    run.ends(0, &[]);
    let warning = "warning: an initrd has no room for extended attributes, and these are left out: the capabilities of ping;";
    assert!(run.stderr.starts_with(warning), "{run:?}");
    shell(&site, "zstd -dcq out/initrd | cpio -itv --quiet --numeric-uid-gid > list");
    let list = fs::read_to_string(site.path().join("list")).unwrap();
    let owner = |path: &str| {
        let line = list.lines().find(|line| line.ends_with(&format!(" {path}"))).unwrap();
        line.split_ascii_whitespace().skip(2).take(2).collect::<Vec<_>>()
    };
    assert_eq!([owner("db"), owner("db/data"), owner("init")], [["999", "998"], ["999", "998"], ["0", "0"]]);
}
