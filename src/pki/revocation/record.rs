//! The record of issued certificates, `nodes/issued.json`: those that somebody may still accept. A certificate that is no
//! longer in `nodes/` is known by this record when the node leaves, or gets another key.

use std::collections::HashSet;
use std::fmt::Write as _;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use time::serde::rfc3339;
use time::{OffsetDateTime, UtcOffset};

use super::list::{RevocationReason, RevokedCertificate, check_entry, digest_key, encode_hex};
use crate::pki::read::PublicCert;

/// A certificate that was issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedCertificate {
    /// The full name that the node had when the certificate was issued.
    pub node: String,
    /// The serial number, hexadecimal without separators.
    pub serial: String,
    /// The last second in which the certificate is valid.
    #[serde(with = "rfc3339")]
    pub not_after: OffsetDateTime,
    /// The identifier of the key of the CA that signed the certificate, hexadecimal.
    pub authority_key_id: String,
    /// The SHA-256 of the certificate's public key (the DER of the SubjectPublicKeyInfo), hexadecimal.
    pub key_sha256: String,
}

impl RecordedCertificate {
    /// Records `certificate`, which is in the directory of the node `fqdn`.
    pub(super) fn new(fqdn: &str, certificate: &PublicCert) -> Self {
        Self {
            node: fqdn.to_owned(),
            serial: certificate.serial.clone(),
            not_after: certificate.not_after.to_offset(UtcOffset::UTC),
            authority_key_id: encode_hex(certificate.authority_key_id.as_deref().unwrap_or_default()),
            key_sha256: digest_key(&certificate.public_key),
        }
    }

    /// Whether the certificate is for the public key of `other`.
    pub(super) fn has_key_of(&self, other: &Self) -> bool {
        self.key_sha256 == other.key_sha256
    }

    /// Whether `ca` signed the certificate, by the identifier of the key.
    pub(super) fn is_issued_by(&self, ca: &PublicCert) -> bool {
        ca.subject_key_id.as_deref().is_some_and(|id| encode_hex(id) == self.authority_key_id)
    }

    /// Revokes the certificate at `now`.
    pub(super) fn revoke(self, reason: RevocationReason, now: OffsetDateTime) -> RevokedCertificate {
        let revoked = now.to_offset(UtcOffset::UTC).truncate_to_second();
        let Self { node, serial, not_after, authority_key_id, key_sha256 } = self;
        RevokedCertificate { node, serial, not_after, reason, revoked, authority_key_id, key_sha256 }
    }
}

/// The record of issued certificates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssueRecord {
    /// The certificates, by node and serial number.
    certificates: Vec<RecordedCertificate>,
}

impl IssueRecord {
    /// Parses the text of `nodes/issued.json`.
    ///
    /// # Errors
    /// When the text is no such record.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let record: Self = serde_json::from_str(text).context("not a record of issued certificates")?;
        for entry in &record.certificates {
            check_entry(&entry.node, &entry.serial, [&entry.authority_key_id, &entry.key_sha256])?;
        }
        Ok(record)
    }

    /// The certificates, by node and serial number.
    #[must_use]
    pub fn certificates(&self) -> &[RecordedCertificate] {
        &self.certificates
    }

    /// Adds those of `issued` that are not in the record yet; returns whether there were any.
    pub(super) fn add(&mut self, issued: impl IntoIterator<Item = RecordedCertificate>) -> bool {
        let known: HashSet<String> = self.certificates.iter().map(|entry| entry.serial.clone()).collect();
        let before = self.certificates.len();
        self.certificates.extend(issued.into_iter().filter(|entry| !known.contains(&entry.serial)));
        self.certificates.sort_by(|a, b| (&a.node, &a.serial).cmp(&(&b.node, &b.serial)));
        self.certificates.dedup();
        self.certificates.len() > before
    }

    /// Takes all certificates out of the record.
    pub(super) fn take(&mut self) -> Vec<RecordedCertificate> {
        std::mem::take(&mut self.certificates)
    }

    /// Puts back a certificate that was taken out; in the order in which they were.
    pub(super) fn keep(&mut self, certificate: RecordedCertificate) {
        self.certificates.push(certificate);
    }

    /// Writes the text of `nodes/issued.json`: a line for each certificate, so that git shows which were issued.
    pub(super) fn to_json(&self) -> anyhow::Result<String> {
        let mut text = "{\n  \"certificates\": [".to_owned();
        for (number, entry) in self.certificates.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            // Writing to a String does not fail.
            _ = write!(text, "{comma}\n    {}", serde_json::to_string(entry)?);
        }
        Ok(text + "\n  ]\n}\n")
    }
}
