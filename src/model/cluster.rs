//! The cluster as a whole, and the parts of which it has one.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{
    AdminKey, Console, ControlPort, DomainName, ForeignReservation, HostName, Label, Mailbox, Network, Node,
    OpenOn, OpenProtocol, Permit, PortRange, Profile, Protocol, Provisioner, Reference, RelPath, Role,
    Seconds, Server, StateVersion, Traffic, VirtualHolder,
};

/// A cluster whose inventory is sound.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cluster {
    /// The cluster's name.
    pub name: Label,
    /// The names that the cluster had before; its CA may bear one of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub former_names: Option<Vec<Label>>,
    /// The domain of the nodes' names.
    pub domain: DomainName,
    /// Whether the cluster is formed; from then on no node bootstraps.
    pub formed: bool,
    /// The first Raft voters, in the order in which every peer list has them.
    pub bootstrap: Vec<HostName>,
    /// The names of nodes that were removed, which no other machine may be given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed: Option<Vec<HostName>>,
    /// `system.stateVersion` of every node.
    pub state_version: StateVersion,
    /// The SSH keys that may log in as root.
    pub admin_keys: Vec<AdminKey>,
    /// The server that machines boot from.
    pub provisioner: Provisioner,
    /// The networks by name.
    pub networks: BTreeMap<Label, Network>,
    /// The virtual addresses by name, those of IPv4 first.
    pub vips: Vec<Vip>,
    /// How certificates are made.
    pub tls: Tls,
    /// How machines boot.
    pub boot: Boot,
    /// The values that all zones have in common.
    pub dns: Dns,
    /// The subnets that SSH is open to; `None` for the management, provisioning and cluster networks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssh_from: Option<Vec<IpNet>>,
    /// Packets that machines let in besides those of their services.
    pub firewall: Vec<FirewallExtra>,
    /// The NTP servers; if empty, those of NixOS's default.
    pub ntp: Vec<Server>,
    /// The host that log messages are forwarded to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_forward: Option<Server>,
    /// The profiles by name.
    pub profiles: Vec<Profile>,
    /// The nodes by name.
    pub nodes: Vec<Node>,
    /// The ports that nodes open to each other only, as [`control_ports`](super::control_ports) lists them: once a cluster,
    /// since a firewall of each node names all of them.
    #[serde(skip)]
    pub control_ports: Vec<ControlPort>,
    /// Who may hold each virtual address, as [`list_holders`](super::list_holders) lists it: once a cluster, since every
    /// node's certificate asks.
    #[serde(skip)]
    pub virtual_holders: BTreeMap<IpAddr, VirtualHolder>,
    /// The machines that the inventory sends others to, as [`list_references`](super::list_references) lists them: once a
    /// cluster, as above.
    #[serde(skip)]
    pub references: Vec<Reference>,
    /// The reservations of other clusters that the provisioner serves, too, from the files that
    /// [`Provisioner::reservations`] names.
    #[serde(skip)]
    pub foreign_reservations: Vec<ForeignReservation>,
}

impl Cluster {
    /// Whether `name` is the cluster's name, or one that the cluster had before.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.name.as_str() == name || self.former_names.iter().flatten().any(|former| former.as_str() == name)
    }
}

/// A virtual address at which services are reached.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Vip {
    /// The name in the cluster's domain.
    pub name: HostName,
    /// The virtual address.
    pub address: IpAddr,
}

/// The kind of a key pair; a CA signs with the hash of the same strength (RFC 5480 section 4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyAlgorithm {
    /// ECDSA on NIST P-256 with SHA-256: 128-bit strength, understood by every TLS stack.
    #[default]
    EcdsaP256,
    /// ECDSA on NIST P-384 with SHA-384: 192-bit strength.
    EcdsaP384,
}

