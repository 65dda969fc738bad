//! Verifies signatures as iPXE does: the certificates in a message count, at the present time.

use anyhow::{Context, Result, ensure};
use time::OffsetDateTime;

use super::acceptance::{check_ca, check_signer, check_time, describe};
use super::certificate::SignerCertificate;
use super::message::{Message, SIGN_AGAIN};
use crate::fs::Sha256Sum;
use crate::pki::PublicCert;

impl SignerCertificate {
    /// Verifies that iPXE accepts `signature`, the DER of a CMS message, at the time `now` for the content with the digest
    /// `sha256`. The signer may have another certificate than this one, if the CA issued it: an earlier one of the same
    /// key, or that of another signer. Returns the last second in which iPXE accepts the signature.
    ///
    /// # Errors
    /// When iPXE does not accept the signature: the message says why, to be read after the name of the signature.
    pub fn verify_as_ipxe(
        &self,
        sha256: Sha256Sum,
        signature: &[u8],
        now: OffsetDateTime,
    ) -> Result<OffsetDateTime> {
        let message = Message::parse(signature)?;
        if message.find_signer() == Some(self.signer.der()) {
            self.check_contained(&message)?;
            self.check_time(now)?;
            message.check_signature(&self.key, sha256)?;
            return Ok(self.end());
        }
        let signer = read_signer(&message)?;
        ensure!(
            signer.is_signed_by(&self.ca),
            "it is by {}, whose certificate was not issued by the CA {}: {SIGN_AGAIN}",
            describe(&signer),
            describe(&self.ca)
        );
        self.check_contained(&message)?;
        verify_by(&signer, &self.ca, sha256, &message, now)
    }
}

/// Verifies `signature` as an iPXE does that trusts the CA whose certificate is in the message: whoever made the signature,
/// the message is whole, valid at the time `now`, and over the content with the digest `sha256`. Returns the last second in which
/// that iPXE accepts the signature.
///
/// # Errors
/// When no iPXE accepts the signature: the message says why, to be read after the name of the signature.
pub fn verify_by_any_ca(sha256: Sha256Sum, signature: &[u8], now: OffsetDateTime) -> Result<OffsetDateTime> {
    let message = Message::parse(signature)?;
    let signer = read_signer(&message)?;
    let others = message.certificates.iter().filter_map(|der| PublicCert::from_der(der).ok());
    let ca = others.into_iter().find(|ca| ca.der() != signer.der() && signer.is_signed_by(ca));
    let ca = ca.with_context(|| {
        format!("it lacks the certificate of the CA {}, which iPXE asks for: {SIGN_AGAIN}", signer.issuer)
    })?;
    check_ca(&ca)?;
    verify_by(&signer, &ca, sha256, &message, now)
}

fn read_signer(message: &Message) -> Result<PublicCert> {
    let signer = message.find_signer();
    let signer = signer.with_context(|| format!("it lacks the certificate of its signer: {SIGN_AGAIN}"))?;
    PublicCert::from_der(signer)
        .with_context(|| format!("its signer's certificate is unreadable: {SIGN_AGAIN}"))
}

/// Verifies the signature in `message` by the certificate `signer`, which `ca` has issued.
fn verify_by(
    signer: &PublicCert,
    ca: &PublicCert,
    sha256: Sha256Sum,
    message: &Message,
    now: OffsetDateTime,
) -> Result<OffsetDateTime> {
    let key = check_signer(signer)?;
    check_time(signer, ca, now)?;
    message.check_signature(&key, sha256)?;
    Ok(signer.not_after.min(ca.not_after))
}
