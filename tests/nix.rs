//! NixOS' module system reads what we write for it: `profiles/`, and the configurations of the nodes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

#[path = "common/nix.rs"]
mod nix;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn fixture() -> PathBuf {
    root().join("tests/nix/fixture/nodes")
}

/// What the evaluation says of the fixture's node01 with `original` replaced by `changed`.
fn with(original: &str, changed: &str) -> Result<Value, String> {
    let nodes = tempfile::tempdir().unwrap();
    let node = nodes.path().join("node01");
    fs::create_dir(&node).unwrap();
    for entry in fs::read_dir(fixture().join("node01.example.com")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), node.join(entry.file_name())).unwrap();
    }
    let configuration = node.join("configuration.nix");
    let text = fs::read_to_string(&configuration).unwrap();
    assert_eq!(text.matches(original).count(), 1, "{original}");
    fs::write(configuration, text.replace(original, changed)).unwrap();
    nix::try_evaluate(nodes.path())
}

#[test]
fn every_file_parses() {
    let directories = [root().join("profiles"), root().join("tests/nix"), root().join("flake.nix")];
    nix::parse(&directories.each_ref().map(AsRef::as_ref)).unwrap();

    let broken = tempfile::tempdir().unwrap();
    fs::write(broken.path().join("a.nix"), "{ }").unwrap();
    fs::write(broken.path().join("b.nix"), "{ a = ; }").unwrap();
    let error = nix::parse(&[broken.path()]).unwrap_err();
    assert!(error.contains("syntax error") && error.contains("b.nix"), "{error}");
}

#[test]
fn nodes_mean_what_they_say() {
    let all = nix::evaluate(&fixture());
    let node = &all["node01.example.com"];
    let networking = &node["networking"];
    assert_eq!(networking["hostName"], "node01");
    assert_eq!(
        networking["interfaces"]["eth1"],
        json!({
            "useDHCP": false,
            "mtu": 9000,
            "ipv4": { "addresses": [{ "address": "10.0.200.10", "prefixLength": 24 }] },
            "ipv6": { "addresses": [{ "address": "2001:db8:200::10", "prefixLength": 64 }] },
        })
    );
    assert_eq!(networking["defaultGateway"]["address"], "10.0.200.1");
    assert_eq!(networking["nftables"]["rulesetFile"], "firewall.nft");
    assert_eq!(node["services"]["flaredb"]["raftPort"], 2480);
    assert_eq!(node["services"]["chainfire"]["settings"]["log_level"], "info");

    let worker = &all["node02.example.com"];
    assert_eq!(worker["networking"]["vlans"]["bond0.200"], json!({ "id": 200, "interface": "bond0" }));
    assert_eq!(worker["networking"]["bonds"]["bond0"]["driverOptions"]["mode"], "802.3ad");
    let disks = |node: &str| all[node]["disko"]["devices"]["disk"].as_object().map(serde_json::Map::len);
    assert_eq!(
        ["node01", "node02", "node03", "node04"].map(|node| disks(&format!("{node}.example.com"))),
        [Some(1), Some(2), Some(2), Some(1)]
    );
}

#[test]
fn a_service_reads_its_settings_ports_and_credentials() {
    let all = nix::evaluate(&fixture());
    let node = &all["node01.example.com"];
    let credential = |name: &str| format!("/run/credentials/chainfire.service/{name}_path");
    assert_eq!(
        node["environment"]["etc"]["nixos/chainfire.toml"]["source"],
        json!({
            "node_id": "node01", "cluster_name": "prod-cluster", "log_level": "info",
            "data_dir": "/var/lib/chainfire",
            "port": 2379, "raft_port": 2380, "gossip_port": 2381,
            "tls": {
                "ca_path": credential("ca"), "cert_path": credential("cert"), "key_path": credential("key"),
            },
        })
    );
    let unit = &node["systemd"]["services"]["chainfire"]["serviceConfig"];
    assert_eq!(unit["User"], "chainfire");
    assert_eq!(
        unit["LoadCredential"],
        json!([
            "ca_path:/etc/nixos/secrets/ca-cert.pem",
            "cert_path:/etc/nixos/secrets/node01-cert.pem",
            "key_path:/etc/nixos/secrets/node01-key.pem",
        ])
    );
    let dns = &all["node03.example.com"]["systemd"]["services"]["flashdns"]["serviceConfig"];
    assert_eq!(dns["AmbientCapabilities"], json!(["CAP_NET_BIND_SERVICE"]));
    assert_eq!(
        all["node03.example.com"]["systemd"]["services"]["k8shost"]["serviceConfig"]["User"],
        Value::Null
    );
}

