//! A machine of the cluster.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use serde::Serialize;

use super::{
    Cluster, DiskId, DomainName, Firmware, Hardware, HostName, IfName, KernelParam, Label, Layout, MacAddr,
    RelPath, Role, SerialNumber, Service, System, UserName,
};

/// A machine of the cluster, with all that its profile says of it.
#[derive(Clone, Debug, Serialize)]
pub struct Node {
    /// Its host name.
    pub name: HostName,
    /// Its name in the cluster's domain.
    pub fqdn: DomainName,
    /// Its profile.
    pub profile: Label,
    /// Which module and which netboot image the profile is built on.
    pub base: Base,
    /// What kind of machine it is to Nix.
    pub system: System,
    /// How its firmware boots.
    pub firmware: Firmware,
    /// The address of the interface that boots from the network.
    pub mac: MacAddr,
    /// The name of that interface.
    pub boot_interface: IfName,
    /// Its interfaces by name.
    pub interfaces: Vec<Interface>,
    /// Where its default route leads: the cluster network's gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Ipv4Addr>,
    /// The same for IPv6.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway6: Option<Ipv6Addr>,
    /// Whom it asks for names: the cluster network's servers.
    pub resolvers: Vec<IpAddr>,
    /// The disks that an installation erases.
    pub disks: Vec<DiskId>,
    /// How they are divided.
    pub layout: Layout,
    /// What it runs.
    pub services: Vec<Service>,
    /// What it is.
    pub hardware: Hardware,
    /// A hardware module of the user's, which takes the place of [`hardware`](Self::hardware).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hardware_file: Option<RelPath>,
    /// Further NixOS modules of the user's.
    pub modules: Vec<RelPath>,
    /// Its kernel command line beyond what NixOS gives it.
    pub kernel_params: Vec<KernelParam>,
    /// Its baseboard management controller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bmc: Option<Bmc>,
    /// The serial number that its firmware must show before a disk is erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<SerialNumber>,
    /// What fails with it as a whole: a rack, a power supply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rack: Option<Label>,
    /// Whether it is one of the first Raft voters.
    pub voter: bool,
}

/// What a profile is built on: the NixOS module and the netboot image of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Base {
    /// Raft, database, identity.
    ControlPlane,
    /// Virtual machines and their networks.
    Worker,
    /// Everything on one machine.
    AllInOne,
}

impl Base {
    /// Its name in the inventory.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ControlPlane => "control-plane",
            Self::Worker => "worker",
            Self::AllInOne => "all-in-one",
        }
    }
}

/// A network interface and what stands on it.
#[derive(Clone, Debug, Serialize)]
pub struct Interface {
    /// The physical interface or bond.
    pub name: IfName,
    /// What bears the addresses: `name` itself, or the VLAN device on it.
    pub device: IfName,
    /// The network that it is connected to; a member of a bond has none of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Label>,
    /// The tag of its frames, where it tags them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan: Option<u16>,
    /// Its addresses, each with the prefix length of the network's subnet.
    pub addresses: Vec<IpNet>,
    /// The largest packet in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u16>,
    /// The interfaces that it is made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bond: Option<Bond>,
    /// The address that the name is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<MacAddr>,
}

/// Several interfaces that act as one.
#[derive(Clone, Debug, Serialize)]
pub struct Bond {
    /// How they share the load.
    pub mode: BondMode,
    /// Their names.
    pub members: Vec<IfName>,
}

/// A mode of the Linux bonding driver (Documentation/networking/bonding.rst).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum BondMode {
    /// LACP.
    #[serde(rename = "802.3ad")]
    Lacp,
    /// One works, the others wait.
    #[serde(rename = "active-backup")]
    ActiveBackup,
    /// By a hash of the addresses.
    #[serde(rename = "balance-xor")]
    BalanceXor,
}

/// A protocol of baseboard management controllers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BmcProtocol {
    /// DMTF Redfish.
    Redfish,
    /// IPMI 2.0 over LAN.
    Ipmi,
}

/// A baseboard management controller.
#[derive(Clone, Debug, Serialize)]
pub struct Bmc {
    /// Its address in a management network.
    pub address: IpAddr,
    /// The user to log in as.
    pub user: UserName,
    /// Where the vault keeps the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<RelPath>,
    /// How it is spoken to.
    pub protocol: BmcProtocol,
}

impl Cluster {
    /// Where `node` is reached: its interface in the cluster network that has a gateway, as for its default route, else
    /// in the first cluster network.
    #[must_use]
    pub fn home<'a>(&self, node: &'a Node) -> Option<&'a Interface> {
        let standing = |own: &Interface| {
            let network = self.networks.get(own.network.as_ref()?)?;
            network.is(Role::Cluster).then(|| network.gateway.is_some() || network.gateway6.is_some())
        };
        let routed = node.interfaces.iter().find(|own| standing(own) == Some(true));
        routed.or_else(|| node.interfaces.iter().find(|own| standing(own).is_some()))
    }
}

impl Node {
    /// All its addresses, by interface.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.interfaces.iter().flat_map(|interface| interface.addresses.iter().map(IpNet::addr))
    }

    /// The service called `name`, if the node runs it.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name.as_str() == name)
    }
}
