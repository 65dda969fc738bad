//! `carry.sh` and `apply.sh`: an overlay on its way from the initrd into the installer.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::json;

use crate::netboot::boot::debian;
use crate::netboot::machine::{Machine, NODE01};

const KEYS: &str = "root/.ssh/authorized_keys";
const NETWORK: &str = "run/systemd/network/80-node.network";

fn host(machine: &Machine) -> String {
    machine.read("proc/sys/kernel/hostname")
}

fn mode(machine: &Machine, path: &str) -> u32 {
    fs::metadata(machine.path(path)).unwrap().permissions().mode() & 0o777
}

#[test]
fn what_plasmagen_renders_is_applied() {
    let machine = Machine::with(NODE01);
    assert_eq!(machine.run("apply"), (true, "plasmagen: this is node01\n".to_owned()));
    assert_eq!(host(&machine), "node01\n");
    let inventory: serde_json::Value =
        serde_json::from_str(&fs::read_to_string("site/inventory.json").unwrap()).unwrap();
    let keys = inventory["admin_keys"].as_array().unwrap();
    let keys: String = keys.iter().map(|key| format!("{}\n", key.as_str().unwrap())).collect();
    assert_eq!(machine.read(KEYS), keys);
    assert_eq!([mode(&machine, KEYS), mode(&machine, "root/.ssh")], [0o600, 0o700]);
    let network = machine.read(NETWORK);
    assert!(network.starts_with("[Match]\nMACAddress=52:54:00:12:34:56\n"), "{network}");
    assert!(network.contains("DHCP=yes\n") && network.contains("RouteMetric=100\n"), "{network}");
    // systemd-networkd runs as a user of its own.
    assert_eq!([mode(&machine, NETWORK), mode(&machine, "run/systemd/network")], [0o644, 0o755]);
    assert_eq!(mode(&machine, "run/plasmagen/overlay"), 0o700);
}

/// Every golden, the hostile one with its odd keys too.
#[test]
fn so_is_every_overlay_of_the_goldens() {
    let mut count = 0;
    for entry in walkdir::WalkDir::new("tests/golden") {
        let path = entry.unwrap().into_path();
        if path.to_str().unwrap().ends_with(".cpio.gz") {
            let machine = Machine::with(path.to_str().unwrap());
            let (applied, said) = machine.run("apply");
            assert!(applied && said.starts_with("plasmagen: this is "), "{}: {said}", path.display());
            assert!(!host(&machine).is_empty() && !machine.read(KEYS).is_empty(), "{}", path.display());
            count += 1;
        }
    }
    assert!(count > 10, "{count}");
}

/// The shells of stage 1: the scripted one has busybox', the systemd one bash; Debian's sh is neither.
fn shells() -> [String; 3] {
    let busybox = debian().join("bin/busybox");
    ["sh".to_owned(), "bash".to_owned(), format!("{} ash", busybox.display())]
}

#[test]
fn every_shell_carries_the_overlay() {
    for shell in &shells() {
        let machine = Machine::new();
        machine.unpack(NODE01);
        machine.carry(shell);
        for file in ["etc/hostname", "etc/plasmagen/node.json", KEYS] {
            assert!(machine.overlay(file).is_file(), "{shell}: {file}");
        }
        assert!(machine.run("apply").0, "{shell}");
    }
}

/// Each file that cannot be copied is named, inside NixOS' script too, and the others are copied.
#[test]
fn a_copy_that_fails_is_told() {
    for shell in &shells() {
        let machine = Machine::new();
        machine.unpack(NODE01);
        // No directory can be made where a file is.
        machine.write("run/plasmagen/overlay/etc", "");
        let done = machine.try_carry(shell);
        let said = String::from_utf8(done.stdout).unwrap();
        for file in ["etc/hostname", "etc/plasmagen/node.json"] {
            assert!(said.contains(&format!("could not keep the overlay's {file} for stage 2\n")), "{said}");
        }
        assert_eq!(done.status.code(), Some(1), "{shell}");
        assert!(machine.overlay(KEYS).is_file(), "{shell}");
    }
}

#[test]
fn without_an_overlay_nothing_changes() {
    let machine = Machine::new();
    // NixOS' own initrd has one.
    machine.write("etc/hostname", "");
    machine.carry("sh");
    assert!(!machine.path("run/plasmagen").exists());
    assert_eq!(machine.run("apply"), (true, "plasmagen: no overlay of a node\n".to_owned()));
    assert_eq!(host(&machine), "");
    assert!(!machine.path(KEYS).exists() && !machine.path(NETWORK).exists());
}

/// systemd has set it by then.
#[test]
fn a_host_name_of_the_command_line_stays() {
    let machine = Machine::with(NODE01);
    machine.write("proc/cmdline", "console=ttyS0 systemd.hostname=rescue\n");
    machine.write("proc/sys/kernel/hostname", "rescue\n");
    assert_eq!(machine.run("apply"), (true, "plasmagen: the command line names this machine\n".to_owned()));
    assert_eq!(host(&machine), "rescue\n");
    assert!(machine.path(KEYS).exists() && machine.path(NETWORK).exists());
}

