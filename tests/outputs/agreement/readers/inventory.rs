//! `inventory.toml` as TOML has it, without anything of plasmagen's own reading; and `site/inventory.json`, which other
//! tools read.

use std::net::IpAddr;

use serde_json::Value;

use super::SaidOfEach;
use crate::agreement::facts::{Facts, Said};
use crate::agreement::tree::Tree;

pub(crate) fn read(trees: &[Tree]) -> SaidOfEach {
    trees.iter().map(|tree| vec![toml(tree), json(tree)]).collect()
}

fn toml(tree: &Tree) -> Said {
    let inventory: toml::Table = toml::from_str(&tree.inventory).unwrap();
    let inventory = serde_json::to_value(inventory).unwrap();
    let mut facts = Facts::default();
    let domain = inventory["cluster"]["domain"].as_str().unwrap();
    let networks = &inventory["network"];
    for (name, node) in inventory["node"].as_object().unwrap() {
        facts.add(name, "MAC", text(&node["mac"]));
        facts.add(name, "full name", format!("{name}.{domain}"));
        facts.add(name, "cluster", text(&inventory["cluster"]["name"]));
        facts.add(name, "profile", text(&node["profile"]));
        list(&node["disks"]).iter().for_each(|disk| facts.add(name, "disk", disk));
        let profile = &inventory["profile"][text(&node["profile"])];
        let services = node.get("services").unwrap_or(&profile["services"]);
        list(services).iter().for_each(|service| facts.add(name, "service", service));
        if let Some(bmc) = node.get("bmc") {
            facts.add(name, "BMC", text(&bmc["address"]));
        }
        for (family, subnet, reserved) in
            [("address", "subnet", "reserved IPv4"), ("address6", "subnet6", "reserved IPv6")]
        {
            for (network, address) in node.get(family).and_then(Value::as_object).into_iter().flatten() {
                let net: ipnet::IpNet = text(&networks[network][subnet]).parse().unwrap();
                facts.add(name, "address", format!("{}/{}", ip(address), net.prefix_len()));
                if list(&networks[network]["roles"]).iter().any(|role| role == "provisioning") {
                    facts.add(name, reserved, ip(address));
                }
            }
        }
    }
    for vips in ["vip", "vip6"].iter().filter_map(|table| inventory.get(table)?.as_object()) {
        vips.iter().for_each(|(name, address)| facts.add(name, "virtual address", ip(address)));
    }
    Said {
        source: "inventory.toml",
        kinds: &[
            "MAC",
            "full name",
            "cluster",
            "profile",
            "disk",
            "service",
            "BMC",
            "address",
            "reserved IPv4",
            "reserved IPv6",
            "virtual address",
        ],
        facts,
    }
}

fn json(tree: &Tree) -> Said {
    let inventory: Value = serde_json::from_str(tree.file("site/inventory.json")).unwrap();
    let mut facts = Facts::default();
    for node in inventory["nodes"].as_array().unwrap() {
        let name = text(&node["name"]);
        facts.add(name, "MAC", text(&node["mac"]));
        facts.add(name, "full name", text(&node["fqdn"]));
        facts.add(name, "profile", text(&node["profile"]));
        list(&node["disks"]).iter().for_each(|disk| facts.add(name, "disk", disk));
        for service in node["services"].as_array().unwrap() {
            facts.add(name, "service", text(&service["name"]));
            for key in ["port", "raft_port", "gossip_port", "health_port"] {
                if let Some(port) = service.get(key) {
                    let what = if key == "port" { String::new() } else { format!(" {key}") };
                    facts.add(name, "listens", format!("tcp {port} ({}{what})", text(&service["name"])));
                }
            }
        }
        if let Some(bmc) = node.get("bmc") {
            facts.add(name, "BMC", text(&bmc["address"]));
        }
        for interface in node["interfaces"].as_array().unwrap() {
            for address in list(&interface["addresses"]) {
                facts.add(name, "interface", format!("{} {address}", text(&interface["device"])));
                facts.add(name, "address", address);
            }
        }
    }
    for vip in inventory["vips"].as_array().unwrap() {
        facts.add(text(&vip["name"]), "virtual address", ip(&vip["address"]));
    }
    Said {
        source: "site/inventory.json",
        kinds: &[
            "MAC",
            "full name",
            "profile",
            "disk",
            "service",
            "listens",
            "BMC",
            "interface",
            "address",
            "virtual address",
        ],
        facts,
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn list(value: &Value) -> Vec<String> {
    let name = |item: &Value| item.as_str().unwrap_or_else(|| text(&item["id"])).to_owned();
    value.as_array().unwrap().iter().map(name).collect()
}

/// An address, in the one form that it has (RFC 5952).
fn ip(value: &Value) -> IpAddr {
    text(value).parse().unwrap()
}
