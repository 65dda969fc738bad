//! The table of facts that every consumer is held against, from the cluster that was understood of the inventory.
//!
//! Who may reach which port, what DHCP keeps and what certificates say is worked out here once more, in another way
//! than the outputs do it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use plasmagen::model::{
    Cluster, FirewallExtra, Interface, MacAddr, Node, OpenOn, OpenProtocol, Role, Service, System,
};

use crate::agreement::facts::Facts;
use crate::agreement::{names, provisioner, references};

/// Everything that is known of `cluster`.
pub(crate) fn facts(cluster: &Cluster) -> Facts {
    let mut facts = Facts::default();
    for node in &cluster.nodes {
        identity(cluster, node, &mut facts);
        reservation(cluster, node, &mut facts);
        bmc_in_dhcp(cluster, node, &mut facts);
        raft(cluster, node, &mut facts);
        known_names(cluster, node, &mut facts);
        certificate(cluster, node, &mut facts);
        ports(cluster, node, &mut facts);
        services(node, &mut facts);
    }
    for profile in &cluster.profiles {
        let machine = format!("firewall of {}", profile.name);
        let nodes = || cluster.nodes.iter().filter(|node| node.profile == profile.name);
        let answers = |target| nodes().any(|node| references::answers(cluster, node, target));
        open_ports(cluster, &profile.services, &profile.interfaces, &answers, |fact| {
            facts.add(&machine, "open port of the site", fact);
        });
        forwarding(cluster, &profile.services, |fact| facts.add(&machine, "forwarding of the site", fact));
    }
    names::facts(cluster, &mut facts);
    provisioner::facts(cluster, &mut facts);
    facts
}

fn identity(cluster: &Cluster, node: &Node, facts: &mut Facts) {
    let name = &node.name;
    facts.add(name, "MAC", node.mac);
    boot_macs(cluster, node).for_each(|mac| facts.add(name, "MAC that boots", mac));
    facts.add(name, "host name", name);
    facts.add(name, "full name", format!("{name}.{}", cluster.domain));
    facts.add(name, "profile", &node.profile);
    let ending = if node.system == System::Aarch64 { "-aarch64" } else { "" };
    facts.add(name, "image", format!("{}{ending}", node.base.as_str()));
    for interface in &node.interfaces {
        for address in &interface.addresses {
            facts.add(name, "address", address);
            facts.add(name, "interface", format!("{} {address}", interface.device));
        }
    }
    for disk in &node.disks {
        facts.add(name, "disk", disk);
    }
    if let Some(bmc) = &node.bmc {
        facts.add(name, "BMC", bmc.address);
    }
    let gateways = node.gateway.map(IpAddr::V4).into_iter().chain(node.gateway6.map(IpAddr::V6));
    gateways.for_each(|gateway| facts.add(name, "default route", gateway));
    node.resolvers.iter().for_each(|resolver| facts.add(name, "resolver of a node", resolver));
    let console = node.hardware.console.as_ref().or(cluster.boot.console.as_ref());
    let mut params: Vec<String> = node.kernel_params.iter().map(ToString::to_string).collect();
    if !params.iter().any(|param| param.starts_with("console=")) {
        params.extend(console.map(|console| format!("console={console}")));
    }
    params.iter().for_each(|param| facts.add(name, "kernel parameter", param));
}

/// The untagged interface in the network that the node boots in.
fn booting<'a>(cluster: &Cluster, node: &'a Node) -> Option<&'a Interface> {
    let boots =
        |network: &plasmagen::model::Label| cluster.networks[network].roles.contains(&Role::Provisioning);
    let mut interfaces = node.interfaces.iter();
    interfaces.find(|interface| interface.vlan.is_none() && interface.network.as_ref().is_some_and(boots))
}

/// The addresses of the NICs that may boot: the node's, and those of the members of the bond that boots.
pub(crate) fn boot_macs(cluster: &Cluster, node: &Node) -> impl Iterator<Item = MacAddr> {
    let bond = booting(cluster, node).and_then(|interface| interface.bond.as_ref());
    let is_member = |interface: &&Interface| bond.is_some_and(|bond| bond.members.contains(&interface.name));
    let members: BTreeSet<_> = node
        .interfaces
        .iter()
        .filter(is_member)
        .filter_map(|interface| interface.mac)
        .chain([node.mac])
        .collect();
    members.into_iter()
}

