//! The certificates of a signer and of the CA.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use time::OffsetDateTime;

use super::acceptance::{ISSUE_AGAIN, check_ca, check_signer, check_time, describe};
use super::message::{Message, SIGN_AGAIN};
use super::public_key::SignerPublicKey;
use crate::fs::{Sha256Sum, TEXT_LIMIT, read_input_text};
use crate::pki::PublicCert;

/// The certificate of the signer, and that of the CA, in which iPXE trusts.
#[derive(Clone, Debug)]
pub struct SignerCertificate {
    pub(super) signer: PublicCert,
    pub(super) ca: PublicCert,
    pub(super) key: SignerPublicKey,
}

impl SignerCertificate {
    /// Reads the signer's certificate, and that of the CA, from the file `path`.
    ///
    /// # Errors
    /// As for [`SignerCertificate::from_pem`], and when the file can't be read.
    pub fn open(path: &Path) -> Result<Self> {
        let shown = path.display();
        let text = read_input_text(path, TEXT_LIMIT)
            .with_context(|| format!("could not read the certificate {shown}"))?;
        Self::from_pem(&text, None).with_context(|| format!("could not use the certificate {shown}"))
    }

    /// Reads the signer's certificate from the text of a PEM file. The CA's certificate is in `ca`, the text of another
    /// file, or follows the signer's.
    ///
    /// # Errors
    /// When the CA's certificate is missing, or iPXE would accept no signature by this signer, whatever the time.
    pub fn from_pem(signer: &str, ca: Option<&str>) -> Result<Self> {
        let mut all = PublicCert::list_from_pem(signer)?;
        ensure!(
            matches!(all.len(), 1 | 2),
            "expected the certificate of the signer (-----BEGIN CERTIFICATE-----), and that of the CA after it, and found {} \
             certificates",
            all.len()
        );
        let mut issuer = if all.len() == 2 { all.pop() } else { None };
        let signer = all.remove(0);
        if let Some(second) = &issuer {
            ensure!(
                signer.der() == second.der() || !second.is_signed_by(&signer),
                "the certificate of the CA {} stands before that of the signer {}: put the signer's first",
                signer.subject,
                second.subject
            );
        }
        if let Some(ca) = ca {
            issuer = Some(PublicCert::from_pem(ca).context("could not read the CA's certificate")?);
        }
        let key = check_signer(&signer)?;
        let ca = issuer.with_context(|| {
            format!(
                "the certificate of the CA is missing, without which iPXE does not trust the signer {}: append it to the \
                 signer's (cat boot-ca.pem >> signer.pem); plasmagen sign also takes it by --ca",
                signer.subject
            )
        })?;
        check_ca(&ca)?;
        ensure!(
            ca.der() != signer.der() && signer.is_signed_by(&ca),
            "the certificate of the signer {} was issued by {}, and not by the CA {}: name the CA that issued it, or \
             {ISSUE_AGAIN}",
            signer.subject,
            signer.issuer,
            describe(&ca)
        );
        Ok(Self { signer, ca, key })
    }

    /// The distinguished name of the signer.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.signer.subject
    }

    /// The certificate of the signer.
    #[must_use]
    pub fn signer(&self) -> &PublicCert {
        &self.signer
    }

    /// The certificate of the CA that issued the signer's.
    #[must_use]
    pub fn ca(&self) -> &PublicCert {
        &self.ca
    }

    /// The certificates that a message contains, as DER: the signer's first.
    pub(super) fn chain(&self) -> Vec<&[u8]> {
        [&self.signer, &self.ca].map(PublicCert::der).to_vec()
    }

    /// Refuses certificates that are not valid at `now`.
    ///
    /// # Errors
    /// The message says when the certificate is valid, and how to issue another.
    pub fn check_time(&self, now: OffsetDateTime) -> Result<()> {
        check_time(&self.signer, &self.ca, now)
    }

    /// The last second in which machines accept signatures with these certificates.
    #[must_use]
    pub fn end(&self) -> OffsetDateTime {
        self.signer.not_after.min(self.ca.not_after)
    }

    /// Verifies that `signature`, the DER of a CMS message, is with this certificate over the content with the digest
    /// `sha256`. Machines also accept another certificate by the same CA: [`SignerCertificate::verify_as_ipxe`].
    ///
    /// # Errors
    /// When the signature is not: the message says why, to be read after the name of the signature.
    pub fn verify(&self, sha256: Sha256Sum, signature: &[u8]) -> Result<()> {
        let message = Message::parse(signature)?;
        if let Some(other) = message.find_signer().filter(|signer| *signer != self.signer.der()) {
            let other =
                PublicCert::from_der(other).map_or_else(|_| "another".to_owned(), |other| describe(&other));
            anyhow::bail!("it is by {other}, and not by {}: {SIGN_AGAIN}", describe(&self.signer));
        }
        self.check_contained(&message)?;
        message.check_signature(&self.key, sha256)
    }

    /// Refuses a message without the certificates of its signer and of this CA.
    pub(super) fn check_contained(&self, message: &Message) -> Result<()> {
        let signer = message.find_signer();
        signer.with_context(|| format!("it lacks the certificate of its signer: {SIGN_AGAIN}"))?;
        ensure!(
            message.certificates.iter().any(|der| der == self.ca.der()),
            "it lacks the certificate of the CA {}, which iPXE knows by the fingerprint only: {SIGN_AGAIN}",
            describe(&self.ca)
        );
        Ok(())
    }
}
