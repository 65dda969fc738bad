//! What a bundle says of itself: `manifest.json`, and the same digests as `SHA256SUMS` for sha256sum(1).

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::model::System;

/// The version of this form; it rises when a key changes its meaning or goes away.
const SCHEMA: u32 = 1;

/// The name of the manifest in a bundle.
pub const MANIFEST: &str = "manifest.json";
/// The name of the list of digests.
pub const SUMS: &str = "SHA256SUMS";
/// The name of the kernel.
pub const KERNEL: &str = "bzImage";
/// The name of the initrd.
pub const INITRD: &str = "initrd";
/// The name of the script.
pub const SCRIPT: &str = "boot.ipxe";

/// A SHA-256, printed as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Sha256Sum(pub [u8; 32]);

impl std::fmt::Display for Sha256Sum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for Sha256Sum {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl TryFrom<String> for Sha256Sum {
    type Error = anyhow::Error;

    fn try_from(text: String) -> Result<Self> {
        let legal = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        ensure!(legal, "`{text}` is no SHA-256: 64 digits of 0-9 and a-f");
        let mut sum = [0; 32];
        for (byte, digits) in sum.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits)?, 16)?;
        }
        Ok(Self(sum))
    }
}

/// A file of a bundle, or one that it was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileFacts {
    /// Its size.
    pub bytes: u64,
    /// Its digest.
    pub sha256: Sha256Sum,
}

/// What a bundle says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of this form.
    pub schema: u32,
    /// The SHA-256 over kernel, initrd, init path and command line: bundles with one id boot the same.
    pub id: Sha256Sum,
    /// Which machines it is for: a profile's base.
    pub profile: String,
    /// What they are.
    pub arch: System,
    /// The kernel's release.
    pub kernel_version: String,
    /// The program that the initrd hands over to: `init=` of the kernel command line.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub init: Option<String>,
    /// The kernel command line, without `init=` and `initrd=`.
    pub command_line: String,
    /// The files, by name; this one and `SHA256SUMS` are not among them.
    pub files: BTreeMap<String, FileFacts>,
    /// What it was made of, in order.
    pub inputs: Vec<Input>,
    /// The program that made it.
    pub tool: String,
}

/// Something that a bundle was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// `kernel`, `initrd`, `root` or `overlay`.
    pub role: String,
    /// The file, where it is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<FileFacts>,
    /// What its part of the initrd unpacks to: newc archives (cpio(5)).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unpacked: Option<FileFacts>,
    /// How that part's segments are packed, in order and joined where neighbours are packed alike.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub formats: Vec<String>,
}

impl Manifest {
    /// The version that is written.
    pub const SCHEMA: u32 = SCHEMA;

    /// Reads a `manifest.json`.
    ///
    /// # Errors
    /// When it is none, or of a later version.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let manifest: Self = serde_json::from_slice(text).context("it is no manifest of a bundle")?;
        ensure!(
            manifest.schema == SCHEMA,
            "it is of version {}, and this program reads version {SCHEMA}: take a newer plasmagen",
            manifest.schema
        );
        Ok(manifest)
    }

    /// As the bytes of `manifest.json`.
    ///
    /// # Errors
    /// Never: everything in it is text and numbers.
    pub fn print(&self) -> Result<Vec<u8>> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        Ok(text)
    }

    /// As the bytes of `SHA256SUMS`, which `sha256sum -c` reads: every file, and `manifest.json` itself.
    ///
    /// # Errors
    /// As for [`print`](Self::print).
    pub fn sums(&self) -> Result<String> {
        let mut text = String::new();
        for (name, facts) in &self.files {
            let _ = writeln!(text, "{}  {name}", facts.sha256);
        }
        let own = Sha256Sum(Sha256::digest(self.print()?).into());
        let _ = writeln!(text, "{own}  {MANIFEST}");
        Ok(text)
    }

    /// The id that belongs to what the manifest says; none where it lacks a kernel or an initrd.
    #[must_use]
    pub fn computed_id(&self) -> Option<Sha256Sum> {
        let sum = |name| self.files.get(name).map(|facts: &FileFacts| facts.sha256);
        Some(id(sum(KERNEL)?, sum(INITRD)?, self.init.as_deref(), &self.command_line))
    }
}

/// The id of a bundle. Lengths stand before what they are of, so that no two sets of parts give one text.
#[must_use]
pub(super) fn id(kernel: Sha256Sum, initrd: Sha256Sum, init: Option<&str>, command_line: &str) -> Sha256Sum {
    let mut sum = Sha256::new();
    sum.update(kernel.0);
    sum.update(initrd.0);
    for text in [init.unwrap_or_default(), command_line] {
        sum.update((text.len() as u64).to_be_bytes());
        sum.update(text);
    }
    Sha256Sum(sum.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_counts_in_the_id() {
        let (a, b) = (Sha256Sum([1; 32]), Sha256Sum([2; 32]));
        let ids = [
            id(a, b, Some("/init"), "quiet"),
            id(b, a, Some("/init"), "quiet"),
            id(a, b, Some("/initq"), "uiet"),
            id(a, b, None, "quiet"),
            id(a, b, Some("/init"), ""),
        ];
        for (n, id) in ids.iter().enumerate() {
            assert!(!ids[..n].contains(id), "{n}");
        }
    }

    #[test]
    fn digests_are_read_strictly() {
        let good = "0123456789abcdef".repeat(4);
        assert_eq!(Sha256Sum::try_from(good.clone()).unwrap().to_string(), good);
        for bad in [good.to_uppercase(), good[1..].to_owned(), format!("+{}", &good[1..]), String::new()] {
            assert!(Sha256Sum::try_from(bad).is_err());
        }
    }
}
