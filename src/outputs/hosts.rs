//! `hosts.json`: the names of nodes and virtual addresses, by address, as NixOS' option `networking.hosts` takes them.
//! With this file a node finds the members of the cluster while no name server answers, and the node's full name is
//! its address in the cluster network, which the other members use.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::artifact::Artifact;
use crate::model::{Cluster, Node};
use crate::plan::Plan;
use crate::render::Renderer;

use super::{Emit, Output, json, path_in_node_dir};

pub(super) const OUTPUT: Output = Output { name: "hosts.json", templates: &[], emit: Emit::Node(emit) };

/// The number of nodes up to which every node lists all nodes. In a larger cluster a node lists the voters, the virtual
/// addresses and itself: otherwise each new worker would change the configuration of every node.
const ALL_NODES: usize = 64;

/// The names of each address, the full name first: hosts(5) takes the first name for the canonical one.
pub type Hosts = BTreeMap<IpAddr, Vec<String>>;

fn emit(plan: &Plan, node: &Node, _: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let mut hosts = list_common_hosts(&plan.cluster);
    if !is_common(&plan.cluster, node) {
        add_node(&mut hosts, &plan.cluster, node);
    }
    Ok(vec![Artifact::new(path_in_node_dir(node, "hosts.json"), json(&hosts)?)?])
}

/// Lists the names that every node knows without a name server.
#[must_use]
pub fn list_common_hosts(cluster: &Cluster) -> Hosts {
    let mut hosts = Hosts::new();
    for vip in &cluster.vips {
        hosts.entry(vip.address).or_default().extend(names(cluster, vip.name.as_str()));
    }
    for node in cluster.nodes.iter().filter(|node| is_common(cluster, node)) {
        add_node(&mut hosts, cluster, node);
    }
    hosts
}

/// Whether all nodes know the name of `node`.
fn is_common(cluster: &Cluster, node: &Node) -> bool {
    cluster.nodes.len() <= ALL_NODES || node.voter
}

/// Lists the names of `node` at its addresses in the cluster network.
#[must_use]
pub fn list_own_hosts(cluster: &Cluster, node: &Node) -> Hosts {
    let mut hosts = Hosts::new();
    add_node(&mut hosts, cluster, node);
    hosts
}

fn add_node(hosts: &mut Hosts, cluster: &Cluster, node: &Node) {
    for net in node.home_interface().into_iter().flat_map(|interface| &interface.addresses) {
        hosts.entry(net.addr()).or_default().extend(names(cluster, node.name.as_str()));
    }
}

fn names(cluster: &Cluster, name: &str) -> [String; 2] {
    [format!("{name}.{}", cluster.domain), name.to_owned()]
}
