//! `manifest.json` of a tree: every file with its SHA-256. Committed to git, the manifest marks a tree as plasmagen's in a
//! fresh clone.
//!
//! It has one line a file, so that git merges two manifests as it merges the files.

use std::borrow::Cow;
use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::fs::Sha256Sum;

/// The file name of the manifest in its tree.
pub(crate) const NAME: &str = "manifest.json";

/// The schema of manifests. An older plasmagen refuses a tree with a later one. Since 2, the names on disks hold the node's
/// name: version 1 would render the former names, which are not on the disks of nodes that were installed since.
const SCHEMA: u32 = 2;

/// A file in the manifest.
#[derive(Serialize, Deserialize)]
pub(crate) struct ManifestEntry<'a> {
    /// Path relative to the tree.
    #[serde(borrow)]
    pub(crate) path: Cow<'a, str>,
    /// Digest of the content.
    pub(crate) sha256: Sha256Sum,
    /// Whether the owner may execute the file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) executable: bool,
}

/// Prints the manifest of files that are sorted by path.
///
/// # Errors
/// None in practice: serialising text to memory does not fail.
pub(crate) fn print<'a>(entries: impl Iterator<Item = ManifestEntry<'a>>) -> Result<Vec<u8>> {
    let mut out =
        format!("{{\n\"generator\": \"plasmagen\",\n\"schema\": {SCHEMA},\n\"files\": [").into_bytes();
    for (index, entry) in entries.enumerate() {
        out.extend_from_slice(if index == 0 { b"\n" } else { b",\n" });
        serde_json::to_writer(&mut out, &entry)?;
    }
    out.extend_from_slice(b"\n]\n}\n");
    Ok(out)
}

/// The manifest of a tree on disk: digest and executable bit of each file.
#[derive(Default)]
pub(crate) struct TreeManifest(BTreeMap<String, (Sha256Sum, bool)>);

impl TreeManifest {
    /// Parses a manifest that [`print()`] wrote.
    ///
    /// # Errors
    /// When the text is not JSON of that form, as after a merge conflict, or has a later schema.
    pub(crate) fn parse(body: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Document<'a> {
            generator: String,
            schema: u32,
            #[serde(borrow)]
            files: Vec<ManifestEntry<'a>>,
        }
        let document: Document<'_> = serde_json::from_slice(body).context("it is not a manifest")?;
        ensure!(
            document.generator == "plasmagen",
            "it is the manifest of {:?}, not of plasmagen",
            document.generator
        );
        ensure!(
            document.schema <= SCHEMA,
            "it was written by a later plasmagen (schema {})",
            document.schema
        );
        let file = |entry: ManifestEntry<'_>| (entry.path.into_owned(), (entry.sha256, entry.executable));
        Ok(Self(document.files.into_iter().map(file).collect()))
    }

    /// Digest and executable bit of the file at `path`, if the manifest lists that file.
    pub(crate) fn get(&self, path: &str) -> Option<(Sha256Sum, bool)> {
        self.0.get(path).copied()
    }

    /// Every file with its digest, sorted by path.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, Sha256Sum)> {
        self.0.iter().map(|(path, (sha256, _))| (path.as_str(), *sha256))
    }

    /// Whether the manifest lists a file below the directory `dir`, which ends with `/`.
    pub(crate) fn has_below(&self, dir: &str) -> bool {
        self.0.range(dir.to_owned()..).next().is_some_and(|(path, _)| path.starts_with(dir))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_printed() {
        let entry = |path: &'static str, executable| ManifestEntry {
            path: path.into(),
            sha256: Sha256Sum::of(b"abc"),
            executable,
        };
        let body = print([entry("a/x", false), entry("b", true)].into_iter()).unwrap();
        let text = String::from_utf8(body.clone()).unwrap();
        assert!(text.contains("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), "{text}");
        let manifest = TreeManifest::parse(&body).unwrap();
        assert_eq!(manifest.get("a/x"), Some((Sha256Sum::of(b"abc"), false)));
        assert_eq!(manifest.get("b"), Some((Sha256Sum::of(b"abc"), true)));
        assert!(manifest.has_below("a/") && !manifest.has_below("b/"));
    }

    #[test]
    fn refuses_what_it_did_not_print() {
        let none = String::from_utf8(print(std::iter::empty()).unwrap()).unwrap();
        assert!(TreeManifest::parse(none.as_bytes()).is_ok());
        // An older plasmagen wrote schema 1, and reads no later one.
        assert!(none.contains("\"schema\": 2"));
        assert!(TreeManifest::parse(none.replace("\"schema\": 2", "\"schema\": 1").as_bytes()).is_ok());
        for bad in [
            String::new(),
            "<<<<<<< HEAD\n".to_owned() + &none,
            none.replace("plasmagen", "webpack"),
            none.replace("\"schema\": 2", "\"schema\": 3"),
            none.replace('[', "[{\"path\":\"a\",\"sha256\":\"é0\"}"),
        ] {
            assert!(TreeManifest::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
