//! systemd-tmpfiles on the rules for the keys of a node.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use test_kit::process::{run, unshare};

use crate::profiles::kit::config;

/// The rules as NixOS writes them.
fn rules() -> String {
    let machine = config("{ }");
    let all = machine["systemd"]["tmpfiles"]["settings"]["plasmagen-secrets"].clone();
    let mut text = String::new();
    for (path, kinds) in all.as_object().unwrap() {
        for (kind, rule) in kinds.as_object().unwrap() {
            let part = |name: &str| rule[name].as_str().unwrap().to_owned();
            text += &format!(
                "'{kind}' '{path}' '{}' '{}' '{}' '-' \n",
                part("mode"),
                part("user"),
                part("group")
            );
        }
    }
    text
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Staged trees come with whatever modes they had; a node is started with the right ones.
#[test]
fn whatever_was_copied_gets_its_mode_at_boot() {
    let root = tempfile::tempdir().unwrap();
    let at = |path: &str| root.path().join(path);
    for (dir, bits) in [("etc/nixos/secrets", 0o777), ("etc/nixos", 0o700), ("etc/ssh", 0o755)] {
        fs::create_dir_all(at(dir)).unwrap();
        fs::set_permissions(at(dir), fs::Permissions::from_mode(bits)).unwrap();
    }
    for file in ["etc/nixos/secrets/node01-key.pem", "etc/ssh/ssh_host_ed25519_key", "store-cert.pem"] {
        fs::write(at(file), file).unwrap();
        fs::set_permissions(at(file), fs::Permissions::from_mode(0o644)).unwrap();
    }
    // A public file as environment.etc brings it, and a key as sops-nix does.
    symlink(at("store-cert.pem"), at("etc/nixos/secrets/node01-cert.pem")).unwrap();
    symlink(at("store-cert.pem"), at("etc/nixos/secrets/other-key.pem")).unwrap();
    fs::write(at("rules.conf"), rules()).unwrap();

    // root by name only, where the tests do not run as root.
    let mut command = unshare(&["systemd-tmpfiles", "--create"]);
    command.arg(format!("--root={}", root.path().display())).arg(at("rules.conf"));
    let output = run("util-linux", &mut command);
    assert!(output.status.success(), "systemd-tmpfiles (Debian package systemd): {output:?}");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));

    for (path, expected) in [
        ("etc/nixos", 0o755),
        ("etc/nixos/secrets", 0o711),
        ("etc/nixos/secrets/node01-key.pem", 0o400),
        ("etc/ssh/ssh_host_ed25519_key", 0o600),
        ("store-cert.pem", 0o644),
    ] {
        assert_eq!(mode(&at(path)), expected, "{path}");
    }
}
