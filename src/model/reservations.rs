//! DHCP reservations of nodes, those of other clusters that the provisioner serves, too, and the file in which a cluster tells
//! its own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::{Firmware, HostName, Label, MacAddr, System};

/// The system and the firmware of a node. They decide on the loader where the architectures that the node's firmware
/// announces do not fit: U-Boot and the Raspberry Pi announce none, or that of an x86 machine with BIOS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Platform {
    /// The kind of machine.
    pub system: System,
    /// How the firmware boots.
    pub firmware: Firmware,
}

impl Platform {
    /// All platforms.
    pub const ALL: [Self; 3] = [
        Self { system: System::X86_64, firmware: Firmware::Uefi },
        Self { system: System::X86_64, firmware: Firmware::Bios },
        Self { system: System::Aarch64, firmware: Firmware::Uefi },
    ];

    /// The name in the configuration of a DHCP server, such as `aarch64-linux-uefi`.
    #[must_use]
    pub fn name(self) -> String {
        format!("{}-{}", self.system.as_str(), self.firmware.as_str())
    }
}

/// The DHCP reservation of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation<'a> {
    /// The node's name.
    pub name: &'a HostName,
    /// The MAC addresses of the NICs that may boot, of which one boots at a time.
    pub macs: Vec<MacAddr>,
    /// The node's system and firmware.
    pub platform: Platform,
    /// The provisioning network that these NICs are connected to.
    pub network: &'a Label,
    /// The node's IPv4 address in that network.
    pub address: Option<Ipv4Addr>,
    /// The node's IPv6 address in that network.
    pub address6: Option<Ipv6Addr>,
}

/// The DHCP reservation of a BMC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BmcReservation<'a> {
    /// The BMC's name.
    pub name: HostName,
    /// The BMC's MAC address.
    pub mac: MacAddr,
    /// The network in which DHCP serves the BMC.
    pub network: &'a Label,
    /// The BMC's address.
    pub address: IpAddr,
}

/// The DHCP reservation of a node of another cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignReservation {
    /// The node's name.
    pub name: HostName,
    /// The MAC addresses of the NICs that may boot.
    pub macs: Vec<MacAddr>,
    /// The node's system and firmware.
    pub platform: Platform,
    /// The provisioning network of this cluster that the node's addresses lie in.
    pub network: Label,
    /// The node's IPv4 address in that network.
    pub address: Option<Ipv4Addr>,
    /// The node's IPv6 address in that network.
    pub address6: Option<Ipv6Addr>,
}

impl ForeignReservation {
    /// The same as a node's own reservation.
    #[must_use]
    pub fn as_reservation(&self) -> Reservation<'_> {
        let Self { name, macs, platform, network, address, address6 } = self;
        let (macs, platform, address, address6) = (macs.clone(), *platform, *address, *address6);
        Reservation { name, macs, platform, network, address, address6 }
    }
}

/// The content of `site/pxe/reservations.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReservationFile {
    /// Version of this format.
    pub schema: u32,
    /// Name of the cluster.
    pub cluster: String,
    /// The nodes that boot from the network.
    pub reservations: Vec<ReservedNode>,
}

impl ReservationFile {
    /// The version of the format that this program writes.
    pub const SCHEMA: u32 = 1;
}

/// A node in a [`ReservationFile`], whose words are not validated.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReservedNode {
    /// Name of the node.
    pub name: String,
    /// MAC addresses of the NICs that may boot.
    pub macs: Vec<String>,
    /// The kind of machine.
    pub system: System,
    /// How the firmware boots: `uefi` or `bios`.
    pub firmware: Firmware,
    /// The IPv4 address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<Ipv4Addr>,
    /// The IPv6 address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address6: Option<Ipv6Addr>,
}

impl ReservedNode {
    /// The node of `reservation`.
    #[must_use]
    pub fn of(reservation: &Reservation<'_>) -> Self {
        Self {
            name: reservation.name.to_string(),
            macs: reservation.macs.iter().map(ToString::to_string).collect(),
            system: reservation.platform.system,
            firmware: reservation.platform.firmware,
            address: reservation.address,
            address6: reservation.address6,
        }
    }
}
