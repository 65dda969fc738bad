//! What `disko.nix` makes of any inventory's disks: rules that no inventory can break.

use test_kit::nix;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use plasmagen::pki::passphrase::INSTALLER_PASSPHRASE;
use serde_json::{Value, json};
use test_kit::{case_dirs, repository};

/// Every `disko.devices` that the goldens hold, by the file's path.
fn layouts() -> Vec<(PathBuf, Value)> {
    let trees =
        case_dirs().into_iter().map(|case| case.join("expected/nodes")).chain([repository().join("nodes")]);
    let files = trees.flat_map(walkdir::WalkDir::new).map(|entry| entry.unwrap().into_path());
    let read = |path: PathBuf| {
        let text = format!("import {} {{ plasmagen = {{ }}; }}", path.display());
        let output = nix::nix_instantiate(["--eval", "--strict", "--json", "--expr", &text]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let value: Value = serde_json::from_slice(&output.stdout).unwrap();
        (path, value["disko"]["devices"].clone())
    };
    let layouts: Vec<_> = files.filter(|path| path.ends_with("disko.nix")).map(read).collect();
    let has = |what: &str| layouts.iter().any(|(_, devices)| !all(devices, "type", what).is_empty());
    assert!(["luks", "mdadm", "lvm_vg"].into_iter().all(has), "a layout is in no golden case");
    layouts
}

/// Every table below `value` whose `key` is `wanted`.
fn all<'v>(value: &'v Value, key: &str, wanted: &str) -> Vec<&'v Value> {
    let children: Vec<&Value> = match value {
        Value::Object(table) => table.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    };
    let itself = (value[key] == wanted).then_some(value);
    itself.into_iter().chain(children.into_iter().flat_map(|child| all(child, key, wanted))).collect()
}

/// Every value of `key` at any depth.
fn values<'v>(value: &'v Value, key: &str) -> Vec<&'v Value> {
    let Value::Object(table) = value else { return Vec::new() };
    let below = table.values().flat_map(|child| values(child, key));
    table.get(key).into_iter().chain(below).collect()
}

/// F09, F11, and of F12 what the inventory has no say in.
#[test]
fn every_layout_boots_and_one_root_takes_what_is_left() {
    for (path, devices) in layouts() {
        let path = path.display();
        let mirrored = devices.get("mdadm").is_some();
        let disks: Vec<_> = devices["disk"].as_object().unwrap().values().collect();
        let boots = |disk: &&&Value| disk["content"]["partitions"].get("ESP").is_some();
        assert_eq!(disks.iter().filter(boots).count(), if mirrored { disks.len() } else { 1 }, "{path}");
        for disk in disks {
            let partitions = disk["content"]["partitions"].as_object().unwrap();
            let rest = partitions.values().filter(|partition| partition["size"] == "100%").count();
            assert_eq!(rest, 1, "{path}");
            if let Some(esp) = partitions.get("ESP") {
                assert_eq!(
                    [&partitions["boot"]["type"], &partitions["boot"]["size"]],
                    ["EF02", "1M"],
                    "{path}"
                );
                assert_eq!(esp["type"], "EF00", "{path}");
            }
        }
        let esp = all(&devices, "mountpoint", "/boot");
        assert_eq!(esp.iter().map(|partition| &partition["format"]).collect::<Vec<_>>(), ["vfat"], "{path}");
        assert_eq!(all(&devices, "mountpoint", "/").len(), 1, "{path}");
        let mounts = values(&devices, "mountpoint");
        let distinct: BTreeSet<_> = mounts.iter().map(|mount| mount.as_str().unwrap()).collect();
        assert_eq!(distinct.len(), mounts.len(), "{path}");
        for group in all(&devices, "type", "lvm_vg") {
            let rest = all(group, "size", "100%FREE");
            assert_eq!(rest.len(), 1, "{path}");
            assert_eq!(rest[0]["content"]["mountpoint"], "/", "{path}");
        }
    }
}

