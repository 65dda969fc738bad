//! SSH host keys of nodes.

use std::fmt;

use anyhow::{Context, anyhow};
use ring::rand::{SecureRandom, SystemRandom};
use ssh_key::private::Ed25519Keypair;
use ssh_key::{LineEnding, PrivateKey};
use zeroize::Zeroizing;

use crate::plan::HostPublicKey;

/// The private SSH host key of a node, of type Ed25519, in OpenSSH's format.
///
/// Like a [`SecretKey`](super::SecretKey), a host key can't be serialised or displayed, its `Debug` is redacted, no error
/// message quotes it, and only the vault writes it.
#[derive(Clone)]
pub struct HostKey {
    text: Zeroizing<String>,
    public: HostPublicKey,
}

impl HostKey {
    /// Generates a new key with the system's random number generator, for the node `fqdn`.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn generate(fqdn: &str) -> anyhow::Result<Self> {
        let mut seed = Zeroizing::new([0; 32]);
        SystemRandom::new().fill(&mut *seed).map_err(|_| anyhow!("the system has no random bytes"))?;
        let pair = Ed25519Keypair::from_seed(&seed);
        let key = PrivateKey::new(pair.into(), fqdn).context("could not make an SSH host key")?;
        let text = key.to_openssh(LineEnding::LF).context("could not write an SSH host key")?;
        Ok(Self { text, public: HostPublicKey::of(key.public_key())? })
    }

    /// Takes a key from the text of a file.
    ///
    /// # Errors
    /// When the text is no unencrypted OpenSSH key of type Ed25519. The message quotes nothing of `text`.
    pub fn from_openssh(text: Zeroizing<String>) -> anyhow::Result<Self> {
        // The parser's own error may quote the file.
        let key = PrivateKey::from_openssh(&*text).ok().filter(|key| key.key_data().ed25519().is_some());
        let key = key.context(
            "not an SSH host key that plasmagen can use: it must be an unencrypted key of OpenSSH, of type Ed25519",
        )?;
        let public = HostPublicKey::of(key.public_key())?;
        Ok(Self { text, public })
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &HostPublicKey {
        &self.public
    }

    /// The text of the file, for the vault.
    pub(super) fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostKey(redacted)")
    }
}
