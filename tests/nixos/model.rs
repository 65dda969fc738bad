//! What Nix evaluates of every rendered node equals the model: names, addresses, disks, ports, settings.

use test_kit::nix;

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::Path;

use plasmagen::model::{Cluster, Node};
use serde_json::{Value, json};
use test_kit::{case_dirs, plan, render_into, repository};

/// The inventory of `dir` rendered into `to`, with the user's own files beside it.
fn render(dir: &Path, to: &Path) -> Cluster {
    let plan = plan(dir);
    render_into(&plan, to);
    for directory in
        ["custom", "hardware"].map(|name| dir.join(name)).iter().filter(|directory| directory.is_dir())
    {
        for file in fs::read_dir(directory).unwrap().map(Result::unwrap) {
            let target = to.join(directory.file_name().unwrap());
            fs::create_dir_all(&target).unwrap();
            fs::copy(file.path(), target.join(file.file_name())).unwrap();
        }
    }
    plan.cluster
}

#[test]
fn nix_evaluates_the_model() {
    for case in case_dirs().iter().map(std::path::PathBuf::as_path).chain([repository()]) {
        let site = tempfile::tempdir().unwrap();
        let cluster = render(case, site.path());
        assert!(nix::parse(&[site.path()]).unwrap() >= 3 * cluster.nodes.len());
        let all = nix::evaluate(&site.path().join("nodes"));
        assert_eq!(all.as_object().unwrap().len(), cluster.nodes.len());
        for node in &cluster.nodes {
            compare(&cluster, node, &all[node.fqdn.as_str()]);
        }
    }
}

fn compare(cluster: &Cluster, node: &Node, nixos: &Value) {
    let networking = &nixos["networking"];
    assert_eq!(networking["hostName"], node.name.as_str());
    assert_eq!(networking["domain"], cluster.domain.as_str());
    assert_eq!(networking["nameservers"], json!(node.resolvers));
    assert_eq!(networking["defaultGateway"]["address"], json!(node.gateway), "{}", node.fqdn);
    assert_eq!(networking["defaultGateway6"]["address"], json!(node.gateway6), "{}", node.fqdn);
    assert_eq!(networking["firewall"]["enable"], false);
    assert_eq!(addresses(networking), model_addresses(node), "{}", node.fqdn);
    for interface in node.interfaces.iter().filter(|interface| interface.vlan.is_some()) {
        let vlan = &networking["vlans"][interface.device.as_str()];
        assert_eq!(*vlan, json!({ "id": interface.vlan, "interface": interface.name }));
    }
    for interface in &node.interfaces {
        if let Some(bond) = &interface.bond {
            let nixos = &networking["bonds"][interface.name.as_str()];
            assert_eq!(nixos["interfaces"], json!(bond.members));
            assert_eq!(nixos["driverOptions"]["mode"], json!(bond.mode));
        }
        if let Some(mac) = interface.mac {
            let link = &nixos["systemd"]["network"]["links"][format!("10-{}", interface.name)];
            assert_eq!(link["matchConfig"]["PermanentMACAddress"], mac.to_string());
            assert_eq!(link["linkConfig"]["Name"], interface.name.as_str());
        }
    }
    let disks = nixos["disko"]["devices"]["disk"].as_object().unwrap();
    let mut devices: Vec<&str> = disks.values().map(|disk| disk["device"].as_str().unwrap()).collect();
    let mut expected: Vec<&str> = node.disks.iter().map(plasmagen::model::DiskId::as_str).collect();
    devices.sort_unstable();
    expected.sort_unstable();
    assert_eq!(devices, expected);
    let keys = &nixos["users"]["users"]["root"]["openssh"]["authorizedKeys"]["keys"];
    assert_eq!(*keys, json!(cluster.admin_keys));
    let params = nixos["boot"]["kernelParams"].as_array().unwrap();
    assert!(node.kernel_params.iter().all(|param| params.contains(&json!(param))), "{params:?}");
    assert_eq!(nixos["system"]["stateVersion"], cluster.state_version.as_str());
    services(node, &nixos["services"]);
}

/// Every address with its prefix length, by device.
fn addresses(networking: &Value) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for (device, interface) in networking["interfaces"].as_object().unwrap() {
        for address in
            ["ipv4", "ipv6"].iter().flat_map(|family| interface[family]["addresses"].as_array().unwrap())
        {
            let text = format!("{}/{}", address["address"].as_str().unwrap(), address["prefixLength"]);
            found.entry(device.clone()).or_insert_with(Vec::new).push(text);
        }
    }
    found
}

fn model_addresses(node: &Node) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for interface in &node.interfaces {
        let mut nets = interface.addresses.clone();
        nets.sort_by_key(|net| matches!(net.addr(), IpAddr::V6(_)));
        for net in nets {
            found.entry(interface.device.to_string()).or_insert_with(Vec::new).push(net.to_string());
        }
    }
    found
}

fn services(node: &Node, nixos: &Value) {
    for service in &node.services {
        let options = &nixos[service.name.as_str()];
        let ports = &service.ports;
        assert_eq!(options["enable"], true);
        assert_eq!(options["port"], ports.port);
        for (option, port) in [
            ("raftPort", ports.raft_port),
            ("gossipPort", ports.gossip_port),
            ("healthPort", ports.health_port),
        ] {
            assert_eq!(
                options.get(option).and_then(Value::as_u64),
                port.map(u64::from),
                "{} {option}",
                service.name
            );
        }
        for (key, value) in &service.settings {
            assert_eq!(options["settings"][key], *value, "{} {key:?}", service.name);
        }
        let key = &options["settings"]["tls"]["key_path"];
        assert_eq!(*key, format!("/etc/nixos/secrets/{}-key.pem", node.name));
    }
}
