//! `bundle`: a table or JSON of what was made, and nothing that looks whole where something went wrong.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::kit::{PLASMAGEN, Run, Site};
use test_kit::bzimage::bzimage;

/// A kernel and a tree in the directory of `site`, which has no inventory: a bundle needs none.
fn inputs() -> Site {
    let site = Site::empty();
    fs::create_dir_all(site.path().join("root/etc")).unwrap();
    fs::write(site.path().join("root/init"), "#!/bin/sh\n").unwrap();
    fs::write(site.path().join("kernel"), bzimage()).unwrap();
    site
}

const GOOD: [&str; 9] =
    ["bundle", "--base", "worker", "--kernel", "kernel", "--root", "root", "--out", "out"];

fn bundle(site: &Site, more: &[&str]) -> Run {
    site.within(site.path(), &[&GOOD[..], more].concat())
}

#[test]
fn a_table_names_every_file_with_its_size_and_digest() {
    let site = inputs();
    let run = bundle(&site, &[]);
    run.ends(0, &[]);
    assert_eq!(run.stderr, "");
    let sums = fs::read_to_string(site.path().join("out/SHA256SUMS")).unwrap();
    // The manifest has no row: it says of itself what the table says.
    for line in sums.lines().filter(|line| !line.ends_with("  manifest.json")) {
        let (sum, name) = line.split_once("  ").unwrap();
        let row =
            run.stdout.lines().find(|row| row.starts_with(name)).unwrap_or_else(|| panic!("{name}: {run:?}"));
        assert!(row.ends_with(&format!("{sum:.16}…")), "{row}");
        assert!(row.chars().count() <= 80, "{row}");
    }
    // What the kernel unpacks takes memory until the machine is restarted.
    let manifest: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(site.path().join("out/manifest.json")).unwrap()).unwrap();
    let unpacked = manifest["inputs"][1]["unpacked"]["bytes"].as_u64().unwrap();
    let initrd = run.stdout.lines().find(|row| row.starts_with("initrd")).unwrap();
    assert!(initrd.contains(&format!("  {} ", indicatif::BinaryBytes(unpacked))), "{initrd}: {unpacked}");
    for word in ["8.00 KiB", "6.1.0-40-cloud-amd64", "x86_64-linux", "publish"] {
        assert!(run.stdout.contains(word), "{word}: {run:?}");
    }
}

#[test]
fn json_is_the_manifest_byte_for_byte() {
    let site = inputs();
    let run = bundle(&site, &["--format", "json", "--quiet", "--init", "/init", "--cmdline", "  a   b "]);
    run.ends(0, &[]);
    assert_eq!(run.stdout, fs::read_to_string(site.path().join("out/manifest.json")).unwrap());
    let manifest: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&manifest["command_line"], &manifest["init"]), (&"a b".into(), &"/init".into()));
}

#[test]
fn every_compression_and_level_makes_one() {
    for more in [
        &["--compress", "none"][..],
        &["--compress", "gzip", "--level", "12"],
        &["--compress", "zstd", "--level", "19", "--arch", "x86_64"],
    ] {
        bundle(&inputs(), more).ends(0, &[]);
    }
}