impl KeyAlgorithm {
    /// The algorithm's name in the inventory.
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
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tls {
    /// The kind of key pairs.
    pub algorithm: KeyAlgorithm,
    /// The lifetime of the CA certificate in days.
    pub ca_days: u32,
    /// The lifetime of a node's certificate in days.
    pub node_days: u32,
    /// The subnets that the CA may vouch for, in the place of private blocks, and the domains beside the cluster's; `None`
    /// for the private blocks that the networks lie in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permit: Option<Vec<Permit>>,
}

/// How a machine verifies the kernel and the initrds that it boots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BootVerification {
    /// Without any verification: the usual builds of iPXE have none.
    None,
    /// By digests that the boot script pins (iPXE 2).
    Digest,
    /// By CMS signatures, which needs an iPXE build with the site's certificate.
    Signature,
}

/// How machines boot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Boot {
    /// How machines verify the kernel and the initrds.
    pub verify: BootVerification,
    /// The certificate of the signer whose signatures machines verify, relative to the inventory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<RelPath>,
    /// How long a message stays on the screen before the machine goes on to its local disk.
    pub pause: Seconds,
    /// The serial console of machines whose hardware names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console: Option<Console>,
}

/// The values that all zones have in common.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dns {
    /// The name servers; if empty, the provisioner.
    pub name_servers: Vec<Server>,
    /// The mailbox of the zones' contact (SOA RNAME).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<Mailbox>,
    /// How long resolvers may cache a record.
    pub ttl: Seconds,
}

/// Packets that machines let in besides those of their services.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FirewallExtra {
    /// The rule's name, for comments.
    pub name: Label,
    /// The port number of TCP or UDP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The range of ports of TCP or UDP, in the place of one port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ports: Option<PortRange>,
    /// The protocol of the packets.
    pub protocol: OpenProtocol,
    /// The subnets that the packets come from.
    pub from: Vec<IpNet>,
    /// The machines that let the packets in.
    pub on: OpenOn,
}

impl FirewallExtra {
    /// The packets that are let in. `None` for TCP or UDP without a port, which the inventory refuses.
    #[must_use]
    pub fn traffic(&self) -> Option<Traffic> {
        let ports = || self.port.map(PortRange::one).or(self.ports);
        Some(match self.protocol {
            OpenProtocol::Tcp => Traffic::Ports(Protocol::Tcp, ports()?),
            OpenProtocol::Udp => Traffic::Ports(Protocol::Udp, ports()?),
            OpenProtocol::Other(number) => Traffic::Other(number),
            OpenProtocol::Any => Traffic::Any,
        })
    }
}

impl Cluster {
    /// The node called `name`.
    #[must_use]
    pub fn node(&self, name: &HostName) -> Option<&Node> {
        self.nodes.binary_search_by(|node| node.name.cmp(name)).ok().map(|at| &self.nodes[at])
    }

    /// The cluster without its nodes, and without what is listed of them. Nodes, which are most of a cluster, are not cloned.
    #[must_use]
    pub fn without_nodes(&self) -> Self {
        Self {
            name: self.name.clone(),
            former_names: self.former_names.clone(),
            domain: self.domain.clone(),
            formed: self.formed,
            bootstrap: self.bootstrap.clone(),
            removed: self.removed.clone(),
            state_version: self.state_version.clone(),
            admin_keys: self.admin_keys.clone(),
            provisioner: self.provisioner.clone(),
            networks: self.networks.clone(),
            vips: self.vips.clone(),
            tls: self.tls.clone(),
            boot: self.boot.clone(),
            dns: self.dns.clone(),
            ssh_from: self.ssh_from.clone(),
            firewall: self.firewall.clone(),
            ntp: self.ntp.clone(),
            log_forward: self.log_forward.clone(),
            profiles: self.profiles.clone(),
            nodes: Vec::new(),
            control_ports: Vec::new(),
            virtual_holders: BTreeMap::new(),
            references: Vec::new(),
            foreign_reservations: Vec::new(),
        }
    }

    /// The networks for `role`, by name.
    pub fn networks_for(&self, role: Role) -> impl Iterator<Item = (&Label, &Network)> {
        self.networks.iter().filter(move |(_, network)| network.is(role))
    }
}