/// The reservations of DHCP: the addresses on the interface that boots.
fn reservation(cluster: &Cluster, node: &Node, facts: &mut Facts) {
    let Some(interface) = booting(cluster, node) else { return };
    if interface.addresses.iter().any(|net| net.addr().is_ipv4()) {
        facts.add(&node.name, "platform", format!("{}-{}", node.system.as_str(), node.firmware.as_str()));
    }
    for address in interface.addresses.iter().map(IpNet::addr) {
        let kind = if address.is_ipv4() { "reserved IPv4" } else { "reserved IPv6" };
        facts.add(&node.name, kind, address);
        let kind = if address.is_ipv4() { "MAC in DHCP" } else { "MAC in DHCPv6" };
        boot_macs(cluster, node).for_each(|mac| facts.add(&node.name, kind, mac));
        let kind = if address.is_ipv4() { "name in DHCP" } else { "name in DHCPv6" };
        facts.add(&node.name, kind, &node.name);
    }
}

/// The reservation of a BMC, where DHCP serves its network.
fn bmc_in_dhcp(cluster: &Cluster, node: &Node, facts: &mut Facts) {
    let Some((address, mac)) = node.bmc.as_ref().and_then(|bmc| Some((bmc.address, bmc.mac?))) else {
        return;
    };
    let served = cluster.networks.values().filter(|network| network.roles.contains(&Role::Provisioning));
    let mut subnets = served.filter_map(|network| network.subnet);
    if subnets.any(|subnet| IpNet::V4(subnet).contains(&address)) {
        facts.add(&node.name, "BMC in DHCP", format!("{mac} {address}"));
    }
}

/// How members find each other.
fn raft(cluster: &Cluster, node: &Node, facts: &mut Facts) {
    let name = &node.name;
    facts.add(name, "cluster", &cluster.name);
    facts.add(name, "bootstraps", node.voter && !cluster.formed);
    let voters = || {
        cluster.bootstrap.iter().map(|name| cluster.nodes.iter().find(|other| other.name == *name).unwrap())
    };
    let raft_port = |node: &Node, service| Some(node.service(service)?.ports.raft_port.unwrap());
    let leader = voters().find(|voter| !cluster.formed || voter.name != node.name).unwrap_or(node);
    let port = leader.service("chainfire").unwrap().ports.port;
    facts.add(name, "leader", format!("https://{}:{port}", leader.fqdn));
    let core = |interface: &&Interface| {
        interface.network.as_ref().is_some_and(|name| cluster.networks[name].roles.contains(&Role::Cluster))
    };
    let routed = |interface: &&Interface| {
        let network = &cluster.networks[interface.network.as_ref().unwrap()];
        network.gateway.is_some() || network.gateway6.is_some()
    };
    let mut standing = node.interfaces.iter().filter(core);
    let first = standing.clone().next();
    if let Some(address) = standing.find(routed).or(first).and_then(|interface| interface.addresses.first()) {
        let port = voters().find_map(|voter| raft_port(voter, "chainfire")).unwrap();
        facts.add(name, "Raft", std::net::SocketAddr::new(address.addr(), port));
    }
    if node.voter && !cluster.formed {
        for (kind, service) in [("Chainfire peers", "chainfire"), ("FlareDB peers", "flaredb")] {
            let peer = |voter: &Node| Some(format!("{}:{}", voter.fqdn, raft_port(voter, service)?));
            facts.add(name, kind, voters().filter_map(peer).collect::<Vec<_>>().join(" "));
        }
    }
}

/// Whom the node finds without a name server: no site here has more nodes than a node lists.
fn known_names(cluster: &Cluster, node: &Node, facts: &mut Facts) {
    let mut say = |address: IpAddr, name: &str| {
        let value = format!("{address} {name}.{} {name}", cluster.domain);
        facts.add(&node.name, "known name", value);
    };
    cluster.vips.iter().for_each(|vip| say(vip.address, vip.name.as_str()));
    for other in &cluster.nodes {
        let addresses = names::home(cluster, other).into_iter().flat_map(|interface| &interface.addresses);
        addresses.for_each(|net| say(net.addr(), other.name.as_str()));
    }
}

