//! The recipients of encrypted keys, and the encryption: age's, version 1.

use std::io::Write;

use age::armor::{ArmoredWriter, Format};
use age::{Encryptor, ssh, tag, x25519};
use anyhow::{Context, bail};
use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Checksum};

use crate::model::find_key_marker;

use super::secret::SecretKey;
use super::weak::{is_weak_ssh, is_weak_x25519};

/// Bech32 (BIP 173) as age uses it: of any length, since recipients of plugins and of post-quantum keys are long.
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

/// Somebody to whom keys are encrypted.
pub struct Recipient {
    /// The text without the comment of an SSH key: equal for equal recipients.
    identity: String,
    kind: RecipientKind,
}

/// The kind of a recipient.
enum RecipientKind {
    Native(x25519::Recipient),
    Tagged(tag::Recipient),
    Ssh(ssh::Recipient),
    /// A recipient that only the plugin of this name understands.
    Plugin(String),
}

/// Why a text is no recipient. Neither sentence quotes the text: it may be a private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidRecipient {
    /// The fault of the text, in one line.
    pub message: &'static str,
    /// The text to write instead.
    pub help: &'static str,
}

/// The fault of a key that makes no secret.
const WEAK: InvalidRecipient = InvalidRecipient {
    message: "anybody could decrypt what is encrypted to this key",
    help: "it was not made by a sound program: make another with `age-keygen`, or with `ssh-keygen -t ed25519`",
};

impl Recipient {
    /// Parses a recipient as age(1) does: `age1…`, or an SSH public key.
    ///
    /// # Errors
    /// When age would not encrypt to the text.
    pub fn parse(text: &str) -> Result<Self, InvalidRecipient> {
        if find_key_marker(text).is_some() {
            return Err(InvalidRecipient {
                message: "this is a private key",
                help: "it is public now: make another with `age-keygen`, and write what `age-keygen -y` prints of it",
            });
        }
        let kind = if text.starts_with("ssh-") { parse_ssh(text)? } else { parse_native(text)? };
        Ok(Self { identity: text.split(' ').take(2).collect::<Vec<_>>().join(" "), kind })
    }

    /// The text without the comment of an SSH key: equal for equal recipients.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// The plugin of age that alone can encrypt to the recipient; none where plasmagen can.
    #[must_use]
    pub fn plugin(&self) -> Option<&str> {
        if let RecipientKind::Plugin(name) = &self.kind { Some(name) } else { None }
    }

    pub(super) fn as_age(&self) -> anyhow::Result<&dyn age::Recipient> {
        Ok(match &self.kind {
            RecipientKind::Native(recipient) => recipient,
            RecipientKind::Tagged(recipient) => recipient,
            RecipientKind::Ssh(recipient) => recipient,
            RecipientKind::Plugin(name) => bail!(
                "plasmagen runs no plugins of age, and only `age-plugin-{name}` encrypts to this recipient: run \
                 `plasmagen secrets stage`, and encrypt the staged file with age(1)"
            ),
        })
    }
}

/// Parses an SSH key of the two types that age(1) knows.
fn parse_ssh(text: &str) -> Result<RecipientKind, InvalidRecipient> {
    let strict = ssh_key::PublicKey::from_openssh(text).ok();
    if strict.as_ref().is_some_and(is_weak_ssh) {
        return Err(WEAK);
    }
    let recipient = strict.and_then(|_| text.parse().ok()).map(RecipientKind::Ssh);
    recipient.ok_or(InvalidRecipient {
        message: "this is no SSH key that age encrypts to",
        help: "write the line of a `.pub` file of type ssh-ed25519 or ssh-rsa",
    })
}

