//! Pairs of inventories, and what plasmagen predicts and NixOS does of each.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use plasmagen::change::{Change, Effect, compare};
use plasmagen::check::check;
use plasmagen::model::{Cluster, Node};
use plasmagen::outputs;
use plasmagen::pki::cluster::leaf_request;
use plasmagen::plan::{Certificates, HostKeys, Plan, PublishedHostKey, Zones};
use test_kit::{host_key, nix, repository};

use super::options::effect_of;

/// Two inventories, and the node that is looked at.
pub(super) struct Pair {
    name: String,
    old: Cluster,
    new: Cluster,
    /// The node's name before and after.
    node: [String; 2],
}

/// What plasmagen predicts of a pair, and what NixOS does.
pub(super) struct Compared {
    pub(super) name: String,
    pub(super) predicted: Effect,
    pub(super) computed: Effect,
    /// The patterns of the keys that differ.
    pub(super) keys: BTreeSet<String>,
    /// The options that differ.
    pub(super) options: BTreeSet<String>,
}

/// The cluster of an inventory, unless the inventory is refused.
pub(super) fn sound(text: &str) -> Option<Cluster> {
    check(text.as_bytes()).unwrap().cluster
}

impl Pair {
    /// The pair of the inventories `old` and `new`; none if one is refused, or the node `node` is in none of both, under its
    /// name or a new one.
    pub(super) fn new(name: String, old: &str, new: &str, node: &str) -> Option<Self> {
        let (old, new) = (sound(old)?, sound(new)?);
        let has = |cluster: &Cluster, name: &str| cluster.nodes.iter().any(|node| node.name.as_str() == name);
        let change = compare(&old, &new).unwrap();
        let renamed = change.renamed.iter().find(|(old, _)| old == node);
        let after = renamed.map_or_else(|| node.to_owned(), |(_, new)| new.clone());
        (has(&old, node) && has(&new, &after)).then(|| Self {
            name,
            old,
            new,
            node: [node.to_owned(), after],
        })
    }

    /// Whether a key differs.
    pub(super) fn differs(&self) -> bool {
        !compare(&self.old, &self.new).unwrap().is_empty()
    }
}

fn find<'a>(cluster: &'a Cluster, name: &str) -> &'a Node {
    cluster.nodes.iter().find(|node| node.name.as_str() == name).unwrap()
}

/// The text that stands for the certificate of a node: another one where plasmagen issues another.
fn certificate(pair: &Pair, side: usize) -> String {
    let old = leaf_request(&pair.old, find(&pair.old, &pair.node[0])).unwrap();
    let new = leaf_request(&pair.new, find(&pair.new, &pair.node[1])).unwrap();
    let request = if side == 0 || new.accepts(&old) { old } else { new };
    format!("{:?} {:?}\n", request.dns_names(), request.addresses())
}

/// Renders `cluster` with `certificate` for each node, and copies the directory of `node` to `dir`.
fn write(cluster: &Cluster, node: &str, certificate: &str, dir: &Path) {
    let nodes = cluster.nodes.iter().map(|node| (node.name.clone(), certificate.to_owned()));
    let certificates =
        Certificates { ca: Some("the CA\n".to_owned()), nodes: nodes.collect(), ..Certificates::default() };
    let mut host_keys = HostKeys::default();
    for node in &cluster.nodes {
        host_keys.set(node, PublishedHostKey::made(host_key(node.fqdn.as_str())));
    }
    let from = format!("nodes/{}/", find(cluster, node).fqdn);
    let plan = Plan { cluster: cluster.clone(), certificates, host_keys, zones: Zones::default() };
    fs::create_dir(dir).unwrap();
    for artifact in outputs::render(&plan).unwrap().iter() {
        if let Some(name) = artifact.path.as_str().strip_prefix(&from) {
            fs::write(dir.join(name), &artifact.body).unwrap();
        }
    }
}

/// Copies the modules of golden cases and random inventories to where configurations look for them.
fn copy_modules(root: &Path) {
    let golden = fs::read_dir(repository().join("tests/golden")).unwrap().map(|entry| entry.unwrap().path());
    for case in golden.chain([repository().join("tests/outputs/agreement")]) {
        for directory in ["custom", "hardware"] {
            for file in fs::read_dir(case.join(directory)).into_iter().flatten().map(Result::unwrap) {
                fs::create_dir_all(root.join(directory)).unwrap();
                fs::copy(file.path(), root.join(directory).join(file.file_name())).unwrap();
            }
        }
    }
}

/// Evaluates both sides of all `pairs` in one run of Nix.
pub(super) fn compare_all(pairs: &[Pair]) -> Vec<Compared> {
    let root = tempfile::tempdir().unwrap();
    copy_modules(root.path());
    let nodes = root.path().join("nodes");
    fs::create_dir(&nodes).unwrap();
    let name = |number: usize, side: usize| format!("pair{number}-{side}");
    for (number, pair) in pairs.iter().enumerate() {
        for (side, cluster) in [&pair.old, &pair.new].into_iter().enumerate() {
            let dir = nodes.join(name(number, side));
            write(cluster, &pair.node[side], &certificate(pair, side), &dir);
        }
    }
    let all = nix::evaluate(&nodes);
    let compare_pair = |(number, pair): (usize, &Pair)| {
        let change: Change = compare(&pair.old, &pair.new).unwrap();
        let names = [name(number, 0), name(number, 1)];
        let dirs = [nodes.join(&names[0]), nodes.join(&names[1])];
        let (computed, options) = effect_of(&all[&names[0]], &all[&names[1]], [&dirs[0], &dirs[1]]);
        Compared {
            name: pair.name.clone(),
            predicted: change.effect_on(&pair.node[1]),
            computed,
            keys: change.differences.iter().map(|found| found.pattern.clone()).collect(),
            options,
        }
    };
    pairs.iter().enumerate().map(compare_pair).collect()
}
