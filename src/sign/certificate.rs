//! The certificates of a signer and of the CA, as iPXE looks at them.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use time::OffsetDateTime;
use x509_parser::extensions::{KeyUsage, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::message::{Message, SIGN_AGAIN};
use super::public_key::SignerPublicKey;
use crate::fs::{Sha256Sum, TEXT_LIMIT, read_input_text};
use crate::pki::PublicCert;

/// The way out of a certificate that may not sign.
const ISSUE_AGAIN: &str = "issue another for the signer: openssl x509 -req -in signer.csr -CA boot-ca.pem -CAkey boot-ca.key \
                           -days 365 -extfile signer.ext -out signer.pem (docs/bundles.md has signer.csr and signer.ext)";

/// The way out of a certificate that is no CA's.
const MAKE_CA: &str = "make a CA as docs/bundles.md says, with: openssl req -x509 -addext \
                       keyUsage=critical,keyCertSign,cRLSign";

/// The certificate of the signer, and where it is known that of the CA, in which iPXE trusts.
#[derive(Clone, Debug)]
pub struct SignerCertificate {
    signer: PublicCert,
    ca: Option<PublicCert>,
    pub(super) key: SignerPublicKey,
}

impl SignerCertificate {
    /// Reads the signer's certificate from the file `signer`, and the CA's from the file `ca`, or from that of the signer.
    ///
    /// # Errors
    /// As for [`SignerCertificate::from_pem`], and when a file can't be read.
    pub fn open(signer: &Path, ca: Option<&Path>) -> Result<Self> {
        let read = |path: &Path| {
            read_input_text(path, TEXT_LIMIT)
                .with_context(|| format!("could not read the certificate {}", path.display()))
        };
        let (text, ca) = (read(signer)?, ca.map(read).transpose()?);
        Self::from_pem(&text, ca.as_deref())
            .with_context(|| format!("could not use the certificate {}", signer.display()))
    }

    /// Reads the signer's certificate from the text of a PEM file. The CA's certificate is in `ca`, the text of another
    /// file, or follows the signer's.
    ///
    /// # Errors
    /// When iPXE would accept no signature by this signer, whatever the time.
    pub fn from_pem(signer: &str, ca: Option<&str>) -> Result<Self> {
        let mut all = PublicCert::list_from_pem(signer)?;
        ensure!(
            matches!(all.len(), 1 | 2),
            "expected the certificate of the signer (-----BEGIN CERTIFICATE-----), with or without that of the CA after it, \
             and found {} certificates",
            all.len()
        );
        let mut issuer = if all.len() == 2 { all.pop() } else { None };
        if let Some(ca) = ca {
            issuer = Some(PublicCert::from_pem(ca).context("could not read the CA's certificate")?);
        }
        let signer = all.remove(0);
        let key = check_signer(&signer)?;
        if let Some(ca) = &issuer {
            check_ca(ca)?;
            ensure!(
                ca.der() != signer.der() && signer.is_signed_by(ca),
                "the certificate of the signer {} was issued by {}, and not by the CA {}: name the CA that issued it, or \
                 {ISSUE_AGAIN}",
                signer.subject,
                signer.issuer,
                ca.subject
            );
        }
        Ok(Self { signer, ca: issuer, key })
    }

    /// The distinguished name of the signer.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.signer.subject
    }

    /// The certificates that a message contains, as DER: the signer's first.
    pub(super) fn chain(&self) -> Vec<&[u8]> {
        std::iter::once(&self.signer).chain(&self.ca).map(PublicCert::der).collect()
    }

    /// Whether the CA's certificate is known.
    pub(super) fn has_ca(&self) -> bool {
        self.ca.is_some()
    }

    /// Refuses certificates that are not valid at `now`.
    ///
    /// # Errors
    /// The message says when the certificate is valid, and how to issue another.
    pub fn check_time(&self, now: OffsetDateTime) -> Result<()> {
        let signer = ("the certificate of the signer", &self.signer, ISSUE_AGAIN);
        let ca = self.ca.as_ref().map(|ca| ("the certificate of the CA", ca, MAKE_CA));
        for (what, certificate, instead) in std::iter::once(signer).chain(ca) {
            let (subject, from, to) = (&certificate.subject, certificate.not_before, certificate.not_after);
            ensure!(
                now >= from,
                "{what} {subject} is valid from {from} on only: wait, or correct this computer's clock"
            );
            ensure!(
                now <= to,
                "{what} {subject} has expired, on {to}, so no machine boots what it vouches for: {instead}"
            );
        }
        Ok(())
    }

    /// Verifies that `signature`, the DER of a CMS message, is by this signer over the content with the digest `sha256`, as
    /// iPXE does.
    ///
    /// # Errors
    /// When the signature is not: the message says why, to be read after the name of the signature.
    pub fn verify(&self, sha256: Sha256Sum, signature: &[u8]) -> Result<()> {
        let message = Message::parse(signature)?;
        let signer = message.find_signer();
        let signer =
            signer.with_context(|| format!("it lacks the certificate of its signer: {SIGN_AGAIN}"))?;
        if signer != self.signer.der() {
            let other =
                PublicCert::from_der(signer).map_or_else(|_| "another".to_owned(), |other| describe(&other));
            anyhow::bail!("it is by {other}, and not by {}: {SIGN_AGAIN}", describe(&self.signer));
        }
        if let Some(ca) = &self.ca {
            ensure!(
                message.certificates.iter().any(|der| der == ca.der()),
                "it lacks the certificate of the CA {}, which iPXE knows by the fingerprint only: {SIGN_AGAIN}",
                ca.subject
            );
        }
        ensure!(
            self.key.signs_with(message.algorithm),
            "its algorithm ({}) is none that iPXE verifies with the key of {}: {SIGN_AGAIN}",
            message.algorithm,
            self.signer.subject
        );
        ensure!(
            self.key.verifies(sha256, &message.signature),
            "it does not fit the file, which has changed since, or the signature has: {SIGN_AGAIN}"
        );
        Ok(())
    }
}