#[test]
fn links_are_not_carried() {
    let machine = Machine::new();
    machine.unpack(NODE01);
    machine.write("secret", "hunter2");
    for file in ["etc/hostname", KEYS] {
        fs::remove_file(machine.path(file)).unwrap();
        symlink(machine.path("secret"), machine.path(file)).unwrap();
    }
    machine.carry("sh");
    assert!(!machine.overlay("etc/hostname").exists() && !machine.overlay(KEYS).exists());
    let (applied, said) = machine.run("apply");
    assert!(!applied && said.contains("left out the overlay's authorized_keys"), "{said}");
    assert!(!machine.path(KEYS).exists());
    // Nor is one followed that lies in the overlay later on, whatever it leads to.
    let machine = Machine::with(NODE01);
    fs::rename(machine.overlay(KEYS), machine.path("keys")).unwrap();
    symlink(machine.path("keys"), machine.overlay(KEYS)).unwrap();
    assert!(!machine.run("apply").0 && !machine.path(KEYS).exists());
}

#[test]
fn odd_values_in_node_json_are_left_out() {
    for name in [
        json!("Node01"),
        json!("node 01"),
        json!("node01\n"),
        json!("node01\nnode02"),
        json!("-node"),
        json!("$(reboot)"),
        json!("a".repeat(64)),
        json!(""),
        json!(7),
        json!(null),
        json!(["node01"]),
        json!({ "name": "node01" }),
    ] {
        let machine = Machine::with(NODE01);
        machine.says("name", name.clone());
        let (applied, said) = machine.run("apply");
        assert!(!applied && said.contains("left out the overlay's host name"), "{name}: {said}");
        assert_eq!(host(&machine), "", "{name}");
        // The others are applied all the same.
        assert!(machine.path(KEYS).exists() && machine.path(NETWORK).exists(), "{name}");
    }
    for mac in [
        "52:54:00:12:34",
        "52-54-00-12-34-56",
        "52:54:00:12:34:5G",
        "52:54:00:12:34:56\n[Network]\nDNS=10.0.0.1",
    ] {
        let machine = Machine::with(NODE01);
        machine.says("mac", json!(mac));
        let (applied, said) = machine.run("apply");
        assert!(!applied && said.contains("left out the overlay's MAC address"), "{mac}: {said}");
        assert!(!machine.path(NETWORK).exists(), "{mac}");
        assert_eq!(host(&machine), "node01\n", "{mac}");
    }
}

#[test]
fn a_node_json_that_is_none_costs_no_keys() {
    for text in [
        "",
        "{",
        "[]",
        "\"node01\"",
        "null",
        "{\"schema\":2,\"name\":\"node01\"}",
        "{\"schema\":1,\"name\":\"a\"}{}",
        "\0",
    ] {
        let machine = Machine::with(NODE01);
        machine.lay("etc/plasmagen/node.json", text);
        assert!(!machine.run("apply").0, "{text}");
        assert_eq!(host(&machine), "", "{text}");
        assert!(machine.path(KEYS).exists() && !machine.path(NETWORK).exists(), "{text}");
    }
}

#[test]
fn what_is_no_public_key_lets_nobody_in() {
    let good = Machine::with(NODE01);
    good.run("apply");
    let good = good.read(KEYS);
    let key = good.trim();
    for text in [
        String::new(),
        "\n".to_owned(),
        "root::0:0:::\n".to_owned(),
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU\n".to_owned(),
        format!("{good}# a comment\n"),
        format!("{good}command=\"id\" {key}\n"),
        format!("cert-authority {key}\n"),
        format!("{good}\n{good}"),
        key[..key.len() / 2].to_owned(),
        key.replace("ssh-ed25519 ", "ssh-rsa "),
        key.replace("AAAA", "AAAB"),
        "ssh-ed25519 AAAA$(touch x)\n".to_owned(),
    ] {
        let machine = Machine::with(NODE01);
        machine.lay(KEYS, &text);
        let (applied, said) = machine.run("apply");
        assert!(
            !applied && said.contains("authorized_keys: not a public SSH key on every line"),
            "{text}: {said}"
        );
        assert!(!machine.path(KEYS).exists(), "{text}");
        assert!(!said.contains("PRIVATE"), "{said}");
        assert_eq!(host(&machine), "node01\n");
    }
    let machine = Machine::with(NODE01);
    // An end of line is not needed, and a comment may be anything.
    machine.lay(KEYS, format!("{good}{key} \"quoted\" $(id) ☃"));
    assert!(machine.run("apply").0);
    assert_eq!(machine.read(KEYS).lines().count(), 2);
}
