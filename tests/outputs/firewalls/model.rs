//! What firewalls should have, by the model.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use plasmagen::model::{
    Cluster, ControlPort, ExposedMachine, Forwarding, Opening, RefusedConnection, forwarding, openings,
    provisioner_openings, ssh_sources,
};

/// What a rule lets in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rule {
    pub(crate) protocol: String,
    pub(crate) port: u16,
    pub(crate) source: IpNet,
    pub(crate) device: Option<String>,
    pub(crate) comment: String,
}

/// What a rule keeps from being forwarded: everything into a subnet, or connections to one port there, for a purpose.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Refusal {
    pub(crate) subnet: IpNet,
    pub(crate) port: Option<(String, u16, String)>,
}

/// What a firewall does.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Firewall {
    pub(crate) input: BTreeSet<Rule>,
    /// What is not forwarded; `None`: nothing is forwarded.
    pub(crate) forward: Option<BTreeSet<Refusal>>,
}

fn firewall(cluster: &Cluster, openings: Vec<Opening>, forwarding: Forwarding) -> Firewall {
    let ssh = ssh_sources(cluster);
    assert!(!ssh.is_empty(), "nobody can log in");
    let rule = |source, device, protocol: &str, port, comment: &str| Rule {
        protocol: protocol.to_owned(),
        port,
        source,
        device,
        comment: comment.to_owned(),
    };
    let mut input: BTreeSet<Rule> = ssh.into_iter().map(|net| rule(net, None, "tcp", 22, "ssh")).collect();
    for opening in openings {
        let protocol = serde_json::to_value(opening.protocol).unwrap();
        for source in opening.sources {
            let device = source.device.map(|device| device.to_string());
            input.insert(rule(
                source.subnet,
                device,
                protocol.as_str().unwrap(),
                opening.port,
                &opening.purpose,
            ));
        }
    }
    let forward = match forwarding {
        Forwarding::Nothing => None,
        Forwarding::AllBut(refused) => Some(refused.into_iter().map(refusal).collect()),
    };
    Firewall { input, forward }
}

fn refusal(refused: RefusedConnection) -> Refusal {
    let protocol =
        |port: &ControlPort| serde_json::to_value(port.protocol).unwrap().as_str().unwrap().to_owned();
    let port = refused.port.map(|port| (protocol(&port), port.port, port.purpose));
    Refusal { subnet: refused.subnet, port }
}

/// The firewall of a node or a profile.
pub(crate) fn of<'a>(cluster: &Cluster, machine: impl Into<ExposedMachine<'a>>) -> Firewall {
    let machine = machine.into();
    firewall(cluster, openings(cluster, machine), forwarding(cluster, machine))
}

/// The firewalls in `site/firewall/` by name. The provisioner's leaves forwarding as it is: to a new namespace,
/// everything.
pub(crate) fn of_site(cluster: &Cluster) -> BTreeMap<String, Firewall> {
    let profiles = cluster.profiles.iter().map(|profile| (profile.name.to_string(), of(cluster, profile)));
    let everything = Forwarding::AllBut(Vec::new());
    let provisioner = firewall(cluster, provisioner_openings(cluster), everything);
    profiles.chain([("provisioner".to_owned(), provisioner)]).collect()
}
