//! What a commit would change, to be shown: reads only, takes no lock, works on a read-only disk.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use similar::TextDiff;

use super::cache::Cache;
use super::compare::{Pair, Plan};
use super::scan::Kind;
use super::{STATE, TREES, scan, wanted};
use crate::artifact::ArtifactSet;
use crate::fs::Dir;

/// How long to look for the smallest difference of two texts, before a larger one will do.
const PATIENCE: Duration = Duration::from_secs(1);

/// A path that is not as the inventory wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Relative to the directory of the inventory; that of an empty directory ends with `/`.
    pub path: String,
    /// What lies there.
    pub old: Side,
    /// What a commit would put there.
    pub new: Side,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Side {
    /// Nothing.
    Absent,
    /// A file.
    File {
        /// The whole content.
        body: Vec<u8>,
        /// Whether its owner may execute it.
        executable: bool,
    },
    /// Something else that a person put there: what it is, in words.
    Other(&'static str),
}

/// Compares the directory `root` with `artifacts`: the paths that differ, in order; none when a commit would change
/// nothing.
///
/// # Errors
/// When something can't be read, or a tree is not ours (so a commit would be refused as well).
pub fn check(root: &Path, artifacts: &ArtifactSet) -> Result<Vec<Change>> {
    let root = Dir::open(root).with_context(|| format!("could not open {}", root.display()))?;
    let cache = root.open_dir(STATE).map(|state| Cache::load(&state)).unwrap_or_default();
    let mut changes = Vec::new();
    for (tree, wanted) in TREES.into_iter().zip(wanted::trees(artifacts)?) {
        let found = scan::tree(&root, tree, &|stat| cache.get(stat))?;
        let plan = Plan::new(tree, &wanted, &found);
        plan.edits(&root)?;
        for pair in plan.differences() {
            changes.push(change(&root, tree, pair)?);
        }
    }
    Ok(changes)
}

fn change(root: &Dir, tree: &str, pair: &Pair<'_>) -> Result<Change> {
    let path = format!("{tree}/{}", pair.path);
    let old = match pair.found {
        None => Side::Absent,
        Some(Kind::File(file)) => {
            let body = root.read(&path).with_context(|| format!("could not read {path}"))?;
            Side::File { body, executable: file.executable() }
        }
        Some(Kind::EmptyDir) => Side::Other("empty directory"),
        Some(Kind::Other(what)) => Side::Other(what),
    };
    let new = pair.wanted.map_or(Side::Absent, |wanted| Side::File {
        body: wanted.body.to_vec(),
        executable: wanted.executable,
    });
    Ok(Change { path, old, new })
}

/// The change as `diff -u` shows it.
#[must_use]
pub fn unified_diff(change: &Change) -> String {
    // A name that somebody else gave may hold what a terminal obeys.
    let path = &change.path.escape_debug().to_string();
    let mut out = String::new();
    // Writing to a String does not fail.
    match (&change.old, &change.new) {
        (Side::Other(what), _) => _ = writeln!(out, "{path}: a {what}, which plasmagen did not make"),
        (Side::File { executable: false, .. }, Side::File { executable: true, .. }) => {
            _ = writeln!(out, "{path}: becomes executable");
        }
        (Side::File { executable: true, .. }, Side::File { executable: false, .. }) => {
            _ = writeln!(out, "{path}: is executable no more");
        }
        _ => {}
    }
    let (old, new) = (change.old.body(), change.new.body());
    let name = |body: Option<&[u8]>| body.map_or("/dev/null", |_| path.as_str());
    match (text(old), text(new)) {
        _ if old == new => {}
        (Some(before), Some(after)) => {
            let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(before, after);
            // An empty file has no lines to show, so the headers alone tell of it.
            out.push_str(&format!("--- {}\n+++ {}\n", name(old), name(new)));
            out.push_str(&diff.unified_diff().to_string());
        }
        _ => _ = writeln!(out, "Binary files {} and {} differ", name(old), name(new)),
    }
    out
}

impl Side {
    fn body(&self) -> Option<&[u8]> {
        match self {
            Self::File { body, .. } => Some(body),
            Self::Absent | Self::Other(_) => None,
        }
    }
}

/// The content as text: UTF-8 without NUL, which is how git tells a binary file.
fn text(body: Option<&[u8]>) -> Option<&str> {
    let text = std::str::from_utf8(body.unwrap_or_default()).ok()?;
    (!text.contains('\0')).then_some(text)
}
