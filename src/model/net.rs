//! Addresses and subnets of both families.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::word::{Form, Invalid, Word};

/// A family of IP addresses, so that one function serves both families.
pub trait Family: Copy + Ord + fmt::Display + Into<IpAddr> + std::str::FromStr + 'static {
    /// A subnet of this family.
    type Subnet: Copy + fmt::Display + Into<IpNet>;
    /// `IPv4`, `IPv6`.
    const NAME: &'static str;
    /// An address to show in help.
    const EXAMPLE: &'static str;
    /// A range to show in help.
    const EXAMPLE_RANGE: &'static str;
    /// The form of ranges, as a regular expression.
    const RANGE: &'static str;
}

impl Family for Ipv4Addr {
    type Subnet = Ipv4Net;
    const NAME: &'static str = "IPv4";
    const EXAMPLE: &'static str = "10.0.100.50";
    const EXAMPLE_RANGE: &'static str = "10.0.100.100-10.0.100.200";
    const RANGE: &'static str = r"^[0-9]{1,3}(\.[0-9]{1,3}){3}-[0-9]{1,3}(\.[0-9]{1,3}){3}$";
}

impl Family for Ipv6Addr {
    type Subnet = Ipv6Net;
    const NAME: &'static str = "IPv6";
    const EXAMPLE: &'static str = "fd00:100::50";
    const EXAMPLE_RANGE: &'static str = "fd00:100::100-fd00:100::200";
    const RANGE: &'static str = "^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*-[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$";
}

/// Parses an address of one family. `example` is the text to write instead of one that is no address.
pub(super) fn parse_address<A: Family>(text: &str, example: &str) -> Result<A, Invalid> {
    text.parse().map_err(|_| {
        let octets = text
            .split('.')
            .any(|o| o.len() > 1 && o.starts_with('0') && o.bytes().all(|b| b.is_ascii_digit()));
        if octets && A::NAME == "IPv4" {
            let message =
                format!("`{text}` has an octet with a leading zero, which some tools read as octal");
            return Invalid::new("PG-A10", message, "write octets without leading zeros");
        }
        let help = format!("write one such as `{example}`");
        let other = if A::NAME == "IPv4" { "IPv6" } else { "IPv4" };
        refuse_zone(text).unwrap_or_else(|| match text.parse::<IpAddr>() {
            Ok(_) => Invalid::new(
                "PG-C16",
                format!("`{text}` is an {other} address, and {} stands here", A::NAME),
                help,
            ),
            Err(_) => Invalid::new("PG-A04", format!("`{text}` is not an {} address", A::NAME), help),
        })
    })
}

/// The refusal of an address with a zone (RFC 4007), if `text` is such an address.
pub(super) fn refuse_zone(text: &str) -> Option<Invalid> {
    let (address, zone) = text.split_once('%')?;
    address.parse::<IpAddr>().ok()?;
    let message = format!("`{text}` has a zone: `{zone}` is an interface of one machine only");
    Some(Invalid::new("PG-C16", message, format!("write one such as `{}`", Ipv6Addr::EXAMPLE)))
}

/// Parses an IPv6 address that stands for no IPv4 address. `example` is the text to write instead of one that is no address.
fn parse_ipv6(text: &str, example: &str) -> Result<Ipv6Addr, Invalid> {
    let parsed: Ipv6Addr = parse_address(text, example)?;
    match parsed.to_ipv4_mapped() {
        Some(v4) => Err(Invalid::new(
            "PG-C16",
            format!(
                "`{text}` is the IPv4 address {v4} in the form of IPv6, which some tools take for the one and some for the other"
            ),
            format!("write `{v4}` where IPv4 stands"),
        )),
        None => Ok(parsed),
    }
}

impl Word for Ipv4Addr {
    const FORM: Form = Form::new("an IPv4 address", r"^[0-9]{1,3}(\.[0-9]{1,3}){3}$", &[Self::EXAMPLE]);

    fn parse(text: &str) -> Result<Self, Invalid> {
        parse_address(text, Self::EXAMPLE)
    }
}

impl Word for Ipv6Addr {
    const FORM: Form = Form::new("an IPv6 address", "^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$", &[Self::EXAMPLE]);

    fn parse(text: &str) -> Result<Self, Invalid> {
        parse_ipv6(text, Self::EXAMPLE)
    }
}

impl Word for IpAddr {
    const FORM: Form =
        Form::new("an address of either family", "^[0-9A-Fa-f:.]+$", &["10.0.100.1", "fd00:100::1"]);

    fn parse(text: &str) -> Result<Self, Invalid> {
        if text.contains(':') {
            Ipv6Addr::parse(text).map(Self::V6)
        } else {
            Ipv4Addr::parse(text).map(Self::V4)
        }
    }
}

