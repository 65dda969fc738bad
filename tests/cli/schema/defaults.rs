//! A default that is written out changes nothing.

use plasmagen::check::check;
use serde_json::{Value, json};

use crate::schema::walk::{places, toml};

/// The names are the schema's examples, so that its paths lead into it.
fn base() -> Value {
    json!({
        "schema": 1,
        "cluster": {
            "name": "lab", "domain": "lab.example.com", "bootstrap": ["node01"], "single": true,
            "state_version": "24.11",
            "admin_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL845TiWoOe2XrCMNfJUqPLN1eh7VXS0D1UnHilzay57 x"],
        },
        "provisioner": { "network": "control-plane", "address": "192.168.7.2", "interface": "enp1s0" },
        "network": {
            "control-plane": {
                "roles": ["management", "provisioning", "cluster"],
                "dns": ["192.168.7.253"],
                "subnet": "192.168.7.0/24",
            },
        },
        "firewall": { "open": { "control-plane": { "port": 4000, "from": ["10.0.0.0/8"] } } },
        "hardware": { "control-plane": {} },
        "profile": {
            "control-plane": {
                "services": ["chainfire"],
                "interface": { "eth0": { "network": "control-plane" } },
            },
        },
        "node": {
            "node01": {
                "profile": "control-plane",
                "mac": "3c:ec:ef:00:00:01",
                "address": { "control-plane": "192.168.7.10" },
                "disks": ["/dev/disk/by-id/ata-EXAMPLE_1"],
                "serial": "S1",
                "bmc": { "address": "192.168.7.11", "password_file": "bmc/node01" },
                "disk": { "single": {} },
            },
        },
    })
}

/// The cluster that `inventory` describes.
fn cluster(inventory: &Value) -> Value {
    let tables = inventory.as_object().unwrap();
    let text: String = tables.iter().map(|(key, value)| format!("{key} = {}\n", toml(value))).collect();
    let checked = check(text.as_bytes()).unwrap();
    serde_json::to_value(checked.cluster.unwrap_or_else(|| panic!("{text}\n{:#?}", checked.diagnostics)))
        .unwrap()
}

/// The table at `path`, made if need be.
fn at<'v>(inventory: &'v mut Value, path: &[String]) -> &'v mut Value {
    path.iter().fold(inventory, |table, key| {
        table.as_object_mut().unwrap().entry(key.clone()).or_insert_with(|| json!({}))
    })
}

#[test]
fn defaults_are_those_that_resolving_fills_in() {
    let mut tried = 0;
    for place in places().iter().filter(|place| !place.schema["default"].is_null()) {
        let mut path = place.path.clone();
        // LVM takes no hyphen in the name of a volume.
        if let Some(volume) = path.iter().position(|key| key == "volume") {
            path[volume + 1] = "data".to_owned();
        }
        let (key, table) = path.split_last().unwrap();
        // A rule reads it, and a cluster of one node says `true`.
        if key == "single" && table == ["cluster"] {
            continue;
        }
        tried += 1;
        let mut without = base();
        if let Some(disk) = table.iter().position(|key| key == "disk") {
            let node = at(&mut without, &["node".to_owned(), "node01".to_owned()]);
            node.as_object_mut().unwrap().remove("disk");
            if table[disk + 1] == "raid1" {
                node["disks"] = json!(["/dev/disk/by-id/ata-EXAMPLE_1", "/dev/disk/by-id/ata-EXAMPLE_2"]);
            }
            if let Some(volume) = table.iter().position(|key| key == "volume") {
                *at(&mut without, &table[..volume + 2]) = json!({ "size": "1G", "mount": "/var/lib/x" });
            }
            at(&mut without, table);
            if table[0] == "node" {
                // The profile's layout is another: the node's takes its place.
                let profile = ["profile", "control-plane", "disk"].map(str::to_owned);
                *at(&mut without, &profile) = json!({ "luks": { "esp": "2G", "format": "xfs" } });
            }
        }
        if key == "cpu" {
            let node = ["node", "node01", "hardware"].map(str::to_owned);
            *at(&mut without, &node) = json!("control-plane");
        }
        let mut with = without.clone();
        at(&mut with, table)[key] = place.schema["default"].clone();
        assert_eq!(cluster(&with), cluster(&without), "{:?}", place.path);
    }
    assert!(tried > 30, "{tried}");
}
