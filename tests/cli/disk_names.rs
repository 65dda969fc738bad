//! J05: the disks of nodes beside those that were rendered last.

use std::fs;
use std::os::unix::fs::symlink;

use crate::kit::{NODE04, Site};

const RESOLVED: &str = "site/inventory.json";

/// A rendered site as a plasmagen left it that wrote no node's name onto disks, and resolved nothing of `labels`.
fn rendered_by_older() -> Site {
    let site = Site::new();
    site.edit("disk.single = {", "disk.single = { labels = \"disk\",");
    site.run(&["render"]).ends(0, &[]);
    site.edit("disk.single = { labels = \"disk\",", "disk.single = {");
    let script = "sed -i -z 's/,[ \\n]*\"labels\": \"disk\"//g' site/inventory.json; ! grep labels site/inventory.json";
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

#[test]
fn disks_of_installed_nodes_keep_their_names() {
    let site = rendered_by_older();
    let words = [
        "the disks of node01, node02, node03 change: `disk-main-…` is called `disk-node01-main-…` now",
        "write `labels = \"disk\"` in `disk.single`",
        "run `plasmagen render --install-anew node01,node02,node03`",
    ];
    is_refused(&site, &words);
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
    let path = site.root().join(RESOLVED);
    let text = site.read(RESOLVED);
    let layout = "nodes/node02.cluster.example.com/disko.nix";
    let sound = site.copy();
    sound.edit("disk.single = {", "disk.single = { labels = \"disk\",");
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
        fs::write(copy.root().join(layout), broken).unwrap();
        is_refused(&copy, &[layout, "cannot be read"]);
    }
    fs::remove_dir_all(site.root().join("site")).unwrap();
    fs::remove_file(site.root().join(layout)).unwrap();
    is_refused(&site, &["the disks of node01, node03 change"]);
    // A merge left a node out of the file.
    sound.edit("labels = \"disk\",", "");
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
            "labels = \"disk\",",
            "",
            ["`disk-main-…` is called `disk-node04-main-…` now", "write `labels = \"disk\"` in `disk.lvm`"],
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
    node.edit("labels = \"disk\",", "");
    node.run(&["render", "--install-anew", "node04"]).ends(0, &[]);
    node.edit(second.0, second.1);
    is_accepted(&node);
    node.edit("00000004_1", "00000008_1");
    is_accepted(&node);
}
