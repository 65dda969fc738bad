//! What a node forwards: the packets of tenants, but not to where machines are installed and switched off.

use ipnet::IpNet;

use super::{Machine, subnets};
use crate::model::service::FOR_TENANTS;
use crate::model::{Cluster, Role};

/// What becomes of packets that are for another machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forwarding {
    /// They are dropped: no service of the machine forwards any.
    Nothing,
    /// They go on, unless they start a connection into one of these subnets.
    AllBut(Vec<IpNet>),
}

/// What a node or a profile forwards.
///
/// Tenants' addresses are not the inventory's, so their packets are told by where they go: the management networks
/// (BMCs) and the provisioning networks (an unauthenticated boot server) are no business of theirs. What machines of
/// the cluster send themselves is not forwarded, and so not concerned.
#[must_use]
pub fn forwarding<'a>(cluster: &Cluster, machine: impl Into<Machine<'a>>) -> Forwarding {
    let services = machine.into().services;
    if services.iter().any(|service| FOR_TENANTS.contains(&service.name.as_str())) {
        Forwarding::AllBut(subnets(cluster, &[Role::Management, Role::Provisioning]))
    } else {
        Forwarding::Nothing
    }
}
