//! The files of a signer: certificates and key.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::certificate::SignerCertificate;
use super::private_key::{SignerKey, read_key};
use super::signer::CmsSigner;
use crate::fs::{TEXT_LIMIT, read_input_text};

/// The paths of a signer's files, each PEM.
#[derive(Clone, Debug)]
pub struct SignerFiles {
    /// The certificate of the signer, with or without that of the CA after it.
    pub signer: PathBuf,
    /// The certificate of the CA, unless it follows the signer's.
    pub ca: Option<PathBuf>,
    /// The private key of the signer: a file that only its owner can read, or a pipe of the shell.
    pub key: PathBuf,
}

/// The contents of a signer's files, for a process that can't look at the files itself, such as the lab in a user namespace.
/// `Debug` is redacted, and the key is overwritten when it is dropped.
#[derive(Clone, Serialize, Deserialize)]
pub struct SignerTexts {
    signer: String,
    ca: Option<String>,
    #[serde(serialize_with = "serialize_key", deserialize_with = "deserialize_key")]
    key: Zeroizing<String>,
}

impl fmt::Debug for SignerTexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignerTexts(redacted)")
    }
}

fn serialize_key<S: Serializer>(key: &Zeroizing<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(key)
}

fn deserialize_key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(deserializer).map(Zeroizing::new)
}

impl SignerFiles {
    /// Reads the files.
    ///
    /// # Errors
    /// When a file can't be read, or others can read or replace that of the key.
    pub fn read(&self) -> Result<SignerTexts> {
        let read = |path: &Path| {
            read_input_text(path, TEXT_LIMIT)
                .with_context(|| format!("could not read the certificate {}", path.display()))
        };
        let (signer, ca) = (read(&self.signer)?, self.ca.as_deref().map(read).transpose()?);
        Ok(SignerTexts { signer, ca, key: read_key(&self.key)? })
    }

    /// Reads the files of a signer whose certificates must be valid at `now`.
    ///
    /// # Errors
    /// When a file can't be read, or iPXE would accept no signature by this signer.
    pub fn open(&self, now: OffsetDateTime) -> Result<CmsSigner> {
        self.read()?.open(now).with_context(|| {
            format!(
                "could not sign with the certificate {} and the key {}",
                self.signer.display(),
                self.key.display()
            )
        })
    }
}

impl SignerTexts {
    /// Reads the texts of a signer whose certificates must be valid at `now`.
    ///
    /// # Errors
    /// When iPXE would accept no signature by this signer.
    pub fn open(&self, now: OffsetDateTime) -> Result<CmsSigner> {
        let certificate = SignerCertificate::from_pem(&self.signer, self.ca.as_deref())?;
        certificate.check_time(now)?;
        CmsSigner::new(certificate, SignerKey::from_pem(&self.key)?)
    }
}
