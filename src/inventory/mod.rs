//! The inventory as it is written: spanned, faulty parts missing, nothing defaulted.
//!
//! `reader` collects the faults, `document` parses, and each file beside them reads one kind of table.

mod brackets;
mod cluster;
mod document;
mod network;
mod node;
mod profile;
mod reader;
mod schema;
mod secrets;
mod settings;
mod values;

use std::net::{Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;
use toml::de::DeValue;

use crate::diag::{Diagnostic, Report, Spanned};
use crate::model::{HostName, Label};

pub use cluster::{
    BootTable, ClusterTable, DnsTable, FirewallTable, HardwareTable, LoggingTable, NtpTable, OpenTable,
    ProvisionerTable, ServiceTable, TlsTable, VaultTable,
};
pub use document::{LARGEST, text};
pub use network::NetworkTable;
pub use node::{BmcTable, NodeTable};
pub use profile::{BondTable, Common, InterfaceTable, LayoutTable, ProfileTable, VolumeTable};
use reader::{Cell, Table};
pub use reader::{Entries, Entry};
pub use schema::json_schema;
pub use settings::SettingsTable;
pub(crate) use values::nearest;

/// The version of the schema that this program reads.
pub const SCHEMA: u16 = 1;

/// A list as it is written, with the place of each item; of a list of `Option`s, a faulty item is `None`.
pub type List<T> = Vec<Spanned<T>>;

/// What need not be there: `None` where it is missing, `None` within where it is faulty. Used where a rule would take
/// what is faulty for missing, and so report one fault twice.
pub type Maybe<T> = Option<Spanned<Option<T>>>;

/// The value, where it is there and sound.
pub fn known<T>(maybe: &Maybe<T>) -> Option<&T> {
    maybe.as_ref()?.value.as_ref()
}

/// An inventory as it is written.
#[derive(Clone, Debug, Default, JsonSchema)]
#[schemars(transform = schema::version)]
pub struct Inventory {
    /// `[cluster]`: what is true of all nodes.
    #[schemars(required)]
    pub cluster: Option<ClusterTable>,
    /// `[provisioner]`: the PXE, DHCP, TFTP and HTTP server.
    #[schemars(required)]
    pub provisioner: Option<ProvisionerTable>,
    /// `[network.<name>]`: a network and its addresses.
    #[schemars(required, rename = "network")]
    pub networks: Entries<Label, NetworkTable>,
    /// `[vip]`: names and IPv4 addresses.
    #[schemars(default, rename = "vip")]
    pub vips: Entries<HostName, Spanned<Ipv4Addr>>,
    /// `[vip6]`: names and IPv6 addresses.
    #[schemars(default, rename = "vip6")]
    pub vips6: Entries<HostName, Spanned<Ipv6Addr>>,
    /// `[tls]`: certificates.
    #[schemars(default)]
    pub tls: TlsTable,
    /// `[profile.<name>]`: what several nodes have in common.
    #[schemars(default, rename = "profile")]
    pub profiles: Entries<Label, ProfileTable>,
    /// `[service.<name>]`: ports and settings of a known service, or one of your own.
    #[schemars(default, rename = "service")]
    pub services: Entries<Label, ServiceTable>,
    /// `[hardware.<name>]`: a model of machine.
    #[schemars(default)]
    pub hardware: Entries<Label, HardwareTable>,
    /// `[node.<name>]`: a machine.
    #[schemars(required, rename = "node")]
    pub nodes: Entries<HostName, NodeTable>,
    /// `[boot]`: how machines boot.
    #[schemars(default)]
    pub boot: BootTable,
    /// `[dns]`: what the zones say of themselves.
    #[schemars(default)]
    pub dns: DnsTable,
    /// `[firewall]`: where SSH may come from, and further ports.
    #[schemars(default)]
    pub firewall: FirewallTable,
    /// `[ntp]`: where the time comes from.
    #[schemars(default)]
    pub ntp: NtpTable,
    /// `[logging]`: where log messages go.
    #[schemars(default)]
    pub logging: LoggingTable,
    /// `[vault]`: where private keys are kept.
    #[schemars(default)]
    pub vault: VaultTable,
}

const KEYS: [&str; 17] = [
    "schema",
    "cluster",
    "provisioner",
    "network",
    "vip",
    "vip6",
    "tls",
    "profile",
    "service",
    "hardware",
    "node",
    "boot",
    "dns",
    "firewall",
    "ntp",
    "logging",
    "vault",
];

/// Reads `text` and reports every fault of its form. What is not TOML is read as nothing.
#[must_use]
pub fn parse(text: &str, report: &mut Report) -> Inventory {
    let Some(document) = document::parse(text, report) else { return Inventory::default() };
    let root = DeValue::Table(document.into_inner());
    let inventory = read(&root, report);
    if let DeValue::Table(table) = &root {
        secrets::check(table, report);
    }
    inventory
}

fn read(root: &DeValue<'_>, report: &mut Report) -> Inventory {
    let cell = Cell { value: root, start: 0, end: 0 };
    let Some(mut table) = Table::open(cell, &KEYS, report) else { return Inventory::default() };
    check_schema(&mut table);
    table.need_as("cluster", "[cluster]");
    table.need_as("provisioner", "[provisioner]");
    let inventory = Inventory {
        cluster: value(table.optional("cluster")),
        provisioner: value(table.optional("provisioner")),
        networks: table.required_entries("network"),
        vips: table.entries("vip"),
        vips6: table.entries("vip6"),
        tls: value(table.optional("tls")).unwrap_or_default(),
        profiles: table.entries("profile"),
        services: table.entries("service"),
        hardware: table.entries("hardware"),
        nodes: table.required_entries("node"),
        boot: value(table.optional("boot")).unwrap_or_default(),
        dns: value(table.optional("dns")).unwrap_or_default(),
        firewall: value(table.optional("firewall")).unwrap_or_default(),
        ntp: value(table.optional("ntp")).unwrap_or_default(),
        logging: value(table.optional("logging")).unwrap_or_default(),
        vault: value(table.optional("vault")).unwrap_or_default(),
    };
    table.finish();
    inventory
}

/// Rule A05.
fn check_schema(table: &mut Table<'_, '_>) {
    let help = format!("this plasmagen reads schema {SCHEMA}: write `schema = {SCHEMA}` in the first line");
    let schema = table.number("schema", "PG-A05", 0..=u16::MAX);
    let message = match &schema {
        None => "the inventory does not say which schema it follows".to_owned(),
        Some(Spanned { value: Some(other), .. }) if *other != SCHEMA => {
            format!("schema {other} is not known here")
        }
        Some(_) => return,
    };
    let span = schema.map_or(0..0, |schema| schema.span);
    table.report.push(Diagnostic::error("PG-A05", &span, message).help(help));
}

/// Drops the place of a value.
pub(crate) fn value<T>(spanned: Option<Spanned<T>>) -> Option<T> {
    spanned.map(|spanned| spanned.value)
}

impl<T: reader::Read> reader::Read for Spanned<T> {
    fn read(cell: Cell<'_>, report: &mut Report) -> Option<Self> {
        Some(Self::new(T::read(cell, report)?, cell.span()))
    }
}
