//! `cluster-config.json`: how a node forms or joins the cluster at its first boot. The keys are those of the runbook
//! (section 5.3, step 3.2).

use std::net::{IpAddr, SocketAddr};

use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::service::{CHAINFIRE, FLAREDB};
use crate::model::{Cluster, Node};
use crate::plan::Plan;
use crate::render::Renderer;

use super::{Emit, Output, json, path_in_node_dir};

pub(super) const OUTPUT: Output =
    Output { name: "cluster-config.json", templates: &[], emit: Emit::Node(emit) };

/// The contents of a node's `cluster-config.json`.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct ClusterConfig<'a> {
    /// The node's identity in the Raft store: its name.
    pub node_id: &'a str,
    /// The name of the node's profile.
    pub node_role: &'a str,
    /// Whether the node forms the cluster together with the other voters.
    pub bootstrap: bool,
    /// The cluster's name.
    pub cluster_name: &'a str,
    /// The URL at which the node finds the cluster.
    pub leader_url: String,
    /// The address and port at which other members reach the node's Raft store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raft_addr: Option<String>,
    /// The Raft peers of Chainfire, where the node forms the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_peers: Option<Vec<String>>,
    /// The Raft peers of FlareDB, where the node forms the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flaredb_peers: Option<Vec<String>>,
}

impl<'a> ClusterConfig<'a> {
    /// The file of `node`.
    #[must_use]
    pub fn new(cluster: &'a Cluster, node: &'a Node) -> Self {
        // Once the cluster is formed, no node forms it again: every node joins.
        let forms = node.voter && !cluster.formed;
        Self {
            node_id: node.name.as_str(),
            node_role: node.profile.as_str(),
            bootstrap: forms,
            cluster_name: cluster.name.as_str(),
            leader_url: find_leader_url(cluster, node),
            raft_addr: find_raft_address(cluster, node),
            initial_peers: forms.then(|| list_peers(cluster, CHAINFIRE)),
            flaredb_peers: forms.then(|| list_peers(cluster, FLAREDB)),
        }
    }
}

fn emit(plan: &Plan, node: &Node, _: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let config = ClusterConfig::new(&plan.cluster, node);
    Ok(vec![Artifact::new(path_in_node_dir(node, "cluster-config.json"), json(&config)?)?])
}

/// The voters, in the order of the inventory.
fn voters(cluster: &Cluster) -> impl Iterator<Item = &Node> {
    cluster.bootstrap.iter().filter_map(|name| cluster.node(name))
}

/// Finds the URL at which `node` finds the cluster: that of the first voter, and once the cluster is formed, of the first
/// voter other than `node`.
pub(super) fn find_leader_url(cluster: &Cluster, node: &Node) -> String {
    let other = voters(cluster).find(|voter| !cluster.formed || voter.name != node.name);
    let leader = other.unwrap_or(node);
    let port = leader.service(CHAINFIRE).map_or(2379, |service| service.ports.port);
    format!("https://{}:{port}", leader.fqdn)
}

/// Finds the address and port at which other members reach the node's Raft store: the node's address in the cluster
/// network, IPv4 before IPv6, and the port that the whole cluster uses. Members reach no other network of the node.
fn find_raft_address(cluster: &Cluster, node: &Node) -> Option<String> {
    let port = voters(cluster).find_map(|voter| voter.service(CHAINFIRE)?.ports.raft_port)?;
    let address: IpAddr = node.home_interface()?.addresses.first()?.addr();
    Some(SocketAddr::new(address, port).to_string())
}

/// Lists the Raft peers of a service. The list is the same for every voter.
fn list_peers(cluster: &Cluster, service: &str) -> Vec<String> {
    let port = |voter: &Node| voter.service(service)?.ports.raft_port;
    voters(cluster).filter_map(|voter| Some(format!("{}:{}", voter.fqdn, port(voter)?))).collect()
}
