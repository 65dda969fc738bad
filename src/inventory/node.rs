//! `[node.<name>]`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;

use crate::diag::{Diagnostic, Report, Spanned, Subject};
use crate::model::{
    BmcProtocol, DiskId, Form, Invalid, Label, MacAddr, RelPath, SerialNumber, UserName, Word,
};

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
    /// What fails with it as a whole: a rack, a power supply.
    pub rack: Option<Spanned<Label>>,
    /// A hardware module of the user's.
    pub hardware_file: Option<Spanned<RelPath>>,
    /// What overrides the profile.
    #[schemars(flatten)]
    pub common: Common,
}

/// A node's own keys, then those of [`Common`].
const KEYS: [&str; 9 + Common::KEYS.len()] = Common::keys_after([
    "profile",
    "mac",
    "address",
    "address6",
    "disks",
    "bmc",
    "serial",
    "rack",
    "hardware_file",
]);

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
            rack: table.optional("rack"),
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
    pub user: Maybe<UserName>,
    /// Where the vault keeps the password.
    pub password_file: Maybe<RelPath>,
    /// How it is spoken to.
    #[schemars(extend("default" = "redfish"))]
    pub protocol: Option<Spanned<BmcProtocol>>,
    /// Its own MAC address.
    pub mac: Option<Spanned<MacAddr>>,
}

impl Read for BmcTable {
    fn read(cell: Cell<'_>, report: &mut Report) -> Option<Self> {
        let mut table = Table::open(cell, &["address", "user", "password_file", "protocol", "mac"], report)?;
        let inline = table.refuse(&["password", "passwd", "pass", "secret", "token"], |span| {
            let fault = Diagnostic::error("PG-E03", span, "a BMC's password stands in the inventory")
                .about(Subject::Secret);
            fault.help("write `password_file = \"bmc/…\"`, a file in the vault; this password is known now: change it")
        });
        let mut bmc = Self {
            address: table
                .required("address")
                .map(|own: Spanned<BmcAddress>| Spanned::new(own.value.0, own.span)),
            user: table.optional("user"),
            password_file: table.optional("password_file"),
            protocol: table.optional("protocol"),
            mac: table.optional("mac"),
        };
        if inline && bmc.password_file.is_none() {
            bmc.password_file = Some(Spanned::new(None, table.span.clone()));
        }
        table.finish();
        Some(bmc)
    }
}

/// The address of a BMC. What looks like a URL with a password in it is not repeated.
struct BmcAddress(IpAddr);

impl Word for BmcAddress {
    const FORM: Form = IpAddr::FORM;

    fn parse(text: &str) -> Result<Self, Invalid> {
        if text.contains('@') {
            let help = "write the address alone, `user` and `password_file = \"bmc/…\"`; this password is known now: change it";
            return Err(
                Invalid::new("PG-E03", "a user or a password stands before the address", help).secret()
            );
        }
        IpAddr::parse(text).map(Self)
    }
}
