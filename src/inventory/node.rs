//! `[node.<name>]`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;

use crate::diag::{Report, Spanned};
use crate::model::{BmcProtocol, DiskId, Label, MacAddr, RelPath, SerialNumber, UserName};

use super::profile::Common;
use super::reader::{Cell, Entries, Read, Table};
use super::{List, Maybe};

/// A node as it is written.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(transform = super::schema::overrides)]
pub struct NodeTable {
    /// Its profile.
    #[schemars(required)]
    pub profile: Option<Spanned<Label>>,
    /// The address of the interface that boots from the network.
    #[schemars(required)]
    pub mac: Option<Spanned<MacAddr>>,
    /// `address.<network>`: its IPv4 addresses.
    #[schemars(default, rename = "address")]
    pub addresses: Entries<Label, Option<Spanned<Ipv4Addr>>>,
    /// `address6.<network>`: its IPv6 addresses.
    #[schemars(default, rename = "address6")]
    pub addresses6: Entries<Label, Option<Spanned<Ipv6Addr>>>,
    /// The disks that an installation erases.
    #[schemars(required)]
    pub disks: Option<Spanned<List<Option<DiskId>>>>,
    /// Its baseboard management controller.
    pub bmc: Option<BmcTable>,
    /// What its firmware calls itself.
    pub serial: Maybe<SerialNumber>,
    /// A hardware module of the user's.
    pub hardware_file: Option<Spanned<RelPath>>,
    /// What overrides the profile.
    #[schemars(flatten)]
    pub common: Common,
}

/// A node's own keys, then those of [`Common`].
const KEYS: [&str; 18] = [
    "profile",
    "mac",
    "address",
    "address6",
    "disks",
    "bmc",
    "serial",
    "hardware_file",
    "allow",
    "services",
    "settings",
    "interface",
    "disk",
    "kernel_params",
    "firmware",
    "system",
    "hardware",
    "modules",
];

impl Read for NodeTable {
    fn read(cell: Cell<'_>, report: &mut Report) -> Option<Self> {
        let mut table = Table::open(cell, &KEYS, report)?;
        let node = Self {
            profile: table.required("profile"),
            mac: table.required("mac"),
            addresses: table.entries("address"),
            addresses6: table.entries("address6"),
            disks: table.required("disks"),
            bmc: super::value(table.optional("bmc")),
            serial: table.optional("serial"),
            hardware_file: table.optional("hardware_file"),
            common: Common::read(&mut table),
        };
        table.finish();
        Some(node)
    }
}

/// `bmc = { … }` as it is written.
#[derive(Clone, Debug, JsonSchema)]
pub struct BmcTable {
    /// Its address in a management network.
    #[schemars(required)]
    pub address: Option<Spanned<IpAddr>>,
    /// The user to log in as.
    #[schemars(extend("default" = "admin"))]
    pub user: Option<Spanned<UserName>>,
    /// Where the vault keeps the password.
    pub password_file: Option<Spanned<RelPath>>,
    /// How it is spoken to.
    #[schemars(extend("default" = "redfish"))]
    pub protocol: Option<Spanned<BmcProtocol>>,
    /// Its own MAC address.
    pub mac: Option<Spanned<MacAddr>>,
}

impl Read for BmcTable {
    fn read(cell: Cell<'_>, report: &mut Report) -> Option<Self> {
        let mut table = Table::open(cell, &["address", "user", "password_file", "protocol", "mac"], report)?;
        let bmc = Self {
            address: table.required("address"),
            user: table.optional("user"),
            password_file: table.optional("password_file"),
            protocol: table.optional("protocol"),
            mac: table.optional("mac"),
        };
        table.finish();
        Some(bmc)
    }
}
