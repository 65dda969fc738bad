//! The requests of certificates. Pure, and strict: rcgen would sign `"x\ny"`, `"a b"` and `""` as host names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::ensure;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::model::{KeyAlgorithm, LONGEST_LABEL, has_label_form};

/// The name by which programs on a node call the node itself.
pub(super) const LOCALHOST: &str = "localhost";

/// The longest common name (`ub-common-name`, RFC 5280 appendix A.1).
pub(super) const MAX_COMMON_NAME: usize = 64;

/// The longest name of a cluster, in bytes: its CA is called `<cluster> CA <generation>`, up to the generation 99.
pub const LONGEST_CLUSTER_NAME: usize = MAX_COMMON_NAME - " CA 99".len();

/// The request of a new CA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaRequest {
    pub(super) common_name: String,
    pub(super) permitted_names: Vec<String>,
    pub(super) permitted_addresses: Vec<IpNet>,
    pub(super) algorithm: KeyAlgorithm,
    pub(super) days: u32,
}

impl CaRequest {
    /// Requests the CA `"<cluster> CA <generation>"`, valid for `days` days, which may vouch for `domain` and every name
    /// below, for `localhost`, for the addresses in `subnets` and for both loopbacks: for nothing else (RFC 5280 section
    /// 4.2.1.10). Both address families are always stated, since a family without constraints would be permitted.
    ///
    /// A rotated CA has the next generation in its name: two CAs of one name would differ by their key ids only.
    ///
    /// # Errors
    /// When `domain` is no host name, the common name is no printable ASCII of at most 64 bytes, or `days` is zero.
    pub fn new(
        cluster: &str,
        generation: u32,
        domain: &str,
        subnets: &[IpNet],
        algorithm: KeyAlgorithm,
        days: u32,
    ) -> anyhow::Result<Self> {
        let common_name = format!("{cluster} CA {generation}");
        ensure!(
            !cluster.is_empty() && common_name.bytes().all(|b| b == b' ' || b.is_ascii_graphic()),
            "the cluster name {cluster:?} cannot name a CA: it must be printable ASCII"
        );
        ensure!(
            common_name.len() <= MAX_COMMON_NAME,
            "{common_name:?} is too long for the name of a CA, which has at most {MAX_COMMON_NAME} characters \
             (X.520): shorten the name of the cluster"
        );
        check_days(days)?;
        let mut permitted_addresses: Vec<IpNet> = subnets.iter().map(IpNet::trunc).collect();
        permitted_addresses.push(Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8).into());
        permitted_addresses.push(Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128).into());
        permitted_addresses.sort_unstable();
        permitted_addresses.dedup();
        let permitted_names = vec![parse_host_name(domain)?, LOCALHOST.to_owned()];
        Ok(Self { common_name, permitted_names, permitted_addresses, algorithm, days })
    }

    /// Lets the CA vouch for further domains, and every name below them.
    ///
    /// # Errors
    /// When one of `domains` is no host name.
    pub fn with_domains(
        mut self,
        domains: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> anyhow::Result<Self> {
        for domain in domains {
            let domain = parse_host_name(domain.as_ref())?;
            if !self.permitted_names.contains(&domain) {
                self.permitted_names.push(domain);
            }
        }
        Ok(self)
    }
}

/// The request of a node's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafRequest {
    dns_names: Vec<String>,
    addresses: Vec<IpAddr>,
    tolerated_names: Vec<String>,
    tolerated_addresses: Vec<IpAddr>,
    pub(super) algorithm: KeyAlgorithm,
    pub(super) days: u32,
}

