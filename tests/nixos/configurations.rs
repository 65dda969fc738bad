//! NixOS' module system reads what we write for it: `profiles/`, and the configurations of the nodes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use test_kit::{nix, run};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The nodes of a golden case.
fn golden(case: &str) -> PathBuf {
    root().join("tests/golden").join(case).join("expected/nodes")
}

/// What the evaluation says of the reference's node01 with `original` replaced by `changed`.
fn with(original: &str, changed: &str) -> Result<Value, String> {
    let nodes = tempfile::tempdir().unwrap();
    let node = nodes.path().join("node01");
    fs::create_dir(&node).unwrap();
    for entry in fs::read_dir(root().join("nodes/node01.example.com")).unwrap() {
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
    let directories = ["profiles", "tests/nix", "flake.nix", "nix", "templates/init", "nodes", "site"]
        .map(|path| root().join(path));
    nix::parse(&directories.each_ref().map(AsRef::as_ref)).unwrap();

    let broken = tempfile::tempdir().unwrap();
    fs::write(broken.path().join("a.nix"), "{ }").unwrap();
    fs::write(broken.path().join("b.nix"), "{ a = ; }").unwrap();
    let error = nix::parse(&[broken.path()]).unwrap_err();
    assert!(error.contains("syntax error") && error.contains("b.nix"), "{error}");
}

/// The configuration file, the unit and the settings of `service` on a node.
fn service<'a>(node: &'a Value, service: &str) -> [&'a Value; 3] {
    [
        &node["environment"]["etc"][format!("nixos/{service}.toml")]["source"],
        &node["systemd"]["services"][service]["serviceConfig"],
        &node["services"][service]["settings"],
    ]
}

#[test]
fn a_service_reads_its_settings_ports_and_credentials() {
    let all = nix::evaluate(&root().join("nodes"));
    let [file, unit, settings] = service(&all["node01.example.com"], "chainfire");
    let mut expected = settings.clone();
    for key in ["ca_path", "cert_path", "key_path"] {
        expected["tls"][key] = json!(format!("/run/credentials/chainfire.service/{key}"));
    }
    expected["data_dir"] = json!("/var/lib/chainfire");
    for (key, port) in [("port", 2379), ("raft_port", 2380), ("gossip_port", 2381)] {
        expected[key] = json!(port);
    }
    assert_eq!(*file, expected);
    assert_eq!(file["log_level"], "info");
    assert_eq!(unit["User"], "chainfire");
    assert_eq!(
        unit["LoadCredential"],
        json!([
            "ca_path:/etc/nixos/secrets/ca-cert.pem",
            "cert_path:/etc/nixos/secrets/node01-cert.pem",
            "key_path:/etc/nixos/secrets/node01-key.pem",
        ])
    );
    let [_, privileged, _] = service(&all["node04.example.com"], "plasmavmc");
    assert_eq!([&privileged["User"], &privileged["StateDirectory"]], [&Value::Null, &json!("plasmavmc")]);
    let all = nix::evaluate(&golden("ipv6"));
    let [file, unit, _] = service(&all["a1.dual.example.com"], "flashdns");
    assert_eq!([&file["port"], &file["health_port"]], [53, 853]);
    assert_eq!(unit["AmbientCapabilities"], json!(["CAP_NET_BIND_SERVICE"]));
}

#[test]
fn profiles_differ() {
    let (reference, minimal) = (nix::evaluate(&root().join("nodes")), nix::evaluate(&golden("minimal")));
    let sysctl = |node: &Value| node["boot"]["kernel"]["sysctl"].as_object().unwrap().clone();
    let [control_plane, worker, all_in_one] = [
        sysctl(&reference["node01.example.com"]),
        sysctl(&reference["node04.example.com"]),
        sysctl(&minimal["solo.lab.example.com"]),
    ];
    let votes = "vm.swappiness";
    let forwards = ["net.ipv4.conf.all.forwarding", "net.ipv6.conf.all.forwarding"];
    assert_eq!([control_plane.get(votes), all_in_one.get(votes)], [Some(&json!(1)); 2]);
    assert_eq!(worker.get(votes), None);
    for key in forwards {
        assert_eq!([worker.get(key), all_in_one.get(key)], [Some(&json!(1)); 2], "{key}");
        assert_eq!(control_plane.get(key), None, "{key}");
    }
    let audit = |node: &Value| node["security"]["audit"]["rules"].to_string().contains("NETFILTER_CFG");
    assert!(audit(&reference["node04.example.com"]) && !audit(&reference["node01.example.com"]));
}

