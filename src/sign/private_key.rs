//! The private key of the signer.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use cms::cert::x509::der::SecretDocument;
use cms::cert::x509::der::asn1::ObjectIdentifier;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::PrivateKeyInfo;
use rsa::rand_core::OsRng;
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use zeroize::Zeroizing;

use super::public_key::{ECDSA_WITH_SHA256, MAKE_KEY, RSA, SignerPublicKey};
use crate::fs::{Sha256Sum, TEXT_LIMIT, check_ancestors, is_trusted_owner, open_input};

/// The algorithm of keys on elliptic curves (id-ecPublicKey).
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// The curve P-256 (prime256v1), and the curve P-384 (secp384r1).
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// A private key that signs what machines boot. It can't be serialised or displayed, its `Debug` is redacted, and no message
/// quotes it. The key's numbers are overwritten when it is dropped.
pub struct SignerKey(PrivateKey);

enum PrivateKey {
    EcdsaP256(p256::ecdsa::SigningKey),
    EcdsaP384(p384::ecdsa::SigningKey),
    Rsa(Box<RsaPrivateKey>),
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignerKey(redacted)")
    }
}

impl SignerKey {
    /// Takes the key in the text of a PEM file: PKCS #8 (`PRIVATE KEY`), SEC 1 (`EC PRIVATE KEY`) or PKCS #1
    /// (`RSA PRIVATE KEY`).
    ///
    /// # Errors
    /// When there is none, when the key is encrypted, or when iPXE knows no such key. The message quotes nothing of `pem`.
    pub fn from_pem(pem: &str) -> Result<Self> {
        ensure!(
            !pem.contains("BEGIN ENCRYPTED PRIVATE KEY") && !pem.contains("Proc-Type: 4,ENCRYPTED"),
            "it is encrypted: name a pipe with --key <(openssl pkcs8 -in FILE), which asks for the passphrase"
        );
        ensure!(
            !pem.contains("BEGIN OPENSSH PRIVATE KEY"),
            "it is a key of OpenSSH: sign manifests with it by --ssh-key. For what machines boot, {MAKE_KEY}"
        );
        let block = find_block(pem).with_context(|| {
            format!("it has no private key in PEM (-----BEGIN PRIVATE KEY-----): {MAKE_KEY}")
        })?;
        let broken = "its PEM is broken: the file was cut short or edited by hand";
        let (label, der) = SecretDocument::from_pem(block).ok().context(broken)?;
        let key = match label {
            "EC PRIVATE KEY" => parse_sec1(der.as_bytes())?,
            "RSA PRIVATE KEY" => parse_pkcs1(der.as_bytes())?,
            _ => parse_pkcs8(der.as_bytes())?,
        };
        let key = Self(key);
        key.public().check()?;
        Ok(key)
    }

    /// The public half of the key.
    pub(super) fn public(&self) -> SignerPublicKey {
        match &self.0 {
            PrivateKey::EcdsaP256(key) => SignerPublicKey::EcdsaP256(*key.verifying_key()),
            PrivateKey::EcdsaP384(key) => SignerPublicKey::EcdsaP384(*key.verifying_key()),
            PrivateKey::Rsa(key) => SignerPublicKey::Rsa(key.to_public_key()),
        }
    }

    /// The algorithm that signatures by this key are marked with.
    pub(super) fn algorithm(&self) -> ObjectIdentifier {
        match self.0 {
            PrivateKey::EcdsaP256(_) | PrivateKey::EcdsaP384(_) => ECDSA_WITH_SHA256,
            PrivateKey::Rsa(_) => RSA,
        }
    }

    /// Signs the content with the digest `sha256`. The same key and digest give the same signature (RFC 6979, and PKCS #1
    /// v1.5).
    pub(super) fn sign(&self, sha256: Sha256Sum) -> Result<Vec<u8>> {
        let digest = &sha256.0;
        match &self.0 {
            PrivateKey::EcdsaP256(key) => {
                let signature: p256::ecdsa::Signature = key.sign_prehash(digest)?;
                Ok(signature.to_der().as_bytes().to_vec())
            }
            PrivateKey::EcdsaP384(key) => {
                let signature: p384::ecdsa::Signature = key.sign_prehash(digest)?;
                Ok(signature.to_der().as_bytes().to_vec())
            }
            // Random numbers blind the computation, whose time would tell of the key (RUSTSEC-2023-0071).
            PrivateKey::Rsa(key) => {
                Ok(key.sign_with_rng(&mut OsRng, Pkcs1v15Sign::new::<rsa::sha2::Sha256>(), digest)?)
            }
        }
    }
}

