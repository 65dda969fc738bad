//! The private keys of recipients: age secret keys and SSH private keys, read from a file.

use age::{DecryptError, ssh, x25519};
use age_core::format::{FileKey, Stanza};
use anyhow::{bail, ensure};

/// The words with which a file of OpenSSH or OpenSSL begins that holds a private key.
const PEM: &str = "-----BEGIN ";

/// The words with which a file begins that age itself has encrypted.
const AGE_FILE: [&str; 2] = ["age-encryption.org/", "-----BEGIN AGE ENCRYPTED FILE-----"];

/// The way out where only age itself can use a key.
pub(super) const BY_AGE: &str =
    "let age decrypt the backup, age -d -i KEYFILE FILE | plasmagen vault restore /dev/stdin";

/// The private keys in a file.
pub struct Identities(Vec<PrivateIdentity>);

/// A private key.
enum PrivateIdentity {
    Native(x25519::Identity),
    Ssh(ssh::Identity),
}

impl Identities {
    /// Parses the text of a file: age secret keys, one a line beside comments, or one SSH private key.
    ///
    /// # Errors
    /// When there is no key, or one that needs a passphrase or a plugin. The message quotes nothing of the file.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let start = text.trim_start();
        ensure!(
            !AGE_FILE.iter().any(|words| start.starts_with(words)),
            "it is protected by a passphrase, and plasmagen asks for none: {BY_AGE}"
        );
        if start.starts_with(PEM) {
            return Ok(Self(vec![PrivateIdentity::Ssh(parse_ssh(text)?)]));
        }
        let mut identities = Vec::new();
        for (line, number) in text.lines().map(str::trim).zip(1..) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            ensure!(
                !line.starts_with("AGE-PLUGIN-") && !line.starts_with("AGE-SECRET-KEY-PQ-"),
                "line {number} is a key that age uses by a plugin, and plasmagen runs none: {BY_AGE}"
            );
            let Ok(identity) = line.parse::<x25519::Identity>() else {
                bail!("line {number} is no age secret key, AGE-SECRET-KEY-1…, such as age-keygen writes");
            };
            identities.push(PrivateIdentity::Native(identity));
        }
        ensure!(!identities.is_empty(), "it holds no key");
        Ok(Self(identities))
    }
}

/// Parses an SSH private key of the two types that age(1) knows.
fn parse_ssh(text: &str) -> anyhow::Result<ssh::Identity> {
    match ssh::Identity::from_buffer(text.as_bytes(), None) {
        Ok(ssh::Identity::Encrypted(_)) => {
            bail!("it is an SSH key with a passphrase, and plasmagen asks for none: {BY_AGE}")
        }
        Ok(identity @ ssh::Identity::Unencrypted(_)) => Ok(identity),
        _ => bail!("it is no SSH private key of type ssh-ed25519 or ssh-rsa, which are those that age knows"),
    }
}

impl age::Identity for Identities {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        self.0.iter().find_map(|identity| match identity {
            PrivateIdentity::Native(identity) => identity.unwrap_stanza(stanza),
            PrivateIdentity::Ssh(identity) => identity.unwrap_stanza(stanza),
        })
    }
}
