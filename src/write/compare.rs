//! Wanted against found: what a commit changes, and what it must not throw away.

use std::cmp::Ordering;
use std::fmt::Write as _;

use anyhow::{Context, Result, anyhow};

use super::manifest::{self, Manifest};
use super::scan::{FoundFile, FoundTree, Kind};
use super::wanted::Wanted;
use crate::fs::Dir;

/// How many edits a refusal names.
const NAMED: usize = 20;

/// What shall be at a path, and what is there.
pub(super) struct Pair<'a> {
    /// Relative to the tree.
    pub(super) path: &'a str,
    pub(super) wanted: Option<&'a Wanted<'a>>,
    pub(super) found: Option<&'a Kind>,
}

impl<'a> Pair<'a> {
    /// The file on disk, where it is already as wanted.
    pub(super) fn same(&self) -> Option<&'a FoundFile> {
        match (self.wanted, self.found) {
            (Some(wanted), Some(Kind::File(file)))
                if wanted.sha256 == file.sha256 && wanted.executable == file.executable() =>
            {
                Some(file)
            }
            _ => None,
        }
    }
}

/// What a commit makes of one tree.
pub(super) struct Plan<'a> {
    pub(super) tree: &'static str,
    pub(super) found: &'a FoundTree,
    /// Sorted by path.
    pub(super) pairs: Vec<Pair<'a>>,
}

impl<'a> Plan<'a> {
    /// Pairs up two lists that are sorted by path.
    pub(super) fn new(tree: &'static str, wanted: &'a [Wanted<'a>], found: &'a FoundTree) -> Self {
        let (mut left, mut right) = (wanted.iter().peekable(), found.entries.iter().peekable());
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
        pairs.retain(|pair| !matches!(pair.found, Some(Kind::EmptyDir)) || !holds_wanted(wanted, pair.path));
        Self { tree, found, pairs }
    }

    /// The pairs that differ: none when the tree is as wanted.
    pub(super) fn differences(&self) -> impl Iterator<Item = &Pair<'a>> {
        self.pairs.iter().filter(|pair| pair.same().is_none())
    }

    /// Whether the tree is not as wanted.
    pub(super) fn is_stale(&self) -> bool {
        self.differences().next().is_some()
    }

    /// What was done by hand in this tree of `root` and would be lost: a line each.
    ///
    /// What already is as wanted is no edit, as after a merge, and a file that is missing loses nothing.
    ///
    /// # Errors
    /// When the tree is not ours: it holds something, but no manifest that we wrote.
    pub(super) fn edits(&self, root: &Dir) -> Result<Vec<String>> {
        if !self.is_stale() || self.found.entries.is_empty() {
            return Ok(Vec::new());
        }
        let manifest = self.manifest(root).with_context(|| {
            format!(
                "{tree}/ is not known to be plasmagen's. plasmagen replaces this directory as a whole, and what it \
                 holds would be lost. Move it away; or, if it is ours and comes from git, take its manifest back: \
                 git checkout HEAD -- {tree}/{}",
                manifest::NAME,
                tree = self.tree
            )
        })?;
        // A name that somebody else gave may hold what a terminal obeys.
        let edit = |pair: &Pair<'_>| {
            Some(format!("{} {}/{}", edit(pair, &manifest)?, self.tree, pair.path.escape_debug()))
        };
        Ok(self.differences().filter_map(edit).collect())
    }

    fn manifest(&self, root: &Dir) -> Result<Manifest> {
        let here =
            |pair: &&Pair<'_>| pair.path == manifest::NAME && matches!(pair.found, Some(Kind::File(_)));
        let path = format!("{}/{}", self.tree, manifest::NAME);
        self.pairs.iter().find(here).with_context(|| format!("{path} is missing"))?;
        let body = root.read(&path).with_context(|| format!("could not read {path}"))?;
        Manifest::parse(&body).with_context(|| format!("could not understand {path}"))
    }
}

fn holds_wanted(wanted: &[Wanted<'_>], dir: &str) -> bool {
    let first = wanted.partition_point(|file| file.path < dir);
    wanted.get(first).is_some_and(|file| file.path.starts_with(dir))
}

/// What a person did at a path that is not as wanted.
fn edit(pair: &Pair<'_>, manifest: &Manifest) -> Option<&'static str> {
    let known = manifest.get(pair.path);
    match pair.found? {
        Kind::File(_) if pair.path == manifest::NAME => None,
        Kind::File(file) if known == Some((file.sha256, file.executable())) => None,
        Kind::File(_) if known.is_some() => Some("modified"),
        Kind::EmptyDir if manifest.has_below(pair.path) => None,
        Kind::File(_) | Kind::EmptyDir => Some("added"),
        Kind::Other(what) => Some(what),
    }
}

/// The refusal to throw away `edits`.
pub(super) fn refusal(edits: &[String]) -> anyhow::Error {
    let mut text =
        String::from("nodes/ and site/ hold what plasmagen did not write and would now throw away:\n");
    for edit in edits.iter().take(NAMED) {
        // Writing to a String does not fail.
        let _ = writeln!(text, "  {edit}");
    }
    if edits.len() > NAMED {
        let _ = writeln!(text, "  and {} more", edits.len() - NAMED);
    }
    text.push_str(
        "Carry changes over to the inventory, and move files of your own out of these directories. \
         With --discard-edits they are thrown away",
    );
    anyhow!(text)
}
