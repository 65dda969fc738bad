//! The files of a signer: certificates and key.

use std::path::PathBuf;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::certificate::SignerCertificate;
use super::private_key::SignerKey;
use super::signer::CmsSigner;

/// The paths of a signer's files, each PEM.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignerFiles {
    /// The certificate of the signer, with or without that of the CA after it.
    pub signer: PathBuf,
    /// The certificate of the CA, unless it follows the signer's.
    pub ca: Option<PathBuf>,
    /// The private key of the signer.
    pub key: PathBuf,
}

impl SignerFiles {
    /// Reads the files of a signer whose certificates must be valid at `now`.
    ///
    /// # Errors
    /// When a file can't be read, or iPXE would accept no signature by this signer.
    pub fn open(&self, now: OffsetDateTime) -> Result<CmsSigner> {
        let certificate = SignerCertificate::open(&self.signer, self.ca.as_deref())?;
        certificate.check_time(now)?;
        CmsSigner::new(certificate, SignerKey::open(&self.key)?)
    }
}
