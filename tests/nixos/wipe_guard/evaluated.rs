//! The guard in disko's scripts: which texts have it, with which arguments, and what ends it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use test_kit::process::{lossy, run};
use test_kit::{case_dirs, nix, repository};

use crate::profiles::kit;

const MARK: &str = "# The wipe guard of plasmagen.\n";

/// disko's scripts by the text that they consist of (`_scripts` in disko's lib/default.nix): those that write to disks.
const WRITING: [(&str, &[&str]); 6] = [
    ("_destroy", &["destroy", "destroyNoDeps"]),
    ("_legacyDestroy", &["destroyScript", "destroyScriptNoDeps"]),
    ("_create", &["format", "formatNoDeps", "formatScript", "formatScriptNoDeps"]),
    ("_formatMount", &["formatMount", "formatMountNoDeps"]),
    ("_destroyFormatMount", &["destroyFormatMount", "destroyFormatMountNoDeps"]),
    ("_disko", &["diskoScript", "diskoScriptNoDeps", "disko", "diskoNoDeps"]),
];

/// The texts of disko's scripts of the node with the rendered files in `directory`.
fn devices(evaluated: &Value, node: &str) -> Value {
    evaluated[node]["disko"]["devices"].clone()
}

#[test]
fn every_script_that_writes_has_the_guard_before_the_first_write() {
    let evaluated = nix::evaluate(&repository().join("nodes"));
    for (node, _) in evaluated.as_object().unwrap() {
        let devices = devices(&evaluated, node);
        for (text, scripts) in WRITING {
            let text = devices[text].as_str().unwrap();
            let write = ["DESTROY\n", "CREATE\n"].iter().filter_map(|write| text.find(write)).min().unwrap();
            assert!(text.starts_with(MARK) && write > MARK.len(), "{node} {scripts:?}: {text}");
        }
        assert_eq!(devices["_mount"], "MOUNT\n", "{node}");
    }
}

/// Runs the text of a script with a guard that ends with `status`; returns what ran and the status of the script.
fn run_script(text: &str, status: i32, environment: &[(&str, &str)]) -> (String, Option<i32>) {
    let dir = tempfile::tempdir().unwrap();
    let guard = dir.path().join("guard.sh");
    fs::write(&guard, format!("echo GUARD\nexit {status}\n")).unwrap();
    let start = text.find("/nix/store/").unwrap();
    let path = text[start..].split(' ').next().unwrap();
    assert!(path.ends_with("-program/guard.sh"), "{path}");
    let script = dir.path().join("script");
    let functions = "DESTROY() { echo DESTROY; }; CREATE() { echo CREATE; }; MOUNT() { echo MOUNT; }";
    fs::write(&script, format!("{functions}\n{}", text.replace(path, guard.to_str().unwrap()))).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let output = run("bash", Command::new("bash").arg(&script).envs(environment.iter().copied()));
    (lossy(&output.stdout).replace('\n', " "), output.status.code())
}

#[test]
fn a_script_ends_with_its_guard_and_asks_it_once() {
    let evaluated = nix::evaluate(&repository().join("nodes"));
    let devices = devices(&evaluated, "node01.example.com");
    for (name, passed) in [
        ("_destroy", "GUARD DESTROY "),
        ("_legacyDestroy", "GUARD DESTROY "),
        ("_create", "GUARD CREATE "),
        ("_formatMount", "GUARD CREATE MOUNT "),
        ("_destroyFormatMount", "GUARD DESTROY CREATE MOUNT "),
        ("_disko", "GUARD DESTROY CREATE MOUNT "),
    ] {
        let text = devices[name].as_str().unwrap();
        assert_eq!(run_script(text, 0, &[]), (passed.to_owned(), Some(0)), "{name}");
        // Whatever the guard's status is, and whatever the variable says that remembers the answer.
        for status in [1, 2, 127] {
            for environment in [&[][..], &[("plasmagen_wipe_guard", "1")], &[("plasmagen_wipe_guard", "$$")]]
            {
                assert_eq!(run_script(text, status, environment), ("GUARD ".to_owned(), Some(1)), "{name}");
            }
        }
    }
}

