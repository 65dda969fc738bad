//! The files that a commit wants on disk: the artifacts of each tree, hashed, and the tree's manifest.

use std::borrow::Cow;
use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use rayon::prelude::*;

use super::manifest::{self, ManifestEntry};
use super::trees::TREES;
use crate::artifact::{Artifact, ArtifactSet};
use crate::fs::{Sha256Sum, parents};

/// A file that is to be on disk.
pub(super) struct WantedFile<'a> {
    /// Path relative to the tree.
    pub(super) path: &'a str,
    pub(super) body: Cow<'a, [u8]>,
    pub(super) executable: bool,
    pub(super) sha256: Sha256Sum,
}

/// Lists the files of each of [`TREES`], sorted by path.
///
/// # Errors
/// When an artifact lies outside of the trees, at the place of a manifest, or where another artifact needs a directory: each
/// of these is a bug of plasmagen.
pub(super) fn list_trees(artifacts: &ArtifactSet) -> Result<[Vec<WantedFile<'_>>; 2]> {
    let [nodes, site] = TREES.map(|tree| list_tree(tree, artifacts));
    let trees = [nodes?, site?];
    let listed: usize = trees.iter().map(|tree| tree.len() - 1).sum();
    ensure!(listed == artifacts.len(), "an output writes outside of nodes/ and site/");
    Ok(trees)
}

fn list_tree<'a>(tree: &str, artifacts: &'a ArtifactSet) -> Result<Vec<WantedFile<'a>>> {
    let inside = |artifact: &'a Artifact| {
        Some((artifact.path.as_str().strip_prefix(tree)?.strip_prefix('/')?, artifact))
    };
    let of_tree: Vec<_> = artifacts.iter().filter_map(inside).collect();
    let hash = |(path, artifact): (&'a str, &'a Artifact)| WantedFile {
        path,
        body: Cow::Borrowed(&artifact.body),
        executable: artifact.executable,
        sha256: Sha256Sum::of(&artifact.body),
    };
    let mut files: Vec<_> = of_tree.into_par_iter().map(hash).collect();

    let dirs = list_dirs(files.iter().map(|file| file.path));
    let entries = files.iter().map(|file| ManifestEntry {
        path: Cow::Borrowed(file.path),
        sha256: file.sha256,
        executable: file.executable,
    });
    let body = manifest::print(entries)?;
    let index = files.partition_point(|file| file.path < manifest::NAME);
    let sha256 = Sha256Sum::of(&body);
    let body = Cow::Owned(body);
    files.insert(index, WantedFile { path: manifest::NAME, body, executable: false, sha256 });

    for pair in files.windows(2) {
        ensure!(
            pair[0].path != pair[1].path,
            "an output writes {tree}/{}, which is reserved for the manifest",
            pair[0].path
        );
    }
    for file in &files {
        ensure!(
            !dirs.contains(file.path),
            "{tree}/{} is a file of one output and a directory of another",
            file.path
        );
    }
    Ok(files)
}

/// Lists every directory that holds one of `paths`, at any depth; the tree itself is the empty path. Parents come first.
pub(super) fn list_dirs<'a>(paths: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    std::iter::once("").chain(paths.flat_map(parents)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(paths: &[&str]) -> ArtifactSet {
        let mut set = ArtifactSet::default();
        for path in paths {
            set.insert(Artifact::new(*path, "x").unwrap()).unwrap();
        }
        set
    }

    #[test]
    fn each_tree_gets_its_files_and_a_manifest_in_order() {
        let set = set(&["nodes/a/x", "nodes/z", "site/b"]);
        let [nodes, site] = list_trees(&set).unwrap();
        assert_eq!(nodes.iter().map(|file| file.path).collect::<Vec<_>>(), ["a/x", "manifest.json", "z"]);
        assert_eq!(site.iter().map(|file| file.path).collect::<Vec<_>>(), ["b", "manifest.json"]);
    }

    #[test]
    fn refuses_paths_that_cannot_be_written() {
        for bad in
            [&["else/a"][..], &["nodes"], &["nodesx/a"], &["nodes/manifest.json"], &["site/a", "site/a/b/c"]]
        {
            assert!(list_trees(&set(bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn directories_come_after_their_parents() {
        let dirs = list_dirs(["a/b/c/x", "a-b/x", "a/y"].into_iter());
        assert_eq!(dirs.into_iter().collect::<Vec<_>>(), ["", "a", "a-b", "a/b", "a/b/c"]);
    }
}
