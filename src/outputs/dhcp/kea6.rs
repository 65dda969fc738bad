//! `kea-dhcp6.json`: Kea's server for IPv6 (Kea's ARM, "The DHCPv6 Server"), where a provisioning network has IPv6.
//!
//! It leases addresses and names resolvers. Machines boot over IPv4: the provisioner's only address is of that family, so
//! that no boot file is named here. Routers advertise themselves (RFC 4861): DHCPv6 has no option for them.
//!
//! DHCPv6 has no client but the DUID, and firmware, iPXE and the system may each have another: what is kept for a MAC
//! address goes to the one that asks first until its lease ends.

use std::collections::HashSet;
use std::net::Ipv6Addr;

use ipnet::Ipv6Net;
use serde::Serialize;

use crate::artifact::Artifact;
use crate::model::Cluster;
use crate::outputs::{Emit, Output, json};
use crate::plan::Plan;
use crate::render::Renderer;

use super::kea::{Interfaces, LEASES, Leases, Logger, OptionData, Served};
use super::{Subnet, kea};

pub(in crate::outputs) const OUTPUT: Output = Output {
    name: "kea-dhcp6.json",
    about: "leases and reservations of IPv6 for Kea",
    template: None,
    emit: Emit::Site(emit),
};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct File<'a> {
    dhcp6: Dhcp6<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Dhcp6<'a> {
    interfaces_config: Interfaces<'a>,
    lease_database: Leases,
    loggers: [Logger; 1],
    host_reservation_identifiers: [&'static str; 1],
    /// Where a MAC address is looked for: in what the relay says (RFC 6939), in the link-local address, in the DUID,
    /// which may hold that of another NIC.
    mac_sources: [&'static str; 3],
    valid_lifetime: u32,
    max_valid_lifetime: u32,
    subnet6: Vec<Served<'a, Ipv6Addr, Addresses>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Addresses {
    ip_addresses: [Ipv6Addr; 1],
}

fn emit(plan: &Plan, _: &Renderer) -> anyhow::Result<Vec<Artifact>> {
    let cluster = &plan.cluster;
    let subnets = super::subnets6(cluster);
    if subnets.is_empty() {
        return Ok(vec![]);
    }
    let mut taken = HashSet::new();
    let file = File {
        dhcp6: Dhcp6 {
            interfaces_config: kea::interfaces(&cluster.provisioner.interface, None),
            lease_database: LEASES,
            loggers: kea::logger("kea-dhcp6"),
            host_reservation_identifiers: ["hw-address"],
            mac_sources: ["client-link-addr-option", "ipv6-link-local", "duid"],
            valid_lifetime: super::LEASE,
            max_valid_lifetime: super::LONGEST_LEASE,
            subnet6: subnets.into_iter().map(|own| subnet(own, cluster, &mut taken)).collect(),
        },
    };
    Ok(vec![Artifact::new("site/pxe/kea-dhcp6.json", json(&file)?)?])
}

fn subnet<'a>(
    own: Subnet<'a, Ipv6Addr>,
    cluster: &'a Cluster,
    taken: &mut HashSet<u32>,
) -> Served<'a, Ipv6Addr, Addresses> {
    let options = [
        kea::list("dns-servers", &own.resolvers),
        own.domain.map(|domain| OptionData::named("domain-search", domain)),
    ];
    let id = kea::subnet_id(folded(own.net), taken);
    kea::served(own, cluster, id, options, |address| Addresses { ip_addresses: [address] })
}

/// The four 32-bit words of a subnet's address, by exclusive or: so all /64 of one site, whose first word is the same,
/// have numbers of their own.
fn folded(net: Ipv6Net) -> u32 {
    let [a, b, c, d, e, f, g, h] = net.network().segments().map(u32::from);
    let words = [(a, b), (c, d), (e, f), (g, h)];
    words.into_iter().fold(0, |all, (high, low)| all ^ (high << 16 | low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subnets_of_a_site_have_numbers_of_their_own() {
        let nets = (0..=u16::MAX).map(|own| format!("2001:db8:7:{own:x}::/64").parse().unwrap());
        let numbers: HashSet<u32> = nets.map(folded).collect();
        assert_eq!(numbers.len(), 1 << 16);
        assert_eq!(folded("fd00:100::/64".parse().unwrap()), 0xfd00_0100);
    }
}
