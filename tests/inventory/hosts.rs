//! Whom a node finds without a name server, in small and in large clusters.

use std::collections::BTreeMap;

use plasmagen::model::{DomainName, HostName, MacAddr, Word};
use plasmagen::outputs;
use test_kit::{plan, repository};

/// The names in the `hosts.json` of `node` in the reference with further workers, up to `count` nodes.
fn names_of(node: &str, count: usize) -> Vec<String> {
    let mut plan = plan(repository());
    let worker = plan.cluster.nodes.last().unwrap().clone();
    for number in plan.cluster.nodes.len()..count {
        let mut node = worker.clone();
        node.name = HostName::parse(&format!("added{number}")).unwrap();
        node.fqdn = DomainName::parse(&format!("{}.{}", node.name, plan.cluster.domain)).unwrap();
        node.mac = MacAddr::parse(&format!("3c:ec:ef:00:00:{number:02x}")).unwrap();
        plan.certificates.nodes.insert(node.name.clone(), "a certificate".to_owned());
        plan.cluster.nodes.push(node);
    }
    let files = outputs::render(&plan).unwrap();
    let path = format!("nodes/{node}.example.com/hosts.json");
    let file = files.iter().find(|file| file.path.as_str() == path).unwrap();
    let hosts: BTreeMap<String, Vec<String>> = serde_json::from_slice(&file.body).unwrap();
    hosts.into_values().flatten().filter(|name| !name.contains('.')).collect()
}

#[test]
fn a_large_cluster_lists_its_voters_its_virtual_addresses_and_the_node_itself() {
    let small = names_of("node04", 64);
    assert_eq!(small.len(), 64 + 3, "{small:?}");
    let mut large = names_of("added64", 65);
    large.sort_unstable();
    assert_eq!(large, ["added64", "chainfire", "flaredb", "iam", "node01", "node02", "node03"]);
}
