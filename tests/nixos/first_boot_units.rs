//! The units of first-boot automation and of health checks: which a node has, after what, with which credentials.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use test_kit::nix;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The reference's `node` with `original` replaced by `changed`, or what Nix says against it.
fn with(node: &str, original: &str, changed: &str) -> Result<Value, String> {
    let nodes = tempfile::tempdir().unwrap();
    let directory = nodes.path().join(node);
    fs::create_dir(&directory).unwrap();
    for entry in fs::read_dir(root().join("nodes").join(format!("{node}.example.com"))).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), directory.join(entry.file_name())).unwrap();
    }
    let text = fs::read_to_string(directory.join("configuration.nix")).unwrap();
    assert_eq!(text.matches(original).count(), 1, "{original}");
    fs::write(directory.join("configuration.nix"), text.replace(original, changed)).unwrap();
    Ok(nix::try_evaluate(nodes.path())?[node].clone())
}

fn units(node: &Value) -> &Map<String, Value> {
    node["systemd"]["services"].as_object().unwrap()
}

/// The names of the units of `node` that end in `suffix`, without it.
fn named(node: &Value, suffix: &str) -> Vec<String> {
    units(node).keys().filter_map(|name| name.strip_suffix(suffix)).map(str::to_owned).collect()
}

/// What a unit runs: the program's name, and its arguments.
fn command(unit: &Value) -> (String, String) {
    let line = unit["serviceConfig"]["ExecStart"].as_str().unwrap();
    let (program, arguments) = line.split_once(".sh ").unwrap();
    assert!(program.starts_with("/nix/store/bash/bin/bash /nix/store/"), "{line}");
    (program.rsplit('/').next().unwrap().to_owned(), arguments.to_owned())
}

/// The services of PlasmaCloud that are enabled on `node` and set up at the first boot.
fn enabled(node: &Value, known: &[&str]) -> Vec<String> {
    known.iter().filter(|name| node["services"][**name]["enable"] == true).map(ToString::to_string).collect()
}

#[test]
fn a_node_has_the_units_of_its_services() {
    let golden = |case: &str| root().join("tests/golden").join(case).join("expected/nodes");
    let cases = ["arm64", "bonds-and-vlans", "ipv6", "minimal"].map(golden);
    let mut seen = 0;
    for nodes in cases.into_iter().chain([root().join("nodes")]) {
        for (name, node) in nix::evaluate(&nodes).as_object().unwrap() {
            seen += 1;
            assert_eq!(named(node, "-cluster-join"), enabled(node, &["chainfire", "flaredb"]), "{name}");
            assert_eq!(named(node, "-initial-setup"), enabled(node, &["iam"]), "{name}");
            let asked = ["chainfire", "fiberlb", "flaredb", "flashdns", "iam", "plasmavmc", "prismnet"];
            assert_eq!(named(node, "-health"), enabled(node, &asked), "{name}");
        }
    }
    assert!(seen > 10, "{seen}");
    let off = with(
        "node01",
        "first-boot-automation = {\n    enable = true",
        "first-boot-automation = {\n    enable = false",
    );
    let off = off.unwrap();
    assert_eq!([named(&off, "-cluster-join"), named(&off, "-initial-setup")], [[""; 0]; 2]);
    assert_eq!(named(&off, "-health"), ["chainfire", "flaredb", "iam"]);
}

#[test]
fn one_join_comes_after_the_other() {
    let all = nix::evaluate(&root().join("nodes"));
    let node = &all["node01.example.com"];
    for (name, after) in [
        ("chainfire-cluster-join", &["chainfire.service"][..]),
        ("flaredb-cluster-join", &["flaredb.service", "chainfire-cluster-join.service"]),
        ("iam-initial-setup", &["iam.service", "flaredb-cluster-join.service"]),
    ] {
        let unit = &units(node)[name];
        let secrets = format!("plasmagen-secrets@{}", after[0]);
        let mut expected = vec!["network-online.target", &secrets];
        expected.extend(after);
        assert_eq!(unit["after"], json!(expected), "{name}");
        assert_eq!(unit["wantedBy"], json!(["multi-user.target"]), "{name}");
        assert_eq!(unit["restartIfChanged"], false, "{name}");
        let service = &unit["serviceConfig"];
        assert_eq!(
            [&service["Type"], &service["RemainAfterExit"]],
            [&json!("oneshot"), &json!(true)],
            "{name}"
        );
        assert_eq!(
            [&service["Restart"], &service["RestartPreventExitStatus"]],
            ["on-failure", "2 78"],
            "{name}"
        );
    }
}

