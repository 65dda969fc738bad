//! Everything beside networks and nodes.

use std::fmt::Write as _;

use super::Nets;
use super::node::Node;
use crate::dice::Dice;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL845TiWoOe2XrCMNfJUqPLN1eh7VXS0D1UnHilzay57 ops@example.com";

pub(super) fn cluster(dice: &mut Dice, domain: &str, nodes: &[Node]) -> String {
    let voters = if nodes.len() >= 5 && dice.chance(40) { 5 } else { 3 };
    let single = dice.chance(8);
    let voters = if single { 1 } else { voters };
    let bootstrap: Vec<&str> = nodes.iter().rev().take(voters).map(|node| node.name).collect();
    let name = dice.pick(&["prod", "lab-1", "small"]);
    let release = dice.pick(&["24.11", "25.05"]);
    let mut toml = format!(
        "schema = 1\n\n[cluster]\nname = {name:?}\ndomain = {domain:?}\nbootstrap = {bootstrap:?}\n\
         state_version = {release:?}\nadmin_keys = [{KEY:?}]\n"
    );
    if single {
        toml.push_str("single = true\n");
    }
    if dice.chance(30) {
        toml.push_str("formed = true\n");
    }
    toml
}

pub(super) fn provisioner(dice: &mut Dice, nets: &mut Nets) -> String {
    // With several interfaces, each has a table of its own.
    let count = if nets.boot.len() > 1 && dice.chance(50) { 2 + dice.below(2) as usize } else { 1 };
    let mut is_router = false;
    let mut interfaces = Vec::new();
    for (at, name) in
        nets.boot.iter().zip([dice.pick(&["eth0", "enp1s0f0", "br-pxe"]), "eno2", "eth0.103"]).take(count)
    {
        let net = &mut nets.all[*at];
        let address = net.take(dice).v4.unwrap();
        if net.gateway && dice.chance(if is_router { 80 } else { 30 }) {
            net.routed_by = Some(address);
            is_router = true;
        }
        interfaces.push((name, net.name.clone(), address));
    }
    let mut toml = "\n[provisioner]\n".to_owned();
    if let [(name, network, address)] = interfaces.as_slice() {
        writeln!(toml, "network = {network:?}\naddress = \"{address}\"\ninterface = {name:?}").unwrap();
        interfaces.clear();
    }
    if is_router && dice.chance(50) {
        toml.push_str("nat = true\n");
    }
    let mut maybe = |percent, line: String| {
        if dice.chance(percent) {
            writeln!(toml, "{line}").unwrap();
        }
    };
    maybe(30, "http_port = 80".to_owned());
    maybe(60, "web_root = \"/srv/pxe\"".to_owned());
    for server in ["kea", "isc", "dnsmasq"] {
        maybe(15, format!("extra.{server} = \"/etc/plasmagen/{server}.conf\""));
    }
    let dhcp = dice.pick(&["kea", "isc", "dnsmasq"]);
    writeln!(toml, "dhcp = \"{dhcp}\"").unwrap();
    for (name, network, address) in interfaces {
        writeln!(toml, "\n[provisioner.interface.{name:?}]\nnetwork = {network:?}\naddress = \"{address}\"")
            .unwrap();
    }
    toml
}

/// Virtual addresses side by side in the core network.
pub(super) fn vips(dice: &mut Dice, nets: &mut Nets) -> String {
    let (mut v4, mut v6) = (String::new(), String::new());
    let core = &mut nets.all[nets.core];
    for name in dice.some(&["iam", "api", "flaredb"], 40) {
        let place = core.take_next();
        match (place.v4, place.v6) {
            (Some(address), None) => writeln!(v4, "{name} = \"{address}\"").unwrap(),
            (None, Some(address)) => writeln!(v6, "{name} = \"{address}\"").unwrap(),
            (Some(_), Some(address)) if dice.chance(50) => writeln!(v6, "{name} = \"{address}\"").unwrap(),
            (Some(address), Some(_)) => writeln!(v4, "{name} = \"{address}\"").unwrap(),
            (None, None) => {}
        }
    }
    let table = |name, lines: String| if lines.is_empty() { lines } else { format!("\n[{name}]\n{lines}") };
    table("vip", v4) + &table("vip6", v6)
}

