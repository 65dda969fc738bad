//! Nobody is believed, and nobody believes, without a certificate of the cluster's own CA for the right name.

use std::fs;

use serde_json::{Value, json};

use crate::first_boot::kit::{Site, VOTERS, run, try_to_join};
use crate::first_boot::outcome::Outcome;

/// Limits of a run that does not get past its own service.
const UNHEALTHY: [&str; 2] = ["--health-timeout", "1"];

/// node01 is first to form a cluster and asks its own service, of which the scenario says `answers`.
fn with_first_service(site: &Site, answers: Value) -> Value {
    let mut services = site.services("chainfire", &["node02", "node03"]);
    services.push(site.service("chainfire", "node01", answers));
    let steps = json!([{ "runs": [run("cluster-join.sh", "chainfire", "node01", &UNHEALTHY)] }]);
    json!({ "services": services, "steps": steps })
}

/// The certificate of `node`, its key, and the CA that clients need.
fn files(site: &Site, node: &str, clients: &Site) -> Value {
    let credentials = site.path("credentials").join(node);
    json!([
        credentials.join("cert_path"),
        credentials.join("key_path"),
        clients.path("credentials/node01/ca_path")
    ])
}

/// node01 has not heard from its own service, since `words`.
fn is_deaf(outcome: &Outcome, words: &str) {
    outcome.formed_nothing().ends(0, 0, 1, "ERROR Health check timeout after 1s");
    let said = outcome.said(0, 0);
    assert!(said.iter().any(|line| line.starts_with("WARN Not yet: ") && line.contains(words)), "{said:?}");
    assert_eq!(outcome.requests("GET /health"), []);
}

#[test]
fn a_service_of_another_ca_is_not_believed() {
    let (site, other) = (Site::new(), Site::named("other"));
    let answers = json!({ "certificate": files(&other, "node01", &site) });
    is_deaf(&site.play(with_first_service(&site, answers)), "SSL certificate problem");
}

/// curl trusts the machine's own authorities beside the one that it is given, unless it is told otherwise.
#[test]
fn the_machines_own_authorities_do_not_count() {
    let (site, other) = (Site::new(), Site::named("other"));
    let answers = json!({ "certificate": files(&other, "node01", &site) });
    let mut scenario = with_first_service(&site, answers);
    scenario["mounts"] = json!([[other.hashed_authority(), "/etc/ssl/certs"]]);
    is_deaf(&site.play(scenario), "SSL certificate problem");
}

#[test]
fn the_users_own_settings_do_not_count() {
    let (site, other) = (Site::new(), Site::named("other"));
    fs::write(site.path(".curlrc"), "insecure\nlocation\n").unwrap();
    let answers = json!({ "certificate": files(&other, "node01", &site) });
    is_deaf(&site.play(with_first_service(&site, answers)), "SSL certificate problem");
}

#[test]
fn a_peer_with_anothers_name_is_not_believed() {
    let site = Site::new();
    let mut services = site.services("chainfire", &["node01", "node03"]);
    let answers = json!({ "certificate": files(&site, "node03", &site) });
    services.push(site.service("chainfire", "node02", answers));
    let steps = json!([{ "runs": [try_to_join("node01")] }]);
    let outcome = site.play(json!({ "services": services, "steps": steps }));
    let words = "from node02.example.com: SSL: no alternative certificate subject name matches";
    outcome.formed_nothing().ends(0, 0, 1, words);
    assert!(outcome.requests("GET /admin/cluster/members").iter().all(|(_, to, _)| to != "node02"));
}

#[test]
fn a_node_without_a_certificate_says_so() {
    let site = Site::new();
    let names = ["ca_path", "cert_path", "key_path"];
    let step = |name: &&str| json!({ "runs": [site.with_credential(&try_to_join("node01"), name, None)] });
    let steps: Vec<_> = names.iter().map(step).collect();
    let outcome = site.play(json!({ "services": site.services("chainfire", &["node02"]), "steps": steps }));
    for (number, name) in names.iter().enumerate() {
        outcome.formed_nothing().ends(number, 0, 78, &format!("ERROR No credential {name}: "));
    }
}

#[test]
fn a_node_with_anothers_certificate_is_not_believed() {
    let (site, other) = (Site::new(), Site::named("other"));
    let answers = json!({ "certificate": files(&site, "node02", &site) });
    site.swap_identity("node01", &other);
    // What curl says depends on whether it has written its request when the alert comes.
    is_deaf(&site.play(with_first_service(&site, answers)), "");
}

/// Nothing of a key is said, where the key is the fault.
#[test]
fn a_broken_key_stays_unsaid() {
    let site = Site::new();
    let scenario = with_first_service(&site, json!({ "certificate": files(&site, "node02", &site) }));
    let key = site.read("node01", "key_path");
    site.write("node01", "key_path", &key.replace("BEGIN", "BEGUN"));
    let outcome = site.play(scenario);
    is_deaf(&outcome, "key");
    let secret: Vec<_> = key.lines().filter(|line| !line.contains("PRIVATE KEY")).collect();
    let said = outcome.said(0, 0).concat();
    assert!(!secret.is_empty() && secret.iter().all(|line| !said.contains(line)), "{said}");
}

#[test]
fn a_leader_without_tls_is_refused() {
    let site = Site::new();
    let config = site.read("node04", "cluster-config.json");
    let step = |url: &&str| {
        let other = config.replace("https://node01.example.com:2379", url);
        json!({ "runs": [site.with_credential(&try_to_join("node04"), "cluster-config.json", Some(&other))] })
    };
    let urls =
        ["http://node01.example.com:2379", "https://node01.example.com:2379@elsewhere.com:1", "node01:2379"];
    let steps: Vec<_> = urls.iter().map(step).collect();
    let outcome = site.play(json!({ "services": site.services("chainfire", &VOTERS), "steps": steps }));
    for number in 0..urls.len() {
        outcome.formed_nothing().ends(number, 0, 78, "ERROR Configuration file malformed: ");
    }
}
