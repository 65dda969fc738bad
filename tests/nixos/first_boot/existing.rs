//! What exists is never formed anew, whoever has lost what.

use std::fs;

use serde_json::{Value, json};

use crate::first_boot::kit::{Site, VOTERS, join, run, try_to_join};

const ADD: &str = "POST /admin/member/add";

/// The mark that a node leaves when it has joined.
fn mark(site: &Site, node: &str, text: &str) {
    let state = site.path("state").join(format!("{node}-chainfire"));
    fs::create_dir_all(&state).unwrap();
    fs::write(state.join("joined.json"), text).unwrap();
}

const OURS: &str = r#"{"node_id":"node01","cluster_name":"prod-cluster"}"#;

/// A cluster of `members`, whose data `nodes` have.
fn cluster(members: &[&str], nodes: &[&str]) -> Value {
    let members: Value = members.iter().map(|node| (*node, "10.0.200.1:2380")).collect();
    json!([{ "service": "chainfire", "members": members, "leader": nodes[0], "nodes": nodes }])
}

/// A cluster to be joined, led by node02.
fn led_by_node02(members: &[&str], nodes: &[&str]) -> Value {
    let mut led = cluster(members, nodes);
    led[0]["members"]["node02"] = json!("10.0.200.11:2380");
    led[0]["leader"] = json!("node02");
    led
}

#[test]
fn a_node_with_its_data_needs_nobody() {
    let site = Site::new();
    let mut services = site.services("chainfire", &["node01"]);
    services.extend(["node02", "node03"].map(|node| site.service("chainfire", node, json!({ "off": true }))));
    let steps = json!([{ "runs": [join("node01")] }]);
    let clusters = cluster(&VOTERS, &["node01"]);
    let outcome = site.play(json!({ "services": services, "clusters": clusters, "steps": steps }));
    outcome.formed_nothing().ends(0, 0, 0, "INFO Cluster join complete");
    let left: Value =
        serde_json::from_slice(&fs::read(site.path("state/node01-chainfire/joined.json")).unwrap()).unwrap();
    assert_eq!(left, serde_json::from_str::<Value>(OURS).unwrap());
}

/// The first of the list was reinstalled. Removed before, it is added again; else that is left to somebody.
#[test]
fn a_reinstalled_node_joins_what_its_peers_have() {
    let site = Site::new();
    let steps = json!([{ "runs": [join("node01")] }]);
    let clusters = led_by_node02(&["node02", "node03"], &["node02", "node03"]);
    let services = site.services("chainfire", &VOTERS);
    let outcome = site.play(json!({ "services": services, "clusters": clusters, "steps": steps }));
    outcome.formed_nothing().ends(0, 0, 0, "INFO Cluster join complete");
    assert_eq!(outcome.requests(ADD).len(), 1);

    let clusters = led_by_node02(&VOTERS, &["node02", "node03"]);
    let steps = json!([{ "runs": [try_to_join("node01")] }]);
    let outcome = site.play(json!({
        "services": site.services("chainfire", &VOTERS),
        "clusters": clusters,
        "steps": steps,
    }));
    let words = "node02.example.com lists node01, whose own chainfire has nothing yet; a node that lost its data \
                 is first removed";
    outcome.formed_nothing().ends(0, 0, 1, words);
    assert_eq!(outcome.requests(ADD), []);
}

/// One peer has a cluster, the others are empty: that one counts, whichever it is.
#[test]
fn one_peer_with_a_cluster_is_enough() {
    let site = Site::new();
    let clusters = led_by_node02(&["node02"], &["node02"]);
    let outcome = site.play(json!({
        "services": site.services("chainfire", &VOTERS),
        "clusters": clusters,
        "steps": [{ "runs": [join("node01"), join("node03")] }],
    }));
    outcome.formed_nothing().ends(0, 0, 0, "complete").ends(0, 1, 0, "complete");
    assert_eq!(outcome.requests(ADD).len(), 2);
}

