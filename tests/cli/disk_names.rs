//! J05: the disks of nodes beside those that were rendered last.

use std::fs;
use std::os::unix::fs::symlink;

use crate::kit::{NODE04, Site};

const RESOLVED: &str = "site/inventory.json";

/// The layout of node02.
const LAYOUT: &str = "nodes/node02.cluster.example.com/disko.nix";

/// A rendered site as a plasmagen left it that wrote no node's name onto disks, resolved nothing of `labels`, and wrote
/// manifests of schema 1.
fn rendered_by_older() -> Site {
    let site = Site::new();
    site.edit("disk.single = {", "disk.single = { labels = \"disk\",");
    site.run(&["render"]).ends(0, &[]);
    site.edit("disk.single = { labels = \"disk\",", "disk.single = {");
    let script = "digest() { sha256sum site/inventory.json | cut -c-64; }; new=$(digest)
        sed -i -z 's/,[ \\n]*\"labels\": \"disk\"//g' site/inventory.json; ! grep labels site/inventory.json || exit 1
        sed -i \"s/$new/$(digest)/; s/\\\"schema\\\": 2/\\\"schema\\\": 1/\" site/manifest.json nodes/manifest.json";
    site.shell(script).ends(0, &[]);
    site
}

/// Refuses the inventory in each command that reads the site, without a change of it.
fn is_refused(site: &Site, words: &[&str]) {
    for args in [&["check", "-q"][..], &["render"], &["render", "--discard-edits"], &["render", "--check"]] {
        let words: Vec<_> = ["error[PG-J05]"].iter().chain(words).copied().collect();
        site.untouched(|| site.run(args).ends(1, &words).code);
    }
}

/// Accepts the inventory, with nothing to say of disks.
fn is_accepted(site: &Site) {
    assert!(!site.run(&["check"]).ends(0, &[]).stderr.contains("PG-J05"));
}

/// The names on the disks stay where the inventory says nothing of them.
#[test]
fn sites_of_an_older_version_keep_their_names() {
    let site = rendered_by_older();
    let kept = "the names on the disks of node01, node02, node03 stay without the node's name";
    let words = ["warning[PG-J05]", kept, "write `labels = \"disk\"` in `disk.single`"];
    let before = site.read(LAYOUT);
    assert!(before.contains("disk.main = {"));
    site.untouched(|| site.run(&["check"]).ends(0, &words).code);
    site.untouched(|| site.run(&["render", "--check"]).ends(1, &["stale: 3 files"]).code);
    for _ in 0..2 {
        site.run(&["render"]).ends(0, &words);
        assert_eq!(site.read(LAYOUT), before);
        site.untouched(|| site.run(&["render", "--check"]).ends(0, &[kept]).code);
    }
    let shown = site.run(&["show", "node02"]);
    let labels = shown.ends(0, &[]).stdout.lines().find(|line| line.starts_with("layout.labels")).unwrap();
    assert_eq!(
        labels.split_whitespace().collect::<Vec<_>>(),
        ["layout.labels", "as", "rendered", "last", "\"disk\""]
    );
    // The inventory says what the files say, and the names stay when the files are lost.
    let copy = site.copy();
    copy.edit("disk.single = {", "disk.single = { labels = \"disk\",");
    is_accepted(&copy);
    copy.run(&["render", "--check"]).ends(0, &[]);
    fs::remove_dir_all(copy.root().join("site")).unwrap();
    fs::remove_dir_all(copy.root().join("nodes/node02.cluster.example.com")).unwrap();
    is_accepted(&copy);
    // A node that is installed anew gets names of its own, and keeps them.
    site.run(&["render", "--install-anew", "node02"])
        .ends(0, &["the names on the disks of node01, node03 stay"]);
    site.run(&["render"]).ends(0, &["the names on the disks of node01, node03 stay"]);
    assert!(site.read(LAYOUT).contains("disk.node02-main = {"));
    assert_eq!(site.read("nodes/node01.cluster.example.com/disko.nix").matches("disk.main = {").count(), 1);
    site.edit("disk.single = {", "disk.single = { labels = \"disk\",");
    is_refused(&site, &["the disks of node02 change: `disk-node02-main-…` is called `disk-main-…` now"]);
    // A renamed machine keeps names without its own.
    let renamed = rendered_by_older();
    renamed.edit("[node.node03]", "[node.node09]");
    renamed.edit("\"node03\"", "\"node09\"");
    renamed.run(&["check"]).ends(0, &["the names on the disks of node01, node02, node09 stay"]);
}

