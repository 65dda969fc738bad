//! The list of revoked certificates, `nodes/revoked.json`.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::serde::rfc3339;

use crate::pki::read::PublicCert;

/// Why a certificate is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevocationReason {
    /// The node has left the inventory.
    Removed,
    /// The node has another key.
    Replaced,
}

/// A certificate that is no longer trusted before it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokedCertificate {
    /// The full name of the node.
    pub node: String,
    /// The serial number, hexadecimal without separators.
    pub serial: String,
    /// The last second in which the certificate is valid.
    #[serde(with = "rfc3339")]
    pub not_after: OffsetDateTime,
    /// Why the certificate is revoked.
    pub reason: RevocationReason,
    /// The second in which the certificate was revoked.
    #[serde(with = "rfc3339")]
    pub revoked: OffsetDateTime,
    /// The identifier of the key of the CA that signed the certificate, hexadecimal.
    pub authority_key_id: String,
    /// The SHA-256 of the certificate's public key (the DER of the SubjectPublicKeyInfo), hexadecimal.
    pub key_sha256: String,
}

impl RevokedCertificate {
    /// Whether `ca` signed the certificate, by the identifier of the key.
    #[must_use]
    pub fn is_issued_by(&self, ca: &PublicCert) -> bool {
        ca.subject_key_id.as_deref().is_some_and(|id| encode_hex(id) == self.authority_key_id)
    }

    /// The bytes of the serial number.
    pub(super) fn serial_bytes(&self) -> anyhow::Result<Vec<u8>> {
        let digits = self.serial.as_bytes();
        let bytes =
            digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair)?, 16).map_err(Into::into));
        bytes.collect::<anyhow::Result<_>>().with_context(|| format!("{:?} is no serial number", self.serial))
    }
}

/// Refuses an entry of the node `node` that plasmagen never writes: `ids` are the identifiers in the entry.
pub(super) fn check_entry(node: &str, serial: &str, ids: [&str; 2]) -> anyhow::Result<()> {
    let is_hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let is_serial = is_hex(serial) && serial.len().is_multiple_of(2) && (2..=40).contains(&serial.len());
    ensure!(
        is_serial && ids.into_iter().all(is_hex),
        "the entry of {node:?} has no serial number, or no identifier of a key: these are hexadecimal in lower case"
    );
    Ok(())
}

/// The list of revoked certificates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevocationList {
    /// The certificates, by node and serial number.
    certificates: Vec<RevokedCertificate>,
}

impl RevocationList {
    /// Parses the text of `nodes/revoked.json`.
    ///
    /// # Errors
    /// When the text is no such list.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let list: Self = serde_json::from_str(text).context("not a list of revoked certificates")?;
        for entry in &list.certificates {
            check_entry(&entry.node, &entry.serial, [&entry.authority_key_id, &entry.key_sha256])?;
        }
        Ok(list)
    }

    /// The certificates, by node and serial number.
    #[must_use]
    pub fn certificates(&self) -> &[RevokedCertificate] {
        &self.certificates
    }

    /// Whether a certificate with the serial number `serial` is in the list.
    #[must_use]
    pub fn has(&self, serial: &str) -> bool {
        self.certificates.iter().any(|entry| entry.serial == serial)
    }

    /// Whether a certificate of the node `fqdn` with the public key `key`, the DER of a SubjectPublicKeyInfo, is in the list.
    #[must_use]
    pub fn has_key(&self, fqdn: &str, key: &[u8]) -> bool {
        let of_node = |entry: &&RevokedCertificate| entry.node == fqdn;
        self.certificates.iter().filter(of_node).any(|entry| entry.key_sha256 == digest_key(key))
    }

    /// The serial numbers of the certificates that `ca` signed.
    #[must_use]
    pub fn serials_of(&self, ca: &PublicCert) -> BTreeSet<String> {
        self.issued_by(ca).map(|entry| entry.serial.clone()).collect()
    }

    /// The certificates that `ca` signed.
    pub(super) fn issued_by(&self, ca: &PublicCert) -> impl Iterator<Item = &RevokedCertificate> {
        self.certificates.iter().filter(|entry| entry.is_issued_by(ca))
    }

    /// Writes the text of `nodes/revoked.json`.
    pub(super) fn to_json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Adds `revoked`, and drops what has ended before `now`.
    pub(super) fn extend(&mut self, revoked: &[RevokedCertificate], now: OffsetDateTime) {
        self.certificates.retain(|entry| entry.not_after >= now);
        self.certificates.extend_from_slice(revoked);
        self.certificates.sort_by(|a, b| (&a.node, &a.serial).cmp(&(&b.node, &b.serial)));
    }
}

/// Computes the SHA-256 of a public key, hexadecimal.
pub(super) fn digest_key(key: &[u8]) -> String {
    encode_hex(digest(&SHA256, key).as_ref())
}

/// Writes `bytes` in lower-case hexadecimal.
pub(super) fn encode_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
