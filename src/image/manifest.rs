//! The manifest of a bundle: `manifest.json`, and its digests as `SHA256SUMS` for sha256sum(1).

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::fs::{FileFacts, Hasher, Sha256Sum};
use crate::model::{System, image_name};

/// The version of the manifest's format. It rises when a key changes its meaning or is removed.
const SCHEMA: u32 = 1;

/// The file name of the manifest in a bundle.
pub const MANIFEST: &str = "manifest.json";
/// The file name of the list of digests.
pub const SUMS: &str = "SHA256SUMS";
/// The file name of the kernel.
pub const KERNEL: &str = "bzImage";
/// The file name of the initrd.
pub const INITRD: &str = "initrd";
/// The file name of the iPXE script.
pub const SCRIPT: &str = "boot.ipxe";

/// The content of a bundle's `manifest.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleManifest {
    /// The version of the format.
    pub schema: u32,
    /// The SHA-256 over kernel, initrd, init path and command line: bundles with the same id boot the same system.
    pub id: Sha256Sum,
    /// The machines that the bundle is for: a base, such as `worker`.
    #[serde(rename = "profile")]
    pub base: String,
    /// The architecture of these machines.
    pub arch: System,
    /// The release of the kernel, as `uname -r` prints it.
    pub kernel_version: String,
    /// The program that the initrd starts at the end: `init=` of the kernel command line.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub init: Option<String>,
    /// The kernel command line, without `init=` and `initrd=`.
    pub command_line: String,
    /// The files of the bundle by name, without `manifest.json` and `SHA256SUMS`.
    pub files: BTreeMap<String, FileFacts>,
    /// The inputs that the bundle was made of, in order.
    pub inputs: Vec<Input>,
    /// Name and version of the program that made the bundle.
    pub tool: String,
}

/// An input that a bundle was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The role of the input: `kernel`, `initrd`, `root` or `overlay`.
    pub role: String,
    /// Size and digest of the input, if it is a file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<FileFacts>,
    /// Size and digest of the newc archives (cpio(5)) that the input became in the initrd, unpacked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unpacked: Option<FileFacts>,
    /// The formats of the segments of these archives, in order. Neighbours of one format count once.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub formats: Vec<String>,
}

impl BundleManifest {
    /// The version of the format that this program writes.
    pub const SCHEMA: u32 = SCHEMA;

    /// The name of the netboot image: the directory of the web root's `nixos/` that the bundle is published in.
    #[must_use]
    pub fn image(&self) -> String {
        image_name(&self.base, self.arch)
    }

    /// Parses a `manifest.json`.
    ///
    /// # Errors
    /// When `text` is not a manifest, or has another version.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let manifest: Self = serde_json::from_slice(text).context("it is not the manifest of a bundle")?;
        ensure!(
            manifest.schema == SCHEMA,
            "it has the format version {}, and this program reads version {SCHEMA}: use the plasmagen that made the bundle",
            manifest.schema
        );
        Ok(manifest)
    }

    /// Prints the bytes of `manifest.json`.
    ///
    /// # Errors
    /// Never: text and numbers always have a JSON form.
    pub fn print(&self) -> Result<Vec<u8>> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        Ok(text)
    }

    /// Prints `SHA256SUMS`, which `sha256sum -c` reads: the digests of every file and of `manifest.json`.
    ///
    /// # Errors
    /// As for [`print`](Self::print).
    pub fn print_sums(&self) -> Result<String> {
        let mut text = String::new();
        for (name, facts) in &self.files {
            let _ = writeln!(text, "{}  {name}", facts.sha256);
        }
        let manifest_sum = Sha256Sum::of(&self.print()?);
        let _ = writeln!(text, "{manifest_sum}  {MANIFEST}");
        Ok(text)
    }

    /// Computes the id from the other fields. `None` when the manifest lacks the kernel or the initrd.
    #[must_use]
    pub fn compute_id(&self) -> Option<Sha256Sum> {
        let sum = |name| self.files.get(name).map(|facts: &FileFacts| facts.sha256);
        Some(compute_id(sum(KERNEL)?, sum(INITRD)?, self.init.as_deref(), &self.command_line))
    }
}

/// Computes the id of a bundle. The length of each text is hashed before the text, so that two different pairs of texts
/// never give the same bytes.
#[must_use]
pub(super) fn compute_id(
    kernel: Sha256Sum,
    initrd: Sha256Sum,
    init: Option<&str>,
    command_line: &str,
) -> Sha256Sum {
    let mut sum = Hasher::default();
    sum.update(&kernel.0);
    sum.update(&initrd.0);
    for text in [init.unwrap_or_default(), command_line] {
        sum.update(&(text.len() as u64).to_be_bytes());
        sum.update(text.as_bytes());
    }
    sum.finish().sha256
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_counts_in_the_id() {
        let (a, b) = (Sha256Sum([1; 32]), Sha256Sum([2; 32]));
        let ids = [
            compute_id(a, b, Some("/init"), "quiet"),
            compute_id(b, a, Some("/init"), "quiet"),
            compute_id(a, b, Some("/initq"), "uiet"),
            compute_id(a, b, None, "quiet"),
            compute_id(a, b, Some("/init"), ""),
        ];
        for (n, id) in ids.iter().enumerate() {
            assert!(!ids[..n].contains(id), "{n}");
        }
    }
}
