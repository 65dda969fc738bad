//! What firewalls should have, by the model.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use plasmagen::model::{
    Cluster, ExposedMachine, Forwarding, Opening, PortRange, Protocol, RefusedConnection, Routing, Traffic,
    forwarding, openings, provisioner_openings, provisioner_routing, ssh_sources,
};

/// The packets that a rule lets in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rule {
    /// As [`words`] prints it.
    pub(crate) traffic: String,
    pub(crate) source: IpNet,
    pub(crate) device: Option<String>,
    pub(crate) comment: String,
}

/// The packets that a rule keeps from being forwarded: everything into a subnet, or connections to one port there, for a purpose.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Refusal {
    pub(crate) subnet: IpNet,
    /// As [`words`] prints it, and the purpose.
    pub(crate) port: Option<(String, String)>,
}

/// What a firewall does.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Firewall {
    pub(crate) input: BTreeSet<Rule>,
    /// The packets that are not forwarded; `None`: none is forwarded.
    pub(crate) forward: Option<BTreeSet<Refusal>>,
    /// The rules of a gateway in their order, in words; `None`: the machine is the gateway of no network.
    pub(crate) routing: Option<Vec<String>>,
}

fn firewall(cluster: &Cluster, openings: Vec<Opening>, forwarding: Forwarding) -> Firewall {
    let ssh = ssh_sources(cluster);
    assert!(!ssh.is_empty(), "nobody can log in");
    let rule = |source, device, traffic, comment: &str| Rule {
        traffic: words(traffic),
        source,
        device,
        comment: comment.to_owned(),
    };
    let to_ssh = Traffic::port(Protocol::Tcp, 22);
    let mut input: BTreeSet<Rule> = ssh.into_iter().map(|net| rule(net, None, to_ssh, "ssh")).collect();
    for opening in openings {
        for source in opening.sources {
            let device = source.device.map(|device| device.to_string());
            input.insert(rule(source.subnet, device, opening.traffic, &opening.purpose));
        }
    }
    let forward = match forwarding {
        Forwarding::Nothing => None,
        Forwarding::AllBut(refused) => Some(refused.into_iter().map(refusal).collect()),
    };
    Firewall { input, forward, routing: None }
}

/// The rules of a gateway, each in words: the addresses that machines inside reach the gateway by, what is forwarded in which
/// order, and who keeps the sender's address, and who does not.
fn routing_words(routing: &Routing) -> Vec<String> {
    let reached = || routing.addresses.iter().map(|address| IpNet::from(std::net::IpAddr::V4(*address)));
    let networks = || routing.networks.iter();
    let mut words: Vec<String> =
        networks().map(|network| reached_words(network.device.as_str(), reached())).collect();
    words.extend(routing.bmcs.iter().map(|subnet| format!("not to {subnet}")));
    words.extend(networks().map(|network| format!("from {} within {}", network.subnet, network.device)));
    words.push(INVALID.to_owned());
    for connection in &routing.inward {
        let device = connection.source.device.as_ref().map(ToString::to_string);
        let rule = Rule {
            traffic: self::words(connection.traffic),
            source: connection.source.subnet,
            device,
            comment: connection.purpose.clone(),
        };
        words.push(inward_words(&rule, connection.to, connection.device.as_str()));
    }
    words.extend(networks().map(|network| format!("not to {}", network.subnet)));
    words.extend(networks().map(|network| format!("from {} by {}", network.subnet, network.device)));
    for network in networks().filter(|_| routing.unmasked.is_some()) {
        words.push(format!("{}/32 is itself", network.gateway));
        let unmasked = routing.unmasked.iter().flatten().filter(|subnet| **subnet != network.subnet);
        words.extend(unmasked.map(|subnet| format!("{} is itself to {subnet}", network.subnet)));
        words.push(format!("{} is masqueraded but by {}", network.subnet, network.device));
    }
    words
}

/// The rule for packets that belong to no connection, in words.
pub(crate) const INVALID: &str = "nothing invalid";

/// The addresses of the gateway that machines reach through `device`, in words: `addresses`, and those of multicasts and
/// broadcasts.
pub(crate) fn reached_words(device: &str, addresses: impl Iterator<Item = IpNet>) -> String {
    let all: BTreeSet<IpNet> = addresses.chain(["224.0.0.0/3".parse().unwrap()]).collect();
    format!("{device} reaches {all:?}")
}

/// A connection to machines in `to`, in words.
pub(crate) fn inward_words(rule: &Rule, to: IpNet, device: &str) -> String {
    let Rule { traffic, source, comment, .. } = rule;
    format!("{traffic} from {source} by {:?} to {to} by {device} ({comment})", rule.device)
}

fn refusal(refused: RefusedConnection) -> Refusal {
    Refusal { subnet: refused.subnet, port: refused.port.map(|port| (words(port.traffic), port.purpose)) }
}

/// `tcp 22`, `udp 1-9`, the number of another protocol, or `any`.
pub(crate) fn words(traffic: Traffic) -> String {
    match traffic {
        Traffic::Ports(protocol, PortRange { first, last }) => {
            let protocol = if protocol == Protocol::Tcp { "tcp" } else { "udp" };
            if first == last { format!("{protocol} {first}") } else { format!("{protocol} {first}-{last}") }
        }
        Traffic::Other(number) => number.to_string(),
        Traffic::Any => "any".to_owned(),
    }
}

/// The number of a protocol that a program names as /etc/protocols does.
pub(crate) fn protocol_number(word: &str) -> String {
    let names = std::fs::read_to_string("/etc/protocols").unwrap_or_default();
    let mut numbers = names.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (name, number) = (words.next()?, words.next()?);
        (name == word).then(|| number.to_owned())
    });
    if word.bytes().all(|byte| byte.is_ascii_digit()) {
        return word.to_owned();
    }
    numbers.next().unwrap_or_else(|| panic!("/etc/protocols (Debian package netbase) does not know {word}"))
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
    let routing = provisioner_routing(cluster);
    let otherwise = if routing.is_some() { Forwarding::Nothing } else { Forwarding::AllBut(Vec::new()) };
    let provisioner = firewall(cluster, provisioner_openings(cluster), otherwise);
    let provisioner = Firewall { routing: routing.as_ref().map(routing_words), ..provisioner };
    profiles.chain([("provisioner".to_owned(), provisioner)]).collect()
}
