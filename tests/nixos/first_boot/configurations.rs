//! cluster-config.json as the programs read it: whatever is rendered, and nothing that is not as it should be.

use serde_json::{Value, json};

use crate::first_boot::kit::{Site, VOTERS, configurations, run, try_to_join};

const HEALTH: &str = "GET /health";

/// All that is rendered is understood: the run then waits for a service, of which there is none.
#[test]
fn what_is_rendered_is_read() {
    let site = Site::new();
    let all = configurations();
    assert!(all.len() >= 15, "{}", all.len());
    let step = |text: &String| {
        let run = |service| run("cluster-join.sh", service, "node01", &["--health-timeout", "0"]);
        let runs = ["chainfire", "flaredb"]
            .map(|service| site.with_credential(&run(service), "cluster-config.json", Some(text)));
        json!({ "runs": runs })
    };
    let steps: Vec<_> = all.iter().map(step).collect();
    let outcome = site.play(json!({ "services": [], "steps": steps }));
    for (number, text) in all.iter().enumerate() {
        outcome.ends(number, 0, 1, "ERROR Health check timeout after 0s");
        // Of a cluster whose voters run no FlareDB, no node does.
        let config: Value = serde_json::from_str(text).unwrap();
        if config["flaredb_peers"] != json!([]) {
            outcome.ends(number, 1, 1, "ERROR Health check timeout after 0s");
        }
    }
}

/// node01 with each of these configurations, which are `fault`.
fn misconfigured(site: &Site, texts: &[(String, &str)]) {
    let step = |(text, _): &(String, &str)| json!({ "runs": [site.with_credential(&try_to_join("node01"), "cluster-config.json", Some(text))] });
    let steps: Vec<_> = texts.iter().map(step).collect();
    let outcome = site.play(json!({ "services": site.services("chainfire", &VOTERS), "steps": steps }));
    for (number, (_, fault)) in texts.iter().enumerate() {
        let words = fault.replace("FILE", "/etc/nixos/secrets/cluster-config.json");
        outcome.ends(number, 0, 78, &format!("ERROR Configuration file {words}"));
    }
    outcome.formed_nothing();
    assert_eq!(outcome.requests(HEALTH), []);
}

#[test]
fn a_configuration_that_is_not_there_is_missed() {
    misconfigured(&Site::new(), &["", "null", "null\n"].map(|text| (text.to_owned(), "not found: FILE")));
}

#[test]
fn a_malformed_configuration_is_told_from_a_missing_one() {
    let site = Site::new();
    let good: Value = serde_json::from_str(&site.read("node01", "cluster-config.json")).unwrap();
    let peers = good["initial_peers"].as_array().unwrap();
    let changed = |changes: Value| {
        let mut config = good.clone();
        config.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        config.to_string()
    };
    let mut texts: Vec<_> =
        ["{", "not JSON", "[1"].map(|text| (text.to_owned(), "malformed: FILE: it is not JSON")).into();
    let two = format!("{good}{good}");
    texts.extend(
        ["[]", "\u{0}", &two].map(|text| (text.to_owned(), "malformed: FILE: it is not one JSON object")),
    );
    texts.extend([
        (changed(json!({ "node_id": null, "raft_addr": 7 })), "malformed: FILE: node_id, raft_addr"),
        (changed(json!({ "node_id": "node01\nnode02" })), "malformed: FILE: node_id"),
        (changed(json!({ "bootstrap": "true" })), "malformed: FILE: bootstrap"),
        (changed(json!({ "raft_addr": "10.0.200.10" })), "malformed: FILE: raft_addr"),
        (changed(json!({ "raft_addr": "10.0.200.10:2380/../x" })), "malformed: FILE: raft_addr"),
        (changed(json!({ "initial_peers": null })), "malformed: FILE: initial_peers"),
        (changed(json!({ "initial_peers": [] })), "malformed: FILE: initial_peers"),
        (
            changed(json!({ "initial_peers": [peers[0], peers[1], peers[1]] })),
            "malformed: FILE: initial_peers",
        ),
        (
            changed(json!({ "initial_peers": [peers[1], peers[2]] })),
            "malformed: FILE: node01 is not once among the peers",
        ),
        (changed(json!({ "initial_peers": [peers[0], "-x:1"] })), "malformed: FILE: '-x:1' is no peer"),
    ]);
    misconfigured(&site, &texts);
}
