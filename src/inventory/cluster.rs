//! The tables that are there once: `[cluster]`, `[provisioner]`, `[tls]` and the like; `[service.<name>]` and
//! `[hardware.<name>]`.

use std::net::Ipv4Addr;

use ipnet::IpNet;
use schemars::JsonSchema;

use crate::diag::{Report, Spanned};
use crate::model::{
    AbsPath, AdminKey, BootVerification, Console, Cpu, DhcpServer, DomainName, HostName, IfName,
    KernelModule, KeyAlgorithm, Label, Mailbox, Protocol, Seconds, Server, StateVersion, System,
};

use super::reader::{Cell, Entries, Read, Table};
use super::settings::SettingsTable;
use super::{List, Maybe};

/// Declares a table of the inventory: its struct, and how each field is read.
macro_rules! tables {
    ($(
        $(#[$meta:meta])*
        $name:ident($table:ident) { $($(#[$field_meta:meta])* $field:ident: $type:ty = $read:expr,)+ }
    )+) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, Default, JsonSchema)]
        #[schemars(transform = super::schema::allow)]
        pub struct $name { $($(#[$field_meta])* pub $field: $type,)+ }

        impl Read for $name {
            fn read(cell: Cell<'_>, report: &mut Report) -> Option<Self> {
                let mut opened = Table::open(cell, &[$(stringify!($field),)+ "allow"], report)?;
                let $table = &mut opened;
                $table.allow();
                let read = Self { $($field: $read,)+ };
                opened.finish();
                Some(read)
            }
        }
    )+};
}

tables! {
    /// `[cluster]`.
    ClusterTable(table) {
        /// Its name.
        #[schemars(required)]
        name: Option<Spanned<Label>> = table.required("name"),
        /// The domain of its nodes.
        #[schemars(required)]
        domain: Option<Spanned<DomainName>> = table.required("domain"),
        /// The first Raft voters.
        #[schemars(required)]
        bootstrap: Option<Spanned<List<Option<String>>>> = table.required("bootstrap"),
        /// Whether it lives already.
        #[schemars(extend("default" = false))]
        formed: Option<Spanned<bool>> = table.optional("formed"),
        /// Whether one voter is enough.
        #[schemars(extend("default" = false))]
        single: Maybe<bool> = table.optional("single"),
        /// Names of nodes that were removed: they are never given again.
        removed: Option<Spanned<List<HostName>>> = table.optional("removed"),
        /// What kind of machines its nodes are.
        #[schemars(extend("default" = "x86_64-linux"))]
        system: Option<Spanned<System>> = table.optional("system"),
        /// `system.stateVersion` of every node.
        #[schemars(required)]
        state_version: Option<Spanned<StateVersion>> = table.required("state_version"),
        /// Who may log in as root.
        #[schemars(required)]
        admin_keys: Option<Spanned<List<Option<AdminKey>>>> = table.required("admin_keys"),
    }

    /// `[provisioner]`.
    ProvisionerTable(table) {
        /// The provisioning network that it stands in.
        #[schemars(required)]
        network: Option<Spanned<Label>> = table.required("network"),
        /// Its address there.
        #[schemars(required)]
        address: Option<Spanned<Ipv4Addr>> = table.required("address"),
        /// Its network interface there.
        #[schemars(required)]
        interface: Option<Spanned<IfName>> = table.required("interface"),
        /// Where nginx listens.
        #[schemars(range(min = 1, max = 65535), extend("default" = 8080))]
        http_port: Maybe<u16> = table.number("http_port", "PG-G09", 1..=u16::MAX),
        /// Which DHCP server it runs.
        #[schemars(extend("default" = "kea"))]
        dhcp: Option<Spanned<DhcpServer>> = table.optional("dhcp"),
        /// What nginx serves as `/boot/`.
        #[schemars(extend("default" = "/var/lib/pxe-boot"))]
        web_root: Option<Spanned<AbsPath>> = table.optional("web_root"),
        /// `extra.<server>`: a file on the provisioner that the server's configuration includes.
        #[schemars(default)]
        extra: Entries<DhcpServer, Spanned<AbsPath>> = table.entries("extra"),
    }

    /// `[tls]`.
    TlsTable(table) {
        /// Of what kind keys are.
        #[schemars(extend("default" = "ecdsa-p256"))]
        algorithm: Option<Spanned<KeyAlgorithm>> = table.optional("algorithm"),
        /// How long the CA lives, in days.
        #[schemars(range(min = 30, max = 36500), extend("default" = 3650))]
        ca_days: Maybe<u16> = table.number("ca_days", "PG-A10", 30..=36_500),
        /// How long a node's certificate lives, in days.
        #[schemars(range(min = 1, max = 3650), extend("default" = 365))]
        node_days: Maybe<u16> = table.number("node_days", "PG-A10", 1..=3650),
    }

    /// `[service.<name>]`.
    ServiceTable(table) {
        /// Where its API listens.
        #[schemars(range(min = 1, max = 65535))]
        port: Maybe<u16> = table.number("port", "PG-G09", 1..=u16::MAX),
        /// Raft.
        #[schemars(range(min = 1, max = 65535))]
        raft_port: Maybe<u16> = table.number("raft_port", "PG-G09", 1..=u16::MAX),
        /// Gossip.
        #[schemars(range(min = 1, max = 65535))]
        gossip_port: Maybe<u16> = table.number("gossip_port", "PG-G09", 1..=u16::MAX),
        /// Health checks.
        #[schemars(range(min = 1, max = 65535))]
        health_port: Maybe<u16> = table.number("health_port", "PG-G09", 1..=u16::MAX),
        /// Whether it listens on UDP as well.
        udp: Option<Spanned<bool>> = table.optional("udp"),
        /// Whether client networks reach it.
        clients: Option<Spanned<bool>> = table.optional("clients"),
        /// What is passed through to it.
        settings: Option<Spanned<SettingsTable>> = table.optional("settings"),
    }

    /// `[hardware.<name>]`.
    HardwareTable(table) {
        /// A few words for people.
        description: Option<Spanned<String>> = table.optional("description"),
        /// Whose processor it has.
        #[schemars(extend("default" = "other"))]
        cpu: Option<Spanned<Cpu>> = table.optional("cpu"),
        /// Modules of the initrd.
        kernel_modules: Option<Spanned<List<KernelModule>>> = table.optional("kernel_modules"),
        /// Where its BMC shows the serial console.
        console: Option<Spanned<Console>> = table.optional("console"),
    }

    /// `[boot]`.
    BootTable(table) {
        /// How machines make sure of what they boot.
        #[schemars(extend("default" = "none"))]
        verify: Option<Spanned<BootVerification>> = table.optional("verify"),
        /// How long a message stands before a machine goes on to its disk.
        #[schemars(extend("default" = "30s"))]
        pause: Option<Spanned<Seconds>> = table.optional("pause"),
        /// The serial console of machines whose hardware names none.
        console: Option<Spanned<Console>> = table.optional("console"),
    }

    /// `[dns]`.
    DnsTable(table) {
        /// The name servers.
        name_servers: Option<Spanned<List<Server>>> = table.optional("name_servers"),
        /// Who answers for the zones.
        contact: Option<Spanned<Mailbox>> = table.optional("contact"),
        /// How long a record may be kept.
        #[schemars(extend("default" = "1h"))]
        ttl: Option<Spanned<Seconds>> = table.optional("ttl"),
    }

    /// `[firewall]`.
    FirewallTable(table) {
        /// Where SSH may come from.
        ssh_from: Option<Spanned<List<IpNet>>> = table.optional("ssh_from"),
        /// `open.<name>`: further ports.
        #[schemars(default)]
        open: Entries<Label, OpenTable> = table.entries("open"),
    }

    /// `[firewall.open.<name>]`.
    OpenTable(table) {
        /// The port.
        #[schemars(required, range(min = 1, max = 65535))]
        port: Maybe<u16> = { table.need("port"); table.number("port", "PG-G09", 1..=u16::MAX) },
        /// Its protocol.
        #[schemars(extend("default" = "tcp"))]
        protocol: Option<Spanned<Protocol>> = table.optional("protocol"),
        /// Who may reach it.
        #[schemars(required)]
        from: Option<Spanned<List<IpNet>>> = table.required("from"),
    }

    /// `[ntp]`.
    NtpTable(table) {
        /// Where the time comes from.
        servers: Option<Spanned<List<Option<Server>>>> = table.optional("servers"),
    }

    /// `[logging]`.
    LoggingTable(table) {
        /// Where log messages go.
        forward: Option<Spanned<Server>> = table.optional("forward"),
    }

    /// `[vault]`.
    VaultTable(table) {
        /// Where private keys are kept on the operator's machine.
        path: Option<Spanned<String>> = table.optional("path"),
        /// Whom secrets are encrypted to (age).
        recipients: Option<Spanned<List<Option<String>>>> = table.optional("recipients"),
    }
}
