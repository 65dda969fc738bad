//! The ports that the provisioner opens to booting machines and to operators.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::openings::{Opening, PacketSource, ssh_sources, subnets};
use super::references::DNS;
use crate::model::{Cluster, Network, OpenOn, Protocol, ProvisionerInterface, Reference, Role, Traffic};

/// Everything that the provisioner lets in besides SSH.
///
/// DHCP comes from senders without an address yet (0.0.0.0, RFC 2131 section 4.1; link-local, RFC 8415 section 13.1)
/// and from relays, whose addresses the inventory does not have. So DHCPv4 is bound to the interfaces alone; relays of
/// DHCPv6 send from a global address of a provisioning network.
#[must_use]
pub fn provisioner_openings(cluster: &Cluster) -> Vec<Opening> {
    let opening = |purpose: &str, port, protocol, sources| Opening {
        purpose: purpose.to_owned(),
        traffic: Traffic::port(protocol, port),
        sources,
    };
    let provisioning = subnets(cluster, &[Role::Provisioning]);
    let on_each_interface = |subnet: IpNet| {
        let interfaces = cluster.provisioner.interfaces();
        interfaces.map(move |interface| PacketSource { subnet, device: Some(interface.name.clone()) })
    };
    let any = on_each_interface(IpNet::V4(Ipv4Net::default()));
    let mut openings = vec![opening("dhcp", 67, Protocol::Udp, any.collect())];

    let mut dhcp6: Vec<IpNet> = provisioning.iter().filter(|net| net.addr().is_ipv6()).copied().collect();
    if !dhcp6.is_empty() {
        dhcp6.insert(0, IpNet::V6(LINK_LOCAL));
        let sources = dhcp6.into_iter().flat_map(on_each_interface).collect();
        openings.push(opening("dhcpv6", 547, Protocol::Udp, sources));
    }

    openings.push(opening("tftp", 69, Protocol::Udp, sources(cluster, &provisioning)));

    // Operators ask for /health.
    let mut http = provisioning;
    http.extend(ssh_sources(cluster));
    let http = sources_of_any_address(cluster, &http);
    openings.push(opening("http", cluster.provisioner.http_port, Protocol::Tcp, http));

    // All networks ask the name server, also where it is their resolver.
    let is_name_server = cluster.dns.name_servers.is_empty();
    if is_name_server {
        let all: Vec<IpNet> = cluster.networks.values().flat_map(Network::subnets).collect();
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            openings.push(opening("dns", 53, protocol, sources_of_any_address(cluster, &all)));
        }
    }

    let is_asked = |reference: &&Reference| cluster.provisioner.has_address(reference.address);
    for reference in cluster.references.iter().filter(is_asked) {
        for traffic in reference.traffic.iter().filter(|traffic| !is_name_server || !DNS.contains(traffic)) {
            let sources = sources_of_reference(cluster, reference);
            openings.push(Opening { purpose: reference.purpose.to_owned(), traffic: *traffic, sources });
        }
    }
    for extra in cluster.firewall.iter().filter(|extra| extra.on != OpenOn::Nodes) {
        let (purpose, sources) = (extra.name.to_string(), sources(cluster, &extra.from));
        openings.extend(extra.traffic().map(|traffic| Opening { purpose, traffic, sources }));
    }
    openings
}

/// Link-local unicast (RFC 4291 section 2.5.6).
const LINK_LOCAL: Ipv6Net = Ipv6Net::new_assert(std::net::Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10);

/// The senders to `reference`. A question to an address outside of the sender's subnet is routed, and comes in where the
/// router is: through the interface that has the address.
fn sources_of_reference(cluster: &Cluster, reference: &Reference) -> Vec<PacketSource> {
    let mut sources = sources(cluster, &reference.senders);
    for source in sources.iter_mut().filter(|source| !source.subnet.contains(&reference.address)) {
        source.device = None;
    }
    sources
}

/// Those `subnets` for a server that machines may ask at each address of the provisioner, also by way of a router. With
/// several interfaces, no subnet is bound to one of them.
fn sources_of_any_address(cluster: &Cluster, subnets: &[IpNet]) -> Vec<PacketSource> {
    let mut sources = sources(cluster, subnets);
    if !cluster.provisioner.other_interfaces.is_empty() {
        sources.iter_mut().for_each(|source| source.device = None);
    }
    sources
}

/// Those `subnets`, each once, and each with the provisioner's interface in that network. The inventory knows no other
/// interfaces of the provisioner.
pub(super) fn sources(cluster: &Cluster, subnets: &[IpNet]) -> Vec<PacketSource> {
    let device = |subnet: &IpNet| {
        let is_attached = |interface: &&ProvisionerInterface| {
            let network = cluster.networks.get(&interface.network);
            network.is_some_and(|network| network.subnets().any(|attached| attached == *subnet))
        };
        cluster.provisioner.interfaces().find(is_attached).map(|interface| interface.name.clone())
    };
    let source = |subnet: &IpNet| PacketSource { subnet: *subnet, device: device(subnet) };
    let mut seen = std::collections::BTreeSet::new();
    subnets.iter().filter(|subnet| seen.insert(**subnet)).map(source).collect()
}