fn certificate(cluster: &Cluster, node: &Node, facts: &mut Facts) {
    let name = &node.name;
    let mut say = |value: String| facts.add(name, "SAN", value);
    say(format!("DNS {}.{}", node.name, cluster.domain));
    say("DNS localhost".to_owned());
    say("IP 127.0.0.1".to_owned());
    say("IP ::1".to_owned());
    for vip in cluster.vips.iter().filter(|vip| references::answers(cluster, node, vip.address)) {
        say(format!("DNS {}.{}", vip.name, cluster.domain));
        say(format!("IP {}", vip.address));
    }
    let is_dialled = |interface: &&Interface| {
        let network = interface.network.as_ref().and_then(|name| cluster.networks.get(name));
        let roles = network.map_or(&[][..], |network| &network.roles);
        roles.contains(&Role::Cluster) || roles.contains(&Role::Client)
    };
    for address in node.interfaces.iter().filter(is_dialled).flat_map(|interface| &interface.addresses) {
        say(format!("IP {}", address.addr()));
    }
}

/// The ports of a service: what for, number, protocol, and whether clients reach it.
fn listens(service: &Service) -> Vec<(String, u16, &'static str, bool)> {
    let (name, ports) = (&service.name, &service.ports);
    let mut all = vec![(name.to_string(), ports.port, "tcp", ports.clients)];
    all.extend(ports.udp.then(|| (name.to_string(), ports.port, "udp", ports.clients)));
    for (what, port) in [
        ("raft_port", ports.raft_port),
        ("gossip_port", ports.gossip_port),
        ("health_port", ports.health_port),
    ] {
        all.extend(port.map(|port| (format!("{name} {what}"), port, "tcp", false)));
    }
    all
}

/// The subnets of the networks that have one of `roles`.
pub(crate) fn subnets(cluster: &Cluster, roles: &[Role]) -> Vec<IpNet> {
    let networks =
        cluster.networks.values().filter(|network| network.roles.iter().any(|role| roles.contains(role)));
    let v4_and_v6 =
        |network: &plasmagen::model::Network| [network.subnet.map(IpNet::V4), network.subnet6.map(IpNet::V6)];
    networks.flat_map(v4_and_v6).flatten().collect()
}

/// Who may reach a service, SSH and the ports of `[firewall]`.
fn ports(cluster: &Cluster, node: &Node, facts: &mut Facts) {
    let answers = |target| references::answers(cluster, node, target);
    open_ports(cluster, &node.services, &node.interfaces, &answers, |fact| {
        facts.add(&node.name, "open port", fact);
    });
    forwarding(cluster, &node.services, |fact| facts.add(&node.name, "forwarding", fact));
}

fn open_ports(
    cluster: &Cluster,
    services: &[Service],
    interfaces: &[Interface],
    answers: &dyn Fn(IpAddr) -> bool,
    mut say: impl FnMut(String),
) {
    let device = |subnet: IpNet| {
        let in_it = |interface: &&Interface| {
            let network = interface.network.as_ref().map(|name| &cluster.networks[name]);
            network.is_some_and(|network| {
                network.subnet.map(IpNet::V4) == Some(subnet)
                    || network.subnet6.map(IpNet::V6) == Some(subnet)
            })
        };
        interfaces
            .iter()
            .find(in_it)
            .map_or(String::new(), |interface| format!(" through {}", interface.device))
    };
    let mut open = |what: &str, packets: &str, from: &[IpNet], is_routed: bool| {
        for subnet in from {
            let through = if is_routed { String::new() } else { device(*subnet) };
            say(format!("{packets} from {subnet}{through} ({what})"));
        }
    };
    open("ssh", "tcp 22", &ssh(cluster), true);
    for (what, port, protocol, clients) in services.iter().flat_map(listens) {
        let roles = if clients { &[Role::Cluster, Role::Client][..] } else { &[Role::Cluster] };
        open(&what, &format!("{protocol} {port}"), &subnets(cluster, roles), false);
    }
    for (target, packets, subnet, what) in references::questions(cluster) {
        if answers(target) {
            // From another network it comes in where the router is.
            open(what, packets, &[subnet], !subnet.contains(&target));
        }
    }
    for extra in cluster.firewall.iter().filter(|extra| extra.on != OpenOn::Provisioner) {
        open(extra.name.as_str(), &packets(extra), &extra.from, false);
    }
}