/// Parses a recipient that begins with `age1`.
fn parse_native(text: &str) -> Result<RecipientKind, InvalidRecipient> {
    let plugin = || {
        // The recipients of a plugin begin with `age1` and the name of the plugin, which alone knows what the data mean.
        let parsed = CheckedHrpstring::new::<AgeBech32>(text).ok()?;
        Some(RecipientKind::Plugin(parsed.hrp().to_string().strip_prefix("age1")?.to_owned()))
    };
    if let Ok(parsed) = CheckedHrpstring::new::<AgeBech32>(text)
        && is_weak_x25519(&parsed.byte_iter().collect::<Vec<_>>())
    {
        return Err(WEAK);
    }
    let recipient =
        text.parse().map(RecipientKind::Native).or_else(|_| text.parse().map(RecipientKind::Tagged));
    recipient.ok().or_else(plugin).ok_or(InvalidRecipient {
        message: "this is no age recipient",
        help: "write what `age-keygen -y` prints, `age1…`: its checksum tells a slip of the pen",
    })
}

/// Encrypts `key`, so that each of `recipients` can decrypt it. The text is ASCII-armoured, and another one each time.
///
/// # Errors
/// When a recipient needs a plugin, or there are no recipients.
pub fn encrypt(key: &SecretKey, recipients: &[&Recipient]) -> anyhow::Result<Vec<u8>> {
    let known = recipients.iter().map(|recipient| recipient.as_age()).collect::<anyhow::Result<Vec<_>>>()?;
    let encrypt = || {
        let encryptor = Encryptor::with_recipients(known.into_iter()).map_err(std::io::Error::other)?;
        let armour = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
        let mut encrypted = encryptor.wrap_output(armour)?;
        encrypted.write_all(key.expose().as_bytes())?;
        encrypted.finish()?.finish()
    };
    encrypt().context("could not encrypt the key")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::weak::{ED25519, X25519};
    use base64::Engine;
    use bech32::{ByteIterExt, Fe32IterExt, Hrp};

    fn refused(text: &str) -> Option<&'static str> {
        Recipient::parse(text).err().map(|why| why.message)
    }

    /// Makes a recipient with the word `kind` at its beginning and `bytes` bytes of data.
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

    /// Encodes the line of an SSH key of `kind` with `fields`.
    fn ssh(kind: &str, fields: &[&[u8]]) -> String {
        let mut body = Vec::new();
        for field in [kind.as_bytes()].iter().chain(fields) {
            body.extend_from_slice(&u32::try_from(field.len()).unwrap().to_be_bytes());
            body.extend_from_slice(field);
        }
        format!("{kind} {}", base64::prelude::BASE64_STANDARD.encode(body))
    }

    /// No key that `parse` accepts makes `encrypt` panic; the weak ones are refused.
    #[test]
    fn keys_that_make_no_secret_are_refused() {
        let secret = SecretKey::generate(crate::model::KeyAlgorithm::EcdsaP256).unwrap();
        let modulus = |bytes: usize, last: u8| {
            let mut modulus = vec![0xc5; bytes];
            modulus[bytes - 1] = last;
            [vec![0], modulus].concat()
        };
        let mut weak: Vec<String> = Vec::new();
        for first in [0, 1, 0xe0, 0x5f, 0xec, 0xed, 0xee] {
            for high in [0, 0x80] {
                let mut point = *X25519.iter().find(|point| point[0] == first).unwrap();
                point[31] |= high;
                let hrp = Hrp::parse("age").unwrap();
                weak.push(
                    point.into_iter().bytes_to_fes().with_checksum::<AgeBech32>(&hrp).chars().collect(),
                );
            }
        }
        for point in ED25519 {
            let mut other = point;
            other[31] |= 0x80;
            weak.extend([ssh("ssh-ed25519", &[&point]), ssh("ssh-ed25519", &[&other])]);
        }
        for (bytes, last, exponent) in
            [(64, 1, 3), (96, 1, 3), (255, 1, 3), (256, 2, 3), (256, 1, 1), (256, 1, 2), (600, 1, 3)]
        {
            weak.push(ssh("ssh-rsa", &[&[exponent], &modulus(bytes, last)]));
        }
        for text in &weak {
            assert_eq!(refused(text), Some(WEAK.message), "{text}");
        }
        for sound in
            [ssh("ssh-rsa", &[&[1, 0, 1], &modulus(256, 1)]), ssh("ssh-rsa", &[&[3], &modulus(512, 1)])]
        {
            let recipient = Recipient::parse(&sound).map_err(|why| why.message).unwrap();
            encrypt(&secret, &[&recipient]).unwrap();
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
