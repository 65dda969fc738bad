//! A set of rules in the terms that nft and iptables share.

use std::net::Ipv4Addr;

use ipnet::IpNet;
use serde::Serialize;

use crate::model::{
    Cluster, ControlPort, ForwardedConnection, Forwarding, IfName, Opening, PacketSource, PortRange,
    Protocol, RefusedConnection, RoutedNetwork, Routing, Traffic, ssh_sources,
};

/// The rules that templates print after the general rules with which every firewall begins.
#[derive(Clone, Serialize)]
pub(super) struct RuleSet {
    ssh: Vec<PacketRule>,
    rules: Vec<PacketRule>,
    /// `None`: forwarding is left as it is.
    forward: Option<ForwardRules>,
    /// `None`: the machine is the gateway of no network.
    routing: Option<RoutingRules>,
}

/// A rule that accepts packets from `subnet` that come in through `device`: those to the machine, or those that the machine
/// forwards to another network.
#[derive(Clone, Serialize)]
struct PacketRule {
    device: Option<IfName>,
    v6: bool,
    /// `None`: all addresses of the family.
    subnet: Option<IpNet>,
    #[serde(flatten)]
    traffic: TrafficMatch,
    comment: String,
    /// `None`: the rule is for packets to the machine.
    to: Option<Receivers>,
}

/// The part of a rule that tells packets apart: ports, another protocol over IP, or nothing.
#[derive(Clone, Default, Serialize)]
struct TrafficMatch {
    ports: Option<PortsMatch>,
    /// The number of a protocol without ports: names are a matter of the machine's /etc/protocols.
    ip_protocol: Option<u8>,
}

/// The ports that a rule matches.
#[derive(Clone, Serialize)]
struct PortsMatch {
    protocol: Protocol,
    first: u16,
    last: u16,
}

impl From<Traffic> for TrafficMatch {
    fn from(traffic: Traffic) -> Self {
        match traffic {
            Traffic::Ports(protocol, PortRange { first, last }) => {
                Self { ports: Some(PortsMatch { protocol, first, last }), ip_protocol: None }
            }
            Traffic::Other(number) => Self { ports: None, ip_protocol: Some(number) },
            Traffic::Any => Self::default(),
        }
    }
}

/// The rules for packets that the machine forwards.
#[derive(Clone, Serialize)]
pub(super) struct ForwardRules {
    /// Whether the machine forwards packets of tenants.
    tenants: bool,
    refused: Vec<RefusalRule>,
}

/// A rule that refuses packets to `subnet`, or to one port there.
#[derive(Clone, Serialize)]
struct RefusalRule {
    v6: bool,
    subnet: IpNet,
    #[serde(flatten)]
    traffic: TrafficMatch,
    /// `None`: the rule refuses all packets.
    comment: Option<String>,
}

/// The rules for packets that the machine forwards as the gateway of networks. All are rules of IPv4.
#[derive(Clone, Serialize)]
pub(super) struct RoutingRules {
    inward: Vec<PacketRule>,
    bmcs: Vec<IpNet>,
    networks: Vec<RoutedNetwork>,
    addresses: Vec<Ipv4Addr>,
    unmasked: Option<Vec<IpNet>>,
}

/// The machines that forwarded packets are for, and the interface that they are reached through.
#[derive(Clone, Serialize)]
struct Receivers {
    subnet: IpNet,
    device: IfName,
}

impl RuleSet {
    pub(super) fn new(cluster: &Cluster, openings: Vec<Opening>, forward: Option<ForwardRules>) -> Self {
        let ssh = |net| PacketRule::new(net, None, Traffic::port(Protocol::Tcp, 22), "ssh");
        let mut rules = Vec::new();
        for Opening { purpose, traffic, sources } in openings {
            let rule =
                |source: PacketSource| PacketRule::new(source.subnet, source.device, traffic, &purpose);
            rules.extend(sources.into_iter().map(rule));
        }
        Self { ssh: ssh_sources(cluster).into_iter().map(ssh).collect(), rules, forward, routing: None }
    }

    /// Adds the rules of a gateway.
    pub(super) fn with_routing(self, routing: Option<RoutingRules>) -> Self {
        Self { routing, ..self }
    }

    /// Selects the rules of one family.
    pub(super) fn select_family(&self, v6: bool) -> Self {
        let mut selected = self.clone();
        selected.ssh.retain(|rule| rule.v6 == v6);
        selected.rules.retain(|rule| rule.v6 == v6);
        if let Some(forward) = &mut selected.forward {
            forward.refused.retain(|rule| rule.v6 == v6);
        }
        selected.routing = selected.routing.filter(|_| !v6);
        selected
    }
}

impl PacketRule {
    fn new(subnet: IpNet, device: Option<IfName>, traffic: Traffic, comment: &str) -> Self {
        let v6 = subnet.addr().is_ipv6();
        let subnet = (subnet.prefix_len() > 0).then_some(subnet);
        Self { device, v6, subnet, traffic: traffic.into(), comment: comment.to_owned(), to: None }
    }
}

impl RoutingRules {
    pub(super) fn new(routing: Routing) -> Self {
        let Routing { networks, addresses, inward, bmcs, unmasked } = routing;
        let rule = |connection: ForwardedConnection| {
            let ForwardedConnection { source, to, device, traffic, purpose } = connection;
            let rule = PacketRule::new(source.subnet, source.device, traffic, &purpose);
            PacketRule { to: Some(Receivers { subnet: to, device }), ..rule }
        };
        Self { inward: inward.into_iter().map(rule).collect(), bmcs, networks, addresses, unmasked }
    }
}

impl ForwardRules {
    pub(super) fn new(forwarding: Forwarding) -> Self {
        let rule = |refused: RefusedConnection| {
            let RefusedConnection { subnet, port } = refused;
            let v6 = subnet.addr().is_ipv6();
            match port {
                Some(ControlPort { purpose, traffic }) => {
                    RefusalRule { v6, subnet, traffic: traffic.into(), comment: Some(purpose) }
                }
                None => RefusalRule { v6, subnet, traffic: TrafficMatch::default(), comment: None },
            }
        };
        match forwarding {
            Forwarding::Nothing => Self { tenants: false, refused: Vec::new() },
            Forwarding::AllBut(refused) => {
                Self { tenants: true, refused: refused.into_iter().map(rule).collect() }
            }
        }
    }
}
