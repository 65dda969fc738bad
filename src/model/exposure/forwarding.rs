//! The packets that a node forwards: those of tenants, except into the networks where machines are installed and
//! switched off.

use ipnet::IpNet;

use super::openings::{ExposedMachine, subnets};
use crate::model::service::FOR_TENANTS;
use crate::model::{Cluster, Role};

/// The treatment of packets that reach a node and are addressed to another machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forwarding {
    /// The node drops them: none of its services forwards packets.
    Nothing,
    /// The node forwards them, unless they start a connection into one of these subnets.
    AllBut(Vec<IpNet>),
}

/// The packets that a node, or a node of a profile, forwards.
///
/// The inventory does not know tenants' addresses, so the destination decides: tenants have no business in the
/// management networks (BMCs) and the provisioning networks (an unauthenticated boot server). Packets that machines of
/// the cluster send themselves are not forwarded, and so not concerned.
#[must_use]
pub fn forwarding<'a>(cluster: &Cluster, machine: impl Into<ExposedMachine<'a>>) -> Forwarding {
    let services = machine.into().services;
    if services.iter().any(|service| FOR_TENANTS.contains(&service.name.as_str())) {
        Forwarding::AllBut(subnets(cluster, &[Role::Management, Role::Provisioning]))
    } else {
        Forwarding::Nothing
    }
}
