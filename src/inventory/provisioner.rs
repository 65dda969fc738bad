//! `[provisioner]`, and the interfaces that it names.

use std::net::Ipv4Addr;

use serde_json::json;

use crate::diag::{Diagnostic, Spanned};
use crate::model::{AbsPath, DhcpServer, IfName, Label, RelPath};

use super::key::{Key, entries, number, optional, required, required_beside};
use super::reader::{Entries, Entry, Read, Table};
use super::schema::{Need, Property};
use super::tables::tables;
use super::written::{List, Maybe};

tables! {
    /// `[provisioner]`: the PXE, DHCP, TFTP and HTTP server that machines are installed from.
    ProvisionerTable(allow) {
        /// Name of the provisioning network that the provisioner is connected to. Beside `[provisioner.interface.NAME]` tables:
        /// the network of the first interface, whose address machines behind DHCP relays load from; without it, that of the
        /// table that is written first.
        network: Option<Spanned<Label>> = required_beside("interface"),
        /// IPv4 address of the provisioner in that network. Machines load everything from this address. Not needed beside
        /// `[provisioner.interface.NAME]` tables, which have the addresses.
        address: Option<Spanned<Ipv4Addr>> = required_beside("interface"),
        /// Network interface of the provisioner in that network, such as `eth0`. The DHCP server listens on it. A provisioner
        /// with interfaces in several provisioning networks has a table `[provisioner.interface.NAME]` for each of them.
        interface: ProvisionerInterfaces = NameOrTables,
        /// Whether the provisioner masquerades what leaves the networks whose gateway it is: other machines see the
        /// provisioner's address there.
        nat: Option<Spanned<bool>> = optional().default(false),
        /// TCP port that nginx listens on.
        http_port: Maybe<u16> = number("PG-G09", 1..=u16::MAX).default(8080),
        /// DHCP server that the provisioner runs. The configuration is rendered for all three.
        dhcp: Option<Spanned<DhcpServer>> = optional().default("kea"),
        /// Directory of the provisioner that nginx serves as `/boot/`. `plasmagen publish` writes to it.
        web_root: Option<Spanned<AbsPath>> = optional().default("/var/lib/pxe-boot"),
        /// `extra.<server>`: a file on the provisioner that the configuration of that DHCP server includes, such as
        /// `extra.kea = "/etc/kea/site.json"`.
        extra: Entries<DhcpServer, Spanned<AbsPath>> = entries(),
        /// Files with the DHCP reservations of other clusters that this provisioner serves, too: a copy of each one's
        /// `site/pxe/reservations.json` below the inventory's directory, such as `reservations = ["elm.json"]`.
        reservations: Option<Spanned<List<RelPath>>> = optional(),
    } then check

    /// `[provisioner.interface.<name>]`: one of several interfaces of the provisioner in provisioning networks. Machines of
    /// the network load from the address of this interface, and no relay stands between.
    ProvisionerInterfaceTable {
        /// Name of the provisioning network that the interface is connected to.
        network: Option<Spanned<Label>> = required(),
        /// IPv4 address of the provisioner in that network. Machines of the network load everything from this address.
        address: Option<Spanned<Ipv4Addr>> = required(),
    }
}

/// The key `interface`: the name of the only interface, or a table for each of several ones.
#[derive(Clone, Debug, Default)]
pub struct ProvisionerInterfaces {
    /// The name of the only interface.
    pub name: Option<Spanned<IfName>>,
    /// The tables `[provisioner.interface.NAME]`.
    pub tables: Entries<IfName, ProvisionerInterfaceTable>,
    /// Whether tables are written, sound or not.
    has_tables: bool,
}

/// An interface of the provisioner as written; what is faulty is missing.
#[derive(Clone, Copy, Debug)]
pub struct WrittenInterface<'a> {
    /// The table `[provisioner.interface.NAME]`; `None` if `[provisioner]` has the interface.
    pub table: Option<&'a Entry<IfName, ProvisionerInterfaceTable>>,
    /// The name of the interface.
    pub name: Option<&'a IfName>,
    /// The network.
    pub network: Option<&'a Spanned<Label>>,
    /// The address.
    pub address: Option<&'a Spanned<Ipv4Addr>>,
}

