//! The names of addresses: the tree below `in-addr.arpa` (RFC 1035 section 3.5) and the one below `ip6.arpa` (RFC 3596
//! section 2.5).

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use serde::{Serialize, Serializer};

use super::word::{
    Form, Invalid, LONGEST_LABEL, Word, check_identifier, deserialize_word, has_label_form, invalid, word,
};

word! {
    /// The zone of a part of an IPv4 /24, such as `64-26.100.0.10.in-addr.arpa`, which the owner of the /24 has
    /// delegated (RFC 2317).
    DelegatedZone;
}

/// The zone of the names of a network's IPv4 addresses, where that is not the zone of whole octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReverseZone {
    /// No zone of the site: somebody else has the zone of the network's IPv4 addresses.
    None,
    /// A zone that the owner of the /24 has delegated.
    Delegated(DelegatedZone),
}

/// The word of [`ReverseZone::None`].
const NO_ZONE: &str = "none";

impl Word for ReverseZone {
    const FORM: Form = Form::new(
        "the name of a zone that the owner of the /24 has delegated (RFC 2317), or none",
        r"^(none|[a-z0-9]([a-z0-9/_.-]*[a-z0-9])?(\.[0-9]{1,3}){3}\.in-addr\.arpa)$",
        &["64-26.100.0.10.in-addr.arpa", NO_ZONE],
    );

    fn parse(text: &str) -> Result<Self, Invalid> {
        if text == NO_ZONE { Ok(Self::None) } else { DelegatedZone::parse(text).map(Self::Delegated) }
    }
}

impl Serialize for ReverseZone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::None => NO_ZONE,
            Self::Delegated(zone) => zone.as_str(),
        })
    }
}

deserialize_word!(ReverseZone);

/// The longest zone that leaves room for the last octet of an address in a name of 253 bytes.
const LONGEST: usize = 253 - "255.".len();

impl Word for DelegatedZone {
    const FORM: Form = Form::new(
        "the name of a zone that the owner of the /24 has delegated (RFC 2317)",
        r"^[a-z0-9]([a-z0-9/_.-]*[a-z0-9])?(\.[0-9]{1,3}){3}\.in-addr\.arpa$",
        &["64-26.100.0.10.in-addr.arpa"],
    );

    fn parse(text: &str) -> Result<Self, Invalid> {
        let help = "write the name that the owner of the /24 gave you, such as `64-26.100.0.10.in-addr.arpa`";
        check_identifier(text)?;
        let Some((labels, _)) = split(text) else {
            let message = format!("`{text}` is not a zone below that of an IPv4 /24");
            return invalid("PG-A04", message, help);
        };
        let legal = |label: &str| {
            label.len() <= LONGEST_LABEL
                && has_label_form(label, b"/_-")
                && !label.bytes().any(|b| b.is_ascii_uppercase())
        };
        if !labels.split('.').all(legal) || text.len() > LONGEST {
            let message =
                format!("`{text}` is not a zone's name: labels are of a-z, 0-9 and inner `-`, `_`, `/`");
            return invalid("PG-A04", message, help);
        }
        if labels.rsplit('.').next().is_some_and(|label| label.parse::<u8>().is_ok()) {
            return invalid("PG-A04", format!("`{text}` is the name of an address, not of a zone"), help);
        }
        Ok(Self(text.to_owned()))
    }
}

/// The part of `text` before the name of a /24, and that /24.
fn split(text: &str) -> Option<(&str, Ipv4Net)> {
    let mut labels = text.strip_suffix(".in-addr.arpa")?.rsplitn(4, '.');
    let mut octet = || {
        let label = labels.next()?;
        label.parse::<u8>().ok().filter(|octet| octet.to_string() == label)
    };
    let (a, b, c) = (octet()?, octet()?, octet()?);
    Some((labels.next()?, Ipv4Net::new(Ipv4Addr::new(a, b, c, 0), 24).ok()?))
}

impl DelegatedZone {
    /// The /24 whose owner delegates the zone.
    #[must_use]
    pub fn parent(&self) -> Option<Ipv4Net> {
        split(&self.0).map(|(_, net)| net)
    }
}

/// The number of bits that one label stands for, and the longest prefix of a zone.
fn units(net: IpNet) -> (u8, u8) {
    match net {
        IpNet::V4(_) => (8, 24),
        IpNet::V6(_) => (4, 124),
    }
}

/// The blocks whose reverse zones hold the names of the addresses in `net`: `net` cut at the next label, such as a /22 into
/// four /24, or the block around `net` that has a zone, such as the /24 of a /26.
pub fn blocks(net: IpNet) -> impl Iterator<Item = IpNet> {
    let (unit, longest) = units(net);
    let length = net.prefix_len().next_multiple_of(unit).min(longest);
    let whole = if length < net.prefix_len() { net.supernet_of(length) } else { net };
    whole.subnets(length).into_iter().flatten()
}

