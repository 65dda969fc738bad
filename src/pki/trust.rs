//! Whether certificates are a cluster's: the CAs that a cluster publishes, and which of them signed a certificate. Pure.

use std::fmt;
use std::path::PathBuf;

use crate::model::{Cluster, DomainName, Network, Permit, list_few};

use super::known_vault::KnownVault;
use super::read::PublicCert;

/// Why a CA is not accepted as a CA of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaFault {
    /// The CA bears the name of another cluster.
    OtherCluster {
        /// The name of the CA.
        ca: String,
        /// The name of that other cluster; none where plasmagen gives no CA such a name.
        cluster: Option<String>,
    },
    /// The signature of the CA's certificate is not by the CA's key.
    NotSigned {
        /// The name of the CA.
        ca: String,
    },
    /// The CA's certificate leaves names or addresses unlimited.
    Unlimited {
        /// The name of the CA.
        ca: String,
        /// The unlimited kind: names or addresses.
        what: &'static str,
    },
    /// The CA's name constraints are not critical.
    NotCritical {
        /// The name of the CA.
        ca: String,
    },
    /// The CA may vouch for more than plasmagen permits the CA of the cluster.
    TooWide {
        /// The name of the CA.
        ca: String,
        /// The names and subnets that are too much.
        excess: Vec<String>,
    },
    /// The CA may vouch for subnets that no network has, and that a network may have had when the CA was made.
    UnusedSubnets {
        /// The name of the CA.
        ca: String,
        /// The subnets.
        subnets: Vec<String>,
    },
    /// The vault holds other CAs.
    NotInVault {
        /// The name of the CA.
        ca: String,
        /// The directory of the vault.
        vault: PathBuf,
        /// The other cluster whose vault that is; none where its CAs are this cluster's.
        other: Option<String>,
    },
}

impl CaFault {
    /// Whether a CA with this fault is refused. A network that was removed or narrowed since the CA was made leaves a CA that
    /// is sound, and only the vault could say so for certain.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        !matches!(self, Self::UnusedSubnets { .. })
    }
}

impl fmt::Display for CaFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherCluster { ca, cluster: Some(cluster) } => {
                write!(f, "`{ca}`, which is the CA of another cluster, `{cluster}`")
            }
            Self::OtherCluster { ca, cluster: None } => write!(f, "`{ca}`, which is no CA of this cluster"),
            Self::NotSigned { ca } => {
                write!(
                    f,
                    "`{ca}`, whose own signature does not verify: the certificate was altered or forged"
                )
            }
            Self::Unlimited { ca, what } => {
                write!(f, "`{ca}`, whose name constraints do not limit the {what} that it may vouch for")
            }
            Self::NotCritical { ca } => write!(
                f,
                "`{ca}`, whose name constraints are not critical: clients that do not know them let it vouch for everything"
            ),
            Self::TooWide { ca, excess } => write!(
                f,
                "`{ca}`, which may vouch for {}: neither the cluster's domain, nor its networks, nor private addresses",
                list_quoted(excess)
            ),
            Self::UnusedSubnets { ca, subnets } => write!(
                f,
                "`{ca}`, which may vouch for {}: neither the cluster's networks, nor private addresses",
                list_quoted(subnets)
            ),
            Self::NotInVault { ca, vault, other } => {
                let vault = vault.display();
                match other {
                    Some(other) => write!(f, "`{ca}`, and {vault} is the vault of cluster `{other}`"),
                    None => write!(f, "`{ca}`, which the vault {vault} does not hold"),
                }
            }
        }
    }
}

/// Lists the first few of `names`, each between backticks.
fn list_quoted(names: &[String]) -> String {
    list_few(&names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>())
}

