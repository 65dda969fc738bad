//! Private keys.

use std::fmt;

use anyhow::{Context, anyhow};
use rcgen::{KeyPair, PublicKeyData, SignatureAlgorithm, SigningKey};
use zeroize::Zeroizing;

use super::read::PublicCert;
use crate::model::KeyAlgorithm;

/// A private key, PKCS #8 in PEM, in memory that is overwritten when the key is dropped.
///
/// A private key can't be serialised or displayed, its `Debug` is redacted, and no error message quotes it; only the
/// vault writes it. (The buffers inside ring, rcgen and the PEM encoder are out of plasmagen's reach.)
#[derive(Clone)]
pub struct SecretKey(Zeroizing<String>);

impl SecretKey {
    /// Generates a new key with the system's random number generator.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn generate(algorithm: KeyAlgorithm) -> anyhow::Result<Self> {
        Ok(Self::generate_pair(algorithm)?.0)
    }

    /// Generates a new key that is also ready to sign: to read a key from PEM takes as long as to generate it.
    pub(super) fn generate_pair(algorithm: KeyAlgorithm) -> anyhow::Result<(Self, Signer)> {
        let pair =
            KeyPair::generate_for(algorithm.signature()).context("could not generate a private key")?;
        Ok((Self(Zeroizing::new(pair.serialize_pem())), Signer(Zeroizing::new(pair))))
    }

    /// Takes a key from the text of a PEM file.
    ///
    /// # Errors
    /// When the text is no unencrypted PKCS #8 key that plasmagen can sign with. The message quotes nothing of `pem`.
    pub fn from_pem(pem: Zeroizing<String>) -> anyhow::Result<Self> {
        let key = Self(pem);
        key.signer()?;
        Ok(key)
    }

    /// Reads the text of a PEM file, and returns the public half of the key in it: the DER of the SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// As for [`SecretKey::from_pem`].
    pub(super) fn public_half(pem: Zeroizing<String>) -> anyhow::Result<Vec<u8>> {
        Ok(Self(pem).signer()?.subject_public_key_info())
    }

    /// Computes the public half of this key: the DER of the SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// When this key can't be read.
    pub(super) fn public_key(&self) -> anyhow::Result<Vec<u8>> {
        Ok(self.signer()?.subject_public_key_info())
    }

    /// Reads the key into the form that signs.
    pub(super) fn signer(&self) -> anyhow::Result<Signer> {
        // rcgen's own error may quote bytes of the file.
        KeyPair::from_pem(&self.0).map(|pair| Signer(Zeroizing::new(pair))).map_err(|_| {
            anyhow!(
                "not a private key that plasmagen can use: it must be unencrypted PKCS #8 (-----BEGIN PRIVATE KEY-----). \
                 `openssl pkcs8 -topk8 -nocrypt` converts other forms"
            )
        })
    }

    /// Whether `certificate` has the public half of this key.
    ///
    /// # Errors
    /// When this key can't be read.
    pub fn belongs_to(&self, certificate: &PublicCert) -> anyhow::Result<bool> {
        Ok(self.signer()?.subject_public_key_info() == certificate.public_key)
    }

    /// The PEM text, for the vault and for the encryption.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(redacted)")
    }
}

/// rcgen's form of a key, overwritten when it is dropped: rcgen itself would leave the key in memory.
pub(super) struct Signer(Zeroizing<KeyPair>);

impl PublicKeyData for Signer {
    fn der_bytes(&self) -> &[u8] {
        self.0.der_bytes()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.0.algorithm()
    }
}

impl SigningKey for Signer {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.0.sign(message)
    }
}

impl KeyAlgorithm {
    pub(super) fn signature(self) -> &'static SignatureAlgorithm {
        match self {
            Self::EcdsaP256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            Self::EcdsaP384 => &rcgen::PKCS_ECDSA_P384_SHA384,
        }
    }
}
