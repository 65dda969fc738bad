//! `cluster-config.json`: what first-boot automation reads with jq.

use serde_json::Value;

use super::{SaidOfEach, each};
use crate::agreement::facts::{Facts, Said};
use crate::agreement::tree::Tree;

pub(crate) fn read(trees: &[Tree]) -> SaidOfEach {
    each(trees, |tree| {
        let mut facts = Facts::default();
        for (dir, path, body) in tree.of_nodes("cluster-config.json") {
            let node = tree.node(dir);
            let config: Value = serde_json::from_str(body).unwrap();
            for (key, value) in config.as_object().unwrap() {
                let words = |value: &Value| match value {
                    Value::Array(items) => {
                        items.iter().map(|item| item.as_str().unwrap()).collect::<Vec<_>>().join(" ")
                    }
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                let kind = match key.as_str() {
                    "node_id" => "host name",
                    "node_role" => "profile",
                    "bootstrap" => "bootstraps",
                    "cluster_name" => "cluster",
                    "leader_url" => "leader",
                    "raft_addr" => "Raft",
                    "initial_peers" => "Chainfire peers",
                    "flaredb_peers" => "FlareDB peers",
                    other => panic!("{path}: nobody reads {other}"),
                };
                facts.add(&node, kind, words(value));
            }
        }
        let kinds = &[
            "host name",
            "profile",
            "bootstraps",
            "cluster",
            "leader",
            "Raft",
            "Chainfire peers",
            "FlareDB peers",
        ];
        Said { source: "cluster-config.json", kinds, facts }
    })
}
