//! What the weekly garbage collection leaves.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use test_kit::process::run;

use crate::profiles::kit::config;

fn unit(machine: &Value) -> &Value {
    &machine["systemd"]["services"]["nix-gc"]
}

#[test]
fn a_machine_collects_garbage_once_a_week() {
    let machine = config("{ }");
    let gc = &machine["nix"]["gc"];
    assert_eq!([&gc["automatic"], &gc["dates"]], [&json!(true), &json!("weekly")]);
    assert_eq!(gc["randomizedDelaySec"], "6h");
    for quiet in [
        "{ nix.gc.automatic = false; }",
        "{ plasmagen.garbageCollection.enable = false; }",
        "{ nix.enable = false; }",
    ] {
        let machine = config(quiet);
        assert_eq!(machine["nix"]["gc"]["automatic"], false, "{quiet}");
        assert_eq!(machine["systemd"]["services"].get("nix-gc"), None, "{quiet}");
    }
    let often = config("{ nix.gc.dates = \"daily\"; }");
    assert_eq!(often["nix"]["gc"]["dates"], "daily");
}

/// Generations 1 to `last` of a profile in `dir`, with `current` as the current one.
fn make_profile(dir: &Path, last: u32, current: u32) {
    for number in 1..=last {
        symlink(dir, dir.join(format!("system-{number}-link"))).unwrap();
    }
    symlink(format!("system-{current}-link"), dir.join("system")).unwrap();
}

/// The numbers of the generations that are left by the command of the unit of the machine with `module`.
fn remaining(module: &str, last: u32, current: u32) -> Vec<u32> {
    let dir = tempfile::tempdir().unwrap();
    make_profile(dir.path(), last, current);
    let machine = config(module);
    let command = unit(&machine)["preStart"].as_str().unwrap().trim().to_owned();
    let command = command
        .replace("/nix/store/nix/bin/", "")
        .replace("/nix/var/nix/profiles", dir.path().to_str().unwrap());
    let home = tempfile::tempdir().unwrap();
    let output = run(
        "nix-bin",
        Command::new("sh").args(["-euc", &command]).env("NIX_REMOTE", "dummy://").env("HOME", home.path()),
    );
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    let names =
        fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut numbers: Vec<u32> =
        names.filter_map(|name| name.strip_prefix("system-")?.strip_suffix("-link")?.parse().ok()).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn the_last_generations_stay_whatever_their_age() {
    assert_eq!(remaining("{ }", 30, 30), (21..=30).collect::<Vec<_>>());
    assert_eq!(remaining("{ }", 4, 4), [1, 2, 3, 4]);
    // After a roll-back: the current generation, those before it, and all that are newer.
    assert_eq!(remaining("{ }", 30, 20), (11..=30).collect::<Vec<_>>());
    assert_eq!(
        remaining("{ plasmagen.garbageCollection.generations = 6; }", 30, 30),
        (25..=30).collect::<Vec<_>>()
    );
}

/// The boot menu lists five generations unless the site says otherwise.
#[test]
fn what_the_boot_menu_lists_stays() {
    let few = "plasmagen.garbageCollection.generations = 1;";
    assert_eq!(remaining(&format!("{{ {few} }}"), 30, 30), (26..=30).collect::<Vec<_>>());
    let menu = format!("{{ {few} boot.loader.grub.configurationLimit = 20; }}");
    assert_eq!(remaining(&menu, 30, 30), (11..=30).collect::<Vec<_>>());
}
