//! The values that nixpkgs' module system makes of the configurations of the nodes: one call of Nix for each half of the
//! trees.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::SaidOfEach;
use crate::agreement::facts::{Facts, Said};
use crate::agreement::tree::Tree;
use test_kit::nix;

pub(crate) fn read(trees: &[Tree]) -> SaidOfEach {
    let site = tempfile::tempdir().unwrap();
    let halves = ["first", "second"].map(|half| site.path().join(half));
    halves.iter().for_each(|half| fs::create_dir(half).unwrap());
    let half_of = |at: usize| usize::from(at >= trees.len() / 2);
    for (at, tree) in trees.iter().enumerate() {
        for node in &tree.cluster.nodes {
            let to = halves[half_of(at)].join(format!("{at}-{}", node.fqdn));
            copy(&tree.path(&format!("nodes/{}", node.fqdn)), &to);
        }
        for name in ["custom", "hardware"].iter().filter(|name| tree.path(name).is_dir()) {
            copy(&tree.path(name), &site.path().join(name));
        }
    }
    let evaluated: [Value; 2] =
        rayon::join(|| nix::evaluate(&halves[0]), || nix::evaluate(&halves[1])).into();
    let said = |(at, tree): (usize, &Tree)| {
        let mut facts = Facts::default();
        for node in &tree.cluster.nodes {
            let nixos = &evaluated[half_of(at)][format!("{at}-{}", node.fqdn)];
            understood(&tree.node(node.fqdn.as_str()), nixos, &mut facts);
        }
        vec![Said { source: "configuration.nix", kinds: KINDS, facts }]
    };
    trees.iter().enumerate().map(said).collect()
}

const KINDS: &[&str] = &[
    "host name",
    "full name",
    "interface",
    "default route",
    "known name",
    "resolver of a node",
    "disk",
    "listens",
    "kernel parameter",
];

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap().map(Result::unwrap) {
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

fn understood(node: &str, nixos: &Value, facts: &mut Facts) {
    let networking = &nixos["networking"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let name = text(&networking["hostName"]);
    facts.add(node, "host name", &name);
    facts.add(node, "full name", format!("{name}.{}", text(&networking["domain"])));
    for (device, interface) in networking["interfaces"].as_object().unwrap() {
        for address in
            ["ipv4", "ipv6"].iter().flat_map(|family| interface[family]["addresses"].as_array().unwrap())
        {
            let (address, prefix) = (text(&address["address"]), &address["prefixLength"]);
            facts.add(node, "interface", format!("{device} {address}/{prefix}"));
        }
    }
    for gateway in
        ["defaultGateway", "defaultGateway6"].iter().filter_map(|key| networking[key]["address"].as_str())
    {
        facts.add(node, "default route", gateway);
    }
    for (address, names) in networking["hosts"].as_object().unwrap() {
        let names: Vec<_> = names.as_array().unwrap().iter().map(text).collect();
        if !names.is_empty() {
            facts.add(node, "known name", format!("{address} {}", names.join(" ")));
        }
    }
    for resolver in networking["nameservers"].as_array().unwrap() {
        facts.add(node, "resolver of a node", text(resolver));
    }
    for disk in nixos["disko"]["devices"]["disk"].as_object().unwrap().values() {
        facts.add(node, "disk", text(&disk["device"]));
    }
    for param in nixos["boot"]["kernelParams"].as_array().unwrap() {
        facts.add(node, "kernel parameter", text(param));
    }
    for (service, options) in
        nixos["services"].as_object().unwrap().iter().filter(|(_, options)| options["enable"] == true)
    {
        for (option, what) in [
            ("port", ""),
            ("raftPort", " raft_port"),
            ("gossipPort", " gossip_port"),
            ("healthPort", " health_port"),
        ] {
            if let Some(port) = options[option].as_u64() {
                facts.add(node, "listens", format!("tcp {port} ({service}{what})"));
            }
        }
    }
}
