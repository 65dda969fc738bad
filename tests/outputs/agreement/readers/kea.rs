//! Kea's two servers: they accept their files (`-t`, where their interface is there), which are JSON.

use std::collections::BTreeMap;

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
    let classes = list(&server["client-classes"]);
    // Reservations name the classes without a test.
    let reserved =
        classes.iter().filter(|class| class.get("test").is_none()).map(|class| string(&class["name"]));
    let (platforms, shared): (Vec<_>, Vec<_>) = reserved.partition(|name| name.contains("-linux-"));
    assert!(matches!(shared[..], [] | ["several-nics"]), "{shared:?}");
    for entry in classes.iter().filter(|class| class.get("test").is_some()) {
        class(entry, &platforms, &mut facts);
    }
    for subnet in list(&server["subnet4"]) {
        only(subnet, "", &SUBNET);
        let net = string(&subnet["subnet"]);
        facts.add(net, "subnet", net);
        if let Some(address) = subnet.get("next-server") {
            facts.add("site", "next server", string(address));
        }
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
        list(&subnet["reservations"]).iter().for_each(|entry| reservation(entry, &shared, &mut facts));
    }
    let kinds = &[
        "MAC in DHCP",
        "platform",
        "name in DHCP",
        "reserved IPv4",
        "BMC in DHCP",
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

/// Reads the reservation of a node.
fn reservation(reservation: &Value, shared: &[&str], facts: &mut Facts) {
    only(reservation, "", &["hw-address", "ip-address", "hostname", "client-classes"]);
    let name = string(&reservation["hostname"]);
    if let Some(node) = name.strip_suffix("-bmc") {
        assert!(reservation.get("client-classes").is_none(), "{name} loads nothing");
        let [mac, address] = ["hw-address", "ip-address"].map(|key| string(&reservation[key]));
        return facts.add(node, "BMC in DHCP", format!("{mac} {address}"));
    }
    facts.add(name, "MAC in DHCP", string(&reservation["hw-address"]));
    for class in list(&reservation["client-classes"]).into_iter().map(string) {
        if class == "several-nics" {
            assert_eq!(shared, ["several-nics"]);
        } else {
            facts.add(name, "platform", class);
        }
    }
    facts.add(name, "name in DHCP", name);
    facts.add(name, "reserved IPv4", string(&reservation["ip-address"]));
}

/// What a server says of itself, and not of machines.
const GENERAL: [&str; 11] = [
    "ip-reservations-unique",
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

/// Reads the facts of a subnet.
const SUBNET: [&str; 9] = [
    "id",
    "subnet",
    "interface",
    "next-server",
    "relay",
    "user-context",
    "pools",
    "option-data",
    "reservations",
];

/// Reads the file that a class of machines loads, or how long the leases of the class live.
fn class(class: &Value, platforms: &[&str], facts: &mut Facts) {
    only(class, "", &["name", "test", "boot-file-name", "option-data", "valid-lifetime"]);
    let test = string(&class["test"]);
    if class.get("valid-lifetime").is_some() {
        assert!(
            class.get("boot-file-name").is_none()
                && test.starts_with("member('KNOWN') and member('several-nics')")
        );
        return;
    }
    // The machines of an interface, and what these load: the test of that is within parentheses.
    if let Some(heard) = test.strip_prefix("(pkt.iface == '") {
        let (_, relayed) = heard.split_once("' and pkt4.giaddr == 0.0.0.0)").unwrap();
        let mut relays = relayed.split(" or ").skip(1);
        assert!(relays.all(|relay| relay.starts_with("substring(pkt4.giaddr, 0, ")), "{test}");
        assert!(class.get("boot-file-name").is_none());
        return;
    }
    let within =
        test.strip_prefix("member('at-").and_then(|rest| rest.split_once("') and (")?.1.strip_suffix(')'));
    let machines = match within.unwrap_or(test) {
        "member('ipxe')" => vec!["iPXE".to_owned()],
        test => machines(test, string(&class["name"]), platforms),
    };
    assert!(!machines.is_empty(), "{test}");
    if let Some(file) = class.get("boot-file-name") {
        machines.iter().for_each(|machine| facts.add(machine, "boot file", string(file)));
    } else {
        assert_eq!(class["name"], "ipxe");
    }
    for option in class.get("option-data").map(list).unwrap_or_default() {
        match (option.get("name").map(string), option.get("code").and_then(Value::as_u64)) {
            (Some("vendor-class-identifier"), None) => {
                let class = string(&option["data"]);
                machines.iter().for_each(|machine| facts.add(machine, "vendor class", class));
            }
            (None, Some(175)) => assert_eq!((&*machines[0], string(&option["data"])), ("iPXE", "B00101")),
            other => panic!("{DHCP4} says {other:?} to {machines:?}, which no reader knows"),
        }
    }
}

/// The machines that are in a class by its test.
fn machines(test: &str, name: &str, platforms: &[&str]) -> Vec<String> {
    if test == "option[77].hex == 'iPXE' or substring(option[77].hex, 0, 5) == 0x0469505845" {
        assert_eq!(name, "ipxe");
        return vec!["iPXE".to_owned()];
    }
    let test = test.strip_prefix("not member('ipxe') and ").unwrap();
    if let Some(rest) = test.strip_prefix("member('KNOWN') and ") {
        let (platform, rest) = rest.strip_prefix("member('").unwrap().split_once("')").unwrap();
        assert!(platforms.contains(&platform), "{test}");
        let architectures =
            rest.strip_prefix(" and (").map(|rest| announced(rest.strip_suffix(')').unwrap()));
        let architectures = architectures.unwrap_or_else(|| vec!["none".to_owned()]);
        return architectures.iter().map(|architecture| format!("{platform} {architecture}")).collect();
    }
    let test = test.strip_prefix('(').unwrap();
    let (condition, foreign) = match test.split_once(") and not (member('KNOWN') and (") {
        Some(parts) => parts,
        None => (test.strip_suffix(')').unwrap(), ""),
    };
    let architectures = announced(condition);
    let [architecture] = &architectures[..] else { panic!("{test}") };
    let runs = platforms.iter().filter(|platform| !foreign.contains(&format!("member('{platform}')")));
    runs.map(|platform| format!("{platform} {architecture}")).chain([architecture.clone()]).collect()
}

/// The architectures of a condition that compares the first three entries of option 93.
fn announced(condition: &str) -> Vec<String> {
    let mut entries = BTreeMap::<&str, Vec<&str>>::new();
    for part in condition.split(" or ") {
        let rest = part.strip_prefix("substring(option[93].hex, ").unwrap_or_else(|| panic!("{part}"));
        let (at, architecture) = rest.split_once(", 2) == 0x00").unwrap();
        entries.entry(architecture).or_default().push(at);
    }
    assert!(entries.values().all(|at| at[..] == ["0", "2", "4"]), "{condition}");
    entries.into_keys().map(|architecture| format!("0x{}", architecture.to_lowercase())).collect()
}

fn dhcp6(tree: &Tree) -> Said {
    let mut facts = Facts::default();
    let file = tree.files.get(DHCP6).map(|text| serde_json::from_str::<Value>(text).unwrap());
    if let Some(server) = file.map(|file| only(&file, "Dhcp6", &[])["Dhcp6"].clone()) {
        only(&server, "subnet6", &GENERAL);
        for subnet in list(&server["subnet6"]) {
            only(subnet, "", &SUBNET);
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