impl<'a> WrittenInterface<'a> {
    fn of_table(table: &'a Entry<IfName, ProvisionerInterfaceTable>) -> Self {
        let ProvisionerInterfaceTable { network, address } = &table.value;
        let (name, network, address) = (table.name.as_ref(), network.as_ref(), address.as_ref());
        Self { table: Some(table), name, network, address }
    }
}

impl ProvisionerTable {
    /// Lists the interfaces of the provisioner, that of the home network first.
    #[must_use]
    pub fn interfaces(&self) -> Vec<WrittenInterface<'_>> {
        if !self.interface.has_tables {
            let name = self.interface.name.as_ref().map(|name| &name.value);
            let (network, address) = (self.network.as_ref(), self.address.as_ref());
            return vec![WrittenInterface { table: None, name, network, address }];
        }
        let mut tables: Vec<_> = self.interface.tables.iter().collect();
        tables.sort_by_key(|table| (!self.is_home(&table.value), table.span.start));
        tables.into_iter().map(WrittenInterface::of_table).collect()
    }

    /// Whether `interface` is the one that `network` and `address` beside the tables mean. Without the two, every one may be.
    fn is_home(&self, interface: &ProvisionerInterfaceTable) -> bool {
        is_said(&self.network, &interface.network) && is_said(&self.address, &interface.address)
    }
}

/// Whether `said` is the same as `other`, or not written.
fn is_said<T: PartialEq>(said: &Option<Spanned<T>>, other: &Option<Spanned<T>>) -> bool {
    said.as_ref().is_none_or(|said| other.as_ref().is_none_or(|other| other.value == said.value))
}

/// `network` and `address` are needed beside a name, and beside tables they say the same as one of the tables.
fn check(provisioner: ProvisionerTable, table: &mut Table<'_, '_>) -> ProvisionerTable {
    let interfaces = &provisioner.interface;
    if !interfaces.has_tables {
        table.need("network");
        table.need("address");
        return provisioner;
    }
    let spans = [
        provisioner.network.as_ref().map(|network| &network.span),
        provisioner.address.as_ref().map(|address| &address.span),
    ];
    let tables = &interfaces.tables;
    let is_told = tables.is_whole()
        && tables.iter().next().is_some()
        && !tables.iter().any(|entry| provisioner.is_home(&entry.value));
    if let Some(span) = spans.into_iter().flatten().next().filter(|_| is_told) {
        let message = "no table `[provisioner.interface.NAME]` has the network and address that stand here";
        let help =
            "remove `network` and `address` from `[provisioner]`: the tables have those of each interface";
        table.report.push(Diagnostic::error("PG-A04", span, message).help(help));
    }
    provisioner
}

/// The key `interface`, whose value is a name or a table of tables.
struct NameOrTables;

impl Key<ProvisionerInterfaces> for NameOrTables {
    fn read(&self, table: &mut Table<'_, '_>, key: &'static str) -> ProvisionerInterfaces {
        if !table.has_table(key) {
            return ProvisionerInterfaces { name: table.required(key), ..Default::default() };
        }
        let tables = table.entries(key);
        if tables.is_whole() && tables.iter().next().is_none() {
            let fault = Diagnostic::error("PG-A04", &table.span, "the provisioner has no interface");
            table.report.push(fault.help(format!("add `{key} = \"eth0\"`, or `[provisioner.{key}.NAME]`")));
        }
        ProvisionerInterfaces { name: None, tables, has_tables: true }
    }

    fn property(&self) -> Property {
        let mut schema = IfName::schema();
        schema.extend(Entries::<IfName, ProvisionerInterfaceTable>::schema());
        schema.insert("type".into(), json!(["string", "object"]));
        Property { schema, need: Need::Required }
    }
}