#[test]
fn profiles_differ() {
    let all = nix::evaluate(&fixture());
    let sysctl = |node: &str| all[node]["boot"]["kernel"]["sysctl"].clone();
    let forwarding = [("net.ipv4.ip_forward", 1), ("net.ipv6.conf.all.forwarding", 1)];
    let voting = [("vm.swappiness", 1)];
    let expect = |facts: &[(&str, i32)]| json!(facts.iter().copied().collect::<BTreeMap<_, _>>());
    assert_eq!(sysctl("node01.example.com"), expect(&voting));
    assert_eq!(sysctl("node02.example.com"), expect(&forwarding));
    assert_eq!(sysctl("node03.example.com"), expect(&[&forwarding[..], &voting].concat()));
    assert_eq!(sysctl("node04.example.com"), expect(&[]));
}

/// Without these the tests above would prove nothing.
#[test]
fn what_nixos_refuses_is_refused() {
    for (original, changed, expected) in [
        ("defaultGateway =", "defaultGatway =", "`networking.defaultGatway' does not exist"),
        ("raftPort = 2380", "raftport = 2380", "`services.chainfire.raftport' does not exist"),
        ("services.iam", "services.iamm", "`services.iamm' does not exist"),
        ("mtu = 9000", "mtu = \"9000\"", "`networking.interfaces.eth1.mtu' is not of type"),
        ("port = 8080", "port = 80800", "`services.iam.port' is not of type `16 bit unsigned integer"),
        ("prefixLength = 64", "prefixLenght = 64", "prefixLenght' does not exist"),
        ("./firewall.nft", "./nowhere.nft", "nowhere.nft does not exist"),
        ("hostName = \"node01\"", "hostName = \"node_01.\"", "`networking.hostName' is not of type"),
        ("stateVersion = \"24.11\"", "stateVersion = 24.11", "`system.stateVersion' is not of type"),
        (
            "configFile = \"/etc/nixos/secrets/cluster-config.json\"",
            "configFile = ./cluster-config.json",
            "`services.first-boot-automation.configFile' is not of type",
        ),
        ("services.iam = {", "services.iam = { package = null;", "services.iam.package is not set"),
    ] {
        let error = with(original, changed).unwrap_err();
        assert!(error.contains(expected), "{changed}: {error}");
    }
}

/// A service of the user's own: a module that declares the options which the inventory's table sets.
#[test]
fn the_users_own_module_declares_the_users_own_service() {
    let own = "services.myapp = { enable = true; port = 7000; settings.a = 1; };";
    let module = "{ lib, ... }: { options.services.myapp = { enable = lib.mkEnableOption \"myapp\"; \
                  port = lib.mkOption { type = lib.types.port; }; \
                  settings = lib.mkOption { type = lib.types.attrsOf lib.types.anything; }; }; }";
    let error = with("services.iam = {", &format!("{own}\n  services.iam = {{")).unwrap_err();
    assert!(error.contains("`services.myapp' does not exist"), "{error}");

    let imports = format!("./disko.nix ({module}) {{ {own} }}");
    let all = with("./disko.nix", &imports).unwrap();
    assert_eq!(
        all["node01"]["services"]["myapp"],
        json!({ "enable": true, "port": 7000, "settings": { "a": 1 } })
    );
}

/// tests/nix/options.nix against the list of all options of NixOS 24.11.
#[test]
fn declared_options_are_those_of_nixos() {
    let list = root().join("../shared/nixos-options-24.11.tsv.xz");
    if !list.exists() {
        println!("no list of NixOS' options beside the checkout: tests/nix/options.nix is taken at its word");
        return;
    }
    let output = Command::new("xz").args(["--decompress", "--stdout"]).arg(&list).output();
    let output = output.unwrap_or_else(|error| panic!("xz (Debian package xz-utils): {error}"));
    let text = String::from_utf8(output.stdout).unwrap();
    let nixos: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once('\t')).collect();
    assert!(nixos.len() > 10_000, "only {} options in {}", nixos.len(), list.display());

    let declared = nix::declared_types();
    let declared = declared.as_object().unwrap();
    assert!(declared.len() > 50, "{declared:?}");
    // NixOS keeps these out of its list, or disko declares them.
    let elsewhere = ["assertions", "warnings", "disko.devices"];
    // Where parentheses are not needed, versions of lib differ in setting them.
    let bare = |text: &str| text.replace(['(', ')'], "");
    for (name, kind) in declared.iter().filter(|(name, _)| !elsewhere.contains(&name.as_str())) {
        let known = nixos.get(name.as_str()).unwrap_or_else(|| panic!("NixOS 24.11 has no option {name}"));
        assert_eq!(bare(kind.as_str().unwrap()), bare(known), "{name}");
    }
}
