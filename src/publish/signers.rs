//! Signatures of SSH keys over `manifest.json`, as `ssh-keygen -Y sign -n plasmagen` makes them (PROTOCOL.sshsig).

use anyhow::{Context, Result, bail, ensure};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA512, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use ssh_key::public::{EcdsaPublicKey, KeyData};
use ssh_key::{Algorithm, HashAlg, PublicKey, SshSig};

/// What the signature is for: `-n` of ssh-keygen(1).
const NAMESPACE: &str = "plasmagen";

/// Who may sign.
#[derive(Clone, Debug)]
pub struct Signers(Vec<KeyData>);

impl Signers {
    /// Reads an `allowed_signers` file (ssh-keygen(1), ALLOWED SIGNERS).
    ///
    /// # Errors
    /// When a line is none, or has an option that is not understood here: to pass over `valid-before` would be to trust
    /// a key too long.
    pub fn parse(text: &str) -> Result<Self> {
        let mut keys = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                let key = signer(line).with_context(|| format!("line {} of the signers", number + 1))?;
                keys.extend(key);
            }
        }
        ensure!(!keys.is_empty(), "the file of signers names none for the namespace {NAMESPACE}");
        Ok(Self(keys))
    }

    /// The public keys `keys`, as lines of `authorized_keys`.
    ///
    /// # Errors
    /// When one is none.
    pub fn of_keys<'a>(keys: impl Iterator<Item = &'a str>) -> Result<Self> {
        let parse = |line| Ok(PublicKey::from_openssh(line)?.key_data().clone());
        keys.map(parse).collect::<Result<_>>().map(Self).context("an SSH key is unreadable")
    }

    /// Checks that `signature` (the text of a `.sig` file) is one of these keys' over `message`.
    ///
    /// # Errors
    /// When it is not, with the reason.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<()> {
        let signature = SshSig::from_pem(signature).context("it is no SSH signature")?;
        ensure!(
            signature.namespace() == NAMESPACE,
            "it is for {:?}, not for {NAMESPACE}: sign with ssh-keygen -Y sign -n {NAMESPACE}",
            signature.namespace()
        );
        let print = signature.public_key().fingerprint(HashAlg::Sha256);
        ensure!(self.0.contains(signature.public_key()), "it is by {print}, who is no signer");
        let data = SshSig::signed_data(NAMESPACE, signature.hash_alg(), message)?;
        check(&signature, &data).with_context(|| format!("the signature by {print} does not fit"))
    }
}

/// The key of a line `PRINCIPALS [OPTIONS] TYPE KEY`; none where the line is for something else.
fn signer(line: &str) -> Result<Option<KeyData>> {
    let (_, rest) = split(line);
    let (word, after) = split(rest);
    let is_type = |word: &str| ["ssh-", "ecdsa-", "sk-"].iter().any(|own| word.starts_with(own));
    if is_type(word) {
        return Ok(Some(PublicKey::from_openssh(rest)?.key_data().clone()));
    }
    let spaces = word.strip_prefix("namespaces=\"").and_then(|list| list.strip_suffix('"'));
    ensure!(!word.is_empty(), "it has no key: write PRINCIPALS TYPE KEY, as ssh-keygen(1) says");
    let Some(spaces) = spaces else {
        bail!("it has the option {}, which plasmagen can't check", word.escape_debug());
    };
    if !spaces.split(',').any(|own| own == NAMESPACE || own == "*") {
        return Ok(None);
    }
    Ok(Some(PublicKey::from_openssh(after)?.key_data().clone()))
}

/// The first word, in which quoted blanks don't count, and what comes after it.
fn split(line: &str) -> (&str, &str) {
    let mut quoted = false;
    let end = line.find(|c: char| {
        quoted ^= c == '"';
        c.is_ascii_whitespace() && !quoted
    });
    let (word, rest) = line.split_at(end.unwrap_or(line.len()));
    (word, rest.trim_start())
}

fn check(signature: &SshSig, data: &[u8]) -> Result<()> {
    let bytes = signature.signature_bytes();
    match (signature.public_key(), signature.algorithm()) {
        (KeyData::Ed25519(key), Algorithm::Ed25519) => plain(&ED25519, &key.0, data, bytes),
        (KeyData::Ecdsa(EcdsaPublicKey::NistP256(key)), Algorithm::Ecdsa { .. }) => {
            plain(&ECDSA_P256_SHA256_FIXED, key.as_bytes(), data, &fixed(bytes, 32)?)
        }
        (KeyData::Ecdsa(EcdsaPublicKey::NistP384(key)), Algorithm::Ecdsa { .. }) => {
            plain(&ECDSA_P384_SHA384_FIXED, key.as_bytes(), data, &fixed(bytes, 48)?)
        }
        (KeyData::Rsa(key), Algorithm::Rsa { hash: Some(hash) }) => {
            let scheme = match hash {
                HashAlg::Sha256 => &RSA_PKCS1_2048_8192_SHA256,
                _ => &RSA_PKCS1_2048_8192_SHA512,
            };
            let (n, e) = (key.n().as_positive_bytes(), key.e().as_positive_bytes());
            let key = RsaPublicKeyComponents {
                n: n.context("its key has no modulus")?,
                e: e.context("its key has no exponent")?,
            };
            key.verify(scheme, data, bytes).ok().context("it is over something else")
        }
        (_, algorithm) => bail!("plasmagen can't check {algorithm}: sign with an Ed25519, RSA or ECDSA key"),
    }
}

fn plain(scheme: &'static dyn VerificationAlgorithm, key: &[u8], data: &[u8], bytes: &[u8]) -> Result<()> {
    UnparsedPublicKey::new(scheme, key).verify(data, bytes).ok().context("it is over something else")
}

/// `r` and `s` of an ECDSA signature (RFC 5656 section 3.1.2), each of `size` bytes.
fn fixed(mut bytes: &[u8], size: usize) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(2 * size);
    for _ in 0..2 {
        let (length, rest) = bytes.split_first_chunk().context("it is cut off")?;
        let length = usize::try_from(u32::from_be_bytes(*length))?;
        let (number, rest) = rest.split_at_checked(length).context("it is cut off")?;
        let digits: &[u8] = if number.first() == Some(&0) { &number[1..] } else { number };
        ensure!(digits.len() <= size, "its numbers are too long");
        out.resize(out.len() + size - digits.len(), 0);
        out.extend_from_slice(digits);
        bytes = rest;
    }
    Ok(out)
}
