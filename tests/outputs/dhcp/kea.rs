//! Kea's files read back, of both families.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use serde_json::{Value, json};

use crate::dhcp::facts::{Subnet, Subnets, boots, subnets, table};
use crate::dhcp::servers::without_extra;
use crate::dhcp::sites::{Site, edited, racks, sites};

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no string")).to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list"))
}

/// The data of the option `name` of a class or a subnet.
fn option(of: &Value, name: &str) -> Option<String> {
    let options = of.get("option-data")?;
    let mut named = list(options).iter().filter(|entry| entry["name"] == name);
    let found = named.next().map(|entry| text(&entry["data"]));
    assert!(named.next().is_none(), "{name} is there twice");
    found
}

fn addresses(data: Option<String>) -> Vec<IpAddr> {
    data.map_or(vec![], |data| data.split(", ").map(|address| address.parse().unwrap()).collect())
}

fn subnet(entry: &Value) -> (IpNet, Subnet) {
    let pools = list(&entry["pools"]);
    let pool = pools.first().map(|pool| {
        let pool = text(&pool["pool"]);
        let (first, last) = pool.split_once('-').unwrap();
        (first.parse().unwrap(), last.parse().unwrap())
    });
    assert!(pools.len() <= 1);
    let host = |reservation: &Value| {
        let address = reservation.get("ip-address").unwrap_or_else(|| &reservation["ip-addresses"][0]);
        (text(&reservation["hw-address"]), text(address).parse().unwrap(), text(&reservation["hostname"]))
    };
    let hosts = list(&entry["reservations"]);
    let subnet = Subnet {
        pool,
        routers: addresses(option(entry, "routers")),
        resolvers: addresses(option(entry, "domain-name-servers").or(option(entry, "dns-servers"))),
        domain: option(entry, "domain-name").or(option(entry, "domain-search")),
        hosts: hosts.iter().map(host).collect(),
    };
    assert_eq!(subnet.hosts.len(), hosts.len());
    (text(&entry["subnet"]).parse().unwrap(), subnet)
}

/// `Dhcp4` or `Dhcp6`, as JSON without any directive.
fn read(site: &Site, file: &str, key: &str) -> Value {
    let mut value: Value = serde_json::from_str(&without_extra(site.file(file))).unwrap();
    assert_eq!(value.as_object().unwrap().len(), 1);
    value[key].take()
}

fn ids(server: &Value, key: &str) -> BTreeMap<String, u64> {
    let all: BTreeMap<_, _> = list(&server[key])
        .iter()
        .map(|subnet| (text(&subnet["subnet"]), subnet["id"].as_u64().unwrap()))
        .collect();
    let numbers: BTreeSet<_> = all.values().collect();
    assert_eq!(numbers.len(), all.len());
    assert!(all.values().all(|id| (1..u64::from(u32::MAX)).contains(id)));
    all
}

#[test]
fn kea4_says_what_the_model_says() {
    for site in sites() {
        let server = read(&site, "kea-dhcp4.json", "Dhcp4");
        let found: Subnets = list(&server["subnet4"]).iter().map(subnet).collect();
        assert_eq!(found, subnets(&site.cluster, true), "{}", site.name);
        for (net, id) in ids(&server, "subnet4") {
            let IpNet::V4(net) = net.parse().unwrap() else { panic!("{net}") };
            assert_eq!(id, u64::from(u32::from(net.network())));
        }
        let provisioner = &site.cluster.provisioner;
        assert_eq!(server["next-server"], provisioner.home.address.to_string());
        let names: Vec<_> = provisioner.interfaces().map(|interface| interface.name.as_str()).collect();
        assert_eq!(server["interfaces-config"]["interfaces"], json!(names));
        assert_eq!((&server["match-client-id"], &server["authoritative"]), (&json!(false), &json!(true)));
        // Only the networks that the provisioner stands in are heard without a relay, each at its interface.
        let direct = list(&server["subnet4"]).iter().filter(|subnet| subnet.get("interface").is_some());
        let direct: Vec<&Value> = direct.collect();
        assert_eq!(direct.len(), provisioner.interfaces().count(), "{direct:?}");
        for subnet in direct {
            let net: IpNet = text(&subnet["subnet"]).parse().unwrap();
            let mut interfaces = provisioner.interfaces();
            let interface =
                interfaces.find(|interface| net.contains(&IpAddr::V4(interface.address))).unwrap();
            assert_eq!(subnet["interface"], interface.name.as_str());
            let next_server = subnet.get("next-server").unwrap_or(&server["next-server"]);
            assert_eq!(*next_server, interface.address.to_string());
        }
    }
}

/// Whether nodes of `platform`, or unknown machines, that announce `architecture` are in the class with this test.
fn is_in_class(test: &str, platform: Option<&str>, architecture: &str) -> bool {
    let announces = |condition: &str| {
        let entry = |at| format!("substring(option[93].hex, {at}, 2) == 0x{}", architecture.to_uppercase());
        let count = [0, 2, 4].iter().filter(|at| condition.contains(&entry(**at))).count();
        assert!(matches!(count, 0 | 3), "{condition}");
        count > 0
    };
    let test = test.strip_prefix("not member('ipxe') and ").unwrap_or_else(|| panic!("{test}"));
    if let Some(rest) = test.strip_prefix("member('KNOWN') and member('") {
        let (name, condition) = rest.split_once("')").unwrap();
        return platform == Some(name) && (condition.is_empty() || announces(condition));
    }
    let (condition, foreign) = test.split_once(" and not (member('KNOWN') and (").unwrap_or((test, ""));
    announces(condition) && platform.is_none_or(|name| !foreign.contains(&format!("member('{name}')")))
}