/// A node whose key comes an hour late joins all the same: nothing has used up its tries, and what docs/secrets-nixos.md
/// says to start brings it.
#[test]
fn without_the_nodes_files_nothing_is_tried() {
    let all = nix::evaluate(&root().join("nodes"));
    let node = &all["node01.example.com"];
    for (service, name) in [
        ("chainfire", "chainfire-cluster-join"),
        ("flaredb", "flaredb-cluster-join"),
        ("iam", "iam-initial-setup"),
    ] {
        assert_eq!(
            units(node)[name]["requires"],
            json!([format!("plasmagen-secrets@{service}.service")]),
            "{name}"
        );
        let wants = units(node)[service]["wants"].as_array().unwrap();
        assert!(wants.contains(&json!(format!("{name}.service"))), "{service}: {wants:?}");
    }
}

/// Files that systemd passes on, by their paths at run time; a missing configuration is the program's to report.
#[test]
fn credentials_are_the_services_own() {
    let all = nix::evaluate(&root().join("nodes"));
    let credentials = [
        "ca_path:/etc/nixos/secrets/ca-cert.pem",
        "cert_path:/etc/nixos/secrets/node04-cert.pem",
        "key_path:/etc/nixos/secrets/node04-key.pem",
    ];
    let node = &all["node04.example.com"];
    assert_eq!(units(node)["chainfire-health"]["serviceConfig"]["LoadCredential"], json!(credentials));
    let join = &units(node)["flaredb-cluster-join"]["serviceConfig"];
    let mut expected = credentials.to_vec();
    expected.push("cluster-config.json:/etc/nixos/secrets/cluster-config.json");
    assert_eq!(join["LoadCredential"], json!(expected));
    assert_eq!(join["SetCredential"], "cluster-config.json:null");
    assert_eq!(join["StateDirectory"], "flaredb-cluster-join");

    let other =
        with("node04", "configFile = \"/etc/nixos/secrets/", "configFile = \"/run/elsewhere/").unwrap();
    let join = &units(&other)["chainfire-cluster-join"];
    assert_eq!(
        join["serviceConfig"]["LoadCredential"][3],
        "cluster-config.json:/run/elsewhere/cluster-config.json"
    );
    assert!(command(join).1.ends_with(" --config-source /run/elsewhere/cluster-config.json"));
}

#[test]
fn programs_are_told_ports_and_no_secret() {
    let all = nix::evaluate(&root().join("nodes"));
    let node = &all["node01.example.com"];
    let source = "--config-source /etc/nixos/secrets/cluster-config.json";
    for (name, program, arguments) in [
        (
            "chainfire-cluster-join",
            "cluster-join",
            &format!("--service chainfire --port 2379 --raft-port 2380 {source}"),
        ),
        (
            "flaredb-cluster-join",
            "cluster-join",
            &format!("--service flaredb --port 2479 --raft-port 2480 {source}"),
        ),
        ("iam-initial-setup", "iam-setup", &"--port 8080".to_owned()),
        ("iam-health", "health-check", &"--service iam --port 8080 --path /health --timeout 10".to_owned()),
    ] {
        assert_eq!(command(&units(node)[name]), (program.to_owned(), arguments.clone()), "{name}");
        assert_eq!(units(node)[name]["path"], json!(["/nix/store/curl", "/nix/store/jq"]), "{name}");
        assert_eq!(units(node)[name]["serviceConfig"]["DynamicUser"], true, "{name}");
    }
    let moved = with("node01", "port = 2379;", "port = 7379;").unwrap();
    assert!(command(&units(&moved)["chainfire-cluster-join"]).1.contains("--port 7379 "));
}

