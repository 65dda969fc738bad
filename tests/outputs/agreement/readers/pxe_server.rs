//! What nixpkgs' module system makes of `pxe-server.nix`: one call of Nix for all trees.

use std::fs;

use serde_json::Value;

use super::SaidOfEach;
use crate::agreement::facts::{Facts, Said};
use crate::agreement::tree::Tree;
use test_kit::nix;

pub(crate) fn read(trees: &[Tree]) -> SaidOfEach {
    let site = tempfile::tempdir().unwrap();
    for (at, tree) in trees.iter().enumerate() {
        let dir = site.path().join("pxe").join(at.to_string());
        fs::create_dir_all(&dir).unwrap();
        for (name, path, _) in tree.between("site/pxe/", "") {
            fs::copy(tree.path(path), dir.join(name)).unwrap();
        }
        // A gateway names its firewall by a path.
        for (name, path, _) in tree.between("site/firewall/provisioner", ".nft") {
            let firewalls = site.path().join("pxe/firewall");
            fs::create_dir_all(&firewalls).unwrap();
            fs::copy(tree.path(path), firewalls.join(format!("provisioner{name}.nft"))).unwrap();
        }
    }
    let all = nix::try_evaluate_servers(&site.path().join("pxe")).unwrap();
    let said = |at: usize| {
        let server = &all[at.to_string()];
        let failed: Vec<&Value> = server["failed"].as_array().unwrap().iter().collect();
        let facts = match failed.as_slice() {
            [] => understood(&server["config"]["services"]["centra-pxe-server"]),
            // NixOS builds no such system.
            refused => {
                let mut facts = Facts::default();
                refused
                    .iter()
                    .for_each(|why| facts.add("provisioner's network", "DHCP", format!("refused: {why}")));
                facts
            }
        };
        vec![Said { source: "site/pxe/pxe-server.nix", kinds: KINDS, facts }]
    };
    (0..trees.len()).map(said).collect()
}

fn understood(server: &Value) -> Facts {
    let mut facts = Facts::default();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    for (mac, node) in server["nodes"].as_object().unwrap() {
        let name = text(&node["hostname"]);
        facts.add(&name, "MAC in DHCP", mac);
        let others = node["otherMacs"].as_array().unwrap();
        others.iter().for_each(|other| facts.add(&name, "MAC in DHCP", text(other)));
        facts.add(&name, "platform", format!("{}-{}", text(&node["system"]), text(&node["firmware"])));
        facts.add(&name, "reserved IPv4", text(&node["ipAddress"]));
        facts.add(&name, "image", text(&node["profile"]));
    }
    let address = text(&server["serverAddress"]);
    facts.add("site", "next server", &address);
    facts.add("site", "provisioner's interface", text(&server["interface"]));
    for (interface, address) in server["otherInterfaces"].as_object().unwrap() {
        facts.add("site", "next server", text(address));
        facts.add("site", "provisioner's interface", interface);
    }
    facts.add("site", "HTTP port", &server["httpPort"]);
    facts.add("site", "web root", text(&server["webRoot"]));
    let dhcp = &server["dhcp"];
    facts.add("site", "DHCP server", text(&dhcp["backend"]));
    let mask = text(&dhcp["netmask"]).parse().unwrap();
    let net = ipnet::Ipv4Net::with_netmask(text(&dhcp["subnet"]).parse().unwrap(), mask).unwrap();
    facts.add("provisioner's network", "DHCP", format!("subnet {net}"));
    facts.add("provisioner's network", "DHCP", format!("broadcast {}", text(&dhcp["broadcast"])));
    if let Some(range) = dhcp.get("range").filter(|range| !range.is_null()) {
        let (start, end) = (text(&range["start"]), text(&range["end"]));
        facts.add("provisioner's network", "DHCP", format!("pool {start}-{end}"));
    }
    if let Some(router) = dhcp["router"].as_str() {
        facts.add("provisioner's network", "DHCP", format!("router {router}"));
    }
    for resolver in dhcp["domainNameServers"].as_array().unwrap() {
        facts.add("provisioner's network", "DHCP", format!("resolver {}", text(resolver)));
    }
    if let Some(domain) = dhcp["domain"].as_str() {
        facts.add("provisioner's network", "DHCP", format!("domain {domain}"));
    }
    facts
}

const KINDS: &[&str] = &[
    "MAC in DHCP",
    "platform",
    "reserved IPv4",
    "image",
    "next server",
    "provisioner's interface",
    "HTTP port",
    "web root",
    "DHCP server",
    "DHCP",
];
