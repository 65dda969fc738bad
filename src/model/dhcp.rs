//! The DHCP servers that plasmagen configures, each with everything that the other rooms say of that server.
//!
//! A further server is one variant with its facts here, one file in `outputs/dhcp/`, one in `lab/servers/` and, where
//! NixOS has the server, one in `profiles/pxe-server/dhcp/`.

use serde::{Deserialize, Serialize};

/// A DHCP server that plasmagen can configure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DhcpServer {
    /// ISC Kea.
    Kea,
    /// ISC dhcpd, at the end of its life since 2022.
    Isc,
    /// dnsmasq.
    Dnsmasq,
}

/// The names under which a DHCP server is known to the inventory, to distributions and to NixOS.
#[derive(Clone, Copy, Debug)]
pub struct DhcpServerFacts {
    /// The name in the inventory, on the command line and in reports.
    pub name: &'static str,
    /// The rendered configuration file, in `site/pxe/`.
    pub config: &'static str,
    /// The rendered configuration file of a second process for IPv6, in `site/pxe/`.
    pub config6: Option<&'static str>,
    /// The program that serves IPv4.
    pub program: &'static str,
    /// The Debian package of the program.
    pub debian: &'static str,
    /// The nixpkgs package of the program, or a sentence where there is none.
    pub nixpkgs: &'static str,
    /// Debian's systemd unit of the program.
    pub unit: &'static str,
    /// The value of the option `services.centra-pxe-server.dhcp.backend`; `None` where NixOS does not have the server.
    pub backend: Option<&'static str>,
    /// Whether the server serves TFTP too, so that no TFTP server runs beside it.
    pub serves_tftp: bool,
}

const KEA: DhcpServerFacts = DhcpServerFacts {
    name: "kea",
    config: "kea-dhcp4.json",
    config6: Some("kea-dhcp6.json"),
    program: "kea-dhcp4",
    debian: "kea-dhcp4-server",
    nixpkgs: "kea",
    unit: "kea-dhcp4-server.service",
    backend: Some("kea"),
    serves_tftp: false,
};

const ISC: DhcpServerFacts = DhcpServerFacts {
    name: "isc",
    config: "dhcpd.conf",
    config6: None,
    program: "dhcpd",
    debian: "isc-dhcp-server",
    nixpkgs: "none since 2023: choose another --dhcp",
    unit: "isc-dhcp-server.service",
    backend: None,
    serves_tftp: false,
};

const DNSMASQ: DhcpServerFacts = DhcpServerFacts {
    name: "dnsmasq",
    config: "dnsmasq.conf",
    config6: None,
    program: "dnsmasq",
    debian: "dnsmasq-base",
    nixpkgs: "dnsmasq",
    unit: "dnsmasq.service",
    backend: Some("dnsmasq"),
    serves_tftp: true,
};

impl DhcpServer {
    /// All servers, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::Kea, Self::Isc, Self::Dnsmasq];

    /// The names of all servers.
    pub const NAMES: [&'static str; Self::ALL.len()] = {
        let mut names = [""; Self::ALL.len()];
        let mut at = 0;
        while at < names.len() {
            names[at] = Self::ALL[at].facts().name;
            at += 1;
        }
        names
    };

    /// The server that an inventory without `dhcp` gets, and that NixOS runs where the inventory names a server that
    /// NixOS does not have.
    pub const DEFAULT: Self = Self::Kea;

    /// Everything that is known of the server.
    #[must_use]
    pub const fn facts(self) -> &'static DhcpServerFacts {
        match self {
            Self::Kea => &KEA,
            Self::Isc => &ISC,
            Self::Dnsmasq => &DNSMASQ,
        }
    }

    /// The name in the inventory.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.facts().name
    }

    /// The server that NixOS runs for an inventory that names this one.
    #[must_use]
    pub const fn on_nixos(self) -> Self {
        if self.facts().backend.is_some() { self } else { Self::DEFAULT }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_serialized_by_its_name() {
        for server in DhcpServer::ALL {
            assert_eq!(serde_json::to_value(server).unwrap(), server.as_str());
        }
    }
}
