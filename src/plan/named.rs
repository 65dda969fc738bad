//! The operator's files that an inventory names: NixOS modules below the inventory's directory.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::git;
use crate::model::{Cluster, RelPath};

/// Whether a file that the inventory names can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedFile {
    /// The file, or the directory with a `default.nix`, is there.
    Present,
    /// There is no such file, or something else in its place.
    Absent,
    /// The file is there, in a git work tree, and git's index does not have it.
    Untracked,
}

/// The files that an inventory names, by their paths from the inventory's directory.
#[derive(Debug, Default)]
pub struct NamedFiles(BTreeMap<RelPath, NamedFile>);

impl NamedFiles {
    /// Looks for the files of `cluster` below `root`, and asks git for its index where there is one.
    #[must_use]
    pub fn gather(root: &Path, cluster: &Cluster) -> Self {
        let named = cluster.nodes.iter().flat_map(|node| node.modules.iter().chain(&node.hardware_file));
        let named: BTreeSet<&RelPath> = named.collect();
        if named.is_empty() {
            return Self::default();
        }
        let index = list_index(root);
        let judge = |path: &RelPath| match &index {
            _ if !is_module(&root.join(path.as_str())) => NamedFile::Absent,
            Some(index) if !is_listed(index, path.as_str()) => NamedFile::Untracked,
            _ => NamedFile::Present,
        };
        Self(named.into_iter().map(|path| (path.clone(), judge(path))).collect())
    }

    /// The state of the file `path`; none where no node uses that file.
    #[must_use]
    pub fn find(&self, path: &RelPath) -> Option<NamedFile> {
        self.0.get(path).copied()
    }
}

/// Whether Nix can import `path`: a file, or a directory with a `default.nix`.
fn is_module(path: &Path) -> bool {
    path.is_file() || path.join("default.nix").is_file()
}

/// Whether `index` has the file `path`, or a file below it.
fn is_listed(index: &BTreeSet<String>, path: &str) -> bool {
    let below = format!("{path}/");
    index.contains(path) || index.range(below.clone()..).next().is_some_and(|file| file.starts_with(&below))
}

/// The variable that names the index of the commit that is being made: that of `git commit FILE` is not the repository's.
const INDEX: &str = "GIT_INDEX_FILE";

/// The files below `root` that git's index has, without those that plasmagen writes. `None` outside of a git work tree,
/// and where git cannot tell: in a repository of another user, for example.
fn list_index(root: &Path) -> Option<BTreeSet<String>> {
    let mut git = git::git(root);
    // git reads a relative path from `root`, and the hook wrote the path for the working directory.
    if let Some(index) = std::env::var_os(INDEX).and_then(|path| std::path::absolute(path).ok()) {
        git.env(INDEX, index);
    }
    git.args(["ls-files", "--cached", "-z", "--", ".", ":!nodes", ":!site"]);
    let output = git::run(&mut git).ok()??;
    let files = output.stdout.split(|byte| *byte == 0).filter_map(|file| str::from_utf8(file).ok());
    output.status.success().then(|| files.map(str::to_owned).collect())
}
