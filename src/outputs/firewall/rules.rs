//! A set of rules in the terms that nft and iptables share.

use ipnet::IpNet;
use serde::Serialize;

use crate::model::{
    Cluster, ControlPort, Forwarding, IfName, Opening, PacketSource, Protocol, RefusedConnection, ssh_sources,
};

/// The rules that templates print after the general rules with which every firewall begins.
#[derive(Clone, Serialize)]
pub(super) struct RuleSet {
    ssh: Vec<PacketRule>,
    rules: Vec<PacketRule>,
    /// `None`: forwarding is left as it is.
    forward: Option<ForwardRules>,
}

/// A rule that accepts packets of `protocol` to `port` from `subnet` that come in through `device`.
#[derive(Clone, Serialize)]
struct PacketRule {
    device: Option<IfName>,
    v6: bool,
    /// `None`: all addresses of the family.
    subnet: Option<IpNet>,
    protocol: Protocol,
    port: u16,
    comment: String,
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
    /// `None`: all packets.
    port: Option<RefusedPort>,
}

/// The port of a rule that refuses packets.
#[derive(Clone, Serialize)]
struct RefusedPort {
    protocol: Protocol,
    port: u16,
    comment: String,
}

impl RuleSet {
    pub(super) fn new(cluster: &Cluster, openings: Vec<Opening>, forward: Option<ForwardRules>) -> Self {
        let ssh = |net| PacketRule::new(net, None, Protocol::Tcp, 22, "ssh");
        let mut rules = Vec::new();
        for Opening { purpose, port, protocol, sources } in openings {
            let rule = |source: PacketSource| {
                PacketRule::new(source.subnet, source.device, protocol, port, &purpose)
            };
            rules.extend(sources.into_iter().map(rule));
        }
        Self { ssh: ssh_sources(cluster).into_iter().map(ssh).collect(), rules, forward }
    }

    /// Selects the rules of one family.
    pub(super) fn select_family(&self, v6: bool) -> Self {
        let mut selected = self.clone();
        selected.ssh.retain(|rule| rule.v6 == v6);
        selected.rules.retain(|rule| rule.v6 == v6);
        if let Some(forward) = &mut selected.forward {
            forward.refused.retain(|rule| rule.v6 == v6);
        }
        selected
    }
}

impl PacketRule {
    fn new(subnet: IpNet, device: Option<IfName>, protocol: Protocol, port: u16, comment: &str) -> Self {
        let v6 = subnet.addr().is_ipv6();
        let subnet = (subnet.prefix_len() > 0).then_some(subnet);
        Self { device, v6, subnet, protocol, port, comment: comment.to_owned() }
    }
}

impl ForwardRules {
    pub(super) fn new(forwarding: Forwarding) -> Self {
        let rule = |refused: RefusedConnection| {
            let RefusedConnection { subnet, port } = refused;
            let port = port.map(|ControlPort { purpose, protocol, port }| RefusedPort {
                protocol,
                port,
                comment: purpose,
            });
            RefusalRule { v6: subnet.addr().is_ipv6(), subnet, port }
        };
        match forwarding {
            Forwarding::Nothing => Self { tenants: false, refused: Vec::new() },
            Forwarding::AllBut(refused) => {
                Self { tenants: true, refused: refused.into_iter().map(rule).collect() }
            }
        }
    }
}
