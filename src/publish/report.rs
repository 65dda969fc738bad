//! The requirements of a verification, and its report.

use serde::Serialize;
use time::OffsetDateTime;

use super::fault::Fault;
use super::publication::Publication;
use super::request::ClusterNames;
use super::signers::Signers;
use crate::fs::Sha256Sum;
use crate::sign::SignerCertificate;

/// Requirements beyond the content of files.
#[derive(Clone, Copy, Debug)]
pub struct VerifyRequirements<'a> {
    /// The present time.
    pub now: OffsetDateTime,
    /// The least number of the current generation: of every channel, or of the bundles for one base.
    pub least: &'a [(Option<String>, u64)],
    /// Keys, one of which must have signed every bundle and every publication.
    pub signers: Option<&'a Signers>,
    /// The signer by whom everything that machines boot must be signed; none where the inventory names none.
    pub boot_signer: Option<&'a SignerCertificate>,
    /// Names of the cluster whose machines boot; none to ask only that all current generations are of one cluster.
    pub cluster: Option<ClusterNames<'a>>,
}

/// A generation, or a bundle outside of a web root, that was verified.
#[derive(Clone, Debug, Serialize)]
pub struct VerifiedGeneration {
    /// Path in the web root, `nixos/worker/<id>`; empty for a bundle outside of a web root.
    pub path: String,
    /// Id of the generation.
    pub id: Sha256Sum,
    /// Whether machines boot this generation.
    #[serde(rename = "current")]
    pub is_current: bool,
    /// Number and dates of the generation, where they can be read.
    #[serde(flatten)]
    pub publication: Option<Publication>,
}

/// The report of a verification.
#[derive(Clone, Debug, Default, Serialize)]
pub struct VerifyReport {
    /// The generations; those of a channel with the highest number first.
    pub generations: Vec<VerifiedGeneration>,
    /// All faults, sorted by path.
    pub faults: Vec<Fault>,
}
