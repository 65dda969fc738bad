//! Rules that no inventory can break, since everything is written from one model: each has its test here, and its row
//! in the table of rules names it.

use test_kit::ipxe;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use plasmagen::artifact::Artifact;
use plasmagen::model::{BootVerification, Cluster, Node, Role};
use plasmagen::outputs;
use serde_json::Value;
use test_kit::{case_dirs, plan, repository};

/// The golden cases and the reference.
fn inventories() -> Vec<PathBuf> {
    case_dirs().into_iter().chain([repository().to_owned()]).collect()
}

/// The cluster of the inventory in `dir`, and every file of text by path.
fn rendered(dir: &Path) -> (Cluster, BTreeMap<String, String>) {
    let plan = plan(dir);
    let artifacts = outputs::render(&plan).unwrap();
    let text = |artifact: &Artifact| {
        Some((artifact.path.to_string(), String::from_utf8(artifact.body.clone()).ok()?))
    };
    let files = artifacts.iter().filter_map(text).collect();
    (plan.cluster, files)
}

/// The file of a node.
fn of<'f>(files: &'f BTreeMap<String, String>, node: &Node, file: &str) -> &'f str {
    &files[&format!("nodes/{}/{file}", node.fqdn)]
}

/// F08; and where the inventory asks for signatures, F22: nothing is chained that is not signed.
#[test]
fn a_machine_that_is_not_armed_starts_from_its_disk() {
    for dir in inventories() {
        let (cluster, files) = rendered(&dir);
        let script = &files["site/www/ipxe/boot.ipxe"];
        let signed = cluster.boot.verify == BootVerification::Signature;
        for case in 0..128_u8 {
            let [known, armed, matching, bundle, bios, facts, installer] =
                [1, 2, 4, 8, 16, 32, 64].map(|bit| case & bit != 0);
            let leaves = |command: &str| {
                let installs = [" installer", "/nixos/"].iter().any(|part| command.contains(part));
                command.starts_with("sanboot ") || (command.starts_with("chain ") && installs)
            };
            let end = ipxe::end(script, leaves, |command| match command {
                _ if command.starts_with("imgverify facts ") => facts,
                _ if command.starts_with("imgverify installer ") => installer,
                _ if command.contains("/ipxe/node/") => known,
                _ if command.contains("/armed/") => armed,
                _ if command.starts_with("iseq ${armed} ${node}") => matching,
                _ if command.contains("/nixos/") => bundle,
                _ if command.starts_with("iseq ${platform} pcbios") => bios,
                // Nobody stands at the console.
                _ if command.starts_with("prompt ") => false,
                _ => true,
            });
            if known && armed && bundle && if signed { facts && installer } else { matching } {
                assert!(end.starts_with("chain "), "{end}");
            } else {
                assert_eq!(end, if bios { "sanboot --no-describe --drive 0x80" } else { "exit 1" });
            }
        }
        let facts = files.iter().filter(|(path, _)| path.contains("/ipxe/node/"));
        for line in facts.flat_map(|(_, script)| script.lines()) {
            assert!(line.starts_with("set ") || line.starts_with('#'), "{line}: more than facts");
        }
    }
}

/// What of a node's firewall is open to other machines: subnet, protocol, port.
fn open(files: &BTreeMap<String, String>, node: &Node) -> BTreeSet<(IpNet, String, u16)> {
    let rules = of(files, node, "firewall.nft").lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let after = |word: &str| words.iter().position(|other| *other == word).map(|at| words[at + 1]);
        let port = after("dport")?;
        let protocol = words[words.iter().position(|word| *word == "dport")? - 1];
        Some((after("saddr")?.parse().unwrap(), protocol.to_owned(), port.parse().unwrap()))
    });
    rules.collect()
}

/// Where `config` says that the cluster is reached: host and port.
fn advertised(config: &Value) -> Vec<(String, u16)> {
    let lists =
        ["initial_peers", "flaredb_peers"].map(|key| config[key].as_array().cloned().unwrap_or_default());
    let single = ["raft_addr", "leader_url"].map(|key| config[key].clone());
    let all = lists.into_iter().flatten().chain(single);
    let split = |value: Value| {
        let text = value.as_str()?.trim_start_matches("https://").to_owned();
        let (host, port) = text.rsplit_once(':')?;
        Some((host.to_owned(), port.parse().unwrap()))
    };
    all.filter_map(split).collect()
}

