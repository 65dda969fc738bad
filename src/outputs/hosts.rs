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

fn emit(plan: &Plan, node: &Node, _: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let hosts = list_hosts(&plan.cluster, node);
    Ok(vec![Artifact::new(path_in_node_dir(node, "hosts.json"), json(&hosts)?)?])
}

/// Lists the names of each address that `node` knows without a name server, the full name first: hosts(5) takes the
/// first name for the canonical one.
fn list_hosts(cluster: &Cluster, node: &Node) -> BTreeMap<IpAddr, Vec<String>> {
    let lists_all = cluster.nodes.len() <= ALL_NODES;
    let mut hosts = BTreeMap::<IpAddr, Vec<String>>::new();
    let mut add = |address: IpAddr, name: &str| {
        let names = hosts.entry(address).or_default();
        names.extend([format!("{name}.{}", cluster.domain), name.to_owned()]);
    };
    for vip in &cluster.vips {
        add(vip.address, vip.name.as_str());
    }
    for other in cluster.nodes.iter().filter(|other| lists_all || other.voter || other.name == node.name) {
        let addresses = other.home_interface().into_iter().flat_map(|interface| &interface.addresses);
        addresses.for_each(|net| add(net.addr(), other.name.as_str()));
    }
    hosts
}
