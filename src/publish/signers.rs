//! Signatures of SSH keys, as `ssh-keygen -Y sign -n plasmagen` makes them (PROTOCOL.sshsig): over the `manifest.json` of a
//! bundle, and over `publication.json`.

use anyhow::{Context, Result, bail, ensure};
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, HashAlg, PublicKey, SshSig};
use time::OffsetDateTime;

use super::allowed_signers::{self, AllowedKey};

/// The purpose of the signature: `-n` of ssh-keygen(1).
pub(super) const NAMESPACE: &str = "plasmagen";

/// The longest RSA modulus that the rsa crate takes, in bytes.
const LONGEST_RSA: usize = 4096 / 8;

/// The keys that may sign.
#[derive(Clone, Debug)]
pub struct Signers(Vec<AllowedKey>);

impl Signers {
    /// Parses a file of allowed signers (ssh-keygen(1), ALLOWED SIGNERS). Every principal of the file may sign.
    ///
    /// # Errors
    /// When a line has another form, or an option that plasmagen does not understand.
    pub fn parse(text: &str) -> Result<Self> {
        let keys = allowed_signers::parse(text, NAMESPACE)?;
        ensure!(!keys.is_empty(), "the file of signers names none for the namespace {NAMESPACE}");
        Ok(Self(keys))
    }

    /// Parses public keys, each a line as in `authorized_keys`.
    ///
    /// # Errors
    /// When a text is no public key.
    pub fn of_keys<'a>(keys: impl Iterator<Item = &'a str>) -> Result<Self> {
        let parse = |line| Ok(AllowedKey::always(PublicKey::from_openssh(line)?.key_data().clone()));
        keys.map(parse).collect::<Result<_>>().map(Self).context("an SSH key is unreadable")
    }

    /// These keys, and those of `others`.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Verifies that `signature`, the text of a `.sig` file, was made over `message` with one of these keys, which must be
    /// valid at `now`.
    ///
    /// # Errors
    /// When it was not: the message says why.
    pub fn verify(&self, message: &[u8], signature: &[u8], now: OffsetDateTime) -> Result<()> {
        let key = check_signature(message, signature)?;
        let fingerprint = key.fingerprint(HashAlg::Sha256);
        let mut lines = self.0.iter().filter(|allowed| allowed.key == key).peekable();
        ensure!(lines.peek().is_some(), "it is by {fingerprint}, who is no signer");
        ensure!(
            lines.any(|allowed| allowed.is_valid(now)),
            "it is by {fingerprint}, who is no signer at this time (valid-after, valid-before)"
        );
        Ok(())
    }
}

/// Verifies that `signature`, the text of a `.sig` file, fits `message`; returns the key that made it.
pub(super) fn check_signature(message: &[u8], signature: &[u8]) -> Result<KeyData> {
    let signature = SshSig::from_pem(signature).context("it is no SSH signature")?;
    ensure!(
        signature.namespace() == NAMESPACE,
        "it is for {:?}, not for {NAMESPACE}: sign with ssh-keygen -Y sign -n {NAMESPACE}",
        signature.namespace()
    );
    let key = signature.public_key();
    let fingerprint = key.fingerprint(HashAlg::Sha256);
    check_algorithm(key, &signature.algorithm())?;
    PublicKey::from(key.clone())
        .verify(NAMESPACE, message, &signature)
        .ok()
        .with_context(|| format!("the signature by {fingerprint} does not fit: it is over something else"))?;
    Ok(key.clone())
}

/// Refuses algorithms that are not checked here: those of security keys, since nobody would check that the owner touched
/// the key, and those that the crates can't check.
fn check_algorithm(key: &KeyData, algorithm: &Algorithm) -> Result<()> {
    let is_known = match key {
        KeyData::Ed25519(_) => true,
        KeyData::Ecdsa(key) => key.curve() != ssh_key::EcdsaCurve::NistP521,
        KeyData::Rsa(key) => key.n.as_positive_bytes().is_some_and(|modulus| modulus.len() <= LONGEST_RSA),
        _ => false,
    };
    if is_known {
        return Ok(());
    }
    bail!(
        "plasmagen can't check {algorithm} with this key: sign with an Ed25519, ECDSA (256 or 384 bits) or RSA (up to 4096 \
         bits) key"
    )
}