/// G10. That services listen at the ports of the model, `nix_model.rs` shows.
#[test]
fn an_advertised_port_is_open_to_the_cluster_alone() {
    let mut seen = 0;
    for dir in inventories() {
        let (cluster, files) = rendered(&dir);
        let subnets =
            |role| cluster.networks_for(role).flat_map(|(_, network)| network.subnets()).collect::<Vec<_>>();
        let (inside, clients) = (subnets(Role::Cluster), subnets(Role::Client));
        for node in &cluster.nodes {
            let config: Value = serde_json::from_str(of(&files, node, "cluster-config.json")).unwrap();
            for (host, port) in advertised(&config) {
                let address = format!("{host}:{port}").parse::<SocketAddr>().map(|socket| socket.ip()).ok();
                let is = |other: &&Node| {
                    other.fqdn.as_str() == host || other.addresses().any(|ip| Some(ip) == address)
                };
                let target = cluster.nodes.iter().find(is).unwrap_or_else(|| panic!("{host} is nobody"));
                let open = open(&files, target);
                for subnet in &inside {
                    assert!(open.contains(&(*subnet, "tcp".to_owned(), port)), "{host}:{port} from {subnet}");
                }
                seen += 1;
            }
            for (subnet, protocol, port) in open(&files, node) {
                let service = node
                    .services
                    .iter()
                    .find(|service| service.ports.all().any(|(_, number, _)| number == port));
                let Some(service) = service else { continue };
                let to_clients = service.ports.clients && service.ports.port == port;
                let legal = inside.contains(&subnet) || (to_clients && clients.contains(&subnet));
                let extra = cluster
                    .firewall
                    .iter()
                    .any(|opening| opening.port == Some(port) && opening.from.contains(&subnet));
                assert!(legal || extra, "{}: {protocol} {port} is open to {subnet}", node.fqdn);
            }
        }
    }
    assert!(seen > 20, "only {seen} endpoints");
}

/// What a node is told of the cluster when the inventory in `dir` says `formed`.
fn configs(dir: &Path, formed: bool) -> (Cluster, Vec<Value>) {
    let text = fs::read_to_string(dir.join("inventory.toml")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with("formed ="));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    let site = tempfile::tempdir().unwrap();
    let text = text.replacen("[cluster]\n", &format!("[cluster]\nformed = {formed}\n"), 1);
    fs::write(site.path().join("inventory.toml"), text).unwrap();
    let (cluster, files) = rendered(site.path());
    let read = |node: &Node| serde_json::from_str(of(&files, node, "cluster-config.json")).unwrap();
    let configs = cluster.nodes.iter().map(read).collect();
    (cluster, configs)
}

/// G14, and of G05 what the inventory has no say in.
#[test]
fn a_formed_cluster_is_only_ever_joined() {
    for dir in inventories() {
        let (cluster, before) = configs(&dir, false);
        let lists: BTreeSet<_> =
            before.iter().filter_map(|config| Some(config.get("initial_peers")?.to_string())).collect();
        assert_eq!(lists.len(), 1, "{}: every voter has the same list", dir.display());
        for (node, config) in cluster.nodes.iter().zip(&before) {
            assert_eq!(config["bootstrap"], node.voter, "{}", node.fqdn);
            assert_eq!(config.get("initial_peers").is_some(), node.voter, "{}", node.fqdn);
        }
        let (cluster, after) = configs(&dir, true);
        for (node, config) in cluster.nodes.iter().zip(&after) {
            assert_eq!(config["bootstrap"], false, "{}", node.fqdn);
            assert!(
                ["initial_peers", "flaredb_peers"].iter().all(|key| config.get(key).is_none()),
                "{}",
                node.fqdn
            );
            let prefix = format!("https://{}:", node.fqdn);
            let alone = cluster.bootstrap.len() == 1 && node.voter;
            assert_eq!(config["leader_url"].as_str().unwrap().starts_with(&prefix), alone, "{}", node.fqdn);
        }
    }
}

/// The addresses that a node advertises are its own.
#[test]
fn a_member_is_reached_at_its_own_address() {
    for dir in inventories() {
        let (cluster, files) = rendered(&dir);
        for node in &cluster.nodes {
            let config: Value = serde_json::from_str(of(&files, node, "cluster-config.json")).unwrap();
            let Some(text) = config["raft_addr"].as_str() else { continue };
            let address: IpAddr = text.parse::<SocketAddr>().unwrap().ip();
            assert!(node.addresses().any(|ip| ip == address), "{}: {address}", node.fqdn);
        }
    }
}
