//! A signer: certificates together with the key.

use anyhow::{Context, Result, ensure};

use super::certificate::SignerCertificate;
use super::message::write;
use super::private_key::SignerKey;
use crate::fs::Sha256Sum;

/// A signer of what machines boot.
#[derive(Debug)]
pub struct CmsSigner {
    certificate: SignerCertificate,
    key: SignerKey,
}

impl CmsSigner {
    /// Joins certificate and key.
    ///
    /// # Errors
    /// When the key is not that of the certificate.
    pub fn new(certificate: SignerCertificate, key: SignerKey) -> Result<Self> {
        ensure!(
            key.public() == certificate.key,
            "the key is not that of the signer {}: its certificate is for another key. Name the key with which signer.csr was \
             made",
            certificate.name()
        );
        Ok(Self { certificate, key })
    }

    /// The signer's certificate.
    #[must_use]
    pub fn certificate(&self) -> &SignerCertificate {
        &self.certificate
    }

    /// Signs the content with the digest `sha256`; returns the DER of a detached CMS message. The same content gives the
    /// same message.
    ///
    /// # Errors
    /// When the key can't sign, or the signature does not verify.
    pub fn sign(&self, sha256: Sha256Sum) -> Result<Vec<u8>> {
        let signature = self.key.sign(sha256)?;
        let message = write(&self.certificate.chain(), self.key.algorithm(), signature)?;
        // A faulty computation must neither be published nor tell of the key.
        self.certificate.verify(sha256, &message).context("the new signature does not verify")?;
        Ok(message)
    }
}