impl LeafRequest {
    /// Requests a certificate for the node `fqdn`, valid for `days` days, whose SANs are exactly: `fqdn`, then sorted
    /// `vip_names` and `localhost`, then sorted `addresses`, 127.0.0.1 and `::1`; each once, names in lower case.
    ///
    /// # Errors
    /// When a name is not a full host name in LDH form (RFC 1123 section 2.1), so no short name, no wildcard, no
    /// address and no empty one; when an address is not one that a host can have; when `days` is zero.
    pub fn new(
        fqdn: &str,
        vip_names: impl IntoIterator<Item = impl AsRef<str>>,
        addresses: impl IntoIterator<Item = IpAddr>,
        algorithm: KeyAlgorithm,
        days: u32,
    ) -> anyhow::Result<Self> {
        check_days(days)?;
        let fqdn = parse_full_name(fqdn)?;
        let mut others = vec![LOCALHOST.to_owned()];
        for name in vip_names {
            others.push(parse_full_name(name.as_ref())?);
        }
        others.retain(|name| *name != fqdn);
        others.sort_unstable();
        others.dedup();

        let mut all = vec![IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
        for address in addresses {
            all.push(check_host_address(address)?);
        }
        all.sort_unstable();
        all.dedup();

        let dns_names = std::iter::once(fqdn).chain(others).collect();
        let (tolerated_names, tolerated_addresses) = (Vec::new(), Vec::new());
        Ok(Self { dns_names, addresses: all, tolerated_names, tolerated_addresses, algorithm, days })
    }

    /// Accepts a certificate that also has some of `names` and `addresses`. A new certificate has none of them.
    #[must_use]
    pub fn tolerating(
        mut self,
        names: impl IntoIterator<Item = String>,
        addresses: impl IntoIterator<Item = IpAddr>,
    ) -> Self {
        self.tolerated_names.extend(names);
        self.tolerated_addresses.extend(addresses);
        self
    }

    /// Whether a certificate may have the SAN `name` of type dNSName.
    pub(super) fn accepts_name(&self, name: &String) -> bool {
        self.dns_names.contains(name) || self.tolerated_names.contains(name)
    }

    /// Whether a certificate may have the SAN `address` of type iPAddress.
    pub(super) fn accepts_address(&self, address: &IpAddr) -> bool {
        self.addresses.contains(address) || self.tolerated_addresses.contains(address)
    }

    /// Whether a certificate with exactly the SANs of `former` still answers this request, so that none is issued anew.
    #[must_use]
    pub fn accepts(&self, former: &Self) -> bool {
        self.fqdn() == former.fqdn()
            && self.dns_names.iter().all(|name| former.dns_names.contains(name))
            && self.addresses.iter().all(|address| former.addresses.contains(address))
            && former.dns_names.iter().all(|name| self.accepts_name(name))
            && former.addresses.iter().all(|address| self.accepts_address(address))
    }

    /// The full name of the node.
    #[must_use]
    pub fn fqdn(&self) -> &str {
        &self.dns_names[0]
    }

    /// The SANs of type dNSName: the full name first, the others sorted.
    #[must_use]
    pub fn dns_names(&self) -> &[String] {
        &self.dns_names
    }

    /// The SANs of type iPAddress, sorted, IPv4 first.
    #[must_use]
    pub fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }
}

fn check_days(days: u32) -> anyhow::Result<()> {
    ensure!(days > 0, "a certificate that lives for 0 days is never valid: ask for 1 day or more");
    Ok(())
}

/// Parses a host name of letters, digits and hyphens (RFC 1123 section 2.1), and returns it in lower case.
///
/// Certificates from elsewhere may have names that an inventory may not, so this is not `model::HostName`.
fn parse_host_name(name: &str) -> anyhow::Result<String> {
    let ldh = |label: &str| label.len() <= LONGEST_LABEL && has_label_form(label, b"-");
    ensure!(
        name.len() <= 253 && name.split('.').all(ldh),
        "{name:?} is not a host name: a certificate takes labels of 1 to 63 letters, digits and inner hyphens, joined \
         by single dots, 253 characters in all (RFC 1123)"
    );
    let last = name.rsplit('.').next().unwrap_or(name);
    ensure!(
        !last.bytes().all(|b| b.is_ascii_digit()),
        "{name:?} ends in a number, so TLS clients read it as an IPv4 address and never match it as a name: list \
         addresses as addresses"
    );
    Ok(name.to_ascii_lowercase())
}

/// Parses a host name of two labels or more, and returns it in lower case.
pub(super) fn parse_full_name(name: &str) -> anyhow::Result<String> {
    let full = parse_host_name(name)?;
    ensure!(
        full.contains('.'),
        "{name:?} is a short name, which the CA's name constraints cannot permit: give the full name, such as \
         {name}.example.com"
    );
    Ok(full)
}

/// Refuses an address that no host can have, or that TLS clients would compare as another one.
fn check_host_address(address: IpAddr) -> anyhow::Result<IpAddr> {
    let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    ensure!(
        !(address.is_unspecified() || address.is_multicast() || broadcast),
        "{address} is no address of a host, so no client could ever check a certificate against it"
    );
    ensure!(
        address.to_canonical() == address,
        "{address} is an IPv4-mapped IPv6 address, which TLS clients compare as IPv6: give {}",
        address.to_canonical()
    );
    Ok(address)
}
