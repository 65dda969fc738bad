//! The overlays of the nodes, unpacked by gzip and GNU cpio: what an installer finds.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::SaidOfEach;
use crate::agreement::facts::{Facts, Said};
use crate::agreement::tree::Tree;
use test_kit::run;

/// Unpacks every `<mac>.cpio.gz` of each directory into `<directory>.out/<mac>`.
const UNPACK: &str = r#"
for dir; do
  for file in "$dir"/*.cpio.gz; do
    to=$dir.out/$(basename "$file" .cpio.gz)
    mkdir -p "$to"
    gzip -dc "$file" | (cd "$to" && cpio -id --quiet --no-preserve-owner)
  done
done
"#;

pub(crate) fn read(trees: &[Tree]) -> SaidOfEach {
    let dirs: Vec<_> = trees.iter().map(|tree| tree.path("site/www/overlay")).collect();
    for dir in &dirs {
        // A tree may be read twice.
        let _ = fs::remove_dir_all(dir.with_extension("out"));
    }
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail", "-c", UNPACK, "bash"]).args(&dirs);
    let output = run("bash", &mut command);
    assert!(output.status.success(), "{} (Debian package cpio)", String::from_utf8_lossy(&output.stderr));
    dirs.iter().map(|dir| vec![said(&dir.with_extension("out"))]).collect()
}

fn said(unpacked: &Path) -> Said {
    let mut facts = Facts::default();
    for dir in fs::read_dir(unpacked).unwrap().map(|entry| entry.unwrap().path()) {
        let name = fs::read_to_string(dir.join("etc/hostname")).unwrap();
        let name = name.strip_suffix('\n').unwrap();
        let node: Value =
            serde_json::from_slice(&fs::read(dir.join("etc/plasmagen/node.json")).unwrap()).unwrap();
        let text = |key: &str| node[key].as_str().unwrap();
        let list = |value: &Value| {
            let items = value.as_array().unwrap();
            items.iter().map(|item| item.as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let mac = dir.file_name().unwrap().to_str().unwrap().replace('-', ":");
        facts.add(name, "MAC that boots", mac);
        facts.add(name, "MAC", text("mac"));
        facts.add(name, "host name", text("name"));
        facts.add(name, "full name", text("fqdn"));
        facts.add(name, "profile", text("profile"));
        for interface in node["interfaces"].as_array().unwrap() {
            for address in list(&interface["addresses"]) {
                facts.add(name, "interface", format!("{} {address}", interface["device"].as_str().unwrap()));
            }
        }
        for gateway in ["gateway", "gateway6"].iter().filter_map(|key| node.get(*key)?.as_str()) {
            facts.add(name, "default route", gateway);
        }
        list(&node["resolvers"]).iter().for_each(|resolver| facts.add(name, "resolver of a node", resolver));
        list(&node["disks"]).iter().for_each(|disk| facts.add(name, "disk", disk));
    }
    let kinds = &[
        "MAC",
        "MAC that boots",
        "host name",
        "full name",
        "profile",
        "interface",
        "default route",
        "resolver of a node",
        "disk",
    ];
    Said { source: "overlays", kinds, facts }
}
