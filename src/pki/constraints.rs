//! The name constraints of a CA: the names and addresses that it may vouch for (RFC 5280 section 4.2.1.10).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::{Context, bail};
use ipnet::IpNet;
use x509_parser::extensions::{GeneralName, GeneralSubtree};

use super::request::{LOCALHOST, LeafRequest};
use crate::model::escape_line;

/// The subnets that plasmagen permits every CA: loopbacks, and the private blocks that an inventory's networks lie in (RFC
/// 1918, RFC 6598, RFC 4193). No public server has an address there.
const PRIVATE: [&str; 7] =
    ["10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"];

/// Widens each of `subnets` to the private block that it lies in; other subnets stay as they are. The result has no more
/// subnets than needed.
#[must_use]
pub(super) fn widen(subnets: impl IntoIterator<Item = IpNet>) -> Vec<IpNet> {
    let blocks = private_blocks();
    let widened = subnets.into_iter().map(|subnet| {
        let block = blocks.iter().find(|block| block.contains(&subnet));
        block.copied().unwrap_or(subnet)
    });
    IpNet::aggregate(&widened.collect())
}

/// Whether `subnet` is wider than any network that a cluster may have, and no private block.
#[must_use]
pub fn is_wide(subnet: IpNet) -> bool {
    let is_private = private_blocks().iter().any(|block| block.contains(&subnet));
    !is_private && Subtrees { subnets: vec![subnet], ..Subtrees::default() }.is_vast()
}

/// The blocks of [`PRIVATE`].
fn private_blocks() -> Vec<IpNet> {
    PRIVATE.iter().filter_map(|block| block.parse().ok()).collect()
}

/// The name constraints of a CA. A CA with empty constraints may vouch for everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameConstraints {
    /// Where these are not empty, every dNSName must be one of these domains or below one, and every iPAddress in one of
    /// these subnets.
    pub permitted: Subtrees,
    /// Names and addresses that are refused even where they are permitted.
    pub excluded: Subtrees,
    /// Whether the extension is critical: clients that do not know name constraints refuse the CA, instead of ignoring them.
    pub is_critical: bool,
}

/// The names and addresses in name constraints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subtrees {
    /// Domains. Each stands for itself and for every name below.
    pub domains: Vec<String>,
    /// Subnets of both address families.
    pub subnets: Vec<IpNet>,
}

impl NameConstraints {
    /// Lists the names and addresses of `request` that a CA with these constraints may not vouch for.
    #[must_use]
    pub fn refused(&self, request: &LeafRequest) -> Vec<String> {
        let names = request.dns_names().iter().filter(|name| {
            let permitted = &self.permitted.domains;
            let below = |domain: &String| is_below(name, domain);
            !(permitted.is_empty() || permitted.iter().any(below)) || self.excluded.domains.iter().any(below)
        });
        let addresses = request.addresses().iter().filter(|address| {
            let permitted = &self.permitted.subnets;
            let within = |subnet: &IpNet| subnet.contains(*address);
            !(permitted.is_empty() || permitted.iter().any(within))
                || self.excluded.subnets.iter().any(within)
        });
        names.cloned().chain(addresses.map(ToString::to_string)).collect()
    }

