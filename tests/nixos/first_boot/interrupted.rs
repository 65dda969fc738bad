//! A run that is killed at any of its requests, before the service has heard it or before the answer is back, leaves
//! nothing that the next run cannot go on from.

use serde_json::{Value, json};

use crate::first_boot::kit::{Site, VOTERS, join};
use crate::first_boot::outcome::Outcome;

/// SIGKILL, as Python says it.
const KILLED: i64 = -9;

/// `node` is killed at its request `number`; then all of `all` run.
fn killed(site: &Site, all: &[&str], clusters: &Value, node: &str, number: usize, when: &str) -> Outcome {
    let mut first = join(node);
    first["kill"] = json!({ "request": number, "when": when });
    let then: Vec<_> = all.iter().map(|node| join(node)).collect();
    site.play(json!({
        "services": site.services("chainfire", &["node01", "node02", "node03", "node04"]),
        "clusters": clusters,
        "steps": [{ "runs": [first] }, { "runs": then }],
    }))
}

/// How often `node` can be killed, with what comes of it each time.
fn moments(all: &[&str], clusters: &Value, node: &str, check: impl Fn(&Outcome)) -> usize {
    for number in 1.. {
        for when in ["before", "after"] {
            let outcome = killed(&Site::new(), all, clusters, node, number, when);
            for run in 0..all.len() {
                outcome.ends(1, run, 0, "INFO Cluster join complete");
            }
            check(&outcome);
            if outcome.code(0, 0) != KILLED {
                outcome.ends(0, 0, 0, "INFO Cluster join complete");
                return number - 1;
            }
        }
    }
    unreachable!()
}

#[test]
fn whoever_forms_a_cluster_may_be_killed_at_any_request() {
    let config: Value = serde_json::from_str(&Site::new().read("node01", "cluster-config.json")).unwrap();
    let count = moments(&VOTERS, &json!([]), "node01", |outcome| {
        assert_eq!(outcome.one_cluster("chainfire", &config["initial_peers"], &VOTERS), VOTERS);
    });
    // Health, itself, two peers, the initialisation, itself again.
    assert_eq!(count, 6);
}

#[test]
fn whoever_joins_may_be_killed_at_any_request() {
    let members =
        json!({ "node01": "10.0.200.10:2380", "node02": "10.0.200.11:2380", "node03": "10.0.200.12:2380" });
    let clusters =
        json!([{ "service": "chainfire", "members": members, "leader": "node02", "nodes": VOTERS }]);
    let count = moments(&["node04"], &clusters, "node04", |outcome| {
        outcome.formed_nothing();
        outcome.one_cluster("chainfire", &members, &["node01", "node02", "node03", "node04"]);
        // Added once, however often it was killed: before it asks again it looks.
        let asked = outcome.requests("POST /admin/member/add").len();
        assert!((1..=2).contains(&asked), "{outcome:?}");
    });
    // Health, itself, node01, the leader, itself and node01 while it is not told, itself.
    assert!(count >= 6, "{count}");
}
