//! Bootstrap nodes form one cluster, once.

use serde_json::{Value, json};

use crate::first_boot::kit::{PATIENT, Site, VOTERS, join, run, try_to_join};

const INIT: &str = "POST /admin/cluster/init";

/// The peers of `key` in the configuration of node01.
fn peers(site: &Site, key: &str) -> Value {
    let config: Value = serde_json::from_str(&site.read("node01", "cluster-config.json")).unwrap();
    config[key].clone()
}

#[test]
fn three_at_once_form_one_cluster() {
    let site = Site::new();
    let outcome = site.play(json!({
        "services": site.services("chainfire", &VOTERS),
        "steps": [{ "runs": VOTERS.map(join) }],
    }));
    for number in 0..3 {
        outcome.ends(0, number, 0, "INFO Cluster join complete");
    }
    let expected = peers(&site, "initial_peers");
    assert_eq!(outcome.one_cluster("chainfire", &expected, &VOTERS), VOTERS);
    // The first of the list forms it, on its own service and once; nobody is added who is a member already.
    let body = json!({ "id": "node01", "raft_addr": "10.0.200.10:2380", "initial_peers": expected });
    assert_eq!(outcome.requests(INIT), [("node01".to_owned(), "node01".to_owned(), body)]);
    assert_eq!(outcome.requests("POST /admin/member/add"), []);
    let said = outcome.said(0, 0);
    let expected = [
        "INFO Waiting for local chainfire service...",
        "INFO Local chainfire healthy",
        "INFO Bootstrap node, cluster initialized",
        "INFO Cluster join complete",
    ];
    let told: Vec<_> = said.iter().filter(|line| line.starts_with("INFO")).collect();
    assert_eq!(told, expected, "{said:?}");
}

/// `single = true` in the inventory.
#[test]
fn one_voter_forms_its_cluster_alone() {
    let site = Site::new();
    let mut config: Value = serde_json::from_str(&site.read("node01", "cluster-config.json")).unwrap();
    let alone = json!(["node01.example.com:2380"]);
    config["initial_peers"] = alone.clone();
    site.write("node01", "cluster-config.json", &config.to_string());
    let services = site.services("chainfire", &["node01"]);
    let outcome = site.play(json!({ "services": services, "steps": [{ "runs": [join("node01")] }] }));
    outcome.ends(0, 0, 0, "INFO Cluster join complete");
    assert_eq!(outcome.one_cluster("chainfire", &alone, &["node01"]), ["node01"]);
}

#[test]
fn flaredb_forms_its_own_cluster_at_its_own_ports() {
    let site = Site::new();
    let outcome = site.play(json!({
        "services": site.services("flaredb", &VOTERS),
        "steps": [{ "runs": VOTERS.map(|node| run("cluster-join.sh", "flaredb", node, &PATIENT)) }],
    }));
    let expected = peers(&site, "flaredb_peers");
    assert_eq!(outcome.one_cluster("flaredb", &expected, &VOTERS), VOTERS);
    let body = json!({ "id": "node01", "raft_addr": "10.0.200.10:2480", "initial_peers": expected });
    assert_eq!(outcome.requests(INIT), [("node01".to_owned(), "node01".to_owned(), body)]);
}

#[test]
fn a_second_run_changes_nothing() {
    let site = Site::new();
    let all = json!({ "runs": VOTERS.map(join) });
    let outcome = site.play(json!({
        "services": site.services("chainfire", &VOTERS),
        "steps": [all, all],
    }));
    for number in 0..3 {
        outcome.ends(1, number, 0, "INFO Cluster join complete");
    }
    assert_eq!(outcome.requests(INIT).len(), 1);
    assert_eq!(outcome.one_cluster("chainfire", &peers(&site, "initial_peers"), &VOTERS), VOTERS);
}

/// A few tries.
const TWICE: [&str; 4] = ["--join-timeout", "1", "--first-pause", "100"];

/// A service that is already initialised says 409, and that is what was wanted.
#[test]
fn a_service_that_was_initialised_meanwhile_is_content() {
    let site = Site::new();
    let mut services = site.services("chainfire", &["node02", "node03"]);
    let answers = json!({ "answers": { INIT: { "status": 409, "body": "{}" } } });
    services.push(site.service("chainfire", "node01", answers));
    let outcome = site.play(json!({ "services": services, "steps": [{ "runs": [run("cluster-join.sh", "chainfire", "node01", &TWICE)] }] }));
    let end =
        "ERROR Cluster join timeout after 1s: the local chainfire has been initialized and lists nobody";
    outcome.ends(0, 0, 1, end);
    assert!(outcome.said(0, 0).contains(&"INFO Bootstrap node, cluster initialized".to_owned()));
    assert_eq!(outcome.requests(INIT).len(), 1, "it is not asked again and again");
}

#[test]
fn a_service_without_the_endpoint_is_named() {
    let site = Site::new();
    let mut services = site.services("chainfire", &["node02", "node03"]);
    let answers = json!({ "answers": { INIT: { "status": 404, "body": "not found" } } });
    services.push(site.service("chainfire", "node01", answers));
    let outcome = site.play(json!({ "services": services, "steps": [{ "runs": [join("node01")] }] }));
    let expected = "Initialization failed: HTTP 404: this chainfire does not know POST /admin/cluster/init";
    outcome.ends(0, 0, 78, expected);
}

/// Whether a peer that does not answer has a cluster, nobody knows.
#[test]
fn nothing_is_formed_while_a_peer_is_silent() {
    let site = Site::new();
    let mut services = site.services("chainfire", &["node01", "node02"]);
    services.push(site.service("chainfire", "node03", json!({ "off": true })));
    let outcome = site.play(json!({
        "services": services,
        "steps": [{ "runs": [try_to_join("node01"), try_to_join("node02")] }],
    }));
    let expected = "ERROR Cluster join timeout after 0s: no answer to build on from node03.example.com: \
                    connection refused, or no way there";
    outcome.formed_nothing().ends(0, 0, 1, expected).ends(0, 1, 1, expected);
}

/// Whoever is not the first of the list leaves it to the first, however long that takes.
#[test]
fn only_the_first_forms() {
    let site = Site::new();
    let outcome = site.play(json!({
        "services": site.services("chainfire", &VOTERS),
        "steps": [{ "runs": [try_to_join("node02"), try_to_join("node03")] }],
    }));
    outcome.formed_nothing().ends(0, 0, 1, "node01.example.com has not initialized the cluster");
}
