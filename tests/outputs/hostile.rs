//! The two walls against injection hold together: whatever the inventory's rules accept, every output renders, and Nix
//! reads back exactly the value. What they refuse, they refuse with a diagnostic.

use test_kit::nix;

use std::fs;

use plasmagen::check::check;
use plasmagen::model::Cluster;
use plasmagen::outputs;
use plasmagen::plan::{Certificates, HostKeys, Plan, Zones};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use test_kit::repository;

/// Texts that have a meaning in the language of some output.
const NASTY: [&str; 24] = [
    "\"",
    "\\",
    "${x}",
    "$${x}",
    "''",
    ";",
    "$(id)",
    "`id`",
    "é",
    "日本",
    "\u{1f600}",
    "#",
    "//",
    "/*",
    "{",
    "}",
    "\\${",
    "%",
    "&&",
    "||",
    "a b",
    "\\n",
    "|",
    "'",
];

/// Arbitrary text, often with something nasty in it; control characters among it.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => prop::sample::select(NASTY.to_vec()).prop_map(str::to_owned),
        2 => "[a-z0-9-]{1,4}",
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

/// The places of `inventory` that take text, each with what it says where nothing is tried there.
const PLACES: [(&str, &str); 20] = [
    ("KEY", "level"),
    ("VALUE", "info"),
    ("COMMENT", "ops"),
    ("PARAM", "quiet"),
    ("USER", "admin"),
    ("PASSWORD", "bmc/n1"),
    ("SERIAL", "S1"),
    ("DISK", "nvme-A_1"),
    ("HARDWARE", "a box"),
    ("NODE", "n1"),
    ("DOMAIN", "example.com"),
    ("CLUSTER", "prod"),
    ("NTP", "ntp.example.com"),
    ("LOG", "log.example.com"),
    ("EXTRA", "/etc/dhcp/x"),
    ("VIP", "api"),
    ("FAR", "far.example.net"),
    ("ZONE", "0/26"),
    ("SERVER", "ns.example.net"),
    ("CONTACT", "ops@example.com"),
];

/// An inventory with `chosen` text at the place `chosen` and at VALUE.
fn inventory(place: &str, chosen: &str) -> String {
    let mut text = fs::read_to_string(repository().join("tests/outputs/hostile.toml")).unwrap();
    for (name, usual) in PLACES {
        let tried = name == place || name == "VALUE";
        let value = if tried { chosen } else { usual };
        // JSON's strings are TOML's, but for DEL, which TOML wants escaped.
        let toml = |text: String| serde_json::to_string(&text).unwrap().replace('\u{7f}', "\\u007F");
        text = text.replace(&format!("@{name}@"), &toml(value.to_owned()));
        text = text.replace(&format!("@ssh-{name}@"), &toml(format!("{SSH}{value}")));
        text = text.replace(&format!("@id-{name}@"), &toml(format!("/dev/disk/by-id/{value}")));
        text = text.replace(&format!("@reverse-{name}@"), &toml(format!("{value}.9.0.10.in-addr.arpa")));
    }
    text
}

const SSH: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL845TiWoOe2XrCMNfJUqPLN1eh7VXS0D1UnHilzay57 ";

/// The cluster, if the rules accept it.
fn accepted(text: &str) -> Option<Cluster> {
    let checked = check(text.as_bytes()).unwrap();
    assert_eq!(checked.cluster.is_none(), checked.count(plasmagen::diag::Severity::Error) > 0);
    checked.cluster
}

#[test]
fn what_the_rules_accept_every_output_says_and_nix_reads_back() {
    let mut runner = TestRunner::new(Config::default());
    let site = tempfile::tempdir().unwrap();
    let (mut clusters, mut refused) = (Vec::new(), 0);
    for round in 0..1500 {
        let (place, _) = PLACES[round % PLACES.len()];
        let chosen = text().new_tree(&mut runner).unwrap().current();
        let Some(cluster) = accepted(&inventory(place, &chosen)) else {
            refused += 1;
            continue;
        };
        let ca = Some("CA\n".to_owned());
        let nodes =
            cluster.nodes.iter().map(|node| (node.name.clone(), "certificate\n".to_owned())).collect();
        let certificates = Certificates { ca, nodes, ..Certificates::default() };
        let plan = Plan { cluster, certificates, host_keys: HostKeys::default(), zones: Zones::default() };
        let rendered =
            outputs::render(&plan).unwrap_or_else(|error| panic!("{place} = {chosen:?}: {error:#}"));
        // Each node in a directory of its own, so that one call of Nix reads them all.
        for artifact in rendered.iter().filter(|artifact| artifact.path.as_str().starts_with("nodes/")) {
            let file = artifact.path.as_str().rsplit('/').next().unwrap();
            let dir = site.path().join("nodes").join(format!("case{}", clusters.len()));
            fs::create_dir_all(&dir).unwrap();
            fs::write(dir.join(file), &artifact.body).unwrap();
        }
        clusters.push((place, chosen, plan.cluster));
    }
    assert!(clusters.len() > 300 && refused > 100, "{} accepted, {refused} refused", clusters.len());
    let all = nix::evaluate(&site.path().join("nodes"));
    for (at, (place, chosen, cluster)) in clusters.iter().enumerate() {
        let nixos = &all[format!("case{at}")];
        let node = &cluster.nodes[0];
        let context = format!("{place} = {chosen:?}");
        assert_eq!(nixos["networking"]["hostName"], node.name.as_str(), "{context}");
        assert_eq!(nixos["networking"]["domain"], cluster.domain.as_str(), "{context}");
        let keys = &nixos["users"]["users"]["root"]["openssh"]["authorizedKeys"]["keys"];
        assert_eq!(*keys, json!(cluster.admin_keys), "{context}");
        let name = node.disk_names(node.layout.labels).disk(0);
        assert_eq!(nixos["disko"]["devices"]["disk"][name]["device"], node.disks[0].as_str(), "{context}");
        let params = nixos["boot"]["kernelParams"].as_array().unwrap();
        assert!(params.contains(&json!(node.kernel_params[0])), "{context}");
        let settings = &nixos["services"]["chainfire"]["settings"];
        for (key, value) in &node.services[0].settings {
            assert_eq!(settings[key], *value, "{context}");
        }
        assert_eq!(settings["list"], json!([chosen, { "nested": chosen }]), "{context}");
    }
}

/// Control characters are refused wherever they stand, so that no output can hold a second line.
#[test]
fn no_text_holds_a_line_break() {
    for (place, _) in PLACES {
        for control in ["\n", "\r", "\0", "\u{1b}", "\u{7f}", "\u{85}", "\u{2028}", "\u{202e}", "\u{feff}"] {
            let text = inventory(place, &format!("a{control}b"));
            assert!(accepted(&text).is_none(), "{place} takes {control:?}");
        }
    }
}

/// What is not tried is sound: else the tests above would prove nothing.
#[test]
fn the_frame_is_sound() {
    let cluster = accepted(&inventory("VALUE", "info")).unwrap();
    assert_eq!(cluster.nodes[0].services[0].settings["level"], Value::from("info"));
}
