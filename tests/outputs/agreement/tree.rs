//! A rendered tree, in memory and on disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use plasmagen::check::check;
use plasmagen::diag::Severity;
use plasmagen::model::{Cluster, Node};
use plasmagen::outputs;
use plasmagen::pki::Vault;
use plasmagen::pki::cluster::{IssueOrder, issue, select};
use plasmagen::plan::{Certificates, HostKeys, Plan, Zones};
use tempfile::TempDir;
use time::macros::datetime;

use test_kit::{case_dirs, repository, site};

/// An inventory and everything that is rendered of it.
pub(crate) struct Tree {
    /// Which one it is, for messages.
    pub(crate) name: String,
    /// The inventory's text.
    pub(crate) inventory: String,
    pub(crate) cluster: Cluster,
    /// The files of text by path.
    pub(crate) files: BTreeMap<String, String>,
    dir: TempDir,
}

impl Tree {
    /// The random inventory with that number, rendered with certificates made for it.
    pub(crate) fn random(number: u64) -> Self {
        let inventory = site::inventory(number);
        let cluster = sound(&format!("random inventory {number}"), &inventory);
        let tree = Self::new(format!("random inventory {number}"), inventory, cluster, None);
        copy(&repository().join("tests/outputs/agreement/custom"), &tree.dir.path().join("custom"));
        tree
    }

    /// The golden cases and the reference, which has certificates of its own.
    pub(crate) fn committed() -> Vec<Self> {
        let case = |dir: PathBuf| {
            let name = dir.file_name().unwrap().to_str().unwrap().to_owned();
            let inventory = fs::read_to_string(dir.join("inventory.toml")).unwrap();
            let cluster = sound(&name, &inventory);
            let tree = Self::new(name, inventory, cluster, None);
            for directory in ["custom", "hardware"] {
                copy(&dir.join(directory), &tree.dir.path().join(directory));
            }
            tree
        };
        let mut trees: Vec<Self> = case_dirs().into_iter().map(case).collect();
        trees.push(Self::reference());
        trees
    }

    /// The reference with its committed certificates.
    pub(crate) fn reference() -> Self {
        let inventory = fs::read_to_string(repository().join("inventory.toml")).unwrap();
        let cluster = sound("the reference", &inventory);
        let certificates = Certificates::gather(repository(), &cluster).unwrap();
        Self::new("the reference".to_owned(), inventory, cluster, Some(certificates))
    }

    /// The inventory in `file`, with certificates made for it.
    pub(crate) fn of(file: &Path) -> Self {
        let name = file.display().to_string();
        let inventory = fs::read_to_string(repository().join(file)).unwrap();
        let cluster = sound(&name, &inventory);
        Self::new(name, inventory, cluster, None)
    }

    fn new(name: String, inventory: String, cluster: Cluster, certificates: Option<Certificates>) -> Self {
        let certificates = certificates.unwrap_or_else(|| issued(&cluster));
        let plan = Plan { cluster, certificates, host_keys: HostKeys::default(), zones: Zones::default() };
        let rendered =
            outputs::render(&plan).unwrap_or_else(|error| panic!("{name}: {error:#}\n{inventory}"));
        let dir = tempfile::tempdir().unwrap();
        let (mut files, mut binary) = (BTreeMap::new(), Vec::new());
        for artifact in rendered.iter() {
            let to = dir.path().join(artifact.path.as_str());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::write(to, &artifact.body).unwrap();
            match String::from_utf8(artifact.body.clone()) {
                Ok(text) => _ = files.insert(artifact.path.to_string(), text),
                Err(_) => binary.push(artifact.path.as_str()),
            }
        }
        assert!(binary.iter().all(|path| path.ends_with(".cpio.gz")), "{name}: no text: {binary:?}");
        Self { name, inventory, cluster: plan.cluster, files, dir }
    }

    /// Where a file lies on disk.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    /// The text of a file that must be there.
    pub(crate) fn file(&self, path: &str) -> &str {
        self.files.get(path).unwrap_or_else(|| panic!("{}: {path} is missing", self.name))
    }

    /// The files between `before` and `after`: what stands there in their paths, their paths and their texts.
    pub(crate) fn between(&self, before: &str, after: &str) -> impl Iterator<Item = (&str, &str, &str)> {
        self.files.iter().filter_map(move |(path, text)| {
            let middle = path.strip_prefix(before)?.strip_suffix(after)?;
            Some((middle, path.as_str(), text.as_str()))
        })
    }

    /// The file of each node with that name: the node's directory, the path, the text.
    pub(crate) fn of_nodes(&self, file: &str) -> Vec<(&str, &str, &str)> {
        let found = self.files.iter().filter_map(|(path, text)| {
            let (dir, name) = path.strip_prefix("nodes/")?.split_once('/')?;
            (name == file).then_some((dir, path.as_str(), text.as_str()))
        });
        found.collect()
    }

    /// Replaces a text that must be there, once, in a file or in the inventory's text.
    pub(crate) fn edit(&mut self, path: &str, from: &str, to: &str) {
        if path == "inventory.toml" {
            assert!(self.inventory.contains(from), "{path} does not hold {from:?}");
            self.inventory = self.inventory.replacen(from, to, 1);
            return;
        }
        let text = self.file(path);
        assert!(text.contains(from), "{path} does not hold {from:?}:\n{text}");
        let edited = text.replacen(from, to, 1);
        fs::write(self.path(path), &edited).unwrap();
        self.files.insert(path.to_owned(), edited);
    }

    /// Puts the file `by` in the place of another.
    pub(crate) fn replace(&mut self, path: &str, by: &str) {
        fs::copy(self.path(by), self.path(path)).unwrap();
        if let Some(text) = self.files.get(by).cloned() {
            self.files.insert(path.to_owned(), text);
        }
    }

    /// The short name of the node whose directory that is.
    pub(crate) fn node(&self, dir: &str) -> String {
        let is = |node: &&Node| node.fqdn.as_str() == dir;
        self.cluster.nodes.iter().find(is).map_or_else(|| dir.to_owned(), |node| node.name.to_string())
    }
}

/// The cluster of an inventory that must be sound.
fn sound(name: &str, inventory: &str) -> Cluster {
    let checked = check(inventory.as_bytes()).unwrap();
    let errors = checked.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    let errors: Vec<String> = errors
        .map(|diagnostic| {
            format!(
                "{}: {} at `{}`",
                diagnostic.code,
                diagnostic.message,
                &inventory[diagnostic.span.clone()]
            )
        })
        .collect();
    checked.cluster.unwrap_or_else(|| panic!("{name} is refused: {errors:#?}\n{inventory}"))
}

/// Certificates for all nodes, as `plasmagen render` issues them.
fn issued(cluster: &Cluster) -> Certificates {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::open_or_new(&dir.path().join("vault"), &[]).unwrap();
    let now = datetime!(2026-03-01 12:00:00 UTC);
    let none = Certificates::default();
    let selection = select(cluster, &none, &IssueOrder::default(), now).unwrap();
    issue(cluster, &selection, none, &vault, now).unwrap().certificates
}

fn copy(from: &Path, to: &Path) {
    for file in fs::read_dir(from).into_iter().flatten().map(Result::unwrap) {
        fs::create_dir_all(to).unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}
