//! `manifest.json`: every file of a tree with its SHA-256. Committed to git, it marks a tree as ours in a fresh clone.
//!
//! One line a file, so that git merges two manifests as it merges the files.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::fs::Sha256Sum;

/// Its name within its tree.
pub(crate) const NAME: &str = "manifest.json";

const SCHEMA: u32 = 1;

/// A file as the manifest knows it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Line<'a> {
    #[serde(borrow)]
    pub(crate) path: std::borrow::Cow<'a, str>,
    pub(crate) sha256: Sha256Sum,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) executable: bool,
}

/// The manifest of the files in `lines`, which are sorted by path.
///
/// # Errors
/// None in practice: serialising text to memory does not fail.
pub(crate) fn print<'a>(lines: impl Iterator<Item = Line<'a>>) -> Result<Vec<u8>> {
    let mut out =
        format!("{{\n\"generator\": \"plasmagen\",\n\"schema\": {SCHEMA},\n\"files\": [").into_bytes();
    for (index, line) in lines.enumerate() {
        out.extend_from_slice(if index == 0 { b"\n" } else { b",\n" });
        serde_json::to_writer(&mut out, &line)?;
    }
    out.extend_from_slice(b"\n]\n}\n");
    Ok(out)
}

/// The manifest found in a tree: sum and executable bit of each file.
#[derive(Default)]
pub(crate) struct Manifest(BTreeMap<String, (Sha256Sum, bool)>);

impl Manifest {
    /// Reads what [`print`] wrote.
    ///
    /// # Errors
    /// When it is not JSON of that form, as after a merge conflict, or of a later schema.
    pub(crate) fn parse(body: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Document<'a> {
            generator: String,
            schema: u32,
            #[serde(borrow)]
            files: Vec<Line<'a>>,
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
        let line = |line: Line<'_>| (line.path.into_owned(), (line.sha256, line.executable));
        Ok(Self(document.files.into_iter().map(line).collect()))
    }

    /// Sum and executable bit of the file at `path`, if it is ours.
    pub(crate) fn get(&self, path: &str) -> Option<(Sha256Sum, bool)> {
        self.0.get(path).copied()
    }

    /// Every file of ours with its sum, in the order of their paths.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, Sha256Sum)> {
        self.0.iter().map(|(path, (sum, _))| (path.as_str(), *sum))
    }

    /// Whether a file of ours lies below `dir`, which ends with `/`.
    pub(crate) fn has_below(&self, dir: &str) -> bool {
        self.0.range(dir.to_owned()..).next().is_some_and(|(path, _)| path.starts_with(dir))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_printed() {
        let line = |path: &'static str, executable| Line {
            path: path.into(),
            sha256: Sha256Sum::of(b"abc"),
            executable,
        };
        let body = print([line("a/x", false), line("b", true)].into_iter()).unwrap();
        let text = String::from_utf8(body.clone()).unwrap();
        assert!(text.contains("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), "{text}");
        let manifest = Manifest::parse(&body).unwrap();
        assert_eq!(manifest.get("a/x"), Some((Sha256Sum::of(b"abc"), false)));
        assert_eq!(manifest.get("b"), Some((Sha256Sum::of(b"abc"), true)));
        assert!(manifest.has_below("a/") && !manifest.has_below("b/"));
    }

    #[test]
    fn refuses_what_it_did_not_print() {
        let none = String::from_utf8(print(std::iter::empty()).unwrap()).unwrap();
        assert!(Manifest::parse(none.as_bytes()).is_ok());
        for bad in [
            String::new(),
            "<<<<<<< HEAD\n".to_owned() + &none,
            none.replace("plasmagen", "webpack"),
            none.replace("\"schema\": 1", "\"schema\": 2"),
            none.replace('[', "[{\"path\":\"a\",\"sha256\":\"é0\"}"),
        ] {
            assert!(Manifest::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
