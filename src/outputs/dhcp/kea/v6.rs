//! `kea-dhcp6.json`: leases and reservations for Kea's server for IPv6 (Kea's ARM, "The DHCPv6 Server"), where a
//! provisioning network has IPv6.
//!
//! The server leases addresses and names resolvers. Machines boot over IPv4, since the provisioner's only address is an
//! IPv4 address: no boot file is named here. Routers advertise themselves (RFC 4861): DHCPv6 has no option for routers.
//!
//! DHCPv6 knows clients by their DUID alone, and firmware, iPXE and the system may each have another DUID: the address
//! that is reserved for a MAC address goes to the client that asks first, until its lease ends.

use std::collections::HashSet;
use std::net::Ipv6Addr;

use ipnet::Ipv6Net;
use serde::Serialize;

use crate::artifact::Artifact;
use crate::outputs::dhcp::{ServedSubnet, artifact, subnets6};
use crate::outputs::{Emit, Output};
use crate::plan::Plan;
use crate::render::Renderer;

use super::subnet::{KeaSubnet, ReservedAddress, subnet_id};
use super::{KeaConfig, OptionData, SERVER};

/// The name of the file.
const FILE: &str = match SERVER.facts().config6 {
    Some(file) => file,
    None => panic!("Kea serves IPv6"),
};

pub(in crate::outputs) const OUTPUT: Output = Output { name: FILE, templates: &[], emit: Emit::Site(emit) };

/// How clients are told apart.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Dhcp6Clients {
    host_reservation_identifiers: [&'static str; 1],
    /// Where Kea looks for a MAC address: in the relay's message (RFC 6939), in the link-local address, in the DUID,
    /// which may hold the MAC address of another NIC.
    mac_sources: [&'static str; 3],
}

/// The subnets.
#[derive(Serialize)]
struct Dhcp6Service<'a> {
    subnet6: Vec<KeaSubnet<'a, Ipv6Addr>>,
}

fn emit(plan: &Plan, _: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let cluster = &plan.cluster;
    let subnets = subnets6(cluster);
    if subnets.is_empty() {
        return Ok(vec![]);
    }
    let mut taken = HashSet::new();
    let config = KeaConfig::new(
        "kea-dhcp6",
        cluster,
        None,
        Dhcp6Clients {
            host_reservation_identifiers: ["hw-address"],
            mac_sources: ["client-link-addr-option", "ipv6-link-local", "duid"],
        },
        Dhcp6Service { subnet6: subnets.into_iter().map(|net| subnet(net, &mut taken)).collect() },
    );
    Ok(vec![artifact(FILE, config.file("Dhcp6")?)?])
}

fn subnet<'a>(subnet: ServedSubnet<'a, Ipv6Addr>, taken: &mut HashSet<u32>) -> KeaSubnet<'a, Ipv6Addr> {
    let options = [
        OptionData::addresses("dns-servers", &subnet.resolvers),
        subnet.domain.map(|domain| OptionData::named("domain-search", domain)),
    ];
    let id = subnet_id(fold(subnet.net), taken);
    KeaSubnet::new(subnet, id, options, |address| ReservedAddress::IpAddresses([address]))
}

/// Folds the four 32-bit words of a subnet's address into one word by exclusive or, so that the /64 subnets of one site,
/// which all begin with the same word, get different numbers.
fn fold(net: Ipv6Net) -> u32 {
    let [a, b, c, d, e, f, g, h] = net.network().segments().map(u32::from);
    let words = [(a, b), (c, d), (e, f), (g, h)];
    words.into_iter().fold(0, |all, (high, low)| all ^ (high << 16 | low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subnets_of_a_site_have_different_numbers() {
        let nets = (0..=u16::MAX).map(|word| format!("2001:db8:7:{word:x}::/64").parse().unwrap());
        let numbers: HashSet<u32> = nets.map(fold).collect();
        assert_eq!(numbers.len(), 1 << 16);
        assert_eq!(fold("fd00:100::/64".parse().unwrap()), 0xfd00_0100);
    }
}
