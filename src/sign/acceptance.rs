//! Checks that iPXE accepts certificates: those of signers and of CAs.

use std::fmt;

use anyhow::{Context, Result, ensure};
use time::OffsetDateTime;
use x509_parser::extensions::{KeyUsage, ParsedExtension};
use x509_parser::oid_registry::{
    OID_PKCS1_SHA256WITHRSA, OID_PKCS1_SHA384WITHRSA, OID_PKCS1_SHA512WITHRSA, OID_SIG_ECDSA_WITH_SHA256,
    OID_SIG_ECDSA_WITH_SHA384, OID_SIG_ECDSA_WITH_SHA512, Oid,
};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::public_key::SignerPublicKey;
use crate::pki::PublicCert;

/// The way out of a certificate that may not sign.
pub(super) const ISSUE_AGAIN: &str = "issue another for the signer, beside the keys: openssl x509 -req -in signer.csr \
                                      -CA boot-ca.pem -CAkey boot-ca.key -CAcreateserial -days 365 -extfile signer.ext \
                                      -out signer.pem && cat boot-ca.pem >> signer.pem (docs/bundles.md has signer.csr \
                                      and signer.ext)";

/// The way out of a certificate that is no CA's.
pub(super) const MAKE_CA: &str = "make a CA as docs/bundles.md says, with: openssl req -x509 -addext \
                       keyUsage=critical,keyCertSign,cRLSign";

/// The algorithms that both iPXE and plasmagen verify: no RSA-PSS, which iPXE does not know.
const VERIFIED: [Oid<'static>; 5] = [
    OID_PKCS1_SHA256WITHRSA,
    OID_PKCS1_SHA384WITHRSA,
    OID_PKCS1_SHA512WITHRSA,
    OID_SIG_ECDSA_WITH_SHA256,
    OID_SIG_ECDSA_WITH_SHA384,
];

/// The error when a certificate is not valid at this time; found with [`anyhow::Error::downcast_ref`].
#[derive(Clone, Debug)]
pub(crate) struct NotValidNow(String);

impl std::error::Error for NotValidNow {}

impl fmt::Display for NotValidNow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A certificate in words that tell it from another one of the same name.
pub(super) fn describe(certificate: &PublicCert) -> String {
    format!("{} (serial number {})", certificate.subject, certificate.serial)
}

/// Checks that iPXE lets the owner of `certificate` sign; returns the public key.
pub(super) fn check_signer(certificate: &PublicCert) -> Result<SignerPublicKey> {
    let name = format!("the certificate of the signer {}", certificate.subject);
    let x509 = parse(certificate.der())?;
    check_signer_algorithm(&x509).with_context(|| name.clone())?;
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
pub(super) fn check_ca(certificate: &PublicCert) -> Result<()> {
    let name = format!("the certificate of the CA {}", certificate.subject);
    let x509 = parse(certificate.der())?;
    check_ca_algorithm(&x509).with_context(|| name.clone())?;
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

/// Refuses a signer's certificate whose signature, by the CA, can't be verified.
pub(super) fn check_signer_algorithm(x509: &X509Certificate<'_>) -> Result<()> {
    let algorithm = &x509.signature_algorithm.algorithm;
    ensure!(
        VERIFIED.contains(algorithm),
        "the CA signed it with an algorithm ({algorithm}) that is not verified: {ISSUE_AGAIN}"
    );
    Ok(())
}

/// Refuses a certificate of a CA that iPXE can't read: iPXE compares its fingerprint only, and reads no certificate with an
/// algorithm that iPXE does not know.
pub(super) fn check_ca_algorithm(x509: &X509Certificate<'_>) -> Result<()> {
    let algorithm = &x509.signature_algorithm.algorithm;
    ensure!(
        VERIFIED.contains(algorithm) || *algorithm == OID_SIG_ECDSA_WITH_SHA512,
        "it is signed with an algorithm ({algorithm}) that iPXE does not know: {MAKE_CA}"
    );
    Ok(())
}

/// Refuses certificates that are not valid at `now`.
pub(super) fn check_time(signer: &PublicCert, ca: &PublicCert, now: OffsetDateTime) -> Result<()> {
    let signer = ("the certificate of the signer", signer, ISSUE_AGAIN);
    for (what, certificate, instead) in [signer, ("the certificate of the CA", ca, MAKE_CA)] {
        let (name, from, to) = (describe(certificate), certificate.not_before, certificate.not_after);
        ensure!(
            now >= from,
            NotValidNow(format!(
                "{what} {name} is valid from {from} on only: wait, or correct this computer's clock"
            ))
        );
        ensure!(
            now <= to,
            NotValidNow(format!(
                "{what} {name} has expired, on {to}, so no machine boots what it vouches for: {instead}"
            ))
        );
    }
    Ok(())
}