/// A certificate in words that tell it from another one of the same name.
fn describe(certificate: &PublicCert) -> String {
    format!("{} (serial number {})", certificate.subject, certificate.serial)
}

/// Checks that iPXE lets the owner of `certificate` sign; returns the public key.
fn check_signer(certificate: &PublicCert) -> Result<SignerPublicKey> {
    let name = format!("the certificate of the signer {}", certificate.subject);
    let x509 = parse(certificate.der())?;
    check_extensions(&x509).with_context(|| name.clone())?;
    let usage = x509.key_usage()?.map(|usage| usage.value);
    ensure!(
        usage.is_some_and(KeyUsage::digital_signature),
        "{name} lacks the key usage digitalSignature, which iPXE asks for: {ISSUE_AGAIN}"
    );
    let extended = x509.extended_key_usage()?.map(|usage| usage.value);
    ensure!(
        extended.is_some_and(|usage| usage.code_signing),
        "{name} lacks the extended key usage codeSigning, which iPXE asks for: {ISSUE_AGAIN}"
    );
    SignerPublicKey::of(x509.public_key()).context(name)
}

/// Checks that iPXE lets the owner of `certificate` issue certificates.
fn check_ca(certificate: &PublicCert) -> Result<()> {
    let name = format!("the certificate of the CA {}", certificate.subject);
    let x509 = parse(certificate.der())?;
    check_extensions(&x509).with_context(|| name.clone())?;
    let basic = x509.basic_constraints()?.map(|basic| basic.value);
    ensure!(basic.is_some_and(|basic| basic.ca), "{name} is no CA's (basicConstraints): {MAKE_CA}");
    let usage = x509.key_usage()?.map(|usage| usage.value);
    ensure!(
        usage.is_none_or(KeyUsage::key_cert_sign),
        "{name} may issue no certificates (keyUsage lacks keyCertSign): {MAKE_CA}"
    );
    SignerPublicKey::of(x509.public_key()).map(drop).context(name)
}

/// Refuses critical extensions that iPXE does not know, and so does not accept.
fn check_extensions(x509: &X509Certificate<'_>) -> Result<()> {
    for extension in x509.extensions().iter().filter(|extension| extension.critical) {
        let is_known = matches!(
            extension.parsed_extension(),
            ParsedExtension::BasicConstraints(_)
                | ParsedExtension::KeyUsage(_)
                | ParsedExtension::ExtendedKeyUsage(_)
                | ParsedExtension::AuthorityInfoAccess(_)
                | ParsedExtension::SubjectAlternativeName(_)
        );
        ensure!(
            is_known,
            "it has a critical extension that iPXE does not know ({}): issue another without that extension",
            extension.oid
        );
    }
    Ok(())
}

fn parse(der: &[u8]) -> Result<X509Certificate<'_>> {
    let (_, x509) = X509Certificate::from_der(der).ok().context("a certificate can't be read")?;
    Ok(x509)
}