/// After a merge, the two files that say how disks are divided may be of two commits.
#[test]
fn files_that_contradict_each_other_are_refused() {
    let site = rendered_by_older();
    site.run(&["render"]).ends(0, &[]);
    let (resolved, manifest) = (site.read(RESOLVED), site.read("site/manifest.json"));
    site.run(&["render", "--install-anew", "node02"]).ends(0, &[]);
    fs::write(site.root().join(RESOLVED), resolved).unwrap();
    fs::write(site.root().join("site/manifest.json"), manifest).unwrap();
    is_refused(&site, &["do not say the same of the disks of node02", "remove site/inventory.json"]);
    // The way out that the message names, and the command that was killed between the two files.
    let copy = site.copy();
    fs::remove_file(copy.root().join(RESOLVED)).unwrap();
    copy.run(&["render"]).ends(0, &["the names on the disks of node01, node03 stay"]);
    for site in [copy, site] {
        site.run(&["render", "--install-anew", "node02"]).ends(0, &[]);
        assert!(site.read(LAYOUT).contains("disk.node02-main = {"));
    }
}

#[test]
fn disks_of_installed_nodes_keep_their_names() {
    let site = rendered_by_older();
    let words = [
        "the disks of node01, node02, node03 change: `disk-main-…` is called `disk-node01-main-…` now",
        "write `labels = \"disk\"` in `disk.single`",
        "run `plasmagen render --install-anew node01,node02,node03`",
    ];
    // The explicit value says nothing of what is on the disks.
    site.edit("disk.single = {", "disk.single = { labels = \"node\",");
    is_refused(&site, &words);
    // Both ways out that the message names.
    let copy = site.copy();
    copy.edit("labels = \"node\"", "labels = \"disk\"");
    is_accepted(&copy);
    copy.run(&["render", "--discard-edits"]).ends(0, &[]);
    assert!(copy.read("nodes/node01.cluster.example.com/disko.nix").contains("disk.main = {"));
    let some = ["render", "--discard-edits", "--install-anew", "node01,node03"];
    site.untouched(|| site.run(&some).ends(1, &["error[PG-J05]", "the disks of node02 change"]).code);
    site.run(&["render", "--discard-edits", "--install-anew", "node01,node02", "--install-anew", "node03"])
        .ends(0, &[]);
    is_accepted(&site);
    // The word holds for one run: the next change is refused as the first.
    site.edit("labels = \"node\"", "labels = \"disk\"");
    is_refused(&site, &["`disk-node01-main-…` is called `disk-main-…` now", "`labels = \"node\"`"]);
    site.run(&["render", "--install-anew", "node09"]).ends(1, &["error[PG-J05]"]);
    site.edit("labels = \"disk\"", "labels = \"node\"");
    site.run(&["render", "--install-anew", "node09"]).ends(2, &["names `node09`, which is no node"]);
}

/// The names that the kernel gives to disks are equal on many nodes, which are told apart by their names.
#[test]
fn nodes_with_equal_names_of_disks_are_compared_by_their_names() {
    let site = rendered_by_older();
    site.edit("disk.single = {", "disk.single = { labels = \"node\",");
    let script = "sed -i 's#/dev/disk/by-id/nvme-EXAMPLE_DISK_[0-9]*_1#/dev/nvme0n1#' inventory.toml site/inventory.json";
    site.shell(script).ends(0, &[]);
    is_refused(&site, &["the disks of node01, node02, node03 change"]);
    site.run(&["render", "--discard-edits", "--install-anew", "node01,node02,node03"]).ends(0, &["PG-F01"]);
    is_accepted(&site);
}

/// What was rendered last is not known where the file cannot be read; without the file, each node's layout says it.
#[test]
fn names_are_known_without_the_resolved_inventory() {
    let site = rendered_by_older();
    site.edit("disk.single = {", "disk.single = { labels = \"node\",");
    let path = site.root().join(RESOLVED);
    let text = site.read(RESOLVED);
    let sound = site.copy();
    sound.edit("labels = \"node\"", "labels = \"disk\"");
    for broken in [
        format!("<<<<<<< HEAD\n{text}"),
        String::new(),
        text.replace("\"style\"", "\"other\""),
        text.replace("\"format\": \"ext4\"", "\"format\": \"ext4\", \"labels\": \"serial\""),
    ] {
        for site in [&site, &sound] {
            fs::write(site.root().join(RESOLVED), &broken).unwrap();
            is_refused(site, &["site/inventory.json cannot be read", "restore the file from git"]);
        }
    }
    fs::remove_file(&path).unwrap();
    symlink("nowhere", &path).unwrap();
    is_refused(&site, &["site/inventory.json cannot be read"]);
    for site in [&site, &sound] {
        fs::remove_file(site.root().join(RESOLVED)).unwrap();
    }
    is_refused(&site, &["the disks of node01, node02, node03 change: `disk-main-…` is called"]);
    is_accepted(&sound);
    // Of one node alone the layout is gone, or not plasmagen's.
    for broken in
        ["", "<<<<<<< HEAD\n", "{ disko.devices = { disk.mine = {\n device = \"/dev/sda\";\n}; }; }"]
    {
        let copy = sound.copy();
        fs::write(copy.root().join(LAYOUT), broken).unwrap();
        is_refused(&copy, &[LAYOUT, "cannot be read"]);
    }
    fs::remove_dir_all(site.root().join("site")).unwrap();
    fs::remove_file(site.root().join(LAYOUT)).unwrap();
    is_refused(&site, &["the disks of node01, node03 change"]);
    // A merge left a node out of the file.
    sound.edit("labels = \"disk\"", "labels = \"node\"");
    fs::write(sound.root().join(RESOLVED), text.replace("\"name\": \"node02\"", "\"name\": \"node07\""))
        .unwrap();
    is_refused(&sound, &["the disks of node01, node02, node03 change"]);
}

