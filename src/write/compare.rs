//! Compares the wanted files with those on disk: what a commit changes, and which edits it must not throw away.

use std::cmp::Ordering;

use anyhow::{Context, Result, anyhow};

use super::manifest::{self, TreeManifest};
use super::scan::{ScannedFile, ScannedTree, TreeEntryKind};
use super::wanted::WantedFile;
use crate::fs::{Dir, LIST_LIMIT};

/// Number of edits that a refusal names.
const NAMED: usize = 20;

/// A path with the wanted file and the entry on disk.
pub(super) struct Pair<'a> {
    /// Path relative to the tree.
    pub(super) path: &'a str,
    pub(super) wanted: Option<&'a WantedFile<'a>>,
    pub(super) found: Option<&'a TreeEntryKind>,
}

impl<'a> Pair<'a> {
    /// The file on disk, if it is as wanted.
    pub(super) fn unchanged(&self) -> Option<&'a ScannedFile> {
        match (self.wanted, self.found) {
            (Some(wanted), Some(TreeEntryKind::File(file)))
                if wanted.sha256 == file.sha256 && wanted.executable == file.is_executable() =>
            {
                Some(file)
            }
            _ => None,
        }
    }
}

/// The comparison of one tree.
pub(super) struct TreeComparison<'a> {
    /// Name of the tree.
    pub(super) tree: &'static str,
    /// The tree on disk.
    pub(super) scanned: &'a ScannedTree,
    /// Every path that is wanted or on disk, sorted.
    pub(super) pairs: Vec<Pair<'a>>,
}

impl<'a> TreeComparison<'a> {
    /// Pairs up two lists that are sorted by path.
    pub(super) fn new(tree: &'static str, wanted: &'a [WantedFile<'a>], scanned: &'a ScannedTree) -> Self {
        let (mut left, mut right) = (wanted.iter().peekable(), scanned.entries.iter().peekable());
        let mut pairs = Vec::with_capacity(wanted.len());
        loop {
            let order = match (left.peek(), right.peek()) {
                (Some(wanted), Some(found)) => wanted.path.cmp(found.path.as_str()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => break,
            };
            let wanted = if order.is_le() { left.next() } else { None };
            let found = if order.is_ge() { right.next() } else { None };
            let path = wanted.map(|wanted| wanted.path).or(found.map(|found| found.path.as_str()));
            pairs.extend(path.map(|path| Pair { path, wanted, found: found.map(|found| &found.kind) }));
        }
        // An empty directory that gets files is no leftover.
        pairs.retain(|pair| {
            !matches!(pair.found, Some(TreeEntryKind::EmptyDir)) || !holds_wanted(wanted, pair.path)
        });
        Self { tree, scanned, pairs }
    }

    /// The pairs that differ: none when the tree is as wanted.
    pub(super) fn differences(&self) -> impl Iterator<Item = &Pair<'a>> {
        self.pairs.iter().filter(|pair| pair.unchanged().is_none())
    }

    /// Whether the tree is not as wanted.
    pub(super) fn is_stale(&self) -> bool {
        self.differences().next().is_some()
    }

    /// Lists the edits by hand in this tree of `root` that a commit would lose: a line each.
    ///
    /// A file that already is as wanted, as after a merge, is no edit, and neither is a file that is missing.
    ///
    /// # Errors
    /// When the tree is not plasmagen's: it holds something, but no manifest that plasmagen wrote.
    pub(super) fn edits(&self, root: &Dir) -> Result<Vec<String>> {
        if !self.is_stale() || self.scanned.entries.is_empty() {
            return Ok(Vec::new());
        }
        let manifest = self.read_manifest(root).with_context(|| {
            format!(
                "{tree}/ is not known to be plasmagen's. plasmagen replaces this directory as a whole, and what it \
                 holds would be lost. Move it away; or, if it is plasmagen's and comes from git, restore its manifest: \
                 git checkout HEAD -- {tree}/{}",
                manifest::NAME,
                tree = self.tree
            )
        })?;
        // A file name may contain control characters, which a terminal would obey.
        let describe = |pair: &Pair<'_>| {
            Some(format!("{} {}/{}", describe_edit(pair, &manifest)?, self.tree, pair.path.escape_debug()))
        };
        Ok(self.differences().filter_map(describe).collect())
    }

    fn read_manifest(&self, root: &Dir) -> Result<TreeManifest> {
        let here = |pair: &&Pair<'_>| {
            pair.path == manifest::NAME && matches!(pair.found, Some(TreeEntryKind::File(_)))
        };
        let path = format!("{}/{}", self.tree, manifest::NAME);
        self.pairs.iter().find(here).with_context(|| format!("{path} is missing"))?;
        let body = root.read_limited(&path, LIST_LIMIT).with_context(|| format!("could not read {path}"))?;
        TreeManifest::parse(&body).with_context(|| format!("could not understand {path}"))
    }
}

/// Whether a wanted file lies below `dir`, which ends with `/`.
fn holds_wanted(wanted: &[WantedFile<'_>], dir: &str) -> bool {
    let first = wanted.partition_point(|file| file.path < dir);
    wanted.get(first).is_some_and(|file| file.path.starts_with(dir))
}

/// Describes the edit of a person at a path that is not as wanted, in one word; none where there was no edit.
fn describe_edit(pair: &Pair<'_>, manifest: &TreeManifest) -> Option<&'static str> {
    let known = manifest.get(pair.path);
    match pair.found? {
        TreeEntryKind::File(_) if pair.path == manifest::NAME => None,
        TreeEntryKind::File(file) if known == Some((file.sha256, file.is_executable())) => None,
        TreeEntryKind::File(_) if known.is_some() => Some("modified"),
        TreeEntryKind::EmptyDir if manifest.has_below(pair.path) => None,
        TreeEntryKind::File(_) | TreeEntryKind::EmptyDir => Some("added"),
        TreeEntryKind::Other(kind) => Some(kind),
    }
}

/// The error that refuses to throw away `edits`.
pub(super) fn refuse_edits(edits: &[String]) -> anyhow::Error {
    let named = edits.iter().take(NAMED).cloned();
    let more = edits.len().checked_sub(NAMED).filter(|more| *more > 0).map(|more| format!("and {more} more"));
    let lines: String = named.chain(more).map(|line| format!("\n  {line}")).collect();
    anyhow!(
        "nodes/ and site/ contain edits by hand, which this command would throw away. Make these changes in the inventory \
         instead, and move files of your own out of these directories; --discard-edits throws all of them away:{lines}"
    )
}