#[test]
fn wrong_input_is_named_and_leaves_nothing() {
    let site = inputs();
    fs::write(site.path().join("text"), "text").unwrap();
    fs::create_dir(site.path().join("empty")).unwrap();
    fs::create_dir(site.path().join("keys")).unwrap();
    fs::write(site.path().join("keys/id"), "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG\n").unwrap();
    let cases: &[(&[&str], &[&str])] = &[
        (&["--overlay", "nowhere"], &["could not list nowhere: No such file or directory (os error 2)\n"]),
        (&["--overlay", "empty"], &["empty is empty"]),
        (&["--overlay", "keys"], &["id holds a private key", "keys"]),
        (&["--arch", "aarch64"], &["is a kernel for x86_64-linux"]),
        (&["--init", "/nix/store/x/init"], &["PG-F19"]),
        (&["--cmdline", "init=/x"], &["which the bundle sets itself"]),
        (&["--compress", "gzip", "--level", "13"], &["gzip has no level 13"]),
        (&["--level", "23"], &["23"]),
        (&["--compress", "bzip2"], &["bzip2"]),
        (&["--initrd", "text"], &["--root"]),
    ];
    for (more, words) in cases {
        let run = bundle(&site, more);
        run.ends(2, words);
        assert_eq!(run.stdout, "");
        assert!(!site.path().join("out").exists(), "{more:?}");
    }
    for (kernel, root, words) in [
        ("text", "root", &["text", "not a kernel"][..]),
        ("nowhere", "root", &["nowhere"]),
        ("kernel", "nowhere", &["nowhere"]),
        ("kernel", "text", &["text"]),
    ] {
        let args = ["bundle", "--base", "worker", "--kernel", kernel, "--root", root, "--out", "out"];
        site.within(site.path(), &args).ends(2, words);
        assert!(!site.path().join("out").exists(), "{kernel} {root}");
    }
    let args = ["bundle", "--base", "worker", "--kernel", "kernel", "--initrd", "text", "--out", "out"];
    site.within(site.path(), &args).ends(2, &["text is not an initrd"]);
}

#[test]
fn what_is_there_stays() {
    let site = inputs();
    bundle(&site, &[]).ends(0, &[]);
    let before = fs::read(site.path().join("out/manifest.json")).unwrap();
    bundle(&site, &["--cmdline", "other"]).ends(2, &["out is not empty"]);
    assert_eq!(fs::read(site.path().join("out/manifest.json")).unwrap(), before);
}

#[test]
fn an_input_is_neither_removed_nor_packed_into_itself() {
    let site = inputs();
    let directory = site.path().join("inputs");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("initrd"), "mine").unwrap();
    std::os::unix::fs::symlink("../kernel", directory.join("bzImage")).unwrap();
    std::os::unix::fs::symlink("inputs/initrd", site.path().join("link")).unwrap();
    for (kernel, initrd, named) in [
        ("kernel", "inputs/initrd", "inputs/initrd"),
        ("kernel", "link", "link"),
        ("inputs/bzImage", "kernel", "inputs/bzImage"),
    ] {
        let args = ["bundle", "--base", "worker", "--kernel", kernel, "--initrd", initrd, "--out", "inputs"];
        site.within(site.path(), &args).ends(2, &[&format!("{named} is in inputs, where the bundle goes")]);
        assert_eq!(fs::read(directory.join("initrd")).unwrap(), b"mine");
        assert!(directory.join("bzImage").is_symlink());
    }
    let args = ["bundle", "--base", "worker", "--kernel", "kernel", "--root", "root", "--out", "root/out"];
    site.within(site.path(), &args).ends(2, &["root/out is in root, and would be packed into itself"]);
    assert!(!site.path().join("root/out").exists());
    let args = ["bundle", "--base", "worker", "--kernel", "inputs/bzImage", "--root", "root", "--out", "out"];
    site.within(site.path(), &args).ends(0, &[]);
}

/// The script's terminal is one that draws.
#[test]
fn a_bar_is_for_terminals() {
    let site = inputs();
    // Long enough that a bar is drawn.
    fs::write(site.path().join("root/large"), vec![b'x'; 60 << 20]).unwrap();
    for (more, drawn) in [("", true), (" --quiet", false), (" 2>/dev/null", false), (" 2>&1 | cat", false)] {
        let _ = fs::remove_dir_all(site.path().join("out"));
        let command = format!("TERM=xterm {PLASMAGEN} {}{more}", GOOD.join(" "));
        let output = site.command("script").args(["-qec", &command, "/dev/null"]).output().unwrap();
        let run = Run::of(&output);
        assert_eq!(run.stdout.contains('\x1b'), drawn, "{more:?}: {run:?}");
        assert_eq!(run.stdout.contains("sha256"), more != " --quiet", "{run:?}");
    }
}