    /// Finds what these constraints do not limit: names, or addresses of one family; none where they limit all three. A
    /// client accepts everything of a kind that is not permitted in part.
    #[must_use]
    pub fn find_unlimited(&self) -> Option<&'static str> {
        let Subtrees { domains, subnets } = &self.permitted;
        let is_limited = |v6: bool| subnets.iter().any(|net| net.network().is_ipv6() == v6);
        if domains.is_empty() {
            Some("names")
        } else if !(is_limited(false) || is_limited(true)) {
            Some("addresses")
        } else {
            None
        }
    }

    /// Lists the permitted names and subnets that lie neither in `domains`, in `subnets` and `localhost`, nor in a private
    /// block: plasmagen makes no CA of the cluster with these domains and subnets that may vouch for them.
    #[must_use]
    pub fn find_excess(&self, domains: &[&str], subnets: &[IpNet]) -> Subtrees {
        let is_needed = |name: &&String| {
            let name = name.trim_matches('.');
            !name.is_empty() && domains.iter().chain(&[LOCALHOST]).any(|domain| is_below(name, domain))
        };
        let private = private_blocks();
        let is_inside = |net: &&IpNet| private.iter().chain(subnets).any(|block| block.contains(*net));
        let Subtrees { domains, subnets } = &self.permitted;
        Subtrees {
            domains: domains.iter().filter(|name| !is_needed(name)).cloned().collect(),
            subnets: subnets.iter().filter(|net| !is_inside(net)).copied().collect(),
        }
    }

    pub(super) fn read(
        permitted: Option<&[GeneralSubtree<'_>]>,
        excluded: Option<&[GeneralSubtree<'_>]>,
        is_critical: bool,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            permitted: Subtrees::read(permitted.unwrap_or_default())?,
            excluded: Subtrees::read(excluded.unwrap_or_default())?,
            is_critical,
        })
    }
}

impl Subtrees {
    /// Lists the domains, and then the subnets.
    #[must_use]
    pub fn list(&self) -> Vec<String> {
        self.domains.iter().cloned().chain(self.subnets.iter().map(ToString::to_string)).collect()
    }

    /// Whether the subnets of one address family hold more addresses together than any network that a cluster had may hold:
    /// more than a /8 of IPv4, or a /16 of IPv6.
    #[must_use]
    pub fn is_vast(&self) -> bool {
        let count = |v6: bool| {
            let nets = self.subnets.iter().filter(|net| net.network().is_ipv6() == v6);
            let sizes = nets.map(|net| 1_u128.checked_shl((net.max_prefix_len() - net.prefix_len()).into()));
            sizes.fold(0_u128, |sum, size| sum.saturating_add(size.unwrap_or(u128::MAX)))
        };
        count(false) > 1 << (32 - 8) || count(true) > 1 << (128 - 16)
    }

    fn read(subtrees: &[GeneralSubtree<'_>]) -> anyhow::Result<Self> {
        let mut read = Self::default();
        for subtree in subtrees {
            match subtree.base {
                GeneralName::DNSName(name) => {
                    read.domains.push(escape_line(&name.to_ascii_lowercase()).into_owned());
                }
                GeneralName::IPAddress(octets) => read.subnets.push(parse_subnet(octets)?),
                // Constraints on kinds of names that plasmagen's certificates never have.
                _ => {}
            }
        }
        Ok(read)
    }
}

/// Whether `name` is `domain`, or adds labels to its left.
fn is_below(name: &str, domain: &str) -> bool {
    domain.is_empty()
        || name
            .strip_suffix(domain)
            .is_some_and(|left| left.is_empty() || left.ends_with('.') || domain.starts_with('.'))
}

/// Parses an address followed by its mask, the form of the RFC.
fn parse_subnet(octets: &[u8]) -> anyhow::Result<IpNet> {
    let (address, mask): (IpAddr, IpAddr) = match *octets {
        [a, b, c, d, e, f, g, h] => (Ipv4Addr::new(a, b, c, d).into(), Ipv4Addr::new(e, f, g, h).into()),
        _ => match <[u8; 32]>::try_from(octets) {
            Ok(both) => {
                let (address, mask) = both.split_at(16);
                let v6 =
                    |half: &[u8]| <[u8; 16]>::try_from(half).map(|half| IpAddr::from(Ipv6Addr::from(half)));
                (v6(address)?, v6(mask)?)
            }
            Err(_) => {
                bail!("a name constraint on addresses has {} bytes: 8 and 32 are possible", octets.len())
            }
        },
    };
    IpNet::with_netmask(address, mask).context("a name constraint on addresses has a mask with holes")
}
