//! What DHCP tells a machine that boots over the network: the loader for its architecture, and its reserved address.
//! The configuration of every DHCP server, the TFTP root and the PXE server's NixOS module are written from this.
//!
//! The inventory knows a node better than the node's firmware: a loader that the node cannot run is never named, whatever
//! the firmware announces.

use ipnet::IpNet;

use super::dns::bmc_name;
use super::{
    BmcReservation, Cluster, Firmware, ForeignReservation, HostName, IfName, MacAddr, Network, Node,
    Platform, Reservation, Role, System, Word,
};

/// A build of iPXE, and the machines that start it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loader {
    /// The client architectures that start this build (DHCP option 93: RFC 4578 section 2.1, IANA's "Processor
    /// Architecture Types").
    pub architectures: &'static [u16],
    /// The kind of machine that this build runs on.
    pub system: System,
    /// The build's file in the TFTP root.
    pub file: &'static str,
    /// Whether these machines load the build by HTTP: they need a URL, and their vendor class `HTTPClient` back (UEFI
    /// 2.10 section 24.7).
    pub http: bool,
    /// The kind of machine, in words for comments.
    pub about: &'static str,
}

/// The loaders by architecture, the preferred ones first: firmware may announce several architectures. A machine that
/// announces no architecture of this list loads [`DEFAULT_LOADER`], or the loader of its [`Platform`] where it is a node.
pub const LOADERS: [Loader; 6] = [BIOS, UEFI_IA32, UEFI_X86, UEFI_ARM, HTTP_X86, HTTP_ARM];

const BIOS: Loader = Loader {
    architectures: &[0x00],
    system: System::X86_64,
    file: "undionly.kpxe",
    http: false,
    about: "BIOS",
};

const UEFI_IA32: Loader = Loader {
    architectures: &[0x06],
    system: System::X86_64,
    file: "ipxe-ia32.efi",
    http: false,
    about: "UEFI on 32-bit x86",
};

const UEFI_X86: Loader = Loader {
    architectures: &[0x07, 0x09],
    system: System::X86_64,
    file: DEFAULT_LOADER,
    http: false,
    about: "UEFI on 64-bit x86",
};

const UEFI_ARM: Loader = Loader {
    architectures: &[0x0b, 0x16],
    system: System::Aarch64,
    file: "ipxe-arm64.efi",
    http: false,
    about: "UEFI or U-Boot on 64-bit ARM",
};

const HTTP_X86: Loader = Loader {
    architectures: &[0x10],
    system: System::X86_64,
    file: DEFAULT_LOADER,
    http: true,
    about: "UEFI over HTTP on 64-bit x86",
};

const HTTP_ARM: Loader = Loader {
    architectures: &[0x13, 0x18],
    system: System::Aarch64,
    file: "ipxe-arm64.efi",
    http: true,
    about: "UEFI or U-Boot over HTTP on 64-bit ARM",
};

impl Loader {
    /// The loader of a machine of `system` that boots by `firmware` over PXE.
    #[must_use]
    pub const fn over_pxe(firmware: Firmware, system: System) -> Self {
        match (firmware, system) {
            (Firmware::Bios, System::X86_64) => BIOS,
            (Firmware::Uefi, System::X86_64) => UEFI_X86,
            // 64-bit ARM has no BIOS (rule F18).
            (_, System::Aarch64) => UEFI_ARM,
        }
    }

    /// The loader of a machine of `system` that boots by UEFI over HTTP.
    #[must_use]
    pub const fn over_http(system: System) -> Self {
        match system {
            System::X86_64 => HTTP_X86,
            System::Aarch64 => HTTP_ARM,
        }
    }
}

/// The loader of unknown machines whose architecture is not in [`LOADERS`]: a file in the TFTP root.
pub const DEFAULT_LOADER: &str = "ipxe.efi";

/// The vendor class of UEFI HTTP boot, sent by the machine and back to it.
pub const HTTP_CLIENT: &str = "HTTPClient";

/// The user class that iPXE sends (DHCP option 77): by it the second request differs from the firmware's.
pub const IPXE_CLASS: &str = "iPXE";

impl Cluster {
    /// The reservations of all nodes, in the order of their names, and then those of other clusters that the provisioner
    /// serves, too.
    pub fn reservations(&self) -> impl Iterator<Item = Reservation<'_>> {
        let foreign = self.foreign_reservations.iter().map(ForeignReservation::as_reservation);
        self.nodes.iter().filter_map(Node::reservation).chain(foreign)
    }

    /// The reservations of BMCs with a known MAC address in networks that DHCP serves, in the order of the nodes.
    pub fn bmc_reservations(&self) -> impl Iterator<Item = BmcReservation<'_>> {
        self.nodes.iter().filter_map(|node| {
            let bmc = node.bmc.as_ref()?;
            let is_here = |network: &Network| {
                [network.subnet.map(IpNet::V4), network.subnet6.map(IpNet::V6)]
                    .into_iter()
                    .flatten()
                    .any(|subnet| subnet.contains(&bmc.address))
            };
            let (network, _) = self.networks_for(Role::Provisioning).find(|(_, network)| is_here(network))?;
            let name = HostName::parse(&bmc_name(node.name.as_str())).ok()?;
            Some(BmcReservation { name, mac: bmc.mac?, network, address: bmc.address })
        })
    }

    /// The platforms of the nodes that have a reservation in IPv4, by which machines boot.
    #[must_use]
    pub fn platforms(&self) -> Vec<Platform> {
        let is_used = |platform: &Platform| {
            let mut booting = self.reservations().filter(|reservation| reservation.address.is_some());
            booting.any(|reservation| reservation.platform == *platform)
        };
        Platform::ALL.into_iter().filter(is_used).collect()
    }
}

impl Node {
    /// The MAC addresses of the NICs through which the node may boot: [`mac`](Self::mac), then the other members of the bond
    /// that boots, as far as the inventory has their addresses. Firmware tries one NIC after the other.
    #[must_use]
    pub fn boot_macs(&self) -> Vec<MacAddr> {
        let bond = self.find_boot_interface().and_then(|interface| interface.bond.as_ref());
        let members = bond.into_iter().flat_map(|bond| &bond.members);
        let mac_of = |name: &IfName| self.interfaces.iter().find(|interface| interface.name == *name)?.mac;
        let others = members.filter_map(mac_of).filter(|mac| *mac != self.mac);
        [self.mac].into_iter().chain(others).collect()
    }

    /// The node's DHCP reservation: its addresses on the interface that boots. `None` for a node without any.
    #[must_use]
    pub fn reservation(&self) -> Option<Reservation<'_>> {
        let interface = self.find_boot_interface()?;
        let network = interface.network.as_ref()?;
        let v4 = |net: &IpNet| if let IpNet::V4(net) = net { Some(net.addr()) } else { None };
        let v6 = |net: &IpNet| if let IpNet::V6(net) = net { Some(net.addr()) } else { None };
        let address = interface.addresses.iter().find_map(v4);
        let address6 = interface.addresses.iter().find_map(v6);
        let platform = Platform { system: self.system, firmware: self.firmware };
        let (name, macs) = (&self.name, self.boot_macs());
        let reservation = Reservation { name, macs, platform, network, address, address6 };
        (address.is_some() || address6.is_some()).then_some(reservation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_architecture_has_one_loader() {
        let mut all: Vec<_> = LOADERS.iter().flat_map(|loader| loader.architectures).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
