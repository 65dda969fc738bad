//! The committed files of NixOS agree with the options of today.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::{NODES, golden, units};

/// A setting of a unit file, `Section.Key=Value`.
type Settings = BTreeSet<String>;

fn read(node: &str, file: &str) -> Settings {
    let path = units(node).join(file);
    let text = fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}: run tests/networkd/evaluate NIXPKGS", path.display()));
    let mut section = String::new();
    let mut settings = Settings::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            Some(name) => name.clone_into(&mut section),
            None => assert!(settings.insert(format!("{section}.{line}")), "{file}: {line} is there twice"),
        }
    }
    settings
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The settings of the file for `device`, from the options of `node`.
fn expected(node: &Value, device: &str) -> Settings {
    let networking = &node["networking"];
    let mut settings = Settings::from([format!("Match.Name={device}"), "Network.DHCP=no".to_owned()]);
    let interface = &networking["interfaces"][device];
    settings.insert("Network.IPv6PrivacyExtensions=kernel".to_owned());
    settings.extend(interface["mtu"].as_u64().map(|mtu| format!("Link.MTUBytes={mtu}")));
    for address in
        ["ipv4", "ipv6"].iter().flat_map(|family| interface[family]["addresses"].as_array().unwrap())
    {
        settings.insert(format!("Network.Address={}/{}", text(&address["address"]), address["prefixLength"]));
    }
    for gateway in ["defaultGateway", "defaultGateway6"].map(|option| &networking[option]) {
        if gateway["interface"] == device {
            settings.insert(format!("Route.Gateway={}", text(&gateway["address"])));
        }
    }
    for (bond, options) in networking["bonds"].as_object().unwrap() {
        if options["interfaces"].as_array().unwrap().iter().any(|member| member == device) {
            settings.insert(format!("Network.Bond={bond}"));
        }
    }
    for (vlan, options) in networking["vlans"].as_object().unwrap() {
        if options["interface"] == device {
            settings.insert(format!("Network.VLAN={vlan}"));
        }
    }
    let network = &node["systemd"]["network"]["networks"][format!("40-{device}")];
    for (section, option) in [("Link", "linkConfig"), ("Network", "networkConfig")] {
        for (key, value) in network[option].as_object().unwrap() {
            settings.insert(format!("{section}.{key}={}", text(value)));
        }
    }
    settings
}

#[test]
fn the_files_say_what_the_options_say() {
    let all = golden();
    for node in NODES {
        let options = &all[format!("{node}.racks.example.com")];
        let devices: Vec<_> = options["networking"]["interfaces"].as_object().unwrap().keys().collect();
        let files =
            fs::read_dir(units(node)).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let networks: BTreeSet<_> = files.filter(|file| file.ends_with(".network")).collect();
        let wanted: BTreeSet<_> = devices.iter().map(|device| format!("40-{device}.network")).collect();
        let remedy = "run tests/networkd/evaluate NIXPKGS, and look at the difference";
        assert_eq!(networks, wanted, "{node}: {remedy}");
        for device in devices {
            let file = read(node, &format!("40-{device}.network"));
            assert_eq!(file, expected(options, device), "{node} {device}: {remedy}");
        }
        for (bond, bond_options) in options["networking"]["bonds"].as_object().unwrap() {
            let file = read(node, &format!("40-{bond}.netdev"));
            let mode = text(&bond_options["driverOptions"]["mode"]);
            assert!(file.contains(&format!("Bond.Mode={mode}")), "{node} {bond}: {file:?}: {remedy}");
            assert!(file.contains("Bond.MIIMonitorSec=100ms"), "{node} {bond}: {file:?}");
        }
        let wait = &options["systemd"]["network"]["wait-online"];
        let arguments = fs::read_to_string(units(node).join("wait-online")).unwrap();
        assert_eq!(arguments, format!("--timeout={} --any\n", wait["timeout"]), "{node}: {remedy}");
        let networkd = read(node, "networkd.conf");
        for (key, value) in options["systemd"]["network"]["config"]["networkConfig"].as_object().unwrap() {
            assert!(networkd.contains(&format!("Network.{key}={value}")), "{node} {key}: {remedy}");
        }
    }
}
