//! What is missing is named, with the packages that have it.

use std::fs;
use std::process::Command;

use crate::lab::kit::{inventory, lab, unpacked};

#[test]
fn missing_programs_are_named_all_at_once() {
    let (_dir, path) = inventory(".", "");
    let output = lab(&path, &[]).env("PATH", "/nonexistent").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    for line in [
        "unshare: Debian package util-linux, nixpkgs util-linux",
        "mount: Debian package mount, nixpkgs util-linux",
        "qemu-system-x86_64: Debian package qemu-system-x86, nixpkgs qemu",
    ] {
        assert!(said.contains(line), "{said}");
    }
}

#[test]
fn a_busybox_that_needs_libraries_is_no_payload() {
    let (_dir, path) = inventory(".", "");
    let mut command = Command::new(env!("CARGO_BIN_EXE_plasmagen"));
    command.arg("lab").arg(path).args(["--busybox", "/bin/sh", "--kernel"]);
    let output = command.arg(std::env::var("PLASMAGEN_LAB_KERNEL").unwrap()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("busybox-static"), "{said}");
}

#[test]
fn a_node_that_is_not_there_is_named() {
    let (_dir, path) = inventory(".", "");
    let output = lab(&path, &["--node", "node99"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("there is no node `node99`: did you mean `node0"), "{said}");
}

#[test]
fn what_is_no_bundle_for_the_profile_is_told_at_once() {
    let (dir, path) = inventory(".", "");
    let bundle = dir.path().join("bundle");
    fs::create_dir(&bundle).unwrap();
    let refused = |expected: &str| {
        let worker = format!("worker={}", bundle.display());
        let output = lab(&path, &["--bundle", &worker]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(expected) && !said.contains("starting"), "{said}");
    };
    refused("is not a bundle: it has no manifest.json, which `plasmagen bundle` writes");
    fs::remove_dir(&bundle).unwrap();
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("init"), "").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_plasmagen"));
    command.args(["bundle", "--quiet", "--base", "control-plane", "--kernel"]);
    command.arg(unpacked("PLASMAGEN_LAB_KERNEL", "linux-image-cloud-amd64"));
    assert!(command.arg("--root").arg(&root).arg("--out").arg(&bundle).status().unwrap().success());
    refused("is a bundle for control-plane, not for worker");
}
