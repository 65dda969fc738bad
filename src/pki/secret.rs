//! Private keys.

use std::fmt;

use anyhow::{Context, anyhow};
use rcgen::{KeyPair, PublicKeyData};
use zeroize::{Zeroize, Zeroizing};

use super::{KeyAlgorithm, PublicCert};

/// A private key, as PKCS #8 in PEM, in memory that is overwritten when it is dropped.
///
/// It cannot be serialised or displayed, its `Debug` is redacted, and no error message quotes it; the
/// [vault](super::vault) alone writes it. (The buffers inside ring, rcgen and the PEM encoder are out of our reach.)
#[derive(Clone)]
pub struct SecretKey(Zeroizing<String>);

impl SecretKey {
    /// A new key from the system's random number generator.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn generate(algorithm: KeyAlgorithm) -> anyhow::Result<Self> {
        let mut pair =
            KeyPair::generate_for(algorithm.signature()).context("could not generate a private key")?;
        let pem = Zeroizing::new(pair.serialize_pem());
        pair.zeroize();
        Ok(Self(pem))
    }

    /// Takes a key as it stands in a PEM file.
    ///
    /// # Errors
    /// When it is no unencrypted PKCS #8 key that we can sign with. The message quotes nothing of `pem`.
    pub fn from_pem(pem: Zeroizing<String>) -> anyhow::Result<Self> {
        let key = Self(pem);
        key.pair()?.zeroize();
        Ok(key)
    }

    /// The key as rcgen signs with it.
    pub(super) fn pair(&self) -> anyhow::Result<KeyPair> {
        // rcgen's own error may quote bytes of the file.
        KeyPair::from_pem(&self.0).map_err(|_| {
            anyhow!(
                "not a private key that plasmagen can use: it must be unencrypted PKCS #8 (-----BEGIN PRIVATE KEY-----). \
                 `openssl pkcs8 -topk8 -nocrypt` converts other forms"
            )
        })
    }

    /// Whether this is the key whose public half `certificate` names.
    ///
    /// # Errors
    /// When this key cannot be read.
    pub fn belongs_to(&self, certificate: &PublicCert) -> anyhow::Result<bool> {
        let mut pair = self.pair()?;
        let same = pair.subject_public_key_info() == certificate.public_key;
        pair.zeroize();
        Ok(same)
    }

    /// The PEM text, for the vault to write.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(redacted)")
    }
}

impl KeyAlgorithm {
    pub(super) fn signature(self) -> &'static rcgen::SignatureAlgorithm {
        match self {
            Self::EcdsaP256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            Self::EcdsaP384 => &rcgen::PKCS_ECDSA_P384_SHA384,
        }
    }
}