#[test]
fn kea4_has_a_boot_file_for_each_architecture() {
    for site in sites() {
        let server = read(&site, "kea-dhcp4.json", "Dhcp4");
        let classes = list(&server["client-classes"]);
        let (reserved, tested): (Vec<_>, Vec<_>) =
            classes.iter().partition(|class| class.get("test").is_none());
        let mut platforms: Vec<String> = reserved.iter().map(|class| text(&class["name"])).collect();
        platforms.retain(|name| name != "several-nics");
        // What machines load from the address of another interface is asked of the server itself, by packets.
        let is_elsewhere = |class: &&&Value| {
            let test = class["test"].as_str().unwrap();
            test.starts_with("(pkt.iface == '") || test.starts_with("member('at-")
        };
        let (script, tested): (Vec<&Value>, Vec<&Value>) = tested
            .iter()
            .filter(|class| !is_elsewhere(class))
            .partition(|class| class["test"] == "member('ipxe')");
        let [ipxe, others @ ..] = &tested[..] else { panic!("no class has a test") };
        assert_eq!(text(&ipxe["name"]), "ipxe", "iPXE is the first");
        assert_eq!(
            text(&ipxe["test"]),
            "option[77].hex == 'iPXE' or substring(option[77].hex, 0, 5) == 0x0469505845"
        );
        assert_eq!(ipxe["option-data"][0]["code"], 175);
        assert_eq!(ipxe["option-data"][0]["data"], "B00101", "option 176, one byte, 1");
        let boot_of = |platform: Option<&str>, architecture: &str| {
            let boots = |class: &&&Value| {
                class.get("boot-file-name").is_some()
                    && is_in_class(class["test"].as_str().unwrap(), platform, architecture)
            };
            // Of several classes, Kea takes the first one's.
            let Some(class) = others.iter().find(boots) else {
                return (text(&server["boot-file-name"]), false);
            };
            let vendor = option(class, "vendor-class-identifier");
            assert!(vendor.as_deref().is_none_or(|identifier| identifier == "HTTPClient"));
            (text(&class["boot-file-name"]), vendor.is_some())
        };
        let mut found = table(&platforms, boot_of);
        let script = script.first().unwrap_or(ipxe);
        found.insert("ipxe".to_owned(), (text(&script["boot-file-name"]), false));
        assert_eq!(found, boots(&site.cluster), "{}", site.name);
        // Each reservation says what kind of machine it is for.
        for host in list(&server["subnet4"]).iter().flat_map(|subnet| list(&subnet["reservations"])) {
            let node = site.cluster.nodes.iter().find(|node| node.name.as_str() == text(&host["hostname"]));
            let Some(node) = node else {
                // A BMC, which boots nothing.
                assert!(text(&host["hostname"]).ends_with("-bmc") && host.get("client-classes").is_none());
                continue;
            };
            let platform = format!("{}-{}", node.system.as_str(), node.firmware.as_str());
            let mut expected = vec![json!(platform)];
            expected.extend((node.boot_macs().len() > 1).then(|| json!("several-nics")));
            assert_eq!(host["client-classes"], json!(expected));
        }
    }
}

/// An address may be reserved twice where the NICs of a node share the address, and nowhere else.
#[test]
fn kea_is_told_of_shared_addresses() {
    for site in sites() {
        let is_shared = site.cluster.nodes.iter().any(|node| node.boot_macs().len() > 1);
        for (file, top) in [("kea-dhcp4.json", "Dhcp4"), ("kea-dhcp6.json", "Dhcp6")] {
            let server = site.find(file).map(|_| read(&site, file, top));
            let unique = server.map(|server| server.get("ip-reservations-unique").cloned());
            assert!(
                unique.is_none_or(|unique| unique == is_shared.then_some(Value::Bool(false))),
                "{}",
                site.name
            );
        }
    }
}

#[test]
fn kea6_says_what_the_model_says_where_there_is_ipv6() {
    for site in sites() {
        let expected = subnets(&site.cluster, false);
        assert_eq!(site.find("kea-dhcp6.json").is_some(), !expected.is_empty(), "{}", site.name);
        if expected.is_empty() {
            continue;
        }
        let server = read(&site, "kea-dhcp6.json", "Dhcp6");
        let found: Subnets = list(&server["subnet6"]).iter().map(subnet).collect();
        assert_eq!(found, expected, "{}", site.name);
        ids(&server, "subnet6");
    }
}

/// Leases refer to subnets by number.
#[test]
fn a_subnet_keeps_its_number_when_others_come_and_go() {
    let (few, many) = (edited("ipv6", &[]), racks());
    for (file, top, key) in [("kea-dhcp4.json", "Dhcp4", "subnet4"), ("kea-dhcp6.json", "Dhcp6", "subnet6")] {
        let [few, many] = [&few, &many].map(|site| ids(&read(site, file, top), key));
        assert!(few.len() < many.len() && few.iter().all(|(net, id)| many[net] == *id), "{few:?} {many:?}");
    }
    assert_eq!(
        ids(&read(&few, "kea-dhcp4.json", "Dhcp4"), "subnet4")["10.0.100.0/24"],
        u64::from(u32::from(Ipv4Addr::new(10, 0, 100, 0)))
    );
}
