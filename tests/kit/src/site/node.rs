//! Profiles and nodes.

use std::fmt::Write as _;

use super::Nets;
use super::network::Place;
use crate::dice::Dice;

/// A profile, and the addresses that its nodes must name interfaces by.
pub(super) struct Profile {
    name: &'static str,
    pub(super) toml: String,
    /// The interface that boots, where it is not `eth0`.
    boots: &'static str,
    /// The interfaces that only the node's own addresses bind.
    bound: &'static [&'static str],
    /// Whether its nodes stand in the users' network.
    users: bool,
    arm: bool,
}

pub(super) struct Node {
    pub(super) name: &'static str,
    pub(super) toml: String,
}

/// Words that some language takes for something else, among ordinary ones.
const NAMES: [&str; 20] = [
    "node01",
    "node02",
    "node03",
    "n1",
    "a",
    "web-3x",
    "r1n1",
    "1e5",
    "0x-10",
    "true",
    "null",
    "on",
    "10-20-30-40",
    "host",
    "subnet",
    "include",
    "in",
    "mx",
    "a-very-long-name-for-a-machine-in-a-rack",
    "zone",
];

const OTHER_SERVICES: [&str; 7] =
    ["iam", "plasmavmc", "prismnet", "flashdns", "fiberlb", "k8shost", "archive"];

pub(super) fn profiles(dice: &mut Dice, nets: &Nets) -> Vec<Profile> {
    let mut names = vec!["control-plane"];
    names.extend(dice.some(&["worker", "all-in-one", "storage", "edge-2"], 50));
    names.into_iter().map(|name| profile(dice, nets, name)).collect()
}

fn profile(dice: &mut Dice, nets: &Nets, name: &'static str) -> Profile {
    let mut services = vec!["chainfire", "flaredb"];
    services.extend(dice.some(&OTHER_SERVICES, 35));
    let mut toml = format!("\n[profile.{name}]\nservices = {services:?}\n");
    if services.contains(&"archive") {
        toml.push_str("modules = [\"custom/archive.nix\"]\n");
    }
    if ["storage", "edge-2"].contains(&name) {
        writeln!(toml, "base = {:?}", dice.pick(&["control-plane", "worker", "all-in-one"])).unwrap();
    }
    let arm = dice.chance(25);
    if arm {
        toml.push_str("system = \"aarch64-linux\"\n");
    } else if dice.chance(25) {
        toml.push_str("firmware = \"bios\"\n");
    }
    if dice.chance(40) {
        toml.push_str("kernel_params = [\"console=ttyS0,115200\", \"quiet\"]\n");
    }
    toml.push_str(dice.pick(&["disk.single = {}\n", "disk.single = { esp = \"2G\", format = \"xfs\" }\n"]));
    let users = nets.users.is_some() && dice.chance(60);
    let (boots, bound) = interfaces(dice, nets, users, &mut toml);
    Profile { name, toml, boots, bound, users, arm }
}

/// What the interfaces are: one network for all, ports of their own, tags, bonds, or names bound by address.
fn interfaces(
    dice: &mut Dice,
    nets: &Nets,
    users: bool,
    toml: &mut String,
) -> (&'static str, &'static [&'static str]) {
    let (boot, core) = (&nets.all[nets.boot[0]], &nets.all[nets.core]);
    let mut say = |line: String| writeln!(toml, "interface.{line}").unwrap();
    if nets.single() {
        if dice.chance(30) {
            let members = "bond = { mode = \"active-backup\", members = [\"eth0\", \"eth1\"] }";
            say(format!("bond0 = {{ network = \"{}\", {members} }}", boot.name));
            return ("bond0", &[]);
        }
        say(format!("eth0 = {{ network = \"{}\" }}", boot.name));
        return ("eth0", &[]);
    }
    let mtu = core.mtu.map_or(String::new(), |mtu| format!(", mtu = {mtu}"));
    let (shape, boots, bound, trunk): (_, _, &'static [&'static str], _) = match (dice.below(5), core.vlan) {
        (0, Some(vlan)) => {
            say(format!("eth0 = {{ network = \"{}\"{mtu} }}", boot.name));
            say(format!("\"eth0.{vlan}\" = {{ network = \"{}\", tagged = true{mtu} }}", core.name));
            ("tagged", "eth0", &[], "eth0")
        }
        (1, Some(vlan)) => {
            // The machine is known by each member whose address is there.
            let bound: &[&str] = if core.mtu.is_none() { &["lan0", "lan1"] } else { &[] };
            let members = if bound.is_empty() { &["eth0", "eth1"] } else { bound };
            let members = format!("bond = {{ mode = \"active-backup\", members = {members:?} }}");
            say(format!("bond0 = {{ network = \"{}\", {members}{mtu} }}", boot.name));
            say(format!("\"bond0.{vlan}\" = {{ network = \"{}\", tagged = true{mtu} }}", core.name));
            ("all bonded", "bond0", bound, "bond0")
        }
        (2, _) => {
            let mode = dice.pick(&["802.3ad", "active-backup", "balance-xor"]);
            let tag = dice.chance(40) && core.vlan.is_some();
            let tag = if tag { ", tagged = true" } else { "" };
            say(format!("eth0 = {{ network = \"{}\" }}", boot.name));
            let members = format!("bond = {{ mode = \"{mode}\", members = [\"eth1\", \"eth2\"] }}");
            say(format!("bond0 = {{ network = \"{}\"{tag}{mtu}, {members} }}", core.name));
            ("bonded", "eth0", &[], "bond0")
        }
        (3, _) => {
            say(format!("lan0 = {{ network = \"{}\" }}", boot.name));
            say(format!("lan1 = {{ network = \"{}\"{mtu} }}", core.name));
            ("bound", "lan0", &["lan0", "lan1"], "lan1")
        }
        _ => {
            say(format!("eth0 = {{ network = \"{}\" }}", boot.name));
            say(format!("eth1 = {{ network = \"{}\"{mtu} }}", core.name));
            ("ports", "eth0", &[], "eth1")
        }
    };
    if let Some(net) = nets.users.map(|at| &nets.all[at]).filter(|_| users) {
        match net.vlan.filter(|_| shape != "ports") {
            Some(vlan) => {
                say(format!("\"{trunk}.{vlan}\" = {{ network = \"{}\", tagged = true }}", net.name));
            }
            None => say(format!("eth4 = {{ network = \"{}\" }}", net.name)),
        }
    }
    if let Some(net) = nets.backup.map(|at| &nets.all[at]) {
        say(format!("eth5 = {{ network = \"{}\" }}", net.name));
    }
    (boots, bound)
}