/// Finds why `ca` is not accepted as a CA of `cluster`: by name, signature and name constraints, and by the CAs of the
/// vault where `known` is at hand.
#[must_use]
pub fn find_ca_fault(ca: &PublicCert, cluster: &Cluster, known: Option<&KnownVault>) -> Option<CaFault> {
    let name = || ca.name().to_owned();
    let signed_for = ca.cluster_name();
    if !signed_for.is_some_and(|name| cluster.is_called(name)) {
        return Some(CaFault::OtherCluster { ca: name(), cluster: signed_for.map(str::to_owned) });
    }
    if !ca.is_signed_by(ca) {
        return Some(CaFault::NotSigned { ca: name() });
    }
    if let Some(what) = ca.constraints.find_unlimited() {
        return Some(CaFault::Unlimited { ca: name(), what });
    }
    if !ca.constraints.is_critical {
        return Some(CaFault::NotCritical { ca: name() });
    }
    let known = known?;
    let is_known = known.authorities.iter().any(|other| other.public_key == ca.public_key);
    let is_other = |of: &Option<&str>| !of.is_some_and(|name| cluster.is_called(name));
    let of_others = || known.authorities.iter().map(PublicCert::cluster_name).find(is_other);
    let other = || of_others().flatten().map(str::to_owned);
    (!is_known).then(|| CaFault::NotInVault { ca: name(), vault: known.dir.clone(), other: other() })
}

/// Finds whether `ca` may vouch for more than plasmagen permits the CA of `cluster`. The very certificate that the vault
/// holds is plasmagen's, whatever the inventory has become since. Where no vault is at hand, subnets that a network may have
/// had when the CA was made do not refuse the CA.
#[must_use]
pub fn find_wide_fault(ca: &PublicCert, cluster: &Cluster, known: Option<&KnownVault>) -> Option<CaFault> {
    if known.is_some_and(|known| known.authorities.contains(ca)) {
        return None;
    }
    let listed = || cluster.tls.permit.iter().flatten();
    let networks = cluster.networks.values().flat_map(Network::subnets);
    let subnets: Vec<_> = networks.chain(listed().filter_map(Permit::subnet)).collect();
    let further = listed().filter_map(Permit::domain).map(DomainName::as_str);
    let domains: Vec<_> = std::iter::once(cluster.domain.as_str()).chain(further).collect();
    let excess = ca.constraints.find_excess(&domains, &subnets);
    let (name, list) = (ca.name().to_owned(), excess.list());
    if list.is_empty() {
        None
    } else if known.is_none() && excess.domains.is_empty() && !excess.is_vast() {
        Some(CaFault::UnusedSubnets { ca: name, subnets: list })
    } else {
        Some(CaFault::TooWide { ca: name, excess: list })
    }
}

/// The CA that a certificate names, and whether that CA signed the certificate.
#[derive(Clone, Copy, Debug)]
pub struct Issuer<'a> {
    /// The CA, found by the identifier of its key.
    pub ca: &'a PublicCert,
    /// Whether the CA's name is the issuer's, and the signature is by the CA's key.
    pub has_signed: bool,
}

/// Finds the CA that `leaf` names by the identifier of its key: one that signed `leaf`, where several have that identifier,
/// which anybody can write into a certificate.
#[must_use]
pub fn find_issuer<'a>(authorities: &'a [PublicCert], leaf: &PublicCert) -> Option<Issuer<'a>> {
    let id = leaf.authority_key_id.as_ref()?;
    let named = authorities.iter().filter(|ca| ca.subject_key_id.as_ref() == Some(id));
    let candidates = named.map(|ca| Issuer { ca, has_signed: leaf.is_signed_by(ca) });
    candidates.max_by_key(|issuer| issuer.has_signed)
}

/// Reads the CAs in `pem`, the text of a ca-cert.pem, and sorts them by generation: the newest last.
///
/// # Errors
/// As for [`PublicCert::list_from_pem`].
pub fn list_by_generation(pem: &str) -> anyhow::Result<Vec<PublicCert>> {
    let mut authorities = PublicCert::list_from_pem(pem)?;
    authorities.sort_by_key(PublicCert::generation);
    Ok(authorities)
}
