//! The tables that exist once, such as `[cluster]`; and `[service.<name>]` and `[hardware.<name>]`.

use crate::diag::Spanned;
use crate::model::{
    AdminKey, BootVerification, Console, Cpu, DomainName, HostName, KernelModule, KeyAlgorithm, Label,
    Mailbox, Permit, RelPath, Seconds, Server, Size, StateVersion, System,
};

use super::key::{number, optional, required};
use super::settings::SettingsTable;
use super::tables::tables;
use super::written::{List, Maybe};

tables! {
    /// `[cluster]`: the facts that all nodes share.
    ClusterTable(allow) {
        /// Name of the cluster, such as `prod-cluster`. It names the vault and stands in the CA certificate.
        name: Option<Spanned<Label>> = required(),
        /// Names that the cluster had before, such as `["lab-cluster"]`. Its CA and its vault keep the name that the cluster had
        /// when they were made.
        former_names: Option<Spanned<List<Label>>> = optional(),
        /// DNS domain of the nodes: the node `node01` becomes `node01.<domain>`.
        domain: Option<Spanned<DomainName>> = required(),
        /// Names of the nodes that form the cluster as its first Raft voters, such as `["node01", "node02", "node03"]`: an odd
        /// number of three or more. They get `bootstrap = true` and the same list of peers.
        bootstrap: Option<Spanned<List<Option<String>>>> = required(),
        /// Whether the cluster has been formed. Set it to `true` after the first boot: from then on no node bootstraps, and
        /// every new node joins.
        formed: Option<Spanned<bool>> = optional().default(false),
        /// Whether a single Raft voter is intended. Such a cluster does not survive the loss of that node.
        single: Maybe<bool> = optional().default(false),
        /// Names of nodes that were removed. They are never given again, since the cluster may remember them.
        removed: Option<Spanned<List<HostName>>> = optional(),
        /// Kind of machine, in Nix's terms, of every node whose profile and table say nothing else.
        system: Option<Spanned<System>> = optional().default("x86_64-linux"),
        /// `system.stateVersion` of every node: the NixOS release that the nodes are installed with, such as `24.11`. It stays
        /// as it is when the nodes are upgraded.
        state_version: Option<Spanned<StateVersion>> = required(),
        /// OpenSSH public keys that may log in as root on nodes and installers: each is the line of a `.pub` file.
        admin_keys: Option<Spanned<List<Option<AdminKey>>>> = required(),
    }

    /// `[tls]`: the certificates of the cluster.
    TlsTable(allow) {
        /// Kind of the key pairs of CA and nodes.
        algorithm: Option<Spanned<KeyAlgorithm>> = optional().default("ecdsa-p256"),
        /// Lifetime of the CA certificate in days.
        ca_days: Maybe<u16> = number("PG-A10", 30..=36_500).default(3650),
        /// Lifetime of a node's certificate in days.
        node_days: Maybe<u16> = number("PG-A10", 1..=3650).default(365),
        /// Subnets and domains that the CA may vouch for, such as `["10.0.0.0/16", "example.net"]`. Subnets take the place of
        /// the private blocks that the networks lie in (such as 10.0.0.0/8), and hold every cluster and client network.
        /// Domains stand beside the cluster's domain. A CA has the list that was written when it was made.
        permit: Option<Spanned<List<Permit>>> = optional(),
    }

    /// `[service.<name>]`: the ports and settings of a built-in service, or a service of your own.
    ServiceTable(allow) {
        /// TCP port of the API. A service that is not built in needs one.
        port: Maybe<u16> = number("PG-G09", 1..=u16::MAX),
        /// TCP port of the Raft protocol, open inside the cluster networks only.
        raft_port: Maybe<u16> = number("PG-G09", 1..=u16::MAX),
        /// TCP port of the gossip protocol, open inside the cluster networks only.
        gossip_port: Maybe<u16> = number("PG-G09", 1..=u16::MAX),
        /// TCP port that answers health checks, open inside the cluster networks only. Without it, the API's port answers
        /// them.
        health_port: Maybe<u16> = number("PG-G09", 1..=u16::MAX),
        /// Whether the API is open on UDP as well as on TCP, as DNS needs. A service that is not built in has `false` by
        /// default.
        udp: Option<Spanned<bool>> = optional(),
        /// Whether networks with the role `client` reach the API. A service that is not built in has `false` by default.
        clients: Option<Spanned<bool>> = optional(),
        /// Settings that become `services.<name>.settings` in NixOS, as they are written here. Profiles and nodes may
        /// override them key by key.
        settings: Option<Spanned<SettingsTable>> = optional(),
    }

    /// `[hardware.<name>]`: a model of machine of your own.
    HardwareTable(allow) {
        /// Name of the model for people, such as `Dell PowerEdge R640`. Without it, the name of the table.
        description: Option<Spanned<String>> = optional(),
        /// Manufacturer of the processor, which decides on microcode and KVM.
        cpu: Option<Spanned<Cpu>> = optional().default("other"),
        /// Kernel modules of the initrd in addition to the drivers of the usual disks, which every model has. Without
        /// them, those of the generic model. The installer prints those that a machine uses.
        kernel_modules: Option<Spanned<List<KernelModule>>> = optional(),
        /// Serial console that the BMC shows (serial over LAN), such as `ttyS0,115200`.
        console: Option<Spanned<Console>> = optional(),
        /// Main memory of the machines of the model, such as `64G`: `plasmagen bundle` warns of an initrd that does not fit.
        memory: Option<Spanned<Size>> = optional(),
    }

    /// `[boot]`: how machines boot.
    BootTable(allow) {
        /// How machines verify the kernel and the initrds that they load. `digest` and `signature` need an iPXE build that can
        /// do so: the usual builds cannot.
        verify: Option<Spanned<BootVerification>> = optional().default("none"),
        /// Certificate of the signer whose signatures machines verify with `verify = "signature"`, and that of the CA
        /// after it: a PEM file, relative to the inventory. `plasmagen publish` and `plasmagen verify -i` then verify the
        /// signatures, too.
        signer: Option<Spanned<RelPath>> = optional(),
        /// How long a message stays on the screen before the machine goes on to its local disk.
        pause: Option<Spanned<Seconds>> = optional().default("30s"),
        /// Serial console of machines whose hardware model names none, such as `ttyS0,115200`.
        console: Option<Spanned<Console>> = optional(),
    }

    /// `[dns]`: what all DNS zones have in common.
    DnsTable(allow) {
        /// Name servers of all zones, the primary server first. Without them, the provisioner.
        name_servers: Option<Spanned<List<Server>>> = optional(),
        /// Mailbox of the contact for the zones (SOA RNAME), such as `hostmaster@example.com`.
        contact: Option<Spanned<Mailbox>> = optional(),
        /// How long resolvers may cache a record.
        ttl: Option<Spanned<Seconds>> = optional().default("1h"),
    }

    /// `[ntp]`: the time servers.
    NtpTable(allow) {
        /// NTP servers that the nodes ask. Without them, the servers of NixOS's default.
        servers: Option<Spanned<List<Option<Server>>>> = optional(),
    }

    /// `[logging]`: the destination of log messages.
    LoggingTable(allow) {
        /// Host that the nodes send their log messages to, by syslog to TCP port 514. Without it, messages stay on the nodes.
        forward: Option<Spanned<Server>> = optional(),
    }

    /// `[vault]`: the private keys.
    VaultTable(allow) {
        /// Directory on the operator's machine that holds the private keys, such as `/srv/vault`. Without it, `~/.local/share/plasmagen/<cluster>`.
        path: Option<Spanned<String>> = optional(),
        /// Recipients that `plasmagen secrets encrypt` encrypts the nodes' keys to: age recipients or SSH public keys, such as
        /// `["age1…", "ssh-ed25519 …"]`.
        recipients: Option<Spanned<List<Option<String>>>> = optional(),
    }
}
