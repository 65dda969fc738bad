//! The requests of a cluster's certificates: the names and addresses that they are for. Pure.

use ipnet::IpNet;

use crate::model::{Cluster, Network, Node};
use crate::pki::request::{CaRequest, LeafRequest};

/// Requests the certificate of `node`: for its full name, the names and addresses of the VIPs that the node may take over,
/// its own addresses and the loopbacks.
///
/// # Errors
/// When a name can't be certified; the rules refuse such names, so that is a bug of plasmagen.
pub fn leaf_request(cluster: &Cluster, node: &Node) -> anyhow::Result<LeafRequest> {
    let names = cluster.vips.iter().map(|vip| format!("{}.{}", vip.name, cluster.domain));
    let addresses = node.addresses().chain(cluster.vips.iter().map(|vip| vip.address));
    LeafRequest::new(node.fqdn.as_str(), names, addresses, cluster.tls.algorithm, cluster.tls.node_days)
}

/// Requests the CA of the cluster, which may vouch for the cluster's domain and subnets, and for nothing else.
pub(super) fn ca_request(cluster: &Cluster, generation: u32) -> anyhow::Result<CaRequest> {
    let subnets: Vec<IpNet> = cluster.networks.values().flat_map(Network::subnets).collect();
    let (name, domain) = (cluster.name.as_str(), cluster.domain.as_str());
    CaRequest::new(name, generation, domain, &subnets, cluster.tls.algorithm, cluster.tls.ca_days)
}
