//! `[node.<name>]`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::diag::{Diagnostic, Spanned, Subject};
use crate::model::{
    BmcCertificate, BmcProtocol, Form, Invalid, Label, MacAddr, RelPath, SerialNumber, UserName, VaultFile,
    Word,
};

use super::disk::WrittenDisk;
use super::key::{entries, optional, required, required_as, section};
use super::profile::Common;
use super::reader::{Entries, Table};
use super::tables::tables;
use super::written::{List, Maybe};

tables! {
    /// `[node.<name>]`: a machine of the cluster. The name is its host name.
    NodeTable + common: Common (drop_defaults) {
        /// Name of the profile whose values the node takes over.
        profile: Option<Spanned<Label>> = required(),
        /// MAC address of the interface that boots from the network, in lower case and with colons.
        mac: Option<Spanned<MacAddr>> = required(),
        /// `address.<network>`: the node's IPv4 address in that network, such as `address.provisioning = "10.0.100.50"`.
        addresses as "address": Entries<Label, Option<Spanned<Ipv4Addr>>> = entries(),
        /// `address6.<network>`: the node's IPv6 address in that network, such as `address6.provisioning = "fd00:100::50"`.
        addresses6 as "address6": Entries<Label, Option<Spanned<Ipv6Addr>>> = entries(),
        /// Disks that an installation erases, by the names in `/dev/disk/by-id`. Disks that are not listed are left alone. A
        /// disk may be a table with its size, `{ id = "/dev/disk/by-id/…", size = "894G" }`: the installation then refuses a
        /// disk whose size differs by more than one per cent.
        disks: Option<Spanned<List<Option<WrittenDisk>>>> = required(),
        /// Baseboard management controller of the node, such as
        /// `bmc = { address = "10.0.10.50", password_file = "bmc/node01" }`.
        bmc: Option<BmcTable> = section(),
        /// Serial number that the node's firmware reports, as `cat /sys/class/dmi/id/product_serial` prints it. The
        /// installation refuses to erase the disks of a machine that reports another number, and the installer warns on its
        /// console.
        serial: Maybe<SerialNumber> = optional(),
        /// Failure domain of the node, such as a rack or a power supply: its nodes fail together.
        rack: Option<Spanned<Label>> = optional(),
        /// NixOS module of your own that replaces the generated hardware module, relative to the inventory.
        hardware_file: Option<Spanned<RelPath>> = optional(),
    }

    /// `bmc = { … }`: the baseboard management controller of a node.
    BmcTable {
        /// Address of the BMC in a management network.
        address: Option<Spanned<IpAddr>> = required_as::<BmcAddress>(),
        /// User to log in as.
        user: Maybe<UserName> = optional().default("admin"),
        /// File in the vault that holds the user's password, such as `bmc/node01`.
        password_file: Maybe<VaultFile> = optional(),
        /// Protocol that the BMC speaks.
        protocol: Option<Spanned<BmcProtocol>> = optional().default("redfish"),
        /// Certificate that the BMC must show to `plasmagen power`: `sha256:` and the SHA-256 of the certificate, or a file with
        /// the certificate of a CA, relative to the inventory. Without this key, the vault holds the SHA-256, which
        /// `plasmagen power trust NODE` records there.
        certificate: Option<Spanned<BmcCertificate>> = optional(),
        /// MAC address of the BMC. Where the BMC stands in a network that DHCP serves, DHCP keeps the BMC's address for it, under
        /// the name `<node>-bmc`.
        mac: Option<Spanned<MacAddr>> = optional(),
    } then check_password
}

/// Refuses a password in the inventory, which is then known: the fault says so, and not that the key is unknown.
fn check_password(mut bmc: BmcTable, table: &mut Table<'_, '_>) -> BmcTable {
    let is_inline = table.refuse(&["password", "passwd", "pass", "secret", "token"], |span| {
        let fault = Diagnostic::error("PG-E03", span, "a BMC's password stands in the inventory")
            .about(Subject::Secret);
        fault.help(
            "write `password_file = \"bmc/…\"`, a file in the vault; this password is known now: change it",
        )
    });
    if is_inline && bmc.password_file.is_none() {
        bmc.password_file = Some(Spanned::new(None, table.span.clone()));
    }
    bmc
}

/// The address of a BMC. The refusal of a URL with a password in it does not repeat the text.
struct BmcAddress(IpAddr);

impl From<BmcAddress> for IpAddr {
    fn from(address: BmcAddress) -> Self {
        address.0
    }
}

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
