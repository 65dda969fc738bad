//! What a node waits for: its own services. IAM, and health checks.

use std::fs;

use serde_json::{Value, json};

use crate::first_boot::kit::{Site, VOTERS, join, run};
use crate::first_boot::outcome::Outcome;

const HEALTH: &str = "GET /health";
const SET_UP: &str = "POST /admin/init";

#[test]
fn a_service_that_never_starts_is_a_timeout() {
    let site = Site::new();
    let services = json!([site.service("chainfire", "node01", json!({ "off": true }))]);
    let runs = json!([run("cluster-join.sh", "chainfire", "node01", &["--health-timeout", "1"])]);
    let outcome = site.play(json!({ "services": services, "steps": [{ "runs": runs }] }));
    let expected = [
        "INFO Waiting for local chainfire service...",
        "WARN Not yet: connection refused, or no way there",
        "ERROR Health check timeout after 1s",
    ];
    assert_eq!(outcome.ends(0, 0, 1, "").said(0, 0), expected);
}

#[test]
fn a_service_that_starts_slowly_is_waited_for() {
    for answer in [
        json!({ "status": 503, "body": "" }),
        json!({ "status": 200, "body": r#"{"status":"starting"}"# }),
        json!({ "status": 200, "body": "healthy" }),
    ] {
        let site = Site::new();
        let mut answer = answer;
        answer["times"] = json!(3);
        let mut services = site.services("chainfire", &["node02", "node03"]);
        services.push(site.service("chainfire", "node01", json!({ "answers": { HEALTH: answer } })));
        let steps = json!([{ "runs": [join("node01")] }]);
        let outcome = site.play(json!({ "services": services, "steps": steps }));
        outcome.ends(0, 0, 0, "INFO Cluster join complete");
        assert_eq!(outcome.requests(HEALTH).len(), 4);
    }
}

/// IAM on the voters: `runs` on them.
fn iam(site: &Site, more: &Value, runs: impl Into<Value>) -> Outcome {
    let runs = runs.into();
    let services: Vec<_> = VOTERS.iter().map(|node| site.service("iam", node, more.clone())).collect();
    site.play(json!({ "services": services, "steps": [{ "runs": runs }] }))
}

fn set_up(node: &str) -> Value {
    run("iam-setup.sh", "iam", node, &["--health-timeout", "60", "--first-pause", "20"])
}

#[test]
fn iam_is_set_up_once() {
    let site = Site::new();
    let outcome = iam(&site, &json!({}), VOTERS.map(set_up).to_vec());
    for number in 0..3 {
        outcome.ends(0, number, 0, "INFO Initial set-up complete");
        assert!(!outcome.said(0, number).concat().contains("hunter2"), "what IAM answers is a secret");
    }
    let asked = outcome.requests(SET_UP).len();
    assert!((1..=3).contains(&asked), "{asked}");
    // Set up as it is, IAM is left alone.
    let services = site.services("iam", &["node01"]);
    let steps = json!([{ "runs": [set_up("node01")] }]);
    let outcome = site.play(json!({ "services": services, "iam_initialized": true, "steps": steps }));
    outcome.ends(0, 0, 0, "INFO Initial set-up complete");
    assert_eq!(outcome.requests(SET_UP), []);
}

#[test]
fn an_iam_that_does_not_say_that_it_is_empty_is_left_alone() {
    let site = Site::new();
    for more in ["", r#","initialized":null"#, r#","initialized":"false""#] {
        let body = format!(r#"{{"status":"healthy","database":"connected"{more}}}"#);
        let answers = json!({ "answers": { HEALTH: { "status": 200, "body": body, "times": 9 } } });
        let outcome = iam(&site, &answers, json!([set_up("node01")]));
        outcome.ends(0, 0, 0, "INFO Initial set-up complete");
        assert_eq!(outcome.requests(SET_UP), []);
    }
}

#[test]
fn an_iam_without_its_database_is_waited_for() {
    let site = Site::new();
    let body = r#"{"status":"healthy","database":"connecting","initialized":false}"#;
    let answers = json!({ "answers": { HEALTH: { "status": 200, "body": body, "times": 99 } } });
    let runs = json!([run("iam-setup.sh", "iam", "node01", &["--health-timeout", "0"])]);
    let outcome = iam(&site, &answers, runs);
    outcome.ends(0, 0, 1, "ERROR Health check timeout after 0s");
    assert!(outcome.said(0, 0).contains(&"WARN Not yet: its database is not connected".to_owned()));
    assert_eq!(outcome.requests(SET_UP), []);

    let answers = json!({ "answers": { SET_UP: { "status": 404, "body": "" } } });
    let outcome = iam(&site, &answers, json!([set_up("node01")]));
    outcome.ends(0, 0, 78, "ERROR Initial set-up failed: HTTP 404: this IAM does not know POST /admin/init");
}

#[test]
fn a_health_check_fails_while_the_service_is_not_healthy() {
    let site = Site::new();
    let check = json!([{ "runs": [run("health-check.sh", "chainfire", "node01", &["--timeout", "60"])] }]);
    let healthy = site.play(json!({ "services": site.services("chainfire", &["node01"]), "steps": check }));
    assert_eq!(healthy.requests(HEALTH).len(), 1);
    assert_eq!(healthy.said(0, 0), Vec::<String>::new());
    for (answers, words) in [
        (json!({ "off": true }), "connection refused, or no way there"),
        (json!({ "answers": { HEALTH: { "status": 503, "body": "" } } }), "HTTP 503"),
        (
            json!({ "answers": { HEALTH: { "status": 200, "body": r#"{"status":"degraded"}"# } } }),
            r#"it does not say {"status":"healthy"}"#,
        ),
    ] {
        let services = json!([site.service("chainfire", "node01", answers)]);
        let outcome = site.play(json!({ "services": services, "steps": check }));
        outcome.ends(0, 0, 1, &format!("ERROR chainfire is not healthy: {words}"));
    }
    fs::remove_file(site.path("credentials/node01/key_path")).unwrap();
    let services = site.services("chainfire", &["node02"]);
    site.play(json!({ "services": services, "steps": check })).ends(0, 0, 78, "No credential key_path");
}
