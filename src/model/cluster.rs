//! The cluster as a whole, and what it has once.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{
    AbsPath, AdminKey, Console, DhcpServer, DomainName, HostName, IfName, Label, Mailbox, Network, Node,
    Profile, Protocol, Role, Seconds, Server, StateVersion, TFTP_DIR,
};

/// A cluster whose inventory is sound.
#[derive(Clone, Debug, Serialize)]
pub struct Cluster {
    /// Its name.
    pub name: Label,
    /// The domain of its nodes.
    pub domain: DomainName,
    /// Whether it lives already; from then on nobody bootstraps.
    pub formed: bool,
    /// The first Raft voters, as they are listed everywhere.
    pub bootstrap: Vec<HostName>,
    /// `system.stateVersion` of every node.
    pub state_version: StateVersion,
    /// Who may log in as root.
    pub admin_keys: Vec<AdminKey>,
    /// The server that machines boot from.
    pub provisioner: Provisioner,
    /// Its networks by name.
    pub networks: BTreeMap<Label, Network>,
    /// Its virtual addresses by name.
    pub vips: Vec<Vip>,
    /// Its certificates.
    pub tls: Tls,
    /// How machines boot.
    pub boot: Boot,
    /// Its zones.
    pub dns: Dns,
    /// Where SSH may come from, instead of the management, provisioning and cluster networks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssh_from: Option<Vec<IpNet>>,
    /// Further ports that every node opens.
    pub firewall: Vec<FirewallExtra>,
    /// Where the time comes from; empty: NixOS's own servers.
    pub ntp: Vec<Server>,
    /// Where log messages go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_forward: Option<Server>,
    /// What its nodes are made after, by name.
    pub profiles: Vec<Profile>,
    /// Its nodes, by name.
    pub nodes: Vec<Node>,
}

/// The PXE, DHCP, TFTP and HTTP server.
#[derive(Clone, Debug, Serialize)]
pub struct Provisioner {
    /// The provisioning network that it stands in.
    pub network: Label,
    /// Its address there.
    pub address: Ipv4Addr,
    /// Its network interface there.
    pub interface: IfName,
    /// Where nginx listens.
    pub http_port: u16,
    /// Which DHCP server it runs.
    pub dhcp: DhcpServer,
    /// What nginx serves as `/boot/`.
    pub web_root: AbsPath,
    /// The user's own additions to a DHCP server's configuration: files on the provisioner.
    pub extra: BTreeMap<DhcpServer, AbsPath>,
}

impl Provisioner {
    /// The URL below which everything is served, without a final slash.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}:{}/boot", self.address, self.http_port)
    }

    /// The TFTP root: the directory of the web root that firmware loads iPXE from.
    #[must_use]
    pub fn tftp_root(&self) -> String {
        format!("{}/{TFTP_DIR}", self.web_root)
    }
}

/// A virtual address that services are reached at.
#[derive(Clone, Debug, Serialize)]
pub struct Vip {
    /// Its name in the cluster's domain.
    pub name: HostName,
    /// The address.
    pub address: IpAddr,
}

/// The kind of a key pair; a CA signs with the hash of the same strength (RFC 5480 section 4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyAlgorithm {
    /// ECDSA on NIST P-256 with SHA-256: 128-bit strength, understood by every TLS stack.
    #[default]
    EcdsaP256,
    /// ECDSA on NIST P-384 with SHA-384: 192-bit strength.
    EcdsaP384,
}

impl KeyAlgorithm {
    /// Its name in the inventory.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EcdsaP256 => "ecdsa-p256",
            Self::EcdsaP384 => "ecdsa-p384",
        }
    }
}

impl std::fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How certificates are made.
#[derive(Clone, Debug, Serialize)]
pub struct Tls {
    /// Of what kind keys are.
    pub algorithm: KeyAlgorithm,
    /// How long the CA lives, in days.
    pub ca_days: u32,
    /// How long a node's certificate lives, in days.
    pub node_days: u32,
}

/// How a machine makes sure of what it boots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verify {
    /// Not at all: the usual builds of iPXE can't.
    None,
    /// By digests that the script pins (iPXE 2).
    Digest,
    /// By signatures (an iPXE build of one's own).
    Signature,
}

/// How machines boot.
#[derive(Clone, Debug, Serialize)]
pub struct Boot {
    /// How they make sure of what they boot.
    pub verify: Verify,
    /// How long a message stands on the screen before the machine goes on to its local disk.
    pub pause: Seconds,
    /// The serial console of machines whose hardware names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console: Option<Console>,
}

/// What the zones say of themselves.
#[derive(Clone, Debug, Serialize)]
pub struct Dns {
    /// The name servers; empty: the provisioner.
    pub name_servers: Vec<Server>,
    /// Who answers for the zones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<Mailbox>,
    /// How long a record may be kept.
    pub ttl: Seconds,
}

/// A further port that every node opens.
#[derive(Clone, Debug, Serialize)]
pub struct FirewallExtra {
    /// Its name in comments.
    pub name: Label,
    /// The port.
    pub port: u16,
    /// Its protocol.
    pub protocol: Protocol,
    /// Who may reach it.
    pub from: Vec<IpNet>,
}

/// A kind of machine in the terms of Nix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum System {
    /// 64-bit x86.
    #[serde(rename = "x86_64-linux")]
    X86_64,
    /// 64-bit ARM.
    #[serde(rename = "aarch64-linux")]
    Aarch64,
}

impl System {
    /// Nix's name, such as `x86_64-linux`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-linux",
            Self::Aarch64 => "aarch64-linux",
        }
    }
}

impl Cluster {
    /// The node called `name`.
    #[must_use]
    pub fn node(&self, name: &HostName) -> Option<&Node> {
        self.nodes.binary_search_by(|node| node.name.cmp(name)).ok().map(|at| &self.nodes[at])
    }

    /// The networks for `role`, by name.
    pub fn networks_for(&self, role: Role) -> impl Iterator<Item = (&Label, &Network)> {
        self.networks.iter().filter(move |(_, network)| network.is(role))
    }
}
