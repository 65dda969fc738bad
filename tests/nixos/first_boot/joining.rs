//! Nodes join a cluster that others have formed, or are forming.

use serde_json::{Value, json};

use crate::first_boot::kit::{PATIENT, Site, VOTERS, join, run, try_to_join};
use crate::first_boot::outcome::Outcome;

const ADD: &str = "POST /admin/member/add";
const WITH_NODE04: [&str; 4] = ["node01", "node02", "node03", "node04"];

/// The cluster of the voters, led by `leader`.
fn formed(leader: &str) -> Value {
    let members =
        json!({ "node01": "10.0.200.10:2380", "node02": "10.0.200.11:2380", "node03": "10.0.200.12:2380" });
    json!([{ "service": "chainfire", "members": members, "leader": leader, "nodes": VOTERS }])
}

/// node04 joins the cluster that `leader` leads, where node01 is `first`.
fn play(site: &Site, leader: &str, first: Value, runs: &Value) -> Outcome {
    let mut services = site.services("chainfire", &["node02", "node03", "node04"]);
    services.push(site.service("chainfire", "node01", first));
    site.play(json!({ "services": services, "clusters": formed(leader), "steps": [{ "runs": runs }] }))
}

/// Asked for what, node01 answers once with `answer`.
fn once(asked: &str, answer: &Value) -> Value {
    json!({ "answers": { asked: answer } })
}

/// node04 has been added, by these nodes in turn.
fn joined_by(outcome: &Outcome, asked: &[&str]) {
    outcome.formed_nothing().ends(0, 0, 0, "INFO Cluster join complete");
    assert_eq!(outcome.one_cluster("chainfire", &formed("")[0]["members"], &WITH_NODE04), WITH_NODE04);
    let body = json!({ "id": "node04", "raft_addr": "10.0.200.20:2380" });
    let expected: Vec<_> =
        asked.iter().map(|to| ("node04".to_owned(), (*to).to_owned(), body.clone())).collect();
    assert_eq!(outcome.requests(ADD), expected);
}

#[test]
fn a_worker_asks_the_leader() {
    let site = Site::new();
    joined_by(&play(&site, "node01", json!({}), &json!([join("node04")])), &["node01"]);
}

/// What FlareDB's address is depends on where Chainfire's port ends.
#[test]
fn an_address_of_ipv6_keeps_its_brackets() {
    let site = Site::new();
    let config = site.read("node04", "cluster-config.json");
    site.write("node04", "cluster-config.json", &config.replace("10.0.200.20:2380", "[fd00:200::20]:2380"));
    let outcome = play(&site, "node01", json!({}), &json!([join("node04")]));
    outcome.ends(0, 0, 0, "INFO Cluster join complete");
    let body = json!({ "id": "node04", "raft_addr": "[fd00:200::20]:2380" });
    assert_eq!(outcome.requests(ADD), [("node04".to_owned(), "node01".to_owned(), body)]);
}

#[test]
fn a_leader_elsewhere_is_found_by_its_address() {
    let site = Site::new();
    joined_by(&play(&site, "node03", json!({}), &json!([join("node04")])), &["node03"]);
}

/// The new leader is asked because members say who it is: where the old one redirects to, nobody goes.
#[test]
fn the_leader_moves_while_it_is_asked() {
    let site = Site::new();
    let headers = json!({ "Location": "https://10.0.200.66/admin/member/add", "Retry-After": "0" });
    for status in [301, 307, 308, 421, 503] {
        let moved = json!({ "status": status, "body": "{}", "headers": headers, "leader": "node02" });
        let outcome = play(&site, "node01", once(ADD, &moved), &json!([join("node04")]));
        joined_by(&outcome, &["node01", "node02"]);
    }
}

/// Of its configuration node04 knows node01 alone; of node01 it has learnt who else there is.
#[test]
fn the_leader_dies_while_it_is_asked() {
    let site = Site::new();
    let outcome = play(
        &site,
        "node01",
        once(ADD, &json!({ "down": true, "leader": "node02" })),
        &json!([join("node04")]),
    );
    joined_by(&outcome, &["node01", "node02"]);
}

#[test]
fn who_is_a_member_already_is_content() {
    let site = Site::new();
    let mut services = site.services("chainfire", &["node02", "node03", "node04"]);
    services.push(site.service("chainfire", "node01", json!({ "stale": 1 })));
    let mut cluster = formed("node01");
    cluster[0]["members"]["node04"] = json!("10.0.200.20:2380");
    cluster[0]["told"] = json!(["node04"]);
    let steps = json!([{ "runs": [join("node04")] }, { "runs": [join("node04")] }]);
    let outcome = site.play(json!({ "services": services, "clusters": cluster, "steps": steps }));
    // node01 did not know it yet, and said 409 then. The second run has nothing to ask.
    outcome.formed_nothing().ends(0, 0, 0, "complete").ends(1, 0, 0, "complete");
    assert_eq!(outcome.requests(ADD).len(), 1);
    let said = outcome.said(0, 0);
    assert!(!said.concat().contains("failed"), "{said:?}");
}

/// A rack that is switched on at once.
#[test]
fn workers_wait_until_the_voters_have_a_cluster() {
    let site = Site::new();
    let all = ["node01", "node02", "node03", "node04", "node05"];
    let outcome = site.play(json!({
        "services": site.services("chainfire", &all),
        "steps": [{ "runs": all.map(join) }],
    }));
    let config: Value = serde_json::from_str(&site.read("node01", "cluster-config.json")).unwrap();
    assert_eq!(outcome.one_cluster("chainfire", &config["initial_peers"], &all), all);
    assert_eq!(outcome.requests("POST /admin/cluster/init").len(), 1);
    for number in 0..5 {
        outcome.ends(0, number, 0, "INFO Cluster join complete");
    }
}

#[test]
fn flaredb_is_joined_at_its_own_ports() {
    let site = Site::new();
    let mut clusters = formed("node02");
    clusters[0]["service"] = json!("flaredb");
    let outcome = site.play(json!({
        "services": site.services("flaredb", &WITH_NODE04),
        "clusters": clusters,
        "steps": [{ "runs": [run("cluster-join.sh", "flaredb", "node04", &PATIENT)] }],
    }));
    outcome.formed_nothing().ends(0, 0, 0, "INFO Cluster join complete");
    let body = json!({ "id": "node04", "raft_addr": "10.0.200.20:2480" });
    assert_eq!(outcome.requests(ADD), [("node04".to_owned(), "node02".to_owned(), body)]);
}

#[test]
fn what_hinders_a_join_is_said() {
    let site = Site::new();
    let one_try = json!([try_to_join("node04")]);
    for (first, code, words) in [
        (json!({ "off": true }), 1, "no answer to build on from node01.example.com: connection refused"),
        (
            once(ADD, &json!({ "status": 500, "body": "" })),
            1,
            "ERROR Join request failed: 10.0.200.10: HTTP 500",
        ),
        (
            once(ADD, &json!({ "status": 403, "body": "" })),
            1,
            "ERROR Join request failed: 10.0.200.10: HTTP 403",
        ),
        (
            once(ADD, &json!({ "status": 404, "body": "" })),
            78,
            "Join request failed: HTTP 404: 10.0.200.10 does not know POST /admin/member/add",
        ),
        (once(ADD, &json!({ "down": true })), 1, "ERROR Join request failed: 10.0.200.10: "),
    ] {
        play(&site, "node01", first, &one_try).formed_nothing().ends(0, 0, code, words);
    }
    let outcome = play(&site, "nobody", json!({}), &one_try);
    outcome.ends(0, 0, 1, "node01.example.com knows of no leader");
}
