//! `show`: what the inventory comes to, and where each value comes from.

use serde_json::{Value, json};

use crate::kit::{Run, Site};

/// The line that begins with `key`, its columns apart.
fn line<'r>(run: &'r Run, key: &str) -> Vec<&'r str> {
    let found = run.stdout.lines().find(|line| line.split("  ").next() == Some(key));
    let found = found.unwrap_or_else(|| panic!("{key}: {}", run.stdout));
    found.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()
}

#[test]
fn a_node_is_shown_in_aligned_columns() {
    let site = Site::new();
    site.edit("[node.node02]", "[node.node02]\nfirmware = \"bios\"");
    let run = site.run(&["show", "node02"]);
    run.ends(0, &[]);
    assert_eq!(run.stderr, "");
    assert_eq!(line(&run, "firmware"), ["firmware", "node.node02", "\"bios\""]);
    assert_eq!(line(&run, "gateway"), ["gateway", "network.production", "\"10.0.200.1\""]);
    assert_eq!(line(&run, "layout.esp"), ["layout.esp", "profile.control-plane", "\"1G\""]);
    assert_eq!(line(&run, "services.iam.port"), ["services.iam.port", "built-in service.iam", "8080"]);
    let at = |word: &str| run.stdout.lines().find_map(|line| line.find(word));
    assert_eq!(at("node.node02"), at("network.production"));
}

#[test]
fn without_a_node_the_cluster_and_its_nodes_are_shown() {
    let site = Site::new();
    let run = site.run(&["show"]);
    run.ends(0, &[]);
    assert_eq!(line(&run, "domain"), ["domain", "cluster", "\"cluster.example.com\""]);
    assert_eq!(line(&run, "tls.ca_days"), ["tls.ca_days", "default", "3650"]);
    let services = "chainfire, flaredb, iam";
    let addresses = "10.0.100.51, 10.0.200.11";
    assert_eq!(line(&run, "node02"), ["node02", "control-plane", "3c:ec:ef:00:00:02", addresses, services]);
}

#[test]
fn json_holds_values_and_not_their_text() {
    let site = Site::new();
    let read = |args: &[&str]| -> Value {
        let run = site.run(args);
        run.ends(0, &[]);
        serde_json::from_str(&run.stdout).unwrap()
    };
    let node = read(&["show", "node01", "--format", "json"]);
    assert_eq!(node["node"], "node01");
    let port = json!({ "path": ["services", "iam", "port"], "value": 8080, "from": "built-in service.iam" });
    assert!(node["values"].as_array().unwrap().contains(&port), "{node:#}");
    let cluster = read(&["show", "--format", "json"]);
    assert_eq!(cluster["nodes"], json!(["node01", "node02", "node03"]));
}

#[test]
fn a_refused_inventory_is_not_shown() {
    let site = Site::new();
    site.edit("vlan = 10\n", "vlan = 5000\n");
    let run = site.run(&["show", "node01"]);
    run.ends(1, &["error[PG-D07]", "inventory.toml is refused"]);
    assert_eq!(run.stdout, "");
    site.run(&["show", "-i", "absent.toml"]).ends(2, &["there is no inventory absent.toml"]);
}
