//! Packets as firewalls tell them apart: ports of TCP and UDP, and other protocols over IP.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize, Serializer};

use super::HostName;
use super::word::{Form, Invalid, Word, deserialize_word};

/// A transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// A range of ports, first and last included, written `30000-32767`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortRange {
    /// The first port.
    pub first: u16,
    /// The last port.
    pub last: u16,
}

impl PortRange {
    /// The range of one port.
    #[must_use]
    pub const fn one(port: u16) -> Self {
        Self { first: port, last: port }
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

impl Serialize for PortRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

deserialize_word!(PortRange);

impl Word for PortRange {
    const FORM: Form = Form::new("the first and the last port", "^[0-9]{1,5}-[0-9]{1,5}$", &["30000-32767"]);

    fn parse(text: &str) -> Result<Self, Invalid> {
        // `parse` would take a sign, and leading zeros.
        let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0 && port.to_string() == text);
        let range = text.split_once('-').and_then(|(first, last)| {
            Some(Self { first: port(first)?, last: port(last)? }).filter(|range| range.first < range.last)
        });
        range.ok_or_else(|| {
            let message = format!("`{text}` is not a range of ports");
            Invalid::new("PG-G09", message, "write the lower port first, such as `30000-32767`")
        })
    }
}

/// The protocols over IP that have names here, with their numbers (IANA, "Assigned Internet Protocol Numbers").
const NAMED: [(&str, u8); 11] = [
    ("ah", 51),
    ("esp", 50),
    ("gre", 47),
    ("igmp", 2),
    ("ipip", 4),
    ("ipv6", 41),
    ("l2tp", 115),
    ("ospf", 89),
    ("pim", 103),
    ("sctp", 132),
    ("vrrp", 112),
];

/// The protocol of an opening in the inventory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OpenProtocol {
    /// TCP, to a port or a range of ports.
    #[default]
    Tcp,
    /// UDP, to a port or a range of ports.
    Udp,
    /// Another protocol over IP, by its number; such packets have no port.
    Other(u8),
    /// Every packet.
    Any,
}

impl OpenProtocol {
    /// The transport protocol, where the packets have ports.
    #[must_use]
    pub const fn transport(self) -> Option<Protocol> {
        match self {
            Self::Tcp => Some(Protocol::Tcp),
            Self::Udp => Some(Protocol::Udp),
            Self::Other(_) | Self::Any => None,
        }
    }
}

impl fmt::Display for OpenProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp => f.write_str("tcp"),
            Self::Udp => f.write_str("udp"),
            Self::Any => f.write_str("any"),
            Self::Other(number) => match NAMED.iter().find(|(_, named)| named == number) {
                Some((name, _)) => f.write_str(name),
                None => write!(f, "{number}"),
            },
        }
    }
}

impl Serialize for OpenProtocol {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

deserialize_word!(OpenProtocol);

impl Word for OpenProtocol {
    const FORM: Form = Form::new(
        "`tcp`, `udp`, `any`, or another protocol over IP by its name or its number",
        "^([a-z0-9]{1,5})$",
        &["tcp", "udp", "vrrp", "112", "any"],
    );

    fn parse(text: &str) -> Result<Self, Invalid> {
        // iptables takes 0 for every protocol.
        let number = || text.parse::<u8>().ok().filter(|number| *number > 0 && number.to_string() == text);
        let named = || NAMED.iter().find(|(name, _)| *name == text).map(|(_, number)| *number);
        Ok(match (text, named().or_else(number)) {
            ("tcp", _) | (_, Some(6)) => Self::Tcp,
            ("udp", _) | (_, Some(17)) => Self::Udp,
            ("any", _) => Self::Any,
            (_, Some(number)) => Self::Other(number),
            (_, None) => {
                let names = NAMED.map(|(name, _)| name).join("`, `");
                let message = format!("`{text}` is not a protocol over IP");
                let help = format!(
                    "write `tcp`, `udp`, `{names}`, a number from 1 to 255, or `any` for every packet"
                );
                return Err(Invalid::new("PG-A04", message, help));
            }
        })
    }
}

/// The machines that have an opening of the inventory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OpenOn {
    /// All nodes.
    #[default]
    Nodes,
    /// The provisioner.
    Provisioner,
    /// All nodes and the provisioner.
    All,
}

/// The packets that a firewall lets in or refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Traffic {
    /// Packets to ports.
    Ports(Protocol, PortRange),
    /// Packets of another protocol over IP, by its number.
    Other(u8),
    /// Every packet.
    Any,
}

impl Traffic {
    /// Packets to one port.
    #[must_use]
    pub const fn port(protocol: Protocol, port: u16) -> Self {
        Self::Ports(protocol, PortRange::one(port))
    }
}

/// The nodes that may hold a virtual address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VirtualHolder {
    /// The nodes that run the service with the address's name.
    NodesWith(HostName),
    /// Any node: the address is called after no service.
    AnyNode,
}

/// A machine of the site that the inventory sends others to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The purpose, in words for comments.
    pub purpose: &'static str,
    /// The address that others are sent to.
    pub address: IpAddr,
    /// The nodes that may hold the address, where it is virtual.
    pub holder: Option<VirtualHolder>,
    /// The packets that they send.
    pub traffic: &'static [Traffic],
    /// The subnets that they send from.
    pub senders: Vec<IpNet>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_its_lower_port_first() {
        let range = PortRange::parse("30000-32767").unwrap();
        assert_eq!((range.first, range.last, range.to_string().as_str()), (30_000, 32_767, "30000-32767"));
        for bad in ["30000", "2-1", "1-1", "0-5", "1-65536", "+1-5", "01-5", "1-5-9", "1 - 5"] {
            assert!(PortRange::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_protocol_is_the_same_by_name_and_by_number() {
        for (name, number) in NAMED {
            assert_eq!(OpenProtocol::parse(name), OpenProtocol::parse(&number.to_string()));
            assert_eq!(OpenProtocol::Other(number).to_string(), name);
        }
        assert_eq!(OpenProtocol::parse("6"), Ok(OpenProtocol::Tcp));
        assert_eq!(OpenProtocol::parse("253"), Ok(OpenProtocol::Other(253)));
        for bad in ["0", "256", "TCP", "", "-1", "007", "all"] {
            assert!(OpenProtocol::parse(bad).is_err(), "{bad}");
        }
    }
}