/// A peer that has a cluster and then says that it has none: something is wrong, and nothing is formed on it.
#[test]
fn a_cluster_that_was_seen_is_not_replaced() {
    let site = Site::new();
    let members = r#"{"members":[{"id":"node02","raft_addr":"10.0.200.11:2380","role":"follower"}]}"#;
    let answers = json!({ "answers": { "GET /admin/cluster/members": { "status": 200, "body": members } } });
    let mut services = site.services("chainfire", &["node01", "node03"]);
    services.push(site.service("chainfire", "node02", answers));
    let limits = ["--join-timeout", "2", "--first-pause", "100"];
    let steps = json!([{ "runs": [run("cluster-join.sh", "chainfire", "node01", &limits)] }]);
    let outcome = site.play(json!({ "services": services, "steps": steps }));
    // A busy machine comes to the second answer only by chance: then nothing is shown, and nothing fails.
    outcome.formed_nothing().ends(0, 0, 1, "ERROR Cluster join timeout after 2s: ");
    assert!(outcome.said(0, 0).concat().contains("node02.example.com knows of no leader"));
}

/// As after a data volume that was not mounted: all services are empty, and yet nothing is formed.
#[test]
fn data_that_is_gone_is_no_first_boot() {
    let site = Site::new();
    mark(&site, "node01", OURS);
    let services = site.services("chainfire", &VOTERS);
    let steps = json!([{ "runs": [try_to_join("node01")] }]);
    let outcome = site.play(json!({ "services": services, "steps": steps }));
    let words = "This node has been in prod-cluster, but its chainfire has no data, and no peer has a cluster: \
                 restore the data, or remove ";
    outcome.formed_nothing().ends(0, 0, 78, words);

    // Where a peer still has one, it is joined as if for the first time.
    let outcome = site.play(json!({
        "services": services,
        "clusters": led_by_node02(&["node02", "node03"], &["node02", "node03"]),
        "steps": [{ "runs": [join("node01")] }],
    }));
    outcome.formed_nothing().ends(0, 0, 0, "INFO Cluster join complete");
}

#[test]
fn a_mark_of_another_cluster_stops_everything() {
    let site = Site::new();
    for text in [r#"{"node_id":"node01","cluster_name":"other"}"#, "", "{", &OURS.replace("node01", "node09")]
    {
        mark(&site, "node01", text);
        let steps = json!([{ "runs": [try_to_join("node01")] }]);
        let outcome = site.play(json!({ "services": site.services("chainfire", &VOTERS), "steps": steps }));
        let words = "joined.json names another cluster or node than prod-cluster and node01";
        outcome.formed_nothing().ends(0, 0, 78, words);
        assert_eq!(outcome.requests("GET /health"), []);
    }
}

#[test]
fn a_node_that_was_removed_stays_out() {
    let site = Site::new();
    let steps = json!([{ "runs": [try_to_join("node01")] }]);
    let clusters = led_by_node02(&["node02", "node03"], &VOTERS);
    let services = site.services("chainfire", &VOTERS);
    let outcome = site.play(json!({ "services": services, "clusters": clusters, "steps": steps }));
    let words = "the local chainfire is in a cluster that does not list node01: was it removed?";
    outcome.formed_nothing().ends(0, 0, 1, words);
    assert_eq!(outcome.requests(ADD), []);
}

/// `formed = true` in the inventory: nobody forms, the voters too only join.
#[test]
fn a_formed_cluster_is_only_joined() {
    let site = Site::new();
    let config = |leader: &str| {
        json!({ "node_id": "node01", "node_role": "control-plane", "bootstrap": false, "cluster_name": "prod-cluster",
                "leader_url": format!("https://{leader}.example.com:2379"), "raft_addr": "10.0.200.10:2380" })
    };
    for (leader, code, words) in [
        ("node02", 1, "node02.example.com has no cluster"),
        ("node01", 78, "prod-cluster is formed and has no other voter to join"),
    ] {
        site.write("node01", "cluster-config.json", &config(leader).to_string());
        let steps = json!([{ "runs": [try_to_join("node01")] }]);
        let outcome = site.play(json!({ "services": site.services("chainfire", &VOTERS), "steps": steps }));
        outcome.formed_nothing().ends(0, 0, code, words);
    }
}
