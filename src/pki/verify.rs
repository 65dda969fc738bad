//! Verifies who signed a certificate.

use anyhow::{anyhow, ensure};

use super::read::{PublicCert, parse};

impl PublicCert {
    /// Whether the issuer's name is that of `ca`, and the signature is by the key of `ca`. That takes about 0.1 ms.
    #[must_use]
    pub fn is_signed_by(&self, ca: &Self) -> bool {
        let (Ok(leaf), Ok(issuer)) = (parse(&self.der), parse(&ca.der)) else { return false };
        leaf.issuer().as_raw() == issuer.subject().as_raw()
            && leaf.verify_signature(Some(issuer.public_key())).is_ok()
    }

    /// Verifies that `ca` signed this certificate: the key ids agree, the names agree, and the signature is good (RFC 5280
    /// section 6.1.3). That takes about 0.1 ms; dates and name constraints are not compared.
    ///
    /// # Errors
    /// When one of the three fails: the message says which.
    pub fn verify_signed_by(&self, ca: &Self) -> anyhow::Result<()> {
        let (leaf, issuer) = (parse(&self.der)?, parse(&ca.der)?);
        ensure!(
            ca.is_ca(),
            "{} is not a CA, so it cannot have signed the certificate of {}",
            ca.name(),
            self.name()
        );
        ensure!(
            leaf.issuer().as_raw() == issuer.subject().as_raw(),
            "the certificate of {} was issued by {}, not by {}",
            self.name(),
            self.issuer,
            ca.subject
        );
        ensure!(
            self.authority_key_id.is_some() && self.authority_key_id == ca.subject_key_id,
            "the certificate of {} was signed by another CA of the same name, {}: their key ids differ",
            self.name(),
            ca.subject
        );
        leaf.verify_signature(Some(issuer.public_key())).map_err(|_| {
            anyhow!(
                "the signature in the certificate of {} is not from {}: it was altered",
                self.name(),
                ca.subject
            )
        })
    }
}
