//! `[network.<name>]`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use schemars::JsonSchema;

use crate::diag::{Diagnostic, Report, Spanned};
use crate::model::{DomainName, Label, Range, ReverseZone, Role};

use super::reader::{Cell, Entries, Read, Table};
use super::{List, Maybe};

/// A network as it is written.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(transform = super::schema::allow)]
#[schemars(extend("anyOf" = [{ "required": ["subnet"] }, { "required": ["subnet6"] }]))]
pub struct NetworkTable {
    /// What it is for.
    #[schemars(required, length(min = 1))]
    pub roles: Option<Spanned<List<Option<Role>>>>,
    /// Its VLAN (IEEE 802.1Q).
    #[schemars(range(min = 1, max = 4094))]
    pub vlan: Maybe<u16>,
    /// Its IPv4 subnet.
    pub subnet: Maybe<Ipv4Net>,
    /// Its IPv6 subnet.
    pub subnet6: Maybe<Ipv6Net>,
    /// Its IPv4 router.
    pub gateway: Maybe<Ipv4Addr>,
    /// Its IPv6 router.
    pub gateway6: Maybe<Ipv6Addr>,
    /// Its resolvers, of either family.
    pub dns: Maybe<List<Option<IpAddr>>>,
    /// The domain that DHCP hands out.
    pub domain: Option<Spanned<DomainName>>,
    /// The zone for the names of its IPv4 addresses, where it is a part of a /24 whose owner has delegated it (RFC 2317).
    pub reverse_zone: Option<Spanned<ReverseZone>>,
    /// What DHCP leases to machines without a reservation.
    pub pool: Option<Spanned<Range<Ipv4Addr>>>,
    /// What DHCPv6 leases to machines without a reservation.
    pub pool6: Option<Spanned<Range<Ipv6Addr>>>,
    /// `range.<profile>`: the addresses that a profile's nodes take; `range.vip`: the virtual ones.
    #[schemars(default, rename = "range")]
    pub ranges: Entries<Label, Spanned<Range<Ipv4Addr>>>,
    /// `range6.<profile>`: the IPv6 addresses that a profile's nodes take; `range6.vip`: the virtual ones.
    #[schemars(default, rename = "range6")]
    pub ranges6: Entries<Label, Spanned<Range<Ipv6Addr>>>,
}

const KEYS: [&str; 14] = [
    "roles",
    "vlan",
    "subnet",
    "subnet6",
    "gateway",
    "gateway6",
    "dns",
    "domain",
    "reverse_zone",
    "pool",
    "pool6",
    "range",
    "range6",
    "allow",
];

impl Read for NetworkTable {
    fn read(cell: Cell<'_>, report: &mut Report) -> Option<Self> {
        let mut table = Table::open(cell, &KEYS, report)?;
        table.allow();
        let mut network = Self {
            roles: table.required("roles"),
            vlan: table.number("vlan", "PG-D07", 1..=4094),
            subnet: table.optional("subnet"),
            subnet6: table.optional("subnet6"),
            gateway: table.optional("gateway"),
            gateway6: table.optional("gateway6"),
            dns: table.optional("dns"),
            domain: table.optional("domain"),
            reverse_zone: table.optional("reverse_zone"),
            pool: table.optional("pool"),
            pool6: table.optional("pool6"),
            ranges: table.entries("range"),
            ranges6: table.entries("range6"),
        };
        if let Some(roles) = network.roles.take_if(|roles| roles.value.is_empty()) {
            let fault = Diagnostic::error("PG-A04", &roles.span, "this network is for nothing");
            let help = "write what it is for: \"management\", \"provisioning\", \"cluster\" or \"client\"";
            table.report.push(fault.help(help));
        }
        if !table.has("subnet") && !table.has("subnet6") {
            table.need("subnet");
        }
        table.finish();
        Some(network)
    }
}