/// NixOS would flush every table at each change of the firewall, those of tenants' networks too.
#[test]
fn a_reload_of_the_firewall_replaces_its_own_table_only() {
    for (name, node) in nix::evaluate(&root().join("nodes")).as_object().unwrap() {
        let nftables = &node["networking"]["nftables"];
        assert_eq!(nftables["flushRuleset"], false, "{name}");
        let deletions = "table inet plasmagen\ndelete table inet plasmagen\n";
        assert_eq!(nftables["extraDeletions"], deletions, "{name}");
        let firewall = fs::read_to_string(root().join("nodes").join(name).join("firewall.nft")).unwrap();
        let tables: Vec<_> = firewall.lines().filter(|line| line.starts_with("table ")).collect();
        assert_eq!(tables, ["table inet plasmagen", "table inet plasmagen {"], "{name}");
    }
}

/// NixOS warns otherwise, and the monitor does not start. That a RAID needs it, disko says.
#[test]
fn the_monitor_of_a_raid_has_somebody_to_tell() {
    let mdadm = |node: &Value| node["boot"]["swraid"]["mdadmConf"].clone();
    let raid = with("boot.kernelParams", "boot.swraid.enable = true;\n  boot.kernelParams").unwrap();
    assert_eq!(mdadm(&raid["node01"]), "PROGRAM /nix/store/mdadm-event\n");
    assert_eq!(mdadm(&nix::evaluate(&root().join("nodes"))["node01.example.com"]), "");
}

/// A setting that follows from the inventory's choice of a program is a default: a module of the site has another boot loader, or
/// another firewall.
#[test]
fn a_site_overrides_what_is_rendered() {
    let module = "({ boot.loader.grub.enable = false; boot.loader.grub.efiSupport = false; \
                  networking.firewall.enable = true; networking.nftables.enable = false; \
                  networking.usePredictableInterfaceNames = true; hardware.enableRedistributableFirmware = false; })";
    let all = with("./disko.nix", &format!("./disko.nix {module}")).unwrap();
    let node = &all["node01"];
    assert_eq!(node["boot"]["loader"]["grub"]["enable"], false);
    let networking = &node["networking"];
    assert_eq!([&networking["firewall"]["enable"], &networking["nftables"]["enable"]], [true, false]);
    assert_eq!(networking["usePredictableInterfaceNames"], true);
}

/// Without these the tests above would prove nothing.
#[test]
fn what_nixos_refuses_is_refused() {
    for (original, changed, expected) in [
        ("defaultGateway =", "defaultGatway =", "`networking.defaultGatway' does not exist"),
        ("raftPort = 2380", "raftport = 2380", "`services.chainfire.raftport' does not exist"),
        ("services.iam =", "services.iamm =", "`services.iamm' does not exist"),
        ("address = \"10.0.200.10\"", "address = 10", ".address' is not of type `string'"),
        ("port = 8080", "port = 80800", "`services.iam.port' is not of type `16 bit unsigned integer"),
        ("address = \"10.0.200.10\"", "adress = \"10.0.200.10\"", "adress' does not exist"),
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
    let service = "services.myapp = { enable = true; port = 7000; settings.a = 1; };";
    let module = "{ lib, ... }: { options.services.myapp = { enable = lib.mkEnableOption \"myapp\"; \
                  port = lib.mkOption { type = lib.types.port; }; \
                  settings = lib.mkOption { type = lib.types.attrsOf lib.types.anything; }; }; }";
    let error = with("services.iam = {", &format!("{service}\n  services.iam = {{")).unwrap_err();
    assert!(error.contains("`services.myapp' does not exist"), "{error}");

    let imports = format!("./disko.nix ({module}) {{ {service} }}");
    let all = with("./disko.nix", &imports).unwrap();
    assert_eq!(
        all["node01"]["services"]["myapp"],
        json!({ "enable": true, "port": 7000, "settings": { "a": 1 } })
    );
}

/// tests/nix/options/ against the list of all options of NixOS 24.11.
#[test]
fn declared_options_are_those_of_nixos() {
    let list = root().join("../shared/nixos-options-24.11.tsv.xz");
    if !list.exists() {
        println!("no list of NixOS' options beside the checkout: tests/nix/options/ is taken at its word");
        return;
    }
    let output = run("xz-utils", Command::new("xz").args(["--decompress", "--stdout"]).arg(&list));
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