/// A node with another name is known by its MAC address, its serial number, or its disk.
#[test]
fn a_renamed_node_is_known_by_its_machine() {
    let site = Site::rendered();
    site.append(NODE04);
    site.run(&["render"]).ends(0, &[]);
    let words = [
        "the disks of node09 change: `disk-node04-main-…` is called `disk-node09-main-…` now",
        "take back the name `node04`",
    ];
    let known = [("mac", ":00:04"), ("serial", "SERIAL0004"), ("disk", "DISK_00000004")];
    for kept in ["mac", "serial", "disk", ""] {
        let copy = site.copy();
        copy.edit("[node.node04]", "[node.node09]");
        copy.edit("bmc/node04", "bmc/node09");
        for (_, value) in known.iter().filter(|(what, _)| *what != kept) {
            copy.edit(value, &value.replace('4', "9"));
        }
        if kept.is_empty() {
            is_accepted(&copy);
        } else {
            is_refused(&copy, &words);
        }
    }
    // Two machines that exchange their names are both called other than their disks.
    site.shell("sed -i 's/node.node03\\]/node.X]/; s/node.node04\\]/node.node03]/; s/node.X\\]/node.node04]/' inventory.toml").ends(0, &[]);
    is_refused(&site, &["the disks of node03 change", "the disks of node04 change"]);
    let anew = ["render", "--install-anew", "node03,node04"];
    assert!(!site.run(&anew).stderr.contains("PG-J05"));
}

/// A second disk, another style or another file system is on no disk of an installed node.
#[test]
fn layouts_of_installed_nodes_stay() {
    let site = Site::new();
    let lvm =
        "disk.lvm = { labels = \"disk\", swap = \"4G\", volume.data = { size = \"10G\", mount = \"/srv\" } }";
    site.append(&format!("{NODE04}{lvm}\n"));
    site.run(&["render"]).ends(0, &[]);
    let second = ("00000004_1\"]", "00000004_1\", \"/dev/disk/by-id/nvme-EXAMPLE_DISK_00000005_1\"]");
    for (old, new, words) in [
        (
            lvm,
            "disk.luks = {}",
            ["the layout was `disk.lvm`, and is `disk.luks` now", "write `disk.lvm` again"],
        ),
        (lvm, "", ["the layout was `disk.lvm`, and is `disk.single` now", "write `disk.lvm` again"]),
        (
            "labels",
            "format = \"xfs\", labels",
            ["the root was ext4, and is xfs now", "write `format = \"ext4\"` in `disk.lvm`"],
        ),
        (
            second.0,
            second.1,
            ["`disk-main-…` is called `disk-disk1-…` now", "take back the number of disks, 1"],
        ),
        (
            "labels = \"disk\"",
            "labels = \"node\"",
            ["`disk-main-…` is called `disk-node04-main-…` now", "write `labels = \"disk\"` in `disk.lvm`"],
        ),
        (
            "labels",
            "luks = {}, labels",
            ["they were not encrypted, and are now", "remove `luks` from `disk.lvm`"],
        ),
        ("volume.data", "volume.logs", ["the volume `logs` is not on them", "make no volume `logs`"]),
        (
            "mount = \"/srv\"",
            "mount = \"/srv\", format = \"xfs\"",
            ["the volume `data` was ext4, and is xfs now", "write the format ext4"],
        ),
    ] {
        for has_resolved in [true, false] {
            let copy = site.copy();
            if !has_resolved {
                fs::remove_file(copy.root().join(RESOLVED)).unwrap();
                is_accepted(&copy);
            }
            copy.edit(old, new);
            let words: Vec<_> = ["the disks of node04 change"].iter().chain(&words).copied().collect();
            is_refused(&copy, &words);
            let anew = ["render", "--discard-edits", "--install-anew", "node04"];
            assert!(!copy.run(&anew).stderr.contains("PG-J05"));
        }
    }
    // With the node's name, a second disk renames nothing, and neither does an exchanged disk.
    let node = site.copy();
    node.edit("labels = \"disk\"", "labels = \"node\"");
    node.run(&["render", "--install-anew", "node04"]).ends(0, &[]);
    node.edit(second.0, second.1);
    is_accepted(&node);
    node.edit("00000004_1", "00000008_1");
    is_accepted(&node);
}
