//! The operator's files that an inventory names: NixOS modules, and reservations of other clusters, below the inventory's
//! directory.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use super::git;
use super::neighbours::read_neighbours;
use crate::model::{Cluster, RelPath};

/// The most symbolic links that Linux follows on one path.
const MOST_LINKS: usize = 40;

/// Whether a file that the inventory names can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedFile {
    /// The file, or the directory with a `default.nix`, is there.
    Present,
    /// There is no such file, or something else in its place.
    Absent,
    /// A symbolic link on the way to the file is absolute, or leads out of the tree that Nix copies.
    Outside,
    /// The file is there, in a git work tree, and git's index does not have it.
    Untracked,
}

/// The files that an inventory names, by their paths from the inventory's directory.
#[derive(Debug, Default)]
pub struct NamedFiles {
    states: BTreeMap<RelPath, NamedFile>,
    /// The file of reservations that cannot be used, and the reason.
    fault: Option<(RelPath, String)>,
}

impl NamedFiles {
    /// Looks for the files of `cluster` below `root`, and asks git for its index where there is one.
    #[must_use]
    pub fn gather(root: &Path, cluster: &Cluster) -> Self {
        let named = cluster.nodes.iter().flat_map(|node| node.modules.iter().chain(&node.hardware_file));
        let named: BTreeSet<&RelPath> = named.chain(&cluster.provisioner.reservations).collect();
        if named.is_empty() {
            return Self::default();
        }
        let index = list_index(root);
        // Where the directory cannot be resolved, no file is there.
        let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        let tree = git::find_work_tree(&root).unwrap_or(&root);
        let find = |path: &RelPath| find_state(&root, tree, index.as_ref(), path.as_str());
        let states: BTreeMap<_, _> = named.into_iter().map(|path| (path.clone(), find(path))).collect();
        let fault = read_neighbours(&root, cluster).err();
        let fault = fault.map(|(path, error)| (path, format!("{error:#}")));
        Self { states, fault }
    }

    /// The state of the file `path`; none where no node uses that file.
    #[must_use]
    pub fn find(&self, path: &RelPath) -> Option<NamedFile> {
        self.states.get(path).copied()
    }

    /// Why the file `path`, which is there, cannot be used for its reservations; none where it can, or where an earlier file
    /// cannot.
    #[must_use]
    pub fn find_fault(&self, path: &RelPath) -> Option<&str> {
        let (of, message) = self.fault.as_ref()?;
        let is_there = self.find(path).is_some_and(|state| state != NamedFile::Absent);
        (of == path && is_there).then_some(message.as_str())
    }
}

/// Finds the state of the module `path` below `root`, which lies in `tree`, the directory that Nix copies.
fn find_state(root: &Path, tree: &Path, index: Option<&BTreeSet<String>>, path: &str) -> NamedFile {
    if !is_module(&root.join(path)) {
        return NamedFile::Absent;
    }
    let Some(mut file) = follow(root, tree, Path::new(path)) else { return NamedFile::Outside };
    if file.is_dir() {
        let Some(default) = follow(&file, tree, Path::new("default.nix")) else { return NamedFile::Outside };
        file = default;
    }
    let is_known = |index: &BTreeSet<String>| {
        // A file elsewhere in the work tree is not listed.
        let listed =
            file.strip_prefix(root).ok().and_then(Path::to_str).is_none_or(|file| is_listed(index, file));
        listed && is_listed(index, path)
    };
    if index.is_none_or(is_known) { NamedFile::Present } else { NamedFile::Untracked }
}

/// Follows `path` from the directory `from` through symbolic links, as Nix does in its copy of `tree`: none where a link is
/// absolute or leads out of `tree`, since Nix copies links as they are.
fn follow(from: &Path, tree: &Path, path: &Path) -> Option<PathBuf> {
    let mut at = from.to_owned();
    let mut left: Vec<PathBuf> = vec![path.to_owned()];
    let mut links = 0;
    while let Some(path) = left.pop() {
        let mut parts = path.components();
        match parts.next() {
            None => continue,
            Some(Component::CurDir) => left.push(parts.as_path().to_owned()),
            Some(Component::ParentDir) => {
                at.pop();
                left.push(parts.as_path().to_owned());
            }
            Some(Component::Normal(name)) => {
                left.push(parts.as_path().to_owned());
                at.push(name);
                if let Ok(target) = at.read_link() {
                    links += 1;
                    at.pop();
                    left.push(target);
                }
            }
            Some(Component::RootDir | Component::Prefix(_)) => return None,
        }
        if links > MOST_LINKS || !at.starts_with(tree) {
            return None;
        }
    }
    Some(at)
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