pub(super) fn nodes(dice: &mut Dice, nets: &mut Nets, profiles: &[Profile]) -> Vec<Node> {
    let count = 3 + dice.below(7);
    let first = dice.below(u32::try_from(NAMES.len()).unwrap());
    let names = NAMES.iter().cycle().skip(first as usize);
    let each = |(at, name): (u32, &&'static str)| {
        let profile = &profiles[dice.below(u32::try_from(profiles.len()).unwrap()) as usize];
        node(dice, nets, profile, at, name)
    };
    (1..=count).zip(names).map(each).collect()
}

fn node(dice: &mut Dice, nets: &mut Nets, profile: &Profile, at: u32, name: &'static str) -> Node {
    let vendor = dice.pick(&["3c:ec:ef", "b8:ce:f6", "00:25:90", "e4:3d:1a"]);
    let high = dice.below(200);
    let mac = |nic: u32| format!("{vendor}:{high:02x}:{:02x}:{nic:02x}", at * 16);
    let mut toml = format!("\n[node.{name}]\nprofile = \"{}\"\nmac = \"{}\"\n", profile.name, mac(0xa));
    let boot = dice.pick(&nets.boot.clone());
    if boot != nets.boot[0] {
        writeln!(toml, "interface.{}.network = \"{}\"", profile.boots, nets.all[boot].name).unwrap();
    }
    for (nic, interface) in profile.bound.iter().enumerate() {
        let address = mac(0xa + u32::try_from(nic).unwrap());
        writeln!(toml, "interface.{interface}.mac = \"{address}\"").unwrap();
    }
    let mut stands = vec![boot];
    stands.extend(Some(nets.core).filter(|_| !nets.single()));
    stands.extend(nets.users.filter(|_| profile.users));
    stands.extend(nets.backup);
    for at in stands {
        let net = &mut nets.all[at];
        let Place { v4, v6 } = net.take(dice);
        v4.into_iter().for_each(|address| writeln!(toml, "address.{} = \"{address}\"", net.name).unwrap());
        // A node reaches both gateways of the network with its default route (C10).
        let is_routed = net.roles.contains(&"cluster") && net.gateway6().is_some();
        let dual = v4.is_none() || dice.chance(85) || is_routed;
        v6.filter(|_| dual)
            .into_iter()
            .for_each(|address| writeln!(toml, "address6.{} = \"{address}\"", net.name).unwrap());
    }
    if let Some(at) = nets.management.filter(|_| dice.chance(70)) {
        let place = nets.all[at].take(dice);
        let address = place.v4.map(|ip| ip.to_string()).or(place.v6.map(|ip| ip.to_string())).unwrap();
        let protocol = dice.pick(&["redfish", "ipmi"]);
        let known = match place.v4 {
            Some(_) if at % 2 == 0 => format!(", mac = \"{}\"", mac(0x1f)),
            _ => String::new(),
        };
        writeln!(
            toml,
            "bmc = {{ address = \"{address}\", password_file = \"bmc/{name}\", protocol = \"{protocol}\"{known} }}"
        )
        .unwrap();
    }
    if !profile.arm && dice.chance(20) {
        toml.push_str(
            dice.pick(&["system = \"aarch64-linux\"\nfirmware = \"uefi\"\n", "hardware = \"dell-r650\"\n"]),
        );
    }
    writeln!(toml, "disks = [\"/dev/disk/by-id/ata-EXAMPLE_{at}\"]\nserial = \"S{at}\"").unwrap();
    Node { name, toml }
}