/// The blocks that `address` may lie in, the smallest first.
pub fn blocks_around(address: IpAddr) -> impl Iterator<Item = IpNet> {
    let (unit, longest) = units(address.into());
    (1..=longest / unit).rev().map(move |labels| IpNet::from(address).supernet_of(labels * unit))
}

/// The name of a block, such as `100.0.10.in-addr.arpa`; an address is a block of one address.
#[must_use]
pub fn name(block: IpNet) -> String {
    let (unit, _) = units(block);
    let labels = usize::from(block.prefix_len() / unit);
    let mut name = String::new();
    match block.network() {
        IpAddr::V4(address) => {
            for octet in address.octets()[..labels].iter().rev() {
                name += &format!("{octet}.");
            }
            name + "in-addr.arpa"
        }
        IpAddr::V6(address) => {
            let octets = address.octets();
            for at in (0..labels).rev() {
                let octet = octets[at / 2];
                name += &format!("{:x}.", if at % 2 == 0 { octet >> 4 } else { octet & 15 });
            }
            name + "ip6.arpa"
        }
    }
}

trait Supernet {
    /// The block with a prefix of that length around this block.
    fn supernet_of(self, length: u8) -> Self;
}

impl Supernet for IpNet {
    fn supernet_of(self, length: u8) -> Self {
        IpNet::new(self.addr(), length).map_or(self, |net| net.trunc())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zones(net: &str) -> Vec<String> {
        blocks(net.parse().unwrap()).map(name).collect()
    }

    #[test]
    fn zones_end_at_octets_and_nibbles() {
        assert_eq!(zones("10.0.0.0/8"), ["10.in-addr.arpa"]);
        assert_eq!(zones("10.0.100.64/26"), ["100.0.10.in-addr.arpa"]);
        assert_eq!(
            zones("10.0.4.0/22"),
            ["4.0.10.in-addr.arpa", "5.0.10.in-addr.arpa", "6.0.10.in-addr.arpa", "7.0.10.in-addr.arpa"]
        );
        let twelve = zones("172.16.0.0/12");
        assert_eq!((twelve.len(), twelve[0].as_str()), (16, "16.172.in-addr.arpa"));
        assert_eq!(twelve[15], "31.172.in-addr.arpa");
        assert_eq!(zones("fd00:100::/64"), ["0.0.0.0.0.0.0.0.0.0.1.0.0.0.d.f.ip6.arpa"]);
        let eight = zones("fd00:0:0:8::/61");
        assert_eq!((eight.len(), eight[7].as_str()), (8, "f.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa"));
        assert_eq!(zones("fd00::12/127"), zones("fd00::10/124"));
    }

    #[test]
    fn addresses_are_named_from_the_end() {
        let name = |address: &str| name(address.parse::<IpAddr>().unwrap().into());
        assert_eq!(name("10.0.200.10"), "10.200.0.10.in-addr.arpa");
        // The example of RFC 3596 section 2.5.
        assert_eq!(
            name("4321:0:1:2:3:4:567:89ab"),
            "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa"
        );
    }

    #[test]
    fn an_address_lies_in_blocks_of_each_size() {
        let around: Vec<_> =
            blocks_around("10.0.200.10".parse().unwrap()).map(|block| block.to_string()).collect();
        assert_eq!(around, ["10.0.200.0/24", "10.0.0.0/16", "10.0.0.0/8"]);
        assert_eq!(blocks_around("fd00::1".parse().unwrap()).count(), 31);
    }

    #[test]
    fn delegated_zones() {
        for good in
            ["64-26.100.0.10.in-addr.arpa", "64/26.100.0.10.in-addr.arpa", "a.b_c.100.0.10.in-addr.arpa"]
        {
            let ReverseZone::Delegated(zone) = ReverseZone::parse(good).unwrap() else { panic!("{good}") };
            assert_eq!(zone.parent().unwrap().to_string(), "10.0.100.0/24", "{good}");
        }
        for bad in [
            "100.0.10.in-addr.arpa",
            "64.100.0.10.in-addr.arpa",
            "64-26.100.0.10.in-addr.arpa.",
            "64-26.100.0.010.in-addr.arpa",
            "64-26.256.0.10.in-addr.arpa",
            "-a.100.0.10.in-addr.arpa",
            "a..100.0.10.in-addr.arpa",
            "a;b.100.0.10.in-addr.arpa",
            "64-26.100.0.10.example.com",
        ] {
            assert_eq!(ReverseZone::parse(bad).unwrap_err().code, "PG-A04", "{bad}");
        }
    }
}
