//! What a bundle's script makes of a machine, by what iPXE finds out.

use std::fs;

use crate::bundle::{made, recipe};
use test_kit::ipxe;

/// F22. Whatever fails or is missing, the machine returns to boot.ipxe, which sends it to its disk.
#[test]
fn a_bundle_starts_only_what_was_checked() {
    let dir = tempfile::tempdir().unwrap();
    let manifest = made(&recipe(dir.path()), &dir.path().join("out"));
    let script = fs::read_to_string(dir.path().join("out/boot.ipxe")).unwrap();
    let names = ["kernel", "initrd", "overlay"];
    let digests = [
        manifest.files["bzImage"].sha256.to_string(),
        manifest.files["initrd"].sha256.to_string(),
        "${overlay-sha256}".to_owned(),
    ];
    let mut started = 0;
    // For each of the three: fetched, and what it should be. Then whether the node has an overlay, and iPXE the command.
    for case in 0..256_u16 {
        let bit = |at: usize| case & 1 << at != 0;
        let (fetched, sound) = ([bit(0), bit(1), bit(2)], [bit(3), bit(4), bit(5)]);
        let (overlay, able) = (bit(6), bit(7));
        let needed = if overlay { 3 } else { 2 };
        for tier in ["none", "digest", "signature", "", "Digest"] {
            let named = |word: &str| names.iter().position(|name| *name == word).unwrap();
            let end = ipxe::end(
                &script,
                |command| command == "boot kernel",
                |command| {
                    let words: Vec<&str> = command.split(' ').collect();
                    match words[..] {
                        ["isset", "${overlay}"] => overlay,
                        ["iseq", "${verify}", word] => tier == word,
                        ["kernel" | "initrd", "--name", name, ..] => fetched[named(name)],
                        ["sha256sum", "--set", "sum", _] => able,
                        ["iseq", "${sum}", digest] => {
                            sound[digests.iter().position(|known| known == digest).unwrap()]
                        }
                        ["imgverify", name, ..] => able && sound[named(name)],
                        _ => true,
                    }
                },
            );
            let whole = fetched[..needed].iter().all(|good| *good);
            let checked = able && sound[..needed].iter().all(|good| *good);
            let starts = whole && (tier == "none" || (["digest", "signature"].contains(&tier) && checked));
            assert_eq!(end, if starts { "boot kernel" } else { "exit 1" }, "{tier:?}, case {case:08b}");
            started += usize::from(starts);
        }
    }
    assert!(started > 0);
}

/// Under UEFI an initrd without its own `initrd=` is lost without a word.
#[test]
fn each_initrd_is_on_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    made(&recipe(dir.path()), &dir.path().join("out"));
    let script = fs::read_to_string(dir.path().join("out/boot.ipxe")).unwrap();
    let loaded = script.lines().filter_map(|line| line.strip_prefix("initrd --name ")?.split(' ').next());
    let loaded: Vec<_> = loaded.collect();
    assert_eq!(loaded, ["initrd", "overlay"]);
    for name in loaded {
        assert!(script.contains(&format!("initrd={name}")), "{name}");
    }
}
