//! `cluster-config.json`: what first-boot automation needs to form or join the cluster. Its keys are the runbook's
//! (section 5.3, step 3.2).

use std::net::{IpAddr, SocketAddr};

use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::service::{CHAINFIRE, FLAREDB};
use crate::model::{Cluster, Node};
use crate::plan::Plan;
use crate::render::Renderer;

use super::{Emit, Output, in_node_dir, json};

pub(super) const OUTPUT: Output = Output {
    name: "cluster-config.json",
    about: "how a node forms or joins the cluster at its first boot",
    template: None,
    emit: Emit::Node(emit),
};

#[derive(Serialize)]
struct ClusterConfig<'a> {
    node_id: &'a str,
    node_role: &'a str,
    bootstrap: bool,
    cluster_name: &'a str,
    leader_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    raft_addr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    initial_peers: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flaredb_peers: Option<Vec<String>>,
}

fn emit(plan: &Plan, node: &Node, _: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let cluster = &plan.cluster;
    // Once the cluster lives, nobody forms it again: everyone joins.
    let forms = node.voter && !cluster.formed;
    let config = ClusterConfig {
        node_id: node.name.as_str(),
        node_role: node.profile.as_str(),
        bootstrap: forms,
        cluster_name: cluster.name.as_str(),
        leader_url: leader_url(cluster, node),
        raft_addr: raft_address(cluster, node),
        initial_peers: forms.then(|| peers(cluster, CHAINFIRE)),
        flaredb_peers: forms.then(|| peers(cluster, FLAREDB)),
    };
    Ok(vec![Artifact::new(in_node_dir(node, "cluster-config.json"), json(&config)?)?])
}

/// The voters, in the order of the inventory.
fn voters(cluster: &Cluster) -> impl Iterator<Item = &Node> {
    cluster.bootstrap.iter().filter_map(|name| cluster.node(name))
}

/// Where `node` finds the cluster: at the first voter, and once the cluster is formed at another than itself.
pub(super) fn leader_url(cluster: &Cluster, node: &Node) -> String {
    let other = voters(cluster).find(|voter| !cluster.formed || voter.name != node.name);
    let leader = other.unwrap_or(node);
    let port = leader.service(CHAINFIRE).map_or(2379, |service| service.ports.port);
    format!("https://{}:{port}", leader.fqdn)
}

/// Where the node's Raft store is reached: where the node is, IPv4 before IPv6, at the port that the whole cluster uses.
/// Members elsewhere reach no other of its networks.
fn raft_address(cluster: &Cluster, node: &Node) -> Option<String> {
    let port = voters(cluster).find_map(|voter| voter.service(CHAINFIRE)?.ports.raft_port)?;
    let address: IpAddr = node.home_interface()?.addresses.first()?.addr();
    Some(SocketAddr::new(address, port).to_string())
}

/// The Raft peers of a service: one same list for every voter.
fn peers(cluster: &Cluster, service: &str) -> Vec<String> {
    let port = |voter: &Node| voter.service(service)?.ports.raft_port;
    voters(cluster).filter_map(|voter| Some(format!("{}:{}", voter.fqdn, port(voter)?))).collect()
}