/// The packets of an entry of `[firewall]`.
pub(crate) fn packets(extra: &FirewallExtra) -> String {
    match (extra.protocol, extra.port, extra.ports) {
        (OpenProtocol::Any, ..) => "any".to_owned(),
        (OpenProtocol::Other(number), ..) => number.to_string(),
        (protocol, Some(port), _) => format!("{protocol} {port}"),
        (protocol, None, ports) => format!("{protocol} {}", ports.unwrap()),
    }
}

pub(crate) fn ssh(cluster: &Cluster) -> Vec<IpNet> {
    let usual = || subnets(cluster, &[Role::Management, Role::Provisioning, Role::Cluster]);
    cluster.ssh_from.clone().unwrap_or_else(usual)
}

/// The services that carry packets of tenants: virtual machines, their networks, load balancers and pods.
const TENANTS: [&str; 4] = ["plasmavmc", "prismnet", "fiberlb", "k8shost"];

fn forwarding(cluster: &Cluster, services: &[Service], mut say: impl FnMut(String)) {
    if !services.iter().any(|service| TENANTS.contains(&service.name.as_str())) {
        return say("drop".to_owned());
    }
    say("accept".to_owned());
    let shut = subnets(cluster, &[Role::Management, Role::Provisioning]);
    shut.iter().for_each(|subnet| say(format!("not to {subnet}")));
    let inside = subnets(cluster, &[Role::Cluster]);
    for subnet in inside.iter().filter(|subnet| !shut.contains(subnet)) {
        for packets in ports_among_nodes(cluster, &inside) {
            say(format!("not to {subnet} {packets}"));
        }
    }
}

/// SSH, and the ports of all services and of `[firewall]` that nobody outside the subnets `inside` may reach.
fn ports_among_nodes(cluster: &Cluster, inside: &[IpNet]) -> BTreeSet<String> {
    let nodes = cluster.nodes.iter().flat_map(|node| &node.services);
    let services = nodes.chain(cluster.profiles.iter().flat_map(|profile| &profile.services));
    let (mut ports, mut for_clients) = (BTreeSet::from(["tcp 22".to_owned()]), BTreeSet::new());
    for (_, port, protocol, clients) in services.flat_map(listens) {
        let to = if clients { &mut for_clients } else { &mut ports };
        to.insert(format!("{protocol} {port}"));
    }
    let of_nodes = cluster.firewall.iter().filter(|extra| extra.on != OpenOn::Provisioner);
    let clients = subnets(cluster, &[Role::Client]);
    for extra in of_nodes.filter(|extra| extra.protocol != OpenProtocol::Any) {
        let meets = |nets: &[IpNet]| {
            let pairs = extra.from.iter().flat_map(|from| nets.iter().map(move |net| (from, net)));
            pairs.into_iter().any(|(from, net)| from.contains(net) || net.contains(from))
        };
        if meets(&clients) || extra.from.iter().any(|from| from.prefix_len() == 0) {
            for_clients.insert(packets(extra));
        } else if meets(inside) {
            ports.insert(packets(extra));
        }
    }
    let questions = references::questions(cluster).into_iter();
    let named = |target| {
        cluster.provisioner.interfaces().any(|interface| target == IpAddr::V4(interface.address))
            || cluster.nodes.iter().any(|node| references::answers(cluster, node, target))
            || cluster.vips.iter().any(|vip| vip.address == target)
    };
    ports.extend(questions.filter(|(target, ..)| named(*target)).map(|(_, packets, ..)| packets.to_owned()));
    &ports - &for_clients
}

fn services(node: &Node, facts: &mut Facts) {
    for service in &node.services {
        facts.add(&node.name, "service", &service.name);
        for (what, port, protocol, _) in
            listens(service).iter().filter(|(_, _, protocol, _)| *protocol == "tcp")
        {
            facts.add(&node.name, "listens", format!("{protocol} {port} ({what})"));
        }
    }
}
