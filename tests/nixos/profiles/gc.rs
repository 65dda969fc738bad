//! The generations and store paths that the weekly garbage collection leaves.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use test_kit::process::run;

use crate::profiles::kit::evaluate;

#[test]
fn a_machine_collects_garbage_once_a_week() {
    let machines = evaluate(&[
        "{ }",
        "{ nix.gc.dates = \"daily\"; nix.gc.options = \"--delete-older-than 90d\"; }",
        "{ nix.gc.automatic = false; }",
        "{ plasmagen.garbageCollection.enable = false; }",
        "{ nix.enable = false; }",
    ]);
    let gc = |at: usize| &machines[at]["config"]["nix"]["gc"];
    assert_eq!([&gc(0)["automatic"], &gc(0)["dates"]], [&json!(true), &json!("weekly")]);
    assert_eq!([&gc(0)["randomizedDelaySec"], &gc(1)["dates"]], ["6h", "daily"]);
    let prunes = |at: usize| machines[at]["config"]["systemd"]["services"].get("nix-gc").is_some();
    // With options of its own, a site decides alone which generations go.
    assert_eq!([prunes(0), prunes(1)], [true, false]);
    for quiet in machines.iter().skip(2).map(|machine| &machine["config"]) {
        assert_eq!(quiet["nix"]["gc"]["automatic"], false);
        assert_eq!(quiet["systemd"]["services"].get("nix-gc"), None);
    }
}

/// Generations 1 to `last` of a profile in `dir`, with `current` as the current one.
fn make_profile(dir: &Path, last: u32, current: u32) {
    for number in 1..=last {
        symlink(dir, dir.join(format!("system-{number}-link"))).unwrap();
    }
    symlink(format!("system-{current}-link"), dir.join("system")).unwrap();
}

/// The numbers of the generations that `machine` leaves of generations 1 to `last`, by the command of its unit.
fn remaining(machine: &Value, last: u32, current: u32) -> Vec<u32> {
    let dir = tempfile::tempdir().unwrap();
    make_profile(dir.path(), last, current);
    let command = machine["config"]["systemd"]["services"]["nix-gc"]["preStart"].as_str().unwrap();
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

/// Whatever their age; the boot menu lists five generations unless the site says otherwise.
#[test]
fn the_last_generations_and_those_of_the_boot_menu_stay() {
    let few = "plasmagen.garbageCollection.generations";
    let machines = evaluate(&[
        "{ }",
        &format!("{{ {few} = 6; }}"),
        &format!("{{ {few} = 1; }}"),
        &format!("{{ {few} = 1; boot.loader.grub.configurationLimit = 20; }}"),
        &format!("{{ {few} = 1; boot.loader.systemd-boot.configurationLimit = 15; }}"),
    ]);
    let left = |at: usize, last, current| remaining(&machines[at], last, current);
    assert_eq!(left(0, 30, 30), (21..=30).collect::<Vec<_>>());
    assert_eq!(left(0, 4, 4), [1, 2, 3, 4]);
    // After a roll-back: the current generation, those before it, and all that are newer.
    assert_eq!(left(0, 30, 20), (11..=30).collect::<Vec<_>>());
    assert_eq!(left(1, 30, 30), (25..=30).collect::<Vec<_>>());
    assert_eq!(left(2, 30, 30), (26..=30).collect::<Vec<_>>());
    assert_eq!(left(3, 30, 30), (11..=30).collect::<Vec<_>>());
    assert_eq!(left(4, 30, 30), (16..=30).collect::<Vec<_>>());
    // NixOS' menu of systemd-boot would have no limit.
    let limit = |at: usize| &machines[at]["config"]["boot"]["loader"]["systemd-boot"]["configurationLimit"];
    assert_eq!([limit(0), limit(1)], [10, 6]);
}
