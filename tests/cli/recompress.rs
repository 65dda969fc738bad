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
const REFUSED: [(&str, &str); 9] = [
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
    ("cd root && find . | cpio -o -H crc --quiet", "it has checksums"),
    // A segment before is kept: Debian's microcode, say.
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
            assert!(made.contains("-H crc") && refused.stderr.contains("`cpio -o -H newc`"), "{refused:?}");
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
        "cat cpio zeros; lz4 -q -l < cpio",
        "lz4 -q -l < cpio; lz4 -q -l < cpio; cat zeros; gzip < cpio",
    ] {
        let site = archive();
        shell(&site, &format!("({made}) > initrd"));
        bundle(&site, "initrd").ends(0, &[]);
    }
}

/// The node's overlay is loaded behind the initrd: without an end mark it would be the next block of lz4's.
#[test]
fn a_segment_of_lz4_at_the_end_gets_its_end_mark() {
    let site = archive();
    shell(&site, "lz4 -q -l < cpio > initrd");
    bundle(&site, "initrd").ends(0, &[]);
    let (made, copied) = (fs::read(site.path().join("initrd")), fs::read(site.path().join("out-6/initrd")));
    let (made, copied) = (made.unwrap(), copied.unwrap());
    let end = copied.strip_prefix(made.as_slice()).unwrap();
    assert!(
        (4..8).contains(&end.len()) && copied.len() % 4 == 0 && end.iter().all(|byte| *byte == 0),
        "{end:?}"
    );
    // A kernel that does not stop there.
    let kernel = fs::read(site.path().join("kernel")).unwrap();
    let at = kernel.windows(4).position(|window| window == b"6.1.").unwrap();
    let old = [&kernel[..at], b"5.4.", &kernel[at + 4..]].concat();
    fs::write(site.path().join("kernel"), old).unwrap();
    fs::remove_dir_all(site.path().join("out-6")).unwrap();
    let refused = bundle(&site, "initrd");
    refused.ends(
        2,
        &[
            "the lz4 segment at offset 0 has no end mark, and Linux 5.4.",
            "lz4 -dc < initrd | zstd > new-initrd",
        ],
    );
}

/// As root, who alone may give files away and set capabilities.
#[test]
fn owners_are_kept_and_capabilities_are_named() {
    let site = archive();
    let set = "install -d -m 700 -o 999 -g 998 root/db && install -o 999 -g 998 /dev/null root/db/data && \
               install -o 0 -g 42 -m 2755 /dev/null root/setgid && touch root/ping && python3 -c 'import os; os.setxattr(\"root/ping\", \"security.capability\", \
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
    let owners = [owner("db"), owner("db/data"), owner("init"), owner("setgid")];
    assert_eq!(owners, [["999", "998"], ["999", "998"], ["0", "0"], ["0", "42"]]);
}
