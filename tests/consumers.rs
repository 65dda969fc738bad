//! Every rendered file goes to the program that will read it, which must accept it and understand the model's facts.
//! (Nix reads its files in `tests/nix.rs`, DHCP servers theirs in `tests/dhcp/`, OpenSSL and pkilint certificates in
//! `tests/pki/`.)
//! (Nix reads its files in `tests/nix.rs`, nft and iptables firewalls in `tests/firewalls/`, OpenSSL and pkilint
//! certificates in `tests/pki/`.)

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use common::{case_dirs, plan, repository, run};
use plasmagen::model::{Cluster, Node};
use serde_json::Value;

/// Every rendered tree with its cluster: the golden cases and the reference.
fn trees() -> Vec<(Cluster, std::path::PathBuf)> {
    let cases = case_dirs().into_iter().map(|case| (plan(&case).cluster, case.join("expected")));
    cases.chain([(plan(repository()).cluster, repository().to_owned())]).collect()
}

fn node_file(tree: &Path, node: &Node, file: &str) -> std::path::PathBuf {
    tree.join("nodes").join(node.fqdn.as_str()).join(file)
}

/// A rule of the input chain: protocol, port, source, device, comment.
type Rule = (String, u64, String, Option<String>, String);

/// What nft says that it loaded, in a network namespace of its own.
fn loaded(path: &Path) -> BTreeSet<Rule> {
    let script = "nft -f \"$1\" && nft -f \"$1\" && nft -j list table inet plasmagen";
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--net", "sh", "-c", script, "sh"]).arg(path);
    let output = run("util-linux", &mut command);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{}: {said} (Debian package nftables)", path.display());
    let listed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let items = listed["nftables"].as_array().unwrap();
    let chain = items.iter().find_map(|item| item.get("chain")).unwrap();
    assert_eq!((chain["hook"].as_str(), chain["policy"].as_str()), (Some("input"), Some("drop")));
    items.iter().filter_map(|item| rule(item.get("rule")?)).collect()
}

/// A rule that opens a port; the general ones before them have no comment.
fn rule(rule: &Value) -> Option<Rule> {
    let comment = rule.get("comment")?.as_str()?.to_owned();
    let (mut device, mut source, mut port, mut protocol) = (None, String::new(), 0, String::new());
    for matched in rule["expr"].as_array()?.iter().filter_map(|own| own.get("match")) {
        let right = &matched["right"];
        if matched["left"]["meta"]["key"] == "iifname" {
            device = right.as_str().map(str::to_owned);
        } else if matched["left"]["payload"]["field"] == "saddr" {
            let prefix = &right["prefix"];
            source = match prefix["addr"].as_str() {
                Some(address) => format!("{address}/{}", prefix["len"]),
                // nft leaves out the length of a single host.
                None => {
                    format!("{0}/{1}", right.as_str()?, if right.as_str()?.contains(':') { 128 } else { 32 })
                }
            };
        } else if matched["left"]["payload"]["field"] == "dport" {
            protocol = matched["left"]["payload"]["protocol"].as_str()?.to_owned();
            port = right.as_u64()?;
        }
    }
    Some((protocol, port, source, device, comment))
}

#[test]
fn nft_opens_the_ports_of_the_model_and_no_other() {
    for (cluster, tree) in trees() {
        for node in &cluster.nodes {
            let ssh = ssh_sources(&cluster);
            let mut expected: BTreeSet<Rule> =
                ssh.iter().map(|net| ("tcp".into(), 22, net.to_string(), None, "ssh".into())).collect();
            for own in openings(&cluster, node) {
                for source in own.sources {
                    let protocol = serde_json::to_value(own.protocol).unwrap().as_str().unwrap().to_owned();
                    let device = source.device.map(|device| device.to_string());
                    let subnet = source.subnet.to_string();
                    expected.insert((protocol, u64::from(own.port), subnet, device, own.purpose.clone()));
                }
            }
            assert!(!ssh.is_empty(), "nobody can log in to {}", node.name);
            assert_eq!(loaded(&node_file(&tree, node, "firewall.nft")), expected, "{}", node.fqdn);
        }
    }
}

#[test]
fn nft_loads_a_rule_set_as_one_for_both_families() {
    // The last line of the second file is refused by the kernel, after all that stands before it.
    let script = "nft -f \"$1\" && nft -j list ruleset > before && ! nft -f \"$2\" 2>/dev/null && \
                  nft -j list ruleset > after && cmp before after && cat after";
    for (cluster, tree) in trees() {
        let path = node_file(&tree, &cluster.nodes[0], "firewall.nft").canonicalize().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let other = text.replace("policy drop", "policy accept") + "add rule inet plasmagen nowhere accept\n";
        fs::write(dir.path().join("other.nft"), other).unwrap();
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--net", "sh", "-c", script, "sh"]).arg(&path).arg("other.nft");
        let output = run("util-linux", command.current_dir(dir.path()));
        assert!(output.status.success(), "{}: {output:?} (Debian package nftables)", path.display());
        let listed: Value = serde_json::from_slice(&output.stdout).unwrap();
        let items = listed["nftables"].as_array().unwrap();
        let tables: Vec<_> = items.iter().filter_map(|item| item["table"]["family"].as_str()).collect();
        assert_eq!(tables, ["inet"], "IPv4 and IPv6 in one table");
        let rules: Vec<String> =
            items.iter().filter_map(|item| item.get("rule")).map(|rule| rule["expr"].to_string()).collect();
        for (rule, words) in rules.iter().zip([
            &["established", "related"][..],
            &["iifname", "\"lo\""],
            &["icmp", "ipv6-icmp"],
        ]) {
            assert!(words.iter().chain(&["accept"]).all(|word| rule.contains(word)), "{words:?}: {rule}");
fn dhcpd_accepts_its_configuration() {
        let mut conf = fs::read_to_string(tree.join("site/pxe/dhcpd.conf")).unwrap();
        // The user's own file, which lies on the provisioner.
        if let Some(extra) = cluster.provisioner.extra.values().next() {
            let stand_in = dir.path().join("extra.conf");
            fs::write(&stand_in, "# the user's own\n").unwrap();
            assert!(conf.contains(extra.as_str()), "the user's additions are lost");
            conf = conf.replace(extra.as_str(), stand_in.to_str().unwrap());
        }
        let path = dir.path().join("dhcpd.conf");
        fs::write(&path, &conf).unwrap();
        let output = run("isc-dhcp-server", Command::new("dhcpd").args(["-4", "-t", "-cf"]).arg(&path));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{}: {said}", tree.display());
            let host = format!("host {} {{\n  hardware ethernet {};", node.name, node.mac);
            assert_eq!(conf.matches(&host).count(), 1, "{host}");
        }
    }
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
                node.addresses().any(|own| own == raft.ip()),
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
        assert!(
            boot.starts_with("#!ipxe\n")
                && boot.contains(&format!("set base {}\n", cluster.provisioner.base_url()))
        );
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