/// The arguments of the guard in `text`.
fn arguments(text: &str) -> Vec<String> {
    let line = text.lines().find(|line| line.contains("/guard.sh / ")).unwrap();
    let (_, words) = line.split_once("/guard.sh / ").unwrap();
    let words = words.strip_suffix(" || exit 1").unwrap();
    let output = run("bash", Command::new("bash").args(["-c", &format!("printf '%s\\n' {words}")]));
    lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn the_arguments_are_the_inventorys() {
    let evaluated = nix::evaluate(&repository().join("nodes"));
    let devices = devices(&evaluated, "node01.example.com");
    let disk = "/dev/disk/by-id/nvme-SAMSUNG_MZQL2960HCJR-00A07_S64FNE0R800001_1";
    let expected = format!(
        "--node node01 --all 1028M --each 1028M --firmware uefi --group poolnode01 --label node01 --mac 52:54:00:12:34:56 \
         --machine x86_64 --serial CN7475139H0023 --disk {disk} --erases {disk}"
    );
    assert_eq!(arguments(devices["_create"].as_str().unwrap()).join(" "), expected);

    let cards = case_dirs().into_iter().find(|case| case.ends_with("cards")).unwrap();
    let evaluated = nix::evaluate(&cards.join("expected/nodes"));
    let of = |node: &str| {
        let node = format!("{node}.cards.example.com");
        arguments(evaluated[&node]["disko"]["devices"]["_create"].as_str().unwrap()).join(" ")
    };
    assert!(of("board").contains("--machine aarch64 "), "{}", of("board"));
    assert!(
        of("board").contains("--disk /dev/disk/by-id/wwn-0x5000c50031000002 --size 447G"),
        "{}",
        of("board")
    );
    assert!(of("legacy").contains("--firmware bios "), "{}", of("legacy"));
    // The swap of 8 GiB.
    assert!(of("bonded").contains("--all 9220M --each 1028M "), "{}", of("bonded"));
    assert!(of("bonded").contains("--interface p2=3c:ec:ef:31:01:01 --disk "), "{}", of("bonded"));
}

/// The rendered module of node01 in the machine `node01`, and `module` beside it.
fn beside(module: &str) -> String {
    let disko = repository().join("nodes/node01.example.com/disko.nix");
    format!("{{ lib, ... }}: {{ imports = [ {} ({module}) ]; }}", disko.display())
}

#[test]
fn a_module_does_not_take_the_guard_away_by_accident() {
    let modules = [
        "{ disko.devices.disk.node01-main.device = lib.mkForce \"/dev/sdz\"; }",
        "{ disko.devices = lib.mkForce { disk.x.device = \"/dev/sdz\"; }; }",
        "{ plasmagen.wipeGuard.enable = false; }",
    ];
    let machines = kit::evaluate(&modules.map(beside));
    // As disko-install --disk main /dev/sdz does.
    assert_eq!(machines[0]["failed"], Value::Array(Vec::new()));
    let text = machines[0]["config"]["disko"]["devices"]["_create"].as_str().unwrap();
    assert_eq!(arguments(text).last().unwrap(), "/dev/sdz");
    let failure = kit::only_failure(&machines[1], modules[1]);
    assert!(failure.starts_with("disko's scripts have no wipe guard"), "{failure}");
    assert_eq!(machines[2]["config"]["disko"]["devices"]["_create"], "CREATE\n");
}

/// disko's program takes a file as well (`disko nodes/…/disko.nix`), and evaluates the file without plasmagen's modules.
#[test]
fn the_file_alone_has_no_script() {
    let file = repository().join("nodes/node01.example.com/disko.nix");
    let evaluate = |file: &Path, arguments: &str| {
        let text = format!("(import {} {arguments}).disko.devices.disk", file.display());
        nix::nix_instantiate(["--eval", "--strict", "--expr", &text])
    };
    assert!(evaluate(&file, "{ plasmagen = { }; }").status.success());
    let refused = evaluate(&file, "{ lib = { }; mode = \"disko\"; }");
    let error = lossy(&refused.stderr);
    assert!(!refused.status.success() && error.contains("disko --flake .#node01"), "{error}");
}
