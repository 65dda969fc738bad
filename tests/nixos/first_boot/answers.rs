//! Services answer what they should not: nothing is formed for it, no request goes astray, and every log line is JSON.

use serde_json::{Value, json};

use crate::first_boot::kit::{Site, VOTERS, try_to_join};

const MEMBERS: &str = "GET /admin/cluster/members";

/// What is no list of members.
fn nonsense() -> Vec<Value> {
    let say = |body: &str| json!({ "status": 200, "body": body });
    let member = |member: &str| say(&format!(r#"{{"members":[{member}]}}"#));
    let elsewhere = json!({ "Location": "https://10.0.200.66/" });
    vec![
        say(""),
        say("<html>welcome</html>"),
        say("{}"),
        say("[]"),
        say(r#"{"members":null}"#),
        say(r#"{"members":{}}"#),
        say(r#"{"members":[]}{"members":[]}"#),
        say(r#"{"members":[]"#),
        say(&"[".repeat(100_000)),
        member("null"),
        member(r#"{"id":"node02"}"#),
        member(r#"{"id":7,"raft_addr":"10.0.200.11:2380"}"#),
        member(r#"{"id":"node02\nnone","raft_addr":"10.0.200.11:2380"}"#),
        member(r#"{"id":"node02","raft_addr":"10.0.200.11:2380\nnobody","role":"leader"}"#),
        json!({ "status": 204, "body": "" }),
        json!({ "status": 404, "body": r#"{"members":[]}"# }),
        json!({ "status": 302, "body": r#"{"members":[]}"#, "headers": elsewhere }),
        json!({ "status": 200, "repeat": 3_000_000 }),
        json!({ "status": 200, "repeat": 3_000_000, "headers": { "Transfer-Encoding": "identity" } }),
    ]
}

/// node01, empty itself, asks about its cluster `asked`, who says each of what is no list of members.
fn nothing_comes_of_it(asked: &str) {
    let site = Site::new();
    let step = |answer: &Value| {
        json!({
            "changes": [{ "service": "chainfire", "node": asked, "answers": { MEMBERS: answer } }],
            "runs": [try_to_join("node01")],
        })
    };
    let steps: Vec<_> = nonsense().iter().map(step).collect();
    let outcome = site.play(json!({ "services": site.services("chainfire", &VOTERS), "steps": steps }));
    outcome.formed_nothing();
    let whose = if asked == "node01" { "the local chainfire: " } else { "from node02.example.com: " };
    for number in 0..steps.len() {
        outcome.ends(number, 0, 1, whose);
    }
    let last = steps.len() - 1;
    outcome.ends(last, 0, 1, "its answer is longer than 1024 KiB");
    outcome.ends(last - 1, 0, 1, "its answer is longer than 1024 KiB").ends(last - 2, 0, 1, "HTTP 302");
}

#[test]
fn nonsense_of_a_peer_is_no_empty_peer() {
    nothing_comes_of_it("node02");
}

#[test]
fn nonsense_of_the_own_service_is_no_empty_service() {
    nothing_comes_of_it("node01");
}

/// A leader whose address is none: no request is made of it.
#[test]
fn a_leader_has_an_address() {
    let site = Site::new();
    let step = |address: &&str| {
        let members = json!({ "members": [{ "id": "node02", "raft_addr": address, "role": "leader" }] });
        json!({
            "changes": [{
                "service": "chainfire", "node": "node02",
                "answers": { MEMBERS: { "status": 200, "body": members.to_string() } },
            }],
            "runs": [try_to_join("node01")],
        })
    };
    let addresses = [
        "10.0.200.66:443/",
        "10.0.200.66:443@10.0.200.11:2380",
        "user@10.0.200.66:443",
        "-K/etc/passwd:1",
        "10.0.200.66#:2380",
        "$(touch${IFS}x):1",
        "[::1]x:1",
        "node02.example.com",
        ":2380",
    ];
    let steps: Vec<_> = addresses.iter().map(step).collect();
    let outcome = site.play(json!({ "services": site.services("chainfire", &VOTERS), "steps": steps }));
    outcome.formed_nothing();
    assert_eq!(outcome.requests("POST /admin/member/add"), []);
    for number in 0..steps.len() {
        outcome.ends(number, 0, 1, "node02.example.com knows of no leader");
    }
}

/// Whatever a message holds, the line is JSON: here a peer's name of the configuration.
#[test]
fn log_lines_are_json_whatever_they_hold() {
    let site = Site::new();
    let mut config: Value = serde_json::from_str(&site.read("node01", "cluster-config.json")).unwrap();
    let names = [r#""},{"level":"INFO"#, r"\u0041\", "%s%n$(id)`id`", "';exit${IFS}0;'"];
    let step = |name: &&str| {
        config["initial_peers"][1] = json!(name);
        let text = config.to_string();
        json!({ "runs": [site.with_credential(&try_to_join("node01"), "cluster-config.json", Some(&text))] })
    };
    let steps: Vec<_> = names.iter().map(step).collect();
    let outcome = site.play(json!({ "services": site.services("chainfire", &["node01"]), "steps": steps }));
    for (number, name) in names.iter().enumerate() {
        outcome.ends(number, 0, 78, &format!("'{name}' is no peer"));
    }
}
