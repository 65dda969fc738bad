//! A set of rules in the terms that nft and iptables share.

use ipnet::IpNet;
use serde::Serialize;

use crate::model::{Cluster, Forwarding, IfName, Opening, Protocol, ssh_sources};

/// What templates print, after the general rules that every firewall begins with.
#[derive(Clone, Serialize)]
pub(super) struct RuleSet {
    ssh: Vec<Rule>,
    rules: Vec<Rule>,
    /// `None`: forwarding is left as it is.
    forward: Option<Forward>,
}

/// One line: packets of `protocol` to `port` from `subnet` that come in through `device`.
#[derive(Clone, Serialize)]
struct Rule {
    device: Option<IfName>,
    v6: bool,
    /// `None`: all of the family.
    subnet: Option<IpNet>,
    protocol: Protocol,
    port: u16,
    comment: String,
}

/// What is forwarded.
#[derive(Clone, Serialize)]
pub(super) struct Forward {
    /// Whether anything is.
    tenants: bool,
    shut: Vec<Shut>,
}

/// A subnet that nothing is forwarded to.
#[derive(Clone, Serialize)]
struct Shut {
    v6: bool,
    subnet: IpNet,
}

impl RuleSet {
    pub(super) fn new(cluster: &Cluster, openings: Vec<Opening>, forward: Option<Forward>) -> Self {
        let ssh = ssh_sources(cluster).into_iter().map(|net| Rule::new(net, None, Protocol::Tcp, 22, "ssh"));
        let mut rules = Vec::new();
        for Opening { purpose, port, protocol, sources } in openings {
            let rule =
                |own: crate::model::PacketSource| Rule::new(own.subnet, own.device, protocol, port, &purpose);
            rules.extend(sources.into_iter().map(rule));
        }
        Self { ssh: ssh.collect(), rules, forward }
    }

    /// Those that speak of that family.
    pub(super) fn of_family(&self, v6: bool) -> Self {
        let mut own = self.clone();
        own.ssh.retain(|rule| rule.v6 == v6);
        own.rules.retain(|rule| rule.v6 == v6);
        if let Some(forward) = &mut own.forward {
            forward.shut.retain(|shut| shut.v6 == v6);
        }
        own
    }
}

impl Rule {
    fn new(subnet: IpNet, device: Option<IfName>, protocol: Protocol, port: u16, comment: &str) -> Self {
        let v6 = subnet.addr().is_ipv6();
        let subnet = (subnet.prefix_len() > 0).then_some(subnet);
        Self { device, v6, subnet, protocol, port, comment: comment.to_owned() }
    }
}

impl Forward {
    pub(super) fn new(forwarding: Forwarding) -> Self {
        let shut = |subnet: IpNet| Shut { v6: subnet.addr().is_ipv6(), subnet };
        match forwarding {
            Forwarding::Nothing => Self { tenants: false, shut: Vec::new() },
            Forwarding::AllBut(subnets) => {
                Self { tenants: true, shut: subnets.into_iter().map(shut).collect() }
            }
        }
    }
}
