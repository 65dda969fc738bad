//! `[network.<name>]`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use crate::diag::{Diagnostic, Spanned};
use crate::model::{DomainName, Label, Range, ReverseZone, Role};

use super::key::{alternative, entries, number, optional, required};
use super::reader::{Entries, Table};
use super::tables::tables;
use super::written::{List, Maybe};

tables! {
    /// `[network.<name>]`: a network of the site.
    NetworkTable(allow) {
        /// Purposes of the network: `management` (BMCs), `provisioning` (PXE boot and installation), `cluster` (Raft and
        /// services), `client` (users of the services).
        roles: Option<Spanned<List<Option<Role>>>> = required().never_empty(),
        /// VLAN ID (IEEE 802.1Q), 1 to 4094. Interfaces with `tagged = true` tag their frames with it.
        vlan: Maybe<u16> = number("PG-D07", 1..=4094),
        /// IPv4 subnet in CIDR notation, such as `10.0.100.0/24`. A network has this, `subnet6`, or both.
        subnet: Maybe<Ipv4Net> = alternative(),
        /// IPv6 subnet in CIDR notation, such as `fd00:100::/64`. A network has this, `subnet`, or both.
        subnet6: Maybe<Ipv6Net> = alternative(),
        /// IPv4 address of the router. The gateway of the cluster network becomes the nodes' default route. The address of
        /// the provisioner in this network makes the provisioner the router.
        gateway: Maybe<Ipv4Addr> = optional(),
        /// IPv6 address of the router. The gateway of the cluster network becomes the nodes' default route.
        gateway6: Maybe<Ipv6Addr> = optional(),
        /// Addresses of the DNS servers that machines in this network ask, of either family.
        dns: Maybe<List<Option<IpAddr>>> = optional(),
        /// DNS domain that DHCP hands out in this network. Nodes have a name in it for their addresses in this network.
        domain: Option<Spanned<DomainName>> = optional(),
        /// Whether site/dns/ has a zone for `domain`. With `false`, DHCP hands out a domain of somebody else, whose name
        /// servers go on answering for it: the names of nodes stand in `<network>.<cluster domain>` instead.
        zone: Option<Spanned<bool>> = optional().default(true),
        /// Zone for the names of the network's IPv4 addresses, where the owner of the /24 has delegated a part of it
        /// (RFC 2317), such as `64-26.100.0.10.in-addr.arpa`; or `none`, where somebody else has their zone. Other
        /// networks get the zones of their octets, and IPv6 addresses always have theirs.
        reverse_zone: Option<Spanned<ReverseZone>> = optional(),
        /// IPv4 addresses that DHCP leases to machines without a reservation, such as `10.0.100.100-10.0.100.200`.
        pool: Option<Spanned<Range<Ipv4Addr>>> = optional(),
        /// IPv6 addresses that DHCPv6 leases to machines without a reservation, such as `fd00:100::100-fd00:100::200`.
        pool6: Option<Spanned<Range<Ipv6Addr>>> = optional(),
        /// `range.<profile>`: the IPv4 addresses that nodes of the profile take; `range.vip`: those of virtual addresses.
        ranges as "range": Entries<Label, Spanned<Range<Ipv4Addr>>> = entries(),
        /// `range6.<profile>`: the IPv6 addresses that nodes of the profile take; `range6.vip`: those of virtual addresses.
        ranges6 as "range6": Entries<Label, Spanned<Range<Ipv6Addr>>> = entries(),
    } then check
}

/// A network has a role and a subnet.
fn check(mut network: NetworkTable, table: &mut Table<'_, '_>) -> NetworkTable {
    if let Some(roles) = network.roles.take_if(|roles| roles.value.is_empty()) {
        let fault = Diagnostic::error("PG-A04", &roles.span, "this network has no role");
        let help = "write its purposes: \"management\", \"provisioning\", \"cluster\" or \"client\"";
        table.report.push(fault.help(help));
    }
    if !table.has("subnet") && !table.has("subnet6") {
        table.need("subnet");
    }
    network
}
