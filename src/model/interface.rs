//! Network interfaces of nodes.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{IfName, Label, MacAddr};

/// A network interface of a node, with its addresses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interface {
    /// The physical interface or the bond.
    pub name: IfName,
    /// The device that bears the addresses: `name`, or the VLAN device on it, such as `eth0.200`.
    pub device: IfName,
    /// The network that the interface is connected to; the members of a bond have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Label>,
    /// The VLAN ID in the tag of the interface's frames (IEEE 802.1Q), if they are tagged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan: Option<u16>,
    /// The addresses, each with the prefix length of the network's subnet.
    pub addresses: Vec<IpNet>,
    /// The MTU in bytes; without it, the kernel's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u16>,
    /// The bond that the interface is, unless it is a single NIC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bond: Option<Bond>,
    /// The MAC address of the NIC that gets this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<MacAddr>,
}

/// Several NICs that act as one interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bond {
    /// How the members share the load.
    pub mode: BondMode,
    /// The names of the bonded interfaces.
    pub members: Vec<IfName>,
}

/// A mode of the Linux bonding driver (Documentation/networking/bonding.rst).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BondMode {
    /// LACP: the switch takes part.
    #[serde(rename = "802.3ad")]
    Lacp,
    /// One member carries all frames, the others wait for its failure.
    #[serde(rename = "active-backup")]
    ActiveBackup,
    /// A hash of the MAC addresses chooses the member.
    #[serde(rename = "balance-xor")]
    BalanceXor,
}