/// Parses a subnet whose host bits are zero (rule C08).
fn parse_subnet(text: &str, example: &str) -> Result<IpNet, Invalid> {
    let invalid = |message: String| Invalid::new("PG-A04", message, format!("write one such as `{example}`"));
    let (base, _) = text
        .split_once('/')
        .ok_or_else(|| invalid(format!("`{text}` is not a subnet: it lacks its prefix length")))?;
    if base.contains(':') {
        parse_ipv6(base, example)?;
    } else {
        parse_address::<Ipv4Addr>(base, example)?;
    }
    let net: IpNet = text.parse().map_err(|_| invalid(format!("`{text}` is not a subnet")))?;
    if net.trunc() != net {
        let message = format!("`{text}` is an address with a prefix length, not a subnet: host bits are set");
        return Err(Invalid::new("PG-C08", message, "").instead(net.trunc().to_string()));
    }
    Ok(net)
}

impl Word for Ipv4Net {
    const FORM: Form =
        Form::new("an IPv4 subnet", r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$", &["10.0.100.0/24"]);

    fn parse(text: &str) -> Result<Self, Invalid> {
        match parse_subnet(text, "10.0.100.0/24")? {
            IpNet::V4(net) => Ok(net),
            IpNet::V6(_) => {
                Err(Invalid::new("PG-C16", "an IPv6 subnet stands here", "write it as `subnet6`"))
            }
        }
    }
}

impl Word for Ipv6Net {
    const FORM: Form =
        Form::new("an IPv6 subnet", "^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*/[0-9]{1,3}$", &["fd00:100::/64"]);

    fn parse(text: &str) -> Result<Self, Invalid> {
        match parse_subnet(text, "fd00:100::/64")? {
            IpNet::V6(net) => Ok(net),
            IpNet::V4(_) => Err(Invalid::new("PG-C16", "an IPv4 subnet stands here", "write it as `subnet`")),
        }
    }
}

impl Word for IpNet {
    const FORM: Form = Form::new(
        "a subnet of either family",
        "^[0-9A-Fa-f:.]+/[0-9]{1,3}$",
        &["10.0.10.0/24", "fd00:10::/64"],
    );

    fn parse(text: &str) -> Result<Self, Invalid> {
        parse_subnet(text, "10.0.10.0/24")
    }
}

/// `IPv4` or `IPv6`, and the key of a network's subnet of that family.
#[must_use]
pub fn family(address: IpAddr) -> (&'static str, &'static str) {
    match address {
        IpAddr::V4(_) => (Ipv4Addr::NAME, "subnet"),
        IpAddr::V6(_) => (Ipv6Addr::NAME, "subnet6"),
    }
}

/// The broadcast address of an IPv4 subnet: its last address (RFC 919). Subnets of /31 (RFC 3021), /32 and IPv6 have none.
#[must_use]
pub fn broadcast(net: IpNet) -> Option<IpAddr> {
    (net.addr().is_ipv4() && net.prefix_len() < 31).then(|| net.broadcast())
}

/// Whether `address` stands for `net` as a whole: the network address of IPv4, the subnet-router anycast address of IPv6
/// (RFC 4291 section 2.6.1).
#[must_use]
pub fn is_network_address(net: IpNet, address: IpAddr) -> bool {
    let point_to_point = net.max_prefix_len() - net.prefix_len() < 2;
    !point_to_point && net.network() == address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_teach() {
        assert_eq!(Ipv4Addr::parse("10.0.0.010").unwrap_err().code, "PG-A10");
        assert_eq!(Ipv4Addr::parse("10.0.0.256").unwrap_err().code, "PG-A04");
        assert_eq!(Ipv4Addr::parse("fd00::1").unwrap_err().code, "PG-C16");
        assert_eq!(Ipv6Addr::parse("::ffff:10.0.0.1").unwrap_err().code, "PG-C16");
        assert_eq!(IpAddr::parse("fe80::1%eth0").unwrap_err().code, "PG-C16");
        assert_eq!(Ipv4Net::parse("10.0.0.5/24").unwrap_err().help, "write `10.0.0.0/24`");
        assert_eq!(Ipv4Net::parse("10.0.300.0/24").unwrap_err().code, "PG-A04");
        assert_eq!(Ipv4Net::parse("10.0.300.0/24").unwrap_err().help, "write one such as `10.0.100.0/24`");
        assert_eq!(Ipv6Net::parse("fd00:g::/64").unwrap_err().help, "write one such as `fd00:100::/64`");
        assert!(Ipv6Net::parse("fd00:100::/64").is_ok());
    }

    #[test]
    fn special_addresses_of_a_subnet() {
        let net = |text: &str| text.parse::<IpNet>().unwrap();
        assert_eq!(broadcast(net("10.0.0.0/24")), Some("10.0.0.255".parse().unwrap()));
        assert_eq!(broadcast(net("10.0.0.0/31")), None);
        assert_eq!(broadcast(net("fd00::/64")), None);
        assert!(is_network_address(net("fd00::/64"), "fd00::".parse().unwrap()));
        assert!(!is_network_address(net("10.0.0.0/31"), "10.0.0.0".parse().unwrap()));
    }
}
