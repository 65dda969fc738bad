//! Whether certificates are a cluster's: the CAs that a cluster publishes, and which of them signed a certificate. Pure.

use std::fmt;
use std::path::PathBuf;

use crate::model::Cluster;

use super::read::PublicCert;

/// The CAs of a vault, without their keys.
#[derive(Clone, Debug)]
pub struct KnownAuthorities {
    /// The directory of the vault.
    pub vault: PathBuf,
    /// The certificates of all generations.
    pub authorities: Vec<PublicCert>,
}

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

/// Finds why `ca` is not accepted as a CA of `cluster`: by name, signature and name constraints, and by the vault's CAs
/// where `known` has some.
#[must_use]
pub fn find_ca_fault(
    ca: &PublicCert,
    cluster: &Cluster,
    known: Option<&KnownAuthorities>,
) -> Option<CaFault> {
    let name = || ca.name().to_owned();
    let signed_for = ca.cluster_name();
    if signed_for != Some(cluster.name.as_str()) {
        return Some(CaFault::OtherCluster { ca: name(), cluster: signed_for.map(str::to_owned) });
    }
    if !ca.is_signed_by(ca) {
        return Some(CaFault::NotSigned { ca: name() });
    }
    if let Some(what) = ca.constraints.find_unlimited() {
        return Some(CaFault::Unlimited { ca: name(), what });
    }
    let known = known.filter(|known| !known.authorities.is_empty())?;
    let is_known = known.authorities.iter().any(|other| other.public_key == ca.public_key);
    let of_others = || known.authorities.iter().map(PublicCert::cluster_name).find(|of| *of != signed_for);
    let other = || of_others().flatten().map(str::to_owned);
    (!is_known).then(|| CaFault::NotInVault { ca: name(), vault: known.vault.clone(), other: other() })
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