/// The names that an installation writes onto disks: of partitions, arrays and volume groups.
fn names_on_disks(devices: &Value) -> Vec<String> {
    let table = |name: &str| devices[name].as_object().into_iter().flatten();
    let partitions = table("disk").flat_map(|(disk, content)| {
        let partitions = content["content"]["partitions"].as_object().unwrap();
        partitions.keys().map(move |partition| format!("disk-{disk}-{partition}"))
    });
    let arrays = table("mdadm").map(|(name, _)| format!("array {name}"));
    partitions.chain(arrays).chain(table("lvm_vg").map(|(name, _)| format!("group {name}"))).collect()
}

/// A disk of one node in the machine of another has no name that is on that machine's disks: partitions, of which GPT
/// has 36 characters and beyond which disko writes another name, arrays, and volume groups.
#[test]
fn disks_of_two_nodes_have_different_names() {
    let mut sites = BTreeMap::<PathBuf, Vec<(PathBuf, Vec<String>)>>::new();
    for (path, devices) in layouts() {
        let site = path.ancestors().nth(2).unwrap().to_owned();
        // Layouts as an older plasmagen installed them.
        if devices["disk"].get("main").is_none() {
            sites.entry(site).or_default().push((path, names_on_disks(&devices)));
        }
    }
    assert!(sites.values().any(|nodes| nodes.len() > 1));
    for nodes in sites.into_values() {
        let mut seen = BTreeMap::new();
        for (path, names) in nodes {
            for name in names {
                assert!(name.len() <= 36, "{}: {name}", path.display());
                if let Some(other) = seen.insert(name.clone(), path.clone()) {
                    panic!("{} and {} have {name}", path.display(), other.display());
                }
            }
        }
    }
}

/// The content of `holder`, a partition or an array: of a half of an array, that of the array.
fn content<'v>(devices: &'v Value, holder: &'v Value) -> &'v Value {
    let content = &holder["content"];
    match content["type"].as_str() {
        Some("mdraid") => &devices["mdadm"][content["name"].as_str().unwrap()]["content"],
        _ => content,
    }
}

/// F15 and F16.
#[test]
fn an_encrypted_layout_has_nothing_in_the_clear_but_boot_and_keeps_no_key() {
    let mut seen = BTreeSet::new();
    for (path, devices) in layouts() {
        let encrypted = all(&devices, "type", "luks");
        let names: BTreeSet<_> = encrypted.iter().map(|device| device["name"].as_str().unwrap()).collect();
        assert_eq!(names.len(), encrypted.len(), "{}", path.display());
        for device in &encrypted {
            // Only an installation reads it, and /run is in memory.
            assert_eq!(device["passwordFile"], INSTALLER_PASSPHRASE, "{}", path.display());
            let by_tpm = device["settings"].get("crypttabExtraOpts");
            assert!(
                by_tpm.is_none_or(|options| *options == json!(["tpm2-device=auto"])),
                "{}",
                path.display()
            );
            assert_eq!(device["settings"].as_object().unwrap().len(), 1 + usize::from(by_tpm.is_some()));
            let style = ["mdadm", "lvm_vg"].map(|style| devices.get(style).is_some());
            seen.insert((style, by_tpm.is_some()));
        }
        for disk in devices["disk"].as_object().unwrap().values().filter(|_| !encrypted.is_empty()) {
            for (name, partition) in disk["content"]["partitions"].as_object().unwrap() {
                let content = content(&devices, partition);
                let is_clear = content["type"] != "luks";
                let is_boot = partition["type"] == "EF02" || content["mountpoint"] == "/boot";
                assert_eq!(is_clear, is_boot, "{}: {name}", path.display());
            }
        }
        for key in ["keyFile", "additionalKeyFiles", "initrdUnlock", "askPassword"] {
            assert!(values(&devices, key).is_empty(), "{}: {key}", path.display());
        }
    }
    let all = [([false, false], true), ([true, false], true), ([false, true], false)];
    assert_eq!(seen, all.into(), "a golden case for each style, and for both ways to unlock");
}
