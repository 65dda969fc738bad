//! The services of PlasmaCloud and their ports: the runbook's matrix.

use super::{Label, Protocol, Settings, Traffic};
use serde::{Deserialize, Serialize};

/// The ports of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    /// The TCP port of the API.
    pub port: u16,
    /// The TCP port of Raft, open between the cluster's nodes only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raft_port: Option<u16>,
    /// The TCP port of the gossip protocol, open between the cluster's nodes only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gossip_port: Option<u16>,
    /// The TCP port of health checks, where the API's port does not answer them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_port: Option<u16>,
    /// Whether the API is open on UDP as well.
    pub udp: bool,
    /// Whether networks with the role `client` reach the API.
    pub clients: bool,
}

impl Ports {
    /// Every port with its key in the inventory and its protocol, the port of the API first.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, u16, Protocol)> {
        let udp = self.udp.then_some(("port", self.port, Protocol::Udp));
        let tcp = |name, port: Option<u16>| port.map(|port| (name, port, Protocol::Tcp));
        [
            Some(("port", self.port, Protocol::Tcp)),
            udp,
            tcp("raft_port", self.raft_port),
            tcp("gossip_port", self.gossip_port),
            tcp("health_port", self.health_port),
        ]
        .into_iter()
        .flatten()
    }
}

/// A service as a node runs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// The name of the service and of its NixOS module, `services.<name>`.
    pub name: Label,
    /// The ports of the service.
    #[serde(flatten)]
    pub ports: Ports,
    /// The settings in the inventory: those of the node over those of the profile over those of the service.
    #[serde(default, skip_serializing_if = "Settings::is_empty")]
    pub settings: Settings,
}

/// Ports that nodes open to each other, and not to clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlPort {
    /// The purpose: the service and its port, in words of the inventory.
    pub purpose: String,
    /// The packets to these ports.
    pub traffic: Traffic,
}

/// The Raft store that every member of a cluster runs.
pub const CHAINFIRE: &str = "chainfire";
/// The database of the control plane.
pub const FLAREDB: &str = "flaredb";
/// Identity and access.
pub const IAM: &str = "iam";

/// The name service.
pub const FLASHDNS: &str = "flashdns";

/// The names of the built-in services.
pub const KNOWN: [&str; 8] =
    [CHAINFIRE, FLAREDB, IAM, "plasmavmc", "prismnet", FLASHDNS, "fiberlb", "k8shost"];

/// The built-in services that forward packets of tenants' machines.
pub const FOR_TENANTS: [&str; 4] = ["plasmavmc", "prismnet", "fiberlb", "k8shost"];

/// The ports of the built-in service called `name`.
#[must_use]
pub fn known(name: &str) -> Option<Ports> {
    let ports = |port| Ports { port, ..Ports::default() };
    Some(match name {
        CHAINFIRE => Ports { raft_port: Some(2380), gossip_port: Some(2381), ..ports(2379) },
        FLAREDB => Ports { raft_port: Some(2480), ..ports(2479) },
        IAM => Ports { clients: true, ..ports(8080) },
        "plasmavmc" => Ports { clients: true, ..ports(9090) },
        "prismnet" => ports(9091),
        FLASHDNS => Ports { health_port: Some(853), udp: true, clients: true, ..ports(53) },
        "fiberlb" => Ports { clients: true, ..ports(9092) },
        "k8shost" => Ports { clients: true, ..ports(10250) },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_service_has_its_ports() {
        assert!(KNOWN.iter().all(|name| known(name).is_some_and(|ports| ports.port != 0)));
        let dns: Vec<_> = known("flashdns").unwrap().all().collect();
        assert_eq!(
            dns,
            [("port", 53, Protocol::Tcp), ("port", 53, Protocol::Udp), ("health_port", 853, Protocol::Tcp)]
        );
    }
}