/// Who resolves names: gateways, public servers, or the provisioner where there is no way out.
pub(super) fn resolvers(dice: &mut Dice, nets: &mut Nets) {
    let mut domains = Vec::new();
    for net in &mut nets.all {
        let mut servers: Vec<String> =
            net.gateway4().map(|gateway| gateway.to_string()).into_iter().collect();
        servers.extend(net.gateway6().map(|gateway| gateway.to_string()));
        let home = net.roles.contains(&"cluster");
        if home && net.gateway4().is_some() && dice.chance(40) {
            servers.push("9.9.9.9".to_owned());
        }
        if servers.is_empty() {
            // On the link: an address of the subnet that nobody has.
            let place = net.take_next();
            servers.extend(place.v4.map(|address| address.to_string()));
        }
        if home || dice.chance(60) {
            net.say(&format!("dns = {servers:?}"));
        }
        // A node has one name in a domain, so each network has a domain of its own.
        let domain =
            dice.pick(&["boot.example.com", "install.lab.example.org", "lab.example.org", "c.example.net"]);
        if dice.chance(40) && !domains.contains(&domain) {
            domains.push(domain);
            net.say(&format!("domain = {domain:?}"));
            if dice.chance(40) {
                net.say("zone = false");
            }
        }
    }
}

pub(super) fn services(dice: &mut Dice) -> String {
    let mut toml = "\n[service.archive]\nport = 7000\n".to_owned();
    toml.push_str(dice.pick(&["", "raft_port = 7001\n", "gossip_port = 7002\nhealth_port = 7003\n"]));
    toml.push_str(dice.pick(&["", "udp = true\n", "clients = true\n", "udp = true\nclients = true\n"]));
    for (name, line) in [
        ("chainfire", "port = 12379\nraft_port = 12380"),
        ("flaredb", "raft_port = 2580"),
        ("iam", "port = 8443\nsettings = { log_level = \"info\" }"),
        ("plasmavmc", "clients = false"),
        ("fiberlb", "health_port = 9192"),
        ("k8shost", "udp = true"),
    ] {
        if dice.chance(25) {
            writeln!(toml, "\n[service.{name}]\n{line}").unwrap();
        }
    }
    toml
}

/// The other tables; `provisioner` is the table of that name.
pub(super) fn rest(dice: &mut Dice, domain: &str, nets: &Nets, provisioner: &str) -> String {
    let mut toml = String::new();
    let any: Vec<String> = nets.all.iter().filter_map(|net| Some(net.v4?.to_string())).collect();
    if dice.chance(50) {
        toml.push_str("\n[firewall]\n");
        if dice.chance(50) {
            let mut from = vec!["192.168.7.0/24".to_owned()];
            from.extend(
                dice.some(&["fd00:99::/48", "203.0.113.9/32", "10.200.0.0/15"], 50)
                    .into_iter()
                    .map(str::to_owned),
            );
            writeln!(toml, "ssh_from = {from:?}").unwrap();
        }
        let source = &any[dice.below(u32::try_from(any.len()).unwrap()) as usize];
        for (name, rest) in [
            ("node-exporter", format!("port = 9100, from = [{source:?}]")),
            ("syslog", format!("port = 514, protocol = \"udp\", from = [{source:?}, \"fd00:77::/64\"]")),
            ("vxlan", "port = 4789, protocol = \"udp\", from = [\"198.51.100.0/24\"]".to_owned()),
            ("node-ports", format!("ports = \"30000-32767\", on = \"all\", from = [{source:?}]")),
            ("vrrp", format!("protocol = \"vrrp\", from = [{source:?}]")),
            ("experiment", "protocol = \"253\", on = \"provisioner\", from = [\"fd00:77::/64\"]".to_owned()),
            ("backup", "protocol = \"any\", on = \"provisioner\", from = [\"203.0.113.8/32\"]".to_owned()),
        ] {
            if dice.chance(50) {
                writeln!(toml, "open.{name} = {{ {rest} }}").unwrap();
            }
        }
    }
    if dice.chance(50) {
        toml.push_str("\n[dns]\n");
        if dice.chance(50) {
            let boot = format!("boot.{domain}");
            let servers = dice.some(&["ns1.example.edu", "10.255.0.53", &boot, "fd00:fff::53"], 60);
            writeln!(toml, "name_servers = {servers:?}").unwrap();
        }
        if dice.chance(50) {
            toml.push_str("contact = \"host.master@example.edu\"\n");
        }
        writeln!(toml, "ttl = \"{}\"", dice.pick(&["90s", "5m", "2d"])).unwrap();
    }
    let here = provisioner.split("\naddress = \"").nth(1).unwrap().split('"').next().unwrap();
    if dice.chance(50) {
        let servers = dice.some(&["ntp.example.edu", "192.0.2.123", here], 60);
        if !servers.is_empty() {
            writeln!(toml, "\n[ntp]\nservers = {servers:?}").unwrap();
        }
    }
    if dice.chance(40) {
        writeln!(toml, "\n[logging]\nforward = {:?}", dice.pick(&["log.example.edu", here])).unwrap();
    }
    if dice.chance(20) {
        toml.push_str("\n[boot]\npause = \"5s\"\n");
    }
    toml
}
