//! Kea's two servers: they accept their files (`-t`, where their interface is there), which are JSON.

use serde_json::Value;

use super::{SaidOfEach, StandIns};
use crate::agreement::facts::{Facts, Said};
use crate::agreement::namespace::{interfaces, script};
use crate::agreement::tree::Tree;

pub(crate) fn read(trees: &[Tree]) -> SaidOfEach {
    for (program, file) in [("kea-dhcp4", DHCP4), ("kea-dhcp6", DHCP6)] {
        let files = StandIns::new(trees, file, "\"option-data\": []\n");
        script(program, &format!("{}{KEA}", interfaces(trees)).replace("PROGRAM", program), &files.paths);
    }
    trees.iter().map(|tree| vec![dhcp4(tree), dhcp6(tree)]).collect()
}

const DHCP4: &str = "site/pxe/kea-dhcp4.json";
const DHCP6: &str = "site/pxe/kea-dhcp6.json";

const KEA: &str = r#"
export KEA_PIDFILE_DIR=/nowhere KEA_LOCKFILE_DIR=none KEA_LOGGER_DESTINATION=stdout
for file; do PROGRAM -t "$file" || { cat "$file" >&2; exit 1; }; done"#;

fn dhcp4(tree: &Tree) -> Said {
    let mut facts = Facts::default();
    let mut text = tree.file(DHCP4).to_owned();
    // The user's own additions are no JSON, but a directive of Kea's.
    if let Some((before, rest)) = text.split_once(",\n    <?include \"") {
        let (path, after) = rest.split_once("\"?>").unwrap();
        facts.add("site", "extra of Kea", path);
        text = format!("{before}{after}");
    }
    let file: Value = serde_json::from_str(&text).unwrap();
    let server = only(&file, "Dhcp4", &[])["Dhcp4"].clone();
    let known = ["client-classes", "boot-file-name", "next-server", "subnet4"];
    only(&server, "", &[&known[..], &GENERAL].concat());
    facts.add("site", "next server", string(&server["next-server"]));
    facts.add("none", "boot file", string(&server["boot-file-name"]));
    list(&server["client-classes"]).iter().for_each(|entry| class(entry, &mut facts));
    for subnet in list(&server["subnet4"]) {
        only(
            subnet,
            "",
            &["id", "subnet", "interface", "relay", "user-context", "pools", "option-data", "reservations"],
        );
        let net = string(&subnet["subnet"]);
        facts.add(net, "subnet", net);
        list(&subnet["pools"]).iter().for_each(|pool| facts.add(net, "pool", string(&pool["pool"])));
        for option in list(&subnet["option-data"]) {
            let kind = match string(&option["name"]) {
                "routers" => "router",
                "domain-name-servers" => "resolver",
                "domain-name" => "domain",
                "broadcast-address" => "broadcast",
                other => panic!("{DHCP4} says {other} of {net}, which no reader knows"),
            };
            string(&option["data"]).split(", ").for_each(|value| facts.add(net, kind, value));
        }
        for reservation in list(&subnet["reservations"]) {
            only(reservation, "", &["hw-address", "ip-address", "hostname"]);
            let name = string(&reservation["hostname"]);
            facts.add(name, "MAC in DHCP", string(&reservation["hw-address"]));
            facts.add(name, "name in DHCP", name);
            facts.add(name, "reserved IPv4", string(&reservation["ip-address"]));
        }
    }
    let kinds = &[
        "MAC in DHCP",
        "name in DHCP",
        "reserved IPv4",
        "subnet",
        "broadcast",
        "pool",
        "router",
        "resolver",
        "domain",
        "boot file",
        "vendor class",
        "next server",
        "extra of Kea",
    ];
    Said { source: DHCP4, kinds, facts }
}

