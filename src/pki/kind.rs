//! The kinds of certificates and of public keys.

use anyhow::Context;
use x509_parser::extensions::KeyUsage;
use x509_parser::oid_registry::{OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384};
use x509_parser::prelude::X509Certificate;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::model::KeyAlgorithm;

/// The use of a certificate, by its basic constraints, key usage and extended key usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateUse {
    /// A CA that signs leaves only: cA, pathlen 0, keyCertSign.
    Ca,
    /// A node: no CA, digitalSignature, serverAuth and clientAuth.
    Node,
    /// Any other use.
    Other,
}

impl CertificateUse {
    pub(super) fn of(x509: &X509Certificate<'_>) -> anyhow::Result<Self> {
        let basic = x509.basic_constraints().context("two basic constraints")?.map(|ext| ext.value);
        let usage = x509.key_usage().context("two key usages")?.map(|ext| ext.value);
        let extended = x509.extended_key_usage().context("two extended key usages")?.map(|ext| ext.value);
        let signs = usage.is_some_and(KeyUsage::key_cert_sign)
            && basic.is_some_and(|basic| basic.path_len_constraint == Some(0));
        let speaks = usage.is_some_and(KeyUsage::digital_signature)
            && extended.is_some_and(|extended| extended.server_auth && extended.client_auth);
        Ok(match basic.is_some_and(|basic| basic.ca) {
            true if signs => Self::Ca,
            false if speaks => Self::Node,
            _ => Self::Other,
        })
    }
}

/// The kind of the public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// ECDSA on a curve for which plasmagen also makes keys.
    Ecdsa(KeyAlgorithm),
    /// RSA, with the number of bits of its modulus.
    Rsa(usize),
    /// Any other kind.
    Other,
}

impl KeyType {
    /// Whether the key is strong enough and known to every TLS stack: ECDSA P-256 or P-384, RSA of 3072 bits or more.
    #[must_use]
    pub fn is_accepted(self) -> bool {
        matches!(self, Self::Ecdsa(_) | Self::Rsa(3072..))
    }

    pub(super) fn of(key: &SubjectPublicKeyInfo<'_>) -> Self {
        if let Ok(PublicKey::RSA(rsa)) = key.parsed() {
            return Self::Rsa(rsa.key_size());
        }
        if key.algorithm.algorithm != OID_KEY_TYPE_EC_PUBLIC_KEY {
            return Self::Other;
        }
        match key.algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok()) {
            Some(curve) if curve == OID_EC_P256 => Self::Ecdsa(KeyAlgorithm::EcdsaP256),
            Some(curve) if curve == OID_NIST_EC_P384 => Self::Ecdsa(KeyAlgorithm::EcdsaP384),
            _ => Self::Other,
        }
    }
}
