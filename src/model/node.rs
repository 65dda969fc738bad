//! The machines of the cluster.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{
    Base, Bmc, DiskId, DiskNames, DomainName, Firmware, Hardware, HostName, IfName, Interface, KernelParam,
    Label, Labels, Layout, MacAddr, Network, RelPath, Role, SerialNumber, Service, Size, System, image_name,
};

/// A machine of the cluster, with everything that its profile says of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// The node's host name.
    pub name: HostName,
    /// The fully qualified name: the host name in the cluster's domain.
    pub fqdn: DomainName,
    /// The name of the node's profile.
    pub profile: Label,
    /// The built-in module set and netboot image that the profile uses.
    pub base: Base,
    /// The kind of machine, in Nix's terms.
    pub system: System,
    /// How the node's firmware boots.
    pub firmware: Firmware,
    /// The MAC address of the NIC that boots from the network, as a rule: see [`boot_macs`](Self::boot_macs).
    pub mac: MacAddr,
    /// The name of the interface that boots from the network: the first one in a provisioning network.
    pub boot_interface: IfName,
    /// The network in which the node is reached, from which it takes its default route and its resolvers: the cluster
    /// network with a gateway, else the first cluster network.
    #[serde(skip)]
    pub home: Option<Label>,
    /// The node's interfaces by name.
    pub interfaces: Vec<Interface>,
    /// The IPv4 default route: the gateway of the cluster network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Ipv4Addr>,
    /// The IPv6 default route: the gateway of the cluster network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway6: Option<Ipv6Addr>,
    /// The DNS servers that the node asks: those of the cluster network.
    pub resolvers: Vec<IpAddr>,
    /// The disks that an installation erases.
    pub disks: Vec<DiskId>,
    /// The sizes of those disks whose size the inventory says.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub disk_sizes: BTreeMap<DiskId, Size>,
    /// How the disks are divided.
    pub layout: Layout,
    /// The services that the node runs.
    pub services: Vec<Service>,
    /// The model of the machine.
    pub hardware: Hardware,
    /// The main memory of the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Size>,
    /// The user's NixOS module that replaces what is generated from [`hardware`](Self::hardware).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hardware_file: Option<RelPath>,
    /// Further NixOS modules of the user's.
    pub modules: Vec<RelPath>,
    /// Kernel parameters in addition to those that NixOS sets.
    pub kernel_params: Vec<KernelParam>,
    /// The node's baseboard management controller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bmc: Option<Bmc>,
    /// The serial number of the machine. The installer warns on its console when the machine reports another number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<SerialNumber>,
    /// The failure domain, such as a rack or a power supply: its nodes fail together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rack: Option<Label>,
    /// Whether the node is one of the first Raft voters.
    pub voter: bool,
}

impl Node {
    /// The names on the disks of the node, with `labels` of the node's layout or others.
    #[must_use]
    pub fn disk_names(&self, labels: Labels) -> DiskNames<'_> {
        DiskNames::new(labels, self.name.as_str(), self.disks.len())
    }

    /// The name of the netboot image that installs the node.
    #[must_use]
    pub fn image(&self) -> String {
        image_name(self.base.as_str(), self.system)
    }

    /// All addresses of the node, by interface.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.interfaces.iter().flat_map(|interface| interface.addresses.iter().map(IpNet::addr))
    }

    /// The service called `name`, if the node runs it.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name.as_str() == name)
    }

    /// Finds the network in which the node is reached: the cluster network with a gateway, else the first cluster network.
    #[must_use]
    pub fn find_home<'a>(&'a self, networks: &BTreeMap<Label, Network>) -> Option<&'a Label> {
        let is_for_members =
            |name: &&Label| networks.get(*name).is_some_and(|network| network.is(Role::Cluster));
        let is_routed = |name: &&Label| {
            networks.get(*name).is_some_and(|network| network.gateway.is_some() || network.gateway6.is_some())
        };
        let homes = || {
            self.interfaces.iter().filter_map(|interface| interface.network.as_ref()).filter(is_for_members)
        };
        homes().find(is_routed).or_else(|| homes().next())
    }

    /// The interface at which the node is reached: the one in the node's home network.
    #[must_use]
    pub fn home_interface(&self) -> Option<&Interface> {
        let home = self.home.as_ref()?;
        self.interfaces.iter().find(|interface| interface.network.as_ref() == Some(home))
    }

    /// The interface that boots from the network, which is untagged (rule D09).
    #[must_use]
    pub fn find_boot_interface(&self) -> Option<&Interface> {
        self.interfaces.iter().find(|interface| interface.device == self.boot_interface)
    }
}