#[test]
fn what_is_interrupted_is_no_bundle_and_the_next_run_makes_one() {
    let site = inputs();
    // Who runs in the background of a script is born deaf to interrupts.
    let mut command = Command::new("/usr/bin/env");
    let words =
        ["bundle", "--base", "worker", "--kernel", "kernel", "--initrd", "/dev/stdin", "--out", "out"];
    command
        .args(["--default-signal=INT", PLASMAGEN])
        .args(words)
        .current_dir(site.path())
        // Nobody writes into the pipe: the run stands still in the middle of its work.
        .stdin(Stdio::piped())
        .stdout(Stdio::null());
    let mut run = command.spawn().unwrap();
    let start = Instant::now();
    while !site.path().join("out/.plasmagen-bundle/initrd").exists() {
        assert!(start.elapsed() < Duration::from_secs(60) && run.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(1));
    }
    // As Ctrl-C does.
    let id = rustix::process::Pid::from_child(&run);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    assert_eq!(run.wait().unwrap().code(), None);
    assert!(!site.path().join("out/manifest.json").exists());
    bundle(&site, &[]).ends(0, &[]);
    assert!(site.path().join("out/manifest.json").exists());
}

/// FAULTS 38.
#[test]
fn a_private_key_in_an_initrd_is_a_warning_with_its_path() {
    let site = inputs();
    bundle(&site, &["--compress", "none"]).ends(0, &[]);
    // The archive of a directory without a key, in which a line of the program becomes a key of as many bytes.
    let path = site.path().join("root/init");
    let key = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG\n";
    fs::write(&path, "#".repeat(key.len())).unwrap();
    fs::remove_dir_all(site.path().join("out")).unwrap();
    bundle(&site, &["--compress", "none"]).ends(0, &[]);
    let archive = fs::read_to_string(site.path().join("out/initrd")).unwrap();
    fs::write(site.path().join("initrd"), archive.replace(&"#".repeat(key.len()), key)).unwrap();
    let args = ["bundle", "--base", "worker", "--kernel", "kernel", "--initrd", "initrd", "--out"];
    let warned = site.within(site.path(), &[&args[..], &["warned"]].concat());
    warned.ends(0, &["warning: the initrd holds a private key at init", "--allow-keys"]);
    let silent = site.within(site.path(), &[&args[..], &["silent", "--allow-keys"]].concat());
    assert_eq!(silent.ends(0, &[]).stderr, "");
}

/// FAULTS 51.
#[test]
fn an_initrd_that_the_smallest_node_cannot_hold_is_a_warning() {
    let site = Site::new();
    fs::create_dir_all(site.path().join("root")).unwrap();
    fs::write(site.path().join("root/init"), "#!/bin/sh\n").unwrap();
    let large = fs::File::create(site.path().join("root/large")).unwrap();
    large.set_len(40 << 20).unwrap();
    fs::write(site.path().join("kernel"), bzimage()).unwrap();
    let bundle = |base: &str, more: &[&str]| {
        let _ = fs::remove_dir_all(site.path().join("out"));
        let args =
            ["bundle", "--base", base, "--kernel", "../kernel", "--root", "../root", "--out", "../out"];
        site.within(&site.root(), &[&args[..], more].concat())
    };
    let is_silent = |base: &str| bundle(base, &[]).ends(0, &[]).stderr.is_empty();
    assert!(is_silent("control-plane"), "no node says its memory");
    site.edit("disk.single = { esp", "memory = \"128G\"\ndisk.single = { esp");
    assert!(is_silent("control-plane"));
    site.edit("serial = \"SERIAL0002\"", "serial = \"SERIAL0002\"\nmemory = \"32M\"");
    let words = ["warning: the initrd takes 40.", " 40.00 MiB unpacked), and node02 has 32M"];
    bundle("control-plane", &[]).ends(0, &words);
    assert!(is_silent("worker"), "no node boots that base");
    site.edit("32M", "41M");
    assert!(is_silent("control-plane"), "it fits");
    site.edit("41M", "32M");

    // An inventory that the command line names must be sound; the one nearby is none of the bundle's business.
    site.edit("32M", "32MB");
    bundle("control-plane", &[]).ends(0, &["inventory.toml has errors", "plasmagen check inventory.toml"]);
    let refused = bundle("control-plane", &["-i", "inventory.toml"]);
    refused.ends(1, &["error[PG-A09]", "write `32M`"]);
    assert!(!site.path().join("out").exists());
}
