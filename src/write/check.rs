//! The changes that a commit would make, to be shown. Nothing is written and no lock is taken, so that this works on a
//! read-only disk.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use similar::TextDiff;

use super::cache::StatCache;
use super::compare::{Pair, TreeComparison};
use super::scan::{TreeEntryKind, scan_tree};
use super::trees::TREES;
use super::wanted;
use crate::artifact::ArtifactSet;
use crate::fs::{Dir, LIST_LIMIT, STATE};

/// The time to search for the smallest difference of two texts; after that a larger one is shown.
const PATIENCE: Duration = Duration::from_secs(1);

/// A path that is not as the inventory wants it to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// Path relative to the directory of the inventory; that of an empty directory ends with `/`.
    pub path: String,
    /// The contents of the path on disk.
    pub old: Side,
    /// The contents of the path after a commit.
    pub new: Side,
}

/// One side of a change: the contents of a path before or after the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Side {
    /// Nothing is there.
    Absent,
    /// A file.
    File {
        /// The content.
        body: Vec<u8>,
        /// Whether the owner may execute the file.
        executable: bool,
    },
    /// Something else that a person put there, by the name of its kind, as in "symbolic link".
    Other(&'static str),
}

/// Compares the directory `root` with `artifacts`, and returns the paths that differ, in order; none when a commit would
/// change nothing.
///
/// # Errors
/// When something can't be read, or when a tree is not plasmagen's, so that a commit would be refused, too.
pub fn check(root: &Path, artifacts: &ArtifactSet) -> Result<Vec<FileChange>> {
    let root = Dir::open(root).with_context(|| format!("could not open {}", root.display()))?;
    let cache = root.open_dir(STATE).map(|state| StatCache::load(&state)).unwrap_or_default();
    let mut changes = Vec::new();
    for (tree, wanted) in TREES.into_iter().zip(wanted::list_trees(artifacts)?) {
        let scanned = scan_tree(&root, tree, &|stat| cache.get(stat))?;
        let comparison = TreeComparison::new(tree, &wanted, &scanned);
        comparison.edits(&root)?;
        for pair in comparison.differences() {
            changes.push(describe_change(&root, tree, pair)?);
        }
    }
    Ok(changes)
}

fn describe_change(root: &Dir, tree: &str, pair: &Pair<'_>) -> Result<FileChange> {
    let path = format!("{tree}/{}", pair.path);
    let old = match pair.found {
        None => Side::Absent,
        Some(TreeEntryKind::File(file)) => {
            let body =
                root.read_limited(&path, LIST_LIMIT).with_context(|| format!("could not read {path}"))?;
            Side::File { body, executable: file.is_executable() }
        }
        Some(TreeEntryKind::EmptyDir) => Side::Other("empty directory"),
        Some(TreeEntryKind::Other(kind)) => Side::Other(kind),
    };
    let new = pair.wanted.map_or(Side::Absent, |wanted| Side::File {
        body: wanted.body.to_vec(),
        executable: wanted.executable,
    });
    Ok(FileChange { path, old, new })
}

/// Prints a change as `diff -u` does.
#[must_use]
pub fn unified_diff(change: &FileChange) -> String {
    // A file name may contain control characters, which a terminal would obey.
    let path = &change.path.escape_debug().to_string();
    let mut out = String::new();
    // Writing to a String does not fail.
    match (&change.old, &change.new) {
        (Side::Other(kind), _) => _ = writeln!(out, "{path}: a {kind}, which plasmagen did not make"),
        (Side::File { executable: false, .. }, Side::File { executable: true, .. }) => {
            _ = writeln!(out, "{path}: becomes executable");
        }
        (Side::File { executable: true, .. }, Side::File { executable: false, .. }) => {
            _ = writeln!(out, "{path}: is no longer executable");
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

/// The content as text; none where it is not UTF-8 or contains NUL, by which git recognizes a binary file.
fn text(body: Option<&[u8]>) -> Option<&str> {
    let text = std::str::from_utf8(body.unwrap_or_default()).ok()?;
    (!text.contains('\0')).then_some(text)
}