#[test]
fn health_is_asked_now_and_then() {
    let all = nix::evaluate(&root().join("tests/golden/ipv6/expected/nodes"));
    let node = &all["a1.dual.example.com"];
    let arguments = "--service flashdns --port 853 --path /health --timeout 10";
    assert_eq!(
        command(&units(node)["flashdns-health"]).1,
        arguments,
        "FlashDNS answers health checks at another port"
    );
    let timer = &node["systemd"]["timers"]["flashdns-health"];
    assert_eq!(timer["wantedBy"], json!(["timers.target"]));
    assert_eq!(
        timer["timerConfig"],
        json!({ "OnActiveSec": 30, "OnUnitInactiveSec": 30, "AccuracySec": "1s" })
    );

    let replacement =
        "services.iam.healthCheck = { path = \"/live\"; interval = 60; timeout = 5; };\n  services.iam = {";
    let changed = with("node01", "services.iam = {", replacement).unwrap();
    assert_eq!(
        command(&units(&changed)["iam-health"]).1,
        "--service iam --port 8080 --path /live --timeout 5"
    );
    assert_eq!(units(&changed)["iam-health"]["serviceConfig"]["TimeoutStartSec"], 25);
    assert_eq!(changed["systemd"]["timers"]["iam-health"]["timerConfig"]["OnUnitInactiveSec"], 60);

    let off = "services.iam.healthCheck.enable = false;\n  services.iam = {";
    assert_eq!(named(&with("node01", "services.iam = {", off).unwrap(), "-health"), ["chainfire", "flaredb"]);
}

/// A check touches nothing but its own unit: no unit is bound to it, and it is bound to none.
#[test]
fn nothing_happens_to_a_service_that_is_not_healthy() {
    let all = nix::evaluate(&root().join("nodes"));
    for (name, unit) in units(&all["node01.example.com"]) {
        let text = unit.to_string();
        if let Some(service) = name.strip_suffix("-health") {
            assert_eq!(unit["after"], json!([format!("{service}.service")]));
            assert_eq!([&unit["wants"], &unit["wantedBy"]], [&json!([]), &json!([])]);
        } else {
            assert!(!text.contains("-health"), "{name}: {text}");
        }
        assert!(!text.contains("OnFailure"), "{name}: {text}");
    }
}

#[test]
fn a_service_that_cannot_be_asked_is_refused() {
    let prismnet =
        "services.prismnet = {\n    enable = true;\n    port = 9091;\n    settings = {\n      tls = {";
    let without = prismnet.replace("tls = {", "other = {");
    let node = with("node04", prismnet, &without).unwrap();
    assert_eq!(named(&node, "-health"), ["chainfire", "flaredb", "plasmavmc"]);
    let forced = without.replace("port = 9091;", "port = 9091;\n    healthCheck.enable = true;");
    // First-boot automation asks Chainfire, whether its health is asked for or not.
    let settings = "log_level = \"info\";\n      node_id = \"node04\";\n      tls = {";
    let bare = settings.replace("tls = {", "other = {");
    for (service, original, changed) in [("prismnet", prismnet, forced), ("chainfire", settings, bare)] {
        let error = with("node04", original, &changed).unwrap_err();
        let expected = format!("services.{service}.settings.tls must name ca_path, cert_path and key_path");
        assert!(error.contains(&expected), "{error}");
    }

    for path in ["./cluster-config.json", "\"cluster-config.json\"", "\"/etc/a b\"", "\"/etc/%h\""] {
        let error = with("node04", "\"/etc/nixos/secrets/cluster-config.json\"", path).unwrap_err();
        assert!(error.contains("first-boot-automation.configFile' is not of type"), "{path}: {error}");
    }
}
