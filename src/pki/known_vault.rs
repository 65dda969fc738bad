//! The public halves of what a vault holds.

use std::collections::HashMap;
use std::path::PathBuf;

use super::read::PublicCert;
use crate::model::HostName;

/// The public halves of what a vault holds.
#[derive(Clone, Debug)]
pub struct KnownVault {
    /// The directory of the vault.
    pub dir: PathBuf,
    /// The certificates of the CAs of all generations.
    pub authorities: Vec<PublicCert>,
    /// The public keys of nodes, by the node's name: the DER of the SubjectPublicKeyInfo.
    pub keys: HashMap<HostName, Vec<u8>>,
}
