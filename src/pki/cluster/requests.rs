//! The requests of a cluster's certificates: the names and addresses that they are for. Pure.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::model::{Cluster, DomainName, Interface, Network, Node, Permit, Role, Vip, may_hold};
use crate::pki::constraints::widen;
use crate::pki::request::{CaRequest, LeafRequest};

/// Requests the certificate of `node`: for its full name, its addresses in cluster and client networks, the names and
/// addresses of the VIPs that the node may hold, and the loopbacks. A certificate may also have further addresses of the
/// node, and further VIPs, as earlier versions of plasmagen issued them.
///
/// # Errors
/// When a name can't be certified; the rules refuse such names, so that is a bug of plasmagen.
pub fn leaf_request(cluster: &Cluster, node: &Node) -> anyhow::Result<LeafRequest> {
    let name = |vip: &Vip| format!("{}.{}", vip.name, cluster.domain);
    let vips = || cluster.vips.iter();
    let held: Vec<_> = vips().filter(|vip| may_hold(cluster, node, vip.address)).collect();
    let addresses = list_dialled(cluster, node).chain(held.iter().map(|vip| vip.address));
    let names = held.iter().map(|vip| name(vip));
    let (algorithm, days) = (cluster.tls.algorithm, cluster.tls.node_days);
    let request = LeafRequest::new(node.fqdn.as_str(), names, addresses, algorithm, days)?;
    let further = node.addresses().chain(vips().map(|vip| vip.address));
    Ok(request.tolerating(vips().map(name), further))
}

/// Lists the addresses at which the services of `node` are dialled: those in cluster and client networks.
fn list_dialled<'a>(cluster: &'a Cluster, node: &'a Node) -> impl Iterator<Item = IpAddr> {
    let is_dialled = |interface: &&Interface| {
        let network = interface.network.as_ref().and_then(|name| cluster.networks.get(name));
        network.is_some_and(|network| network.is(Role::Cluster) || network.is(Role::Client))
    };
    let interfaces = node.interfaces.iter().filter(is_dialled);
    interfaces.flat_map(|interface| interface.addresses.iter().map(IpNet::addr))
}

/// Requests the CA of the cluster, which may vouch for the cluster's domain, for the blocks that the cluster's networks lie
/// in, and for nothing else, unless the inventory says otherwise.
pub(super) fn ca_request(cluster: &Cluster, generation: u32) -> anyhow::Result<CaRequest> {
    let permitted = || cluster.tls.permit.iter().flatten();
    let listed: Vec<IpNet> = permitted().filter_map(Permit::subnet).collect();
    let subnets = match listed.is_empty() {
        true => widen(cluster.networks.values().flat_map(Network::subnets)),
        false => IpNet::aggregate(&listed),
    };
    let (name, domain) = (cluster.name.as_str(), cluster.domain.as_str());
    let (algorithm, days) = (cluster.tls.algorithm, cluster.tls.ca_days);
    CaRequest::new(name, generation, domain, &subnets, algorithm, days)?
        .with_domains(permitted().filter_map(Permit::domain).map(DomainName::as_str))
}
