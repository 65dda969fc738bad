//! What nft says that the kernel loaded, in a network namespace of its own.

use std::path::PathBuf;

use serde_json::Value;

use super::SaidOfEach;
use crate::facts::{Facts, Said};
use crate::namespace::script;
use crate::tree::Tree;

pub(crate) fn read(trees: &[Tree]) -> SaidOfEach {
    let files =
        |tree: &Tree| tree.of_nodes("firewall.nft").iter().map(|own| tree.path(own.1)).collect::<Vec<_>>();
    let all: Vec<PathBuf> = trees.iter().flat_map(files).collect();
    let listed = script("nft", NFT, &all);
    let mut rulesets = listed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let said = |tree: &Tree| {
        let mut facts = Facts::default();
        for (dir, ..) in tree.of_nodes("firewall.nft") {
            let ruleset = rulesets.next().unwrap();
            let items = ruleset["nftables"].as_array().unwrap();
            let chains: Vec<&Value> = items.iter().filter_map(|item| item.get("chain")).collect();
            for chain in chains {
                assert_eq!((&chain["hook"], &chain["policy"]), (&"input".into(), &"drop".into()), "{dir}");
            }
            for rule in items.iter().filter_map(|item| item.get("rule")) {
                if let Some(opening) = opening(rule) {
                    facts.add(tree.node(dir), "open port", opening);
                } else {
                    let known = GENERAL
                        .iter()
                        .any(|words| words.iter().all(|word| rule["expr"].to_string().contains(word)));
                    assert!(known, "{dir}: {}", rule["expr"]);
                }
            }
        }
        vec![Said { source: "firewall.nft", kinds: &["open port"], facts }]
    };
    trees.iter().map(said).collect()
}

/// Loads each file twice, as an operator may, and prints one line of JSON for it.
const NFT: &str = r#"for file; do nft flush ruleset && nft -f "$file" && nft -f "$file" && nft -j list ruleset || exit 1; done"#;

/// The rules that open no port, by words of them.
const GENERAL: [&[&str]; 4] = [
    &["established", "related", "accept"],
    &["iifname", "\"lo\"", "accept"],
    &["icmp", "ipv6-icmp", "accept"],
    &["invalid", "drop"],
];

/// The port that a rule opens, to whom and what for.
pub(super) fn opening(rule: &Value) -> Option<String> {
    let (mut from, mut port, mut through) = (None, None, String::new());
    for part in rule["expr"].as_array()? {
        let Some(matched) = part.get("match") else {
            assert!(part.get("accept").is_some() || part.get("counter").is_some(), "{part}");
            continue;
        };
        let (left, right) = (&matched["left"], &matched["right"]);
        assert_eq!(matched["op"], "==");
        if left["meta"]["key"] == "iifname" {
            through = format!(" through {}", right.as_str()?);
        } else if left["payload"]["field"] == "saddr" {
            from = Some(subnet(right));
        } else if left["payload"]["field"] == "dport" {
            port = Some(format!("{} {}", left["payload"]["protocol"].as_str()?, right.as_u64()?));
        } else {
            return None;
        }
    }
    let comment = rule.get("comment").and_then(Value::as_str)?;
    Some(format!("{} from {}{through} ({comment})", port?, from?))
}

/// A subnet; nft leaves out the length of a single host.
fn subnet(right: &Value) -> String {
    let prefix = &right["prefix"];
    match (prefix["addr"].as_str(), right.as_str()) {
        (Some(address), _) => format!("{address}/{}", prefix["len"]),
        (None, Some(host)) => format!("{host}/{}", if host.contains(':') { 128 } else { 32 }),
        (None, None) => right.to_string(),
    }
}
