//! Signatures of SSH keys over `manifest.json`, as `ssh-keygen -Y sign -n plasmagen` makes them (PROTOCOL.sshsig).

use anyhow::{Context, Result, bail, ensure};
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, HashAlg, PublicKey, SshSig};

use crate::model::is_ssh_key_type;

/// The purpose of the signature: `-n` of ssh-keygen(1).
const NAMESPACE: &str = "plasmagen";

/// The longest RSA modulus that the rsa crate takes, in bytes.
const LONGEST_RSA: usize = 4096 / 8;

/// The keys that may sign.
#[derive(Clone, Debug)]
pub struct Signers(Vec<KeyData>);

impl Signers {
    /// Parses a file of allowed signers (ssh-keygen(1), ALLOWED SIGNERS).
    ///
    /// # Errors
    /// When a line has another form, or an option that plasmagen does not understand: to ignore `valid-before` would be to
    /// trust a key for too long.
    pub fn parse(text: &str) -> Result<Self> {
        let mut keys = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                let key = parse_line(line).with_context(|| format!("line {} of the signers", number + 1))?;
                keys.extend(key);
            }
        }
        ensure!(!keys.is_empty(), "the file of signers names none for the namespace {NAMESPACE}");
        Ok(Self(keys))
    }

    /// Parses public keys, each a line as in `authorized_keys`.
    ///
    /// # Errors
    /// When a text is no public key.
    pub fn of_keys<'a>(keys: impl Iterator<Item = &'a str>) -> Result<Self> {
        let parse = |line| Ok(PublicKey::from_openssh(line)?.key_data().clone());
        keys.map(parse).collect::<Result<_>>().map(Self).context("an SSH key is unreadable")
    }

    /// Verifies that `signature`, the text of a `.sig` file, was made over `message` with one of these keys.
    ///
    /// # Errors
    /// When it was not: the message says why.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<()> {
        let signature = SshSig::from_pem(signature).context("it is no SSH signature")?;
        ensure!(
            signature.namespace() == NAMESPACE,
            "it is for {:?}, not for {NAMESPACE}: sign with ssh-keygen -Y sign -n {NAMESPACE}",
            signature.namespace()
        );
        let key = signature.public_key();
        let fingerprint = key.fingerprint(HashAlg::Sha256);
        ensure!(self.0.contains(key), "it is by {fingerprint}, who is no signer");
        check_algorithm(key, &signature.algorithm())?;
        PublicKey::from(key.clone()).verify(NAMESPACE, message, &signature).ok().with_context(|| {
            format!("the signature by {fingerprint} does not fit: it is over something else")
        })
    }
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

/// Parses a line `PRINCIPALS [OPTIONS] TYPE KEY`; none where its key is for other namespaces.
fn parse_line(line: &str) -> Result<Option<KeyData>> {
    let (_, rest) = split_word(line);
    let (word, after) = split_word(rest);
    if is_ssh_key_type(word) {
        return Ok(Some(PublicKey::from_openssh(rest)?.key_data().clone()));
    }
    let namespaces = word.strip_prefix("namespaces=\"").and_then(|list| list.strip_suffix('"'));
    ensure!(!word.is_empty(), "it has no key: write PRINCIPALS TYPE KEY, as ssh-keygen(1) says");
    let Some(namespaces) = namespaces else {
        bail!("it has the option {}, which plasmagen can't check", word.escape_debug());
    };
    if !namespaces.split(',').any(|name| name == NAMESPACE || name == "*") {
        return Ok(None);
    }
    Ok(Some(PublicKey::from_openssh(after)?.key_data().clone()))
}

/// Splits off the first word, in which quoted blanks don't count.
fn split_word(line: &str) -> (&str, &str) {
    let mut is_quoted = false;
    let end = line.find(|c: char| {
        is_quoted ^= c == '"';
        c.is_ascii_whitespace() && !is_quoted
    });
    let (word, rest) = line.split_at(end.unwrap_or(line.len()));
    (word, rest.trim_start())
}
