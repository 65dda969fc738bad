//! What DHCP tells a machine that boots over the network: the loader for its architecture, and its reserved address.
//! The configuration of every DHCP server, the TFTP root and the PXE server's NixOS module are written from this.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::{Cluster, Firmware, HostName, Label, MacAddr, Node, System};

/// A build of iPXE, and the machines that start it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loader {
    /// The client architectures that start this build (DHCP option 93: RFC 4578 section 2.1, IANA's "Processor
    /// Architecture Types").
    pub architectures: &'static [u16],
    /// The build's file in the TFTP root.
    pub file: &'static str,
    /// Whether these machines load the build by HTTP: they need a URL, and their vendor class `HTTPClient` back (UEFI
    /// 2.10 section 24.7).
    pub http: bool,
    /// The kind of machine, in words for comments.
    pub about: &'static str,
}

/// The loaders by architecture. A machine that announces another architecture, or none, loads [`DEFAULT_LOADER`].
pub const LOADERS: [Loader; 6] = [
    BIOS,
    Loader { architectures: &[0x06], file: "ipxe-ia32.efi", http: false, about: "UEFI on 32-bit x86" },
    UEFI_X86,
    UEFI_ARM,
    HTTP_X86,
    HTTP_ARM,
];

const BIOS: Loader = Loader { architectures: &[0x00], file: "undionly.kpxe", http: false, about: "BIOS" };

const UEFI_X86: Loader =
    Loader { architectures: &[0x07, 0x09], file: DEFAULT_LOADER, http: false, about: "UEFI on 64-bit x86" };

const UEFI_ARM: Loader =
    Loader { architectures: &[0x0b], file: "ipxe-arm64.efi", http: false, about: "UEFI on 64-bit ARM" };

const HTTP_X86: Loader = Loader {
    architectures: &[0x10],
    file: DEFAULT_LOADER,
    http: true,
    about: "UEFI over HTTP on 64-bit x86",
};

const HTTP_ARM: Loader = Loader {
    architectures: &[0x13],
    file: "ipxe-arm64.efi",
    http: true,
    about: "UEFI over HTTP on 64-bit ARM",
};

impl Loader {
    /// The loader of a machine of `system` that boots by `firmware` over PXE.
    #[must_use]
    pub const fn over_pxe(firmware: Firmware, system: System) -> Self {
        match (firmware, system) {
            (Firmware::Bios, _) => BIOS,
            (Firmware::Uefi, System::X86_64) => UEFI_X86,
            (Firmware::Uefi, System::Aarch64) => UEFI_ARM,
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

/// The loader of machines whose architecture is not in [`LOADERS`]: a file in the TFTP root.
pub const DEFAULT_LOADER: &str = "ipxe.efi";

/// The vendor class of UEFI HTTP boot, sent by the machine and back to it.
pub const HTTP_CLIENT: &str = "HTTPClient";

/// The user class that iPXE sends (DHCP option 77): by it the second request differs from the firmware's.
pub const IPXE_CLASS: &str = "iPXE";

/// The DHCP reservation of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reservation<'a> {
    /// The node's name.
    pub name: &'a HostName,
    /// The MAC address of the NIC that boots.
    pub mac: MacAddr,
    /// The provisioning network that this NIC is connected to.
    pub network: &'a Label,
    /// The node's IPv4 address in that network.
    pub address: Option<Ipv4Addr>,
    /// The node's IPv6 address in that network.
    pub address6: Option<Ipv6Addr>,
}

impl Cluster {
    /// The reservations of all nodes, in the order of their names.
    pub fn reservations(&self) -> impl Iterator<Item = Reservation<'_>> {
        self.nodes.iter().filter_map(Node::reservation)
    }
}

impl Node {
    /// The node's DHCP reservation: its addresses on the interface that boots. `None` for a node without any.
    #[must_use]
    pub fn reservation(&self) -> Option<Reservation<'_>> {
        let interface = self.find_boot_interface()?;
        let network = interface.network.as_ref()?;
        let v4 = |net: &IpNet| if let IpNet::V4(net) = net { Some(net.addr()) } else { None };
        let v6 = |net: &IpNet| if let IpNet::V6(net) = net { Some(net.addr()) } else { None };
        let address = interface.addresses.iter().find_map(v4);
        let address6 = interface.addresses.iter().find_map(v6);
        let reservation = Reservation { name: &self.name, mac: self.mac, network, address, address6 };
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
