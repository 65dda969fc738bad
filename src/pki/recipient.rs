//! Whom secrets are encrypted to, and the encryption: age's, version 1.

use std::io::Write;

use age::armor::{ArmoredWriter, Format};
use age::{Encryptor, ssh, tag, x25519};
use anyhow::{Context, bail};
use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Checksum};

use super::SecretKey;

/// Bech32 (BIP 173) as age has it: of any length, since recipients of plugins and of post-quantum keys are long.
enum AgeBech32 {}

impl Checksum for AgeBech32 {
    type MidstateRepr = <Bech32 as Checksum>::MidstateRepr;
    type CorrectionField = <Bech32 as Checksum>::CorrectionField;
    const ROOT_GENERATOR: Self::CorrectionField = Bech32::ROOT_GENERATOR;
    const ROOT_EXPONENTS: std::ops::RangeInclusive<usize> = Bech32::ROOT_EXPONENTS;
    const CODE_LENGTH: usize = usize::MAX;
    const CHECKSUM_LENGTH: usize = Bech32::CHECKSUM_LENGTH;
    const GENERATOR_SH: [Self::MidstateRepr; 5] = Bech32::GENERATOR_SH;
    const TARGET_RESIDUE: Self::MidstateRepr = Bech32::TARGET_RESIDUE;
}

/// Somebody whom secrets are encrypted to.
pub struct Recipient {
    /// By which it is known: of an SSH key not the comment.
    identity: String,
    kind: Kind,
}

enum Kind {
    Native(x25519::Recipient),
    Tagged(tag::Recipient),
    Ssh(ssh::Recipient),
    /// Only a plugin knows what the data mean; this is its name.
    Plugin(String),
}

/// Why a text is no recipient. Neither sentence quotes it: it may be a private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRecipient {
    /// What is wrong with it.
    pub message: &'static str,
    /// What to write instead.
    pub help: &'static str,
}

impl Recipient {
    /// Reads a recipient as age(1) does: `age1…`, or an SSH public key.
    ///
    /// # Errors
    /// When age would not encrypt to it.
    pub fn parse(text: &str) -> Result<Self, NoRecipient> {
        if text.starts_with("AGE-SECRET-KEY-") || text.contains("PRIVATE KEY") {
            return Err(NoRecipient {
                message: "this is a private key",
                help: "it is public now: make another with `age-keygen`, and write what `age-keygen -y` prints of it",
            });
        }
        let kind = if text.starts_with("ssh-") { ssh(text)? } else { native(text)? };
        Ok(Self { identity: text.split(' ').take(2).collect::<Vec<_>>().join(" "), kind })
    }

    /// By which it is known.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.identity
    }

    fn as_age(&self) -> anyhow::Result<&dyn age::Recipient> {
        Ok(match &self.kind {
            Kind::Native(own) => own,
            Kind::Tagged(own) => own,
            Kind::Ssh(own) => own,
            Kind::Plugin(name) => bail!(
                "plasmagen runs no plugins of age, and only `age-plugin-{name}` encrypts to this recipient: run \
                 `plasmagen secrets stage`, and encrypt the staged file with age(1)"
            ),
        })
    }
}

/// The two kinds of SSH keys that age(1) knows.
fn ssh(text: &str) -> Result<Kind, NoRecipient> {
    let strict = ssh_key::PublicKey::from_openssh(text).ok();
    let own = strict.and_then(|_| text.parse().ok()).map(Kind::Ssh);
    own.ok_or(NoRecipient {
        message: "this is no SSH key that age encrypts to",
        help: "write the line of a `.pub` file of type ssh-ed25519 or ssh-rsa",
    })
}

fn native(text: &str) -> Result<Kind, NoRecipient> {
    let plugin = || {
        // A plugin's recipients begin with `age1` and its name; only it knows what its data mean.
        let own = CheckedHrpstring::new::<AgeBech32>(text).ok()?;
        Some(Kind::Plugin(own.hrp().to_string().strip_prefix("age1")?.to_owned()))
    };
    let own = text.parse().map(Kind::Native).or_else(|_| text.parse().map(Kind::Tagged));
    own.ok().or_else(plugin).ok_or(NoRecipient {
        message: "this is no age recipient",
        help: "write what `age-keygen -y` prints, `age1…`: its checksum tells a slip of the pen",
    })
}

/// `key` for `recipients`, each of whom can read it: ASCII-armoured, and never twice the same.
///
/// # Errors
/// When one of them needs a plugin, or there is none.
pub fn encrypt(key: &SecretKey, recipients: &[Recipient]) -> anyhow::Result<Vec<u8>> {
    let known = recipients.iter().map(Recipient::as_age).collect::<anyhow::Result<Vec<_>>>()?;
    let encrypt = || {
        let encryptor = Encryptor::with_recipients(known.into_iter()).map_err(std::io::Error::other)?;
        let armour = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
        let mut sealed = encryptor.wrap_output(armour)?;
        sealed.write_all(key.expose().as_bytes())?;
        sealed.finish()?.finish()
    };
    encrypt().context("could not encrypt the key")
}

#[cfg(test)]
mod tests {
    use super::*;
    use bech32::{ByteIterExt, Fe32IterExt, Hrp};

    fn refused(text: &str) -> Option<&'static str> {
        Recipient::parse(text).err().map(|why| why.message)
    }

    /// A recipient with that word before it and so many bytes of data.
    fn recipient(kind: &str, bytes: usize) -> String {
        let hrp = Hrp::parse(kind).unwrap();
        std::iter::repeat_n(7, bytes).bytes_to_fes().with_checksum::<AgeBech32>(&hrp).chars().collect()
    }

    #[test]
    fn recipients_of_age() {
        // From age's own README.
        assert!(refused("age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p").is_none());
        // Post-quantum recipients are 1,216 bytes and more (X-Wing), those of plugins whatever they like.
        for (kind, bytes) in [("age", 32), ("age1yubikey", 33), ("age1pq", 1216)] {
            assert!(refused(&recipient(kind, bytes)).is_none(), "{kind}");
        }
        for bad in [recipient("age", 31), recipient("agf", 32), recipient("bc", 32), String::new()] {
            assert!(refused(&bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn a_private_key_is_told_and_not_quoted() {
        let secret = recipient("age-secret-key-", 32).to_uppercase();
        for private in [secret.as_str(), "-----BEGIN OPENSSH PRIVATE KEY-----"] {
            assert_eq!(refused(private), Some("this is a private key"));
        }
    }
}