/// Reads the text of the PEM file `path`, or of a pipe of the shell such as `<(age -d signer.key.age)`.
///
/// # Errors
/// When others can read or replace the file.
pub(super) fn read_key(path: &Path) -> Result<Zeroizing<String>> {
    let shown = path.display();
    let file = open_input(path, TEXT_LIMIT).with_context(|| format!("could not read the key {shown}"))?;
    check_private(path, &file)?;
    // Large enough at once: a string that grows leaves copies in memory.
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(TEXT_LIMIT)?));
    file.take(TEXT_LIMIT)
        .read_to_string(&mut text)
        .with_context(|| format!("could not read the key {shown}"))?;
    Ok(text)
}

/// Finds the block of a private key in `pem`: `openssl ecparam` writes the curve's parameters before it.
fn find_block(pem: &str) -> Option<&str> {
    ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"].into_iter().find_map(|label| {
        let (first, last) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
        let start = pem.find(&first)?;
        let length = pem[start..].find(&last)? + last.len();
        Some(&pem[start..start + length])
    })
}

/// The message for an ECDSA key that iPXE does not know.
fn explain_curve() -> String {
    format!("it is no ECDSA key on P-256 or P-384, and iPXE knows no other curve: {MAKE_KEY}")
}

fn parse_p256(der: &[u8]) -> Option<PrivateKey> {
    Some(PrivateKey::EcdsaP256(p256::SecretKey::from_sec1_der(der).ok()?.into()))
}

fn parse_p384(der: &[u8]) -> Option<PrivateKey> {
    Some(PrivateKey::EcdsaP384(p384::SecretKey::from_sec1_der(der).ok()?.into()))
}

fn parse_sec1(der: &[u8]) -> Result<PrivateKey> {
    parse_p256(der).or_else(|| parse_p384(der)).with_context(explain_curve)
}

fn parse_pkcs1(der: &[u8]) -> Result<PrivateKey> {
    let key = RsaPrivateKey::from_pkcs1_der(der).ok().context("its RSA key is not sound")?;
    Ok(PrivateKey::Rsa(Box::new(key)))
}

fn parse_pkcs8(der: &[u8]) -> Result<PrivateKey> {
    let info = PrivateKeyInfo::try_from(der).ok().context("it is not PKCS #8")?;
    match info.algorithm.oid {
        // Any number fits several curves: only the name of the curve tells whose key it is.
        EC => match info.algorithm.parameters_oid() {
            Ok(P256) => parse_p256(info.private_key),
            Ok(P384) => parse_p384(info.private_key),
            _ => None,
        }
        .with_context(explain_curve),
        RSA => parse_pkcs1(info.private_key),
        _ => {
            bail!("it is neither an RSA nor an ECDSA key, and iPXE knows no other (not Ed25519): {MAKE_KEY}")
        }
    }
}

/// Refuses a key that another user can read or replace. A pipe of the shell belongs to the user alone.
fn check_private(path: &Path, file: &File) -> Result<()> {
    let shown = path.display();
    let metadata = file.metadata().with_context(|| format!("could not look at the key {shown}"))?;
    let (owner, mode) = (metadata.uid(), metadata.mode() & 0o7777);
    ensure!(
        is_trusted_owner(owner),
        "the key {shown} belongs to another user (uid {owner}), who can read and replace it: become that user"
    );
    ensure!(
        mode & 0o077 == 0,
        "the key {shown} has mode {mode:04o}, so others on this machine can read it. If nobody can have read it yet, run: \
         chmod 600 {shown}"
    );
    if metadata.file_type().is_fifo() {
        return Ok(());
    }
    let real = path.canonicalize().with_context(|| format!("could not look at the key {shown}"))?;
    check_ancestors(&real, Some(owner))
        .with_context(|| format!("the key {shown} is not safe from other users"))
}