/// What a server says of itself, and not of machines.
const GENERAL: [&str; 10] = [
    "interfaces-config",
    "lease-database",
    "loggers",
    "authoritative",
    "match-client-id",
    "host-reservation-identifiers",
    "mac-sources",
    "valid-lifetime",
    "max-valid-lifetime",
    "preferred-lifetime",
];

/// What a class of machines loads.
fn class(class: &Value, facts: &mut Facts) {
    only(class, "", &["name", "test", "boot-file-name", "option-data"]);
    let test = string(&class["test"]);
    let machine = match test.strip_prefix("not member('ipxe') and option[93].hex == 0x00") {
        Some(architecture) => format!("0x{}", architecture.to_lowercase()),
        None => {
            assert_eq!(test, "option[77].hex == 'iPXE' or option[77].hex == 0x0469505845");
            assert_eq!(string(&class["name"]), "ipxe");
            "iPXE".to_owned()
        }
    };
    facts.add(&machine, "boot file", string(&class["boot-file-name"]));
    for option in class.get("option-data").map(list).unwrap_or_default() {
        match (option.get("name").map(string), option.get("code").and_then(Value::as_u64)) {
            (Some("vendor-class-identifier"), None) => {
                facts.add(&machine, "vendor class", string(&option["data"]));
            }
            (None, Some(175)) => assert_eq!((machine.as_str(), string(&option["data"])), ("iPXE", "B00101")),
            other => panic!("{DHCP4} says {other:?} to {machine}, which no reader knows"),
        }
    }
}

fn dhcp6(tree: &Tree) -> Said {
    let mut facts = Facts::default();
    let file = tree.files.get(DHCP6).map(|text| serde_json::from_str::<Value>(text).unwrap());
    if let Some(server) = file.map(|file| only(&file, "Dhcp6", &[])["Dhcp6"].clone()) {
        only(&server, "subnet6", &GENERAL);
        for subnet in list(&server["subnet6"]) {
            only(
                subnet,
                "",
                &[
                    "id",
                    "subnet",
                    "interface",
                    "relay",
                    "user-context",
                    "pools",
                    "option-data",
                    "reservations",
                ],
            );
            let net = string(&subnet["subnet"]);
            facts.add(net, "IPv6 subnet", net);
            list(&subnet["pools"]).iter().for_each(|pool| facts.add(net, "IPv6 pool", string(&pool["pool"])));
            for option in list(&subnet["option-data"]) {
                let kind = match string(&option["name"]) {
                    "dns-servers" => "IPv6 resolver",
                    "domain-search" => "IPv6 domain",
                    other => panic!("{DHCP6} says {other} of {net}, which no reader knows"),
                };
                string(&option["data"]).split(", ").for_each(|value| facts.add(net, kind, value));
            }
            for reservation in list(&subnet["reservations"]) {
                only(reservation, "", &["hw-address", "ip-addresses", "hostname"]);
                let name = string(&reservation["hostname"]);
                facts.add(name, "MAC in DHCPv6", string(&reservation["hw-address"]));
                facts.add(name, "name in DHCPv6", name);
                list(&reservation["ip-addresses"])
                    .iter()
                    .for_each(|address| facts.add(name, "reserved IPv6", string(address)));
            }
        }
    }
    let kinds = &[
        "MAC in DHCPv6",
        "name in DHCPv6",
        "reserved IPv6",
        "IPv6 subnet",
        "IPv6 pool",
        "IPv6 resolver",
        "IPv6 domain",
    ];
    Said { source: DHCP6, kinds, facts }
}

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no string"))
}

fn list(value: &Value) -> Vec<&Value> {
    value.as_array().into_iter().flatten().collect()
}

/// `map`, which has no other keys than `key` and `others`.
fn only<'a>(map: &'a Value, key: &str, others: &[&str]) -> &'a Value {
    for name in map.as_object().unwrap().keys() {
        assert!(
            name == key || others.contains(&name.as_str()),
            "{name}: {} is known to no reader",
            map[name]
        );
    }
    map
}
