//! Every rendered file goes to the program that will read it, which must accept it and understand the model's facts.
//! (Nix reads its files in `tests/nixos/configurations.rs`, DHCP servers theirs in `tests/outputs/dhcp/`, name servers in `tests/outputs/dns/`, nft and
//! iptables in `tests/outputs/firewalls/`, nginx and TFTP servers in `tests/servers/web/`, OpenSSL and pkilint certificates in
//! `tests/pki/`.)

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use plasmagen::model::{Cluster, Node};
use serde_json::Value;
use test_kit::{case_dirs, plan, repository};

/// Every rendered tree with its cluster: the golden cases and the reference.
fn trees() -> Vec<(Cluster, std::path::PathBuf)> {
    let cases = case_dirs().into_iter().map(|case| (plan(&case).cluster, case.join("expected")));
    cases.chain([(plan(repository()).cluster, repository().to_owned())]).collect()
}

fn node_file(tree: &Path, node: &Node, file: &str) -> std::path::PathBuf {
    tree.join("nodes").join(node.fqdn.as_str()).join(file)
}

#[test]
fn cluster_config_has_the_keys_of_the_runbook() {
    for (cluster, tree) in trees() {
        let mut peers = BTreeSet::new();
        for node in &cluster.nodes {
            let text = fs::read(node_file(&tree, node, "cluster-config.json")).unwrap();
            let config: Value = serde_json::from_slice(&text).unwrap();
            let forms = node.voter && !cluster.formed;
            let mut keys = vec!["bootstrap", "cluster_name", "leader_url", "node_id", "node_role"];
            keys.push("raft_addr");
            let raft: std::net::SocketAddr = config["raft_addr"].as_str().unwrap().parse().unwrap();
            assert!(
                node.addresses().any(|address| address == raft.ip()),
                "{raft} is not an address of {}",
                node.name
            );
            assert_eq!(raft.port(), 2380);
            if forms {
                keys.extend(["flaredb_peers", "initial_peers"]);
                peers.insert((config["initial_peers"].to_string(), config["flaredb_peers"].to_string()));
            }
            keys.sort_unstable();
            let found: Vec<&str> = config.as_object().unwrap().keys().map(String::as_str).collect();
            let sorted: BTreeSet<&str> = found.into_iter().collect();
            assert_eq!(sorted.into_iter().collect::<Vec<_>>(), keys, "{}", node.name);
            assert_eq!(config["bootstrap"], forms);
            assert_eq!(config["node_id"], node.name.as_str());
            assert_eq!(config["node_role"], node.profile.as_str());
        }
        assert!(peers.len() <= 1, "voters have different lists of peers: {peers:?}");
    }
}

#[test]
fn ipxe_finds_a_script_for_each_node() {
    for (cluster, tree) in trees() {
        let boot = fs::read_to_string(tree.join("site/www/ipxe/boot.ipxe")).unwrap();
        let provisioner = &cluster.provisioner;
        let base = match provisioner.interfaces().count() {
            1 => provisioner.base_url(&provisioner.home),
            _ => "..".to_owned(),
        };
        assert!(boot.starts_with("#!ipxe\n") && boot.contains(&format!("set base {base}\n")), "{boot}");
        for node in &cluster.nodes {
            let path = tree.join(format!("site/www/ipxe/node/{}.ipxe", node.mac.hyphens()));
            let script = fs::read_to_string(path).unwrap();
            assert!(
                script.starts_with("#!ipxe\n") && script.contains(&format!("\nset node {}\n", node.name))
            );
            // Facts only: what it does is boot.ipxe's to decide.
            assert!(script.lines().all(|line| line.starts_with('#') || line.starts_with("set ")), "{script}");
        }
    }
}

#[test]
fn other_tools_read_the_resolved_inventory() {
    for (cluster, tree) in trees() {
        let text = fs::read(tree.join("site/inventory.json")).unwrap();
        let resolved: Value = serde_json::from_slice(&text).unwrap();
        let mut expected = serde_json::to_value(&cluster).unwrap();
        expected["schema"] = 1.into();
        assert_eq!(resolved, expected);
    }
}
