//! The inventory as a whole.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};

use crate::diag::{Diagnostic, Spanned};
use crate::model::{HostName, Label};

use super::cluster::{
    BootTable, ClusterTable, DnsTable, HardwareTable, LoggingTable, NtpTable, ServiceTable, TlsTable,
    VaultTable,
};
use super::firewall::FirewallTable;
use super::key::{
    Key, entries, entries_beside, required_entries, required_section, section, section_or_empty,
};
use super::network::NetworkTable;
use super::node::NodeTable;
use super::node_table::NodesTable;
use super::profile::ProfileTable;
use super::provisioner::ProvisionerTable;
use super::reader::{Entries, Read, Table};
use super::schema::{Need, Property, map_of};
use super::tables::tables;
use super::written::Maybe;

/// The version of the inventory's schema that this program reads.
pub const SCHEMA: u16 = 1;

tables! {
    /// The inventory of a PlasmaCloud cluster, from which plasmagen writes everything else.
    Inventory {
        /// Version of the schema that this inventory follows. It stands in the first line.
        schema: Maybe<u16> = Version,
        /// `[cluster]`: the facts that all nodes share.
        cluster: Option<ClusterTable> = required_section(),
        /// `[provisioner]`: the PXE, DHCP, TFTP and HTTP server that machines are installed from.
        provisioner: Option<ProvisionerTable> = required_section(),
        /// `[network.<name>]`: a network of the site, with its subnets and roles.
        networks as "network": Entries<Label, NetworkTable> = required_entries(),
        /// `[vip]`: virtual IPv4 addresses, by their names in the cluster's domain, such as `chainfire = "10.0.200.100"`.
        vips as "vip": Entries<HostName, Spanned<Ipv4Addr>> = entries(),
        /// `[vip6]`: virtual IPv6 addresses, by their names in the cluster's domain, such as `chainfire = "fd00:200::100"`.
        vips6 as "vip6": Entries<HostName, Spanned<Ipv6Addr>> = entries(),
        /// `[tls]`: the certificates of the cluster.
        tls: TlsTable = section_or_empty(),
        /// `[profile.<name>]`: the values that several nodes have in common.
        profiles as "profile": Entries<Label, ProfileTable> = entries(),
        /// `[service.<name>]`: the ports and settings of a built-in service, or a service of your own.
        services as "service": Entries<Label, ServiceTable> = entries(),
        /// `[hardware.<name>]`: a model of machine of your own.
        hardware: Entries<Label, HardwareTable> = entries(),
        /// `[node.<name>]`: a machine of the cluster.
        nodes as "node": Entries<HostName, NodeTable> = entries_beside("nodes"),
        /// `[nodes]`: a table of nodes beside the inventory, for many machines that are alike.
        node_table as "nodes": Option<NodesTable> = section(),
        /// `[boot]`: how machines boot.
        boot: BootTable = section_or_empty(),
        /// `[dns]`: what all DNS zones have in common.
        dns: DnsTable = section_or_empty(),
        /// `[firewall]`: the senders of SSH, and further open ports.
        firewall: FirewallTable = section_or_empty(),
        /// `[ntp]`: the time servers.
        ntp: NtpTable = section_or_empty(),
        /// `[logging]`: the destination of log messages.
        logging: LoggingTable = section_or_empty(),
        /// `[vault]`: the private keys.
        vault: VaultTable = section_or_empty(),
    }
}

/// The version of the schema, rule A05.
struct Version;

impl Key<Maybe<u16>> for Version {
    fn read(&self, table: &mut Table<'_, '_>, key: &'static str) -> Maybe<u16> {
        let version = table.number(key, "PG-A05", 0..=u16::MAX);
        let message = match &version {
            None => "the inventory does not say which schema it follows".to_owned(),
            Some(Spanned { value: Some(other), .. }) if *other != SCHEMA => {
                format!("schema {other} is not known here")
            }
            Some(_) => return version,
        };
        let span = version.as_ref().map_or(0..0, |version| version.span.clone());
        let help =
            format!("this plasmagen reads schema {SCHEMA}: write `schema = {SCHEMA}` in the first line");
        table.report.push(Diagnostic::error("PG-A05", &span, message).help(help));
        version
    }

    fn property(&self) -> Property {
        Property { schema: map_of(json!({ "type": "integer", "const": SCHEMA })), need: Need::Required }
    }
}

/// The JSON Schema of an inventory: draft 7, which taplo and Even Better TOML validate by, all in one piece.
#[must_use]
pub fn json_schema() -> Value {
    let mut schema = Inventory::schema();
    schema.insert("$schema".into(), "http://json-schema.org/draft-07/schema#".into());
    schema.insert("title".into(), "plasmagen's inventory".into());
    schema.into()
}
