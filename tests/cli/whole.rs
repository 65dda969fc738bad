//! Whether the trees and the vault are whole, and of which version, after a run that ended in any way.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use plasmagen::fs::Sha256Sum;
use plasmagen::pki::Vault;
use plasmagen::write::SiteLock;

use crate::certificates::{assert_host_keys_belong, assert_keys_belong, assert_verified, leaves};
use test_kit::Version;
use test_kit::tree::entries;

use crate::kit::{NODE04, Site};

/// A site that is about to be rendered, and what comes of it.
pub(crate) struct Scenario {
    pub(crate) before: Site,
    after: Site,
}

/// Files by path; what differs between two runs, since it is random, is left out.
type Files = BTreeMap<String, Option<Vec<u8>>>;

impl Scenario {
    /// The first run of all: it makes the vault and the CA.
    pub(crate) fn first() -> Self {
        Self::of(Site::new())
    }

    /// One node has another address, and one is new: a certificate for a key that is there, and one with a new key.
    pub(crate) fn update() -> Self {
        let before = Site::rendered();
        before.edit("10.0.200.12", "10.0.200.13");
        before.append(NODE04);
        Self::of(before)
    }

    fn of(before: Site) -> Self {
        let after = before.copy();
        after.run(&["render"]).ends(0, &[]);
        Self { before, after }
    }

    /// The version of `tree`, which must be whole.
    pub(crate) fn version(&self, site: &Site, tree: &str, when: &str) -> Version {
        let found = files(site, tree);
        if found.is_empty() {
            return Version::None;
        }
        assert_manifest(&site.root().join(tree), &format!("{tree} {when}"));
        let is = |reference: &Site| files(reference, tree) == found;
        match (is(&self.before), is(&self.after)) {
            (true, _) => Version::Old,
            (_, true) => Version::New,
            _ => panic!("{tree} is torn {when}: {:?}", found.keys()),
        }
    }

    pub(crate) fn versions(&self, site: &Site, when: &str) -> (Version, Version) {
        (self.version(site, "nodes", when), self.version(site, "site", when))
    }

    /// What holds at any moment: whole trees, whole entries in the vault, and a key for each published certificate.
    pub(crate) fn assert_whole(&self, site: &Site, when: &str) -> (Version, Version) {
        let versions = self.versions(site, when);
        assert_vault(&self.before, site, when);
        if site.root().join("nodes").exists() {
            assert_keys_belong(site, when);
            assert_host_keys_belong(site, when);
        }
        versions
    }

    /// After that, the next run makes both trees agree, and completes what the one before had begun.
    pub(crate) fn assert_recovers(&self, site: &Site, when: &str) {
        drop(SiteLock::acquire(&site.root()).unwrap_or_else(|error| panic!("no new run {when}: {error:#}")));
        let (nodes, rest) = self.assert_whole(site, when);
        assert_eq!(nodes, rest, "{when}");
        let run = site.run(&["render"]);
        assert_eq!(run.code, Some(0), "no new render {when}: {}", run.stderr);
        assert_eq!(self.assert_whole(site, when), (Version::New, Version::New), "{when}");
        let names: Vec<_> = leaves(&self.after).into_keys().collect();
        let names: Vec<_> = names.iter().map(|name| name.split('.').next().unwrap()).collect();
        assert_verified(site, &names);
        for left in [".plasmagen/stage", ".plasmagen/journal", ".plasmagen/journal.new"] {
            assert!(!site.root().join(left).exists(), "{left} is left over {when}");
        }
        assert_eq!(site.run(&["render", "--check"]).code, Some(0), "{when}");
    }
}

fn files(site: &Site, tree: &str) -> Files {
    let root = site.root().join(tree);
    if !root.exists() {
        return Files::new();
    }
    let known = |(path, entry): (std::path::PathBuf, test_kit::tree::Entry)| {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        // Certificates and host keys are random, and sums of them too.
        let random = [".pem", ".pub", "manifest.json", "issued.json", "known_hosts"]
            .iter()
            .any(|end| name.ends_with(end));
        let body = (!random).then_some([format!("{:o} ", entry.mode).as_bytes(), &entry.body].concat());
        (name, body)
    };
    entries(&root).into_iter().map(known).collect()
}

/// The tree holds exactly the files of its manifest.
fn assert_manifest(root: &Path, when: &str) {
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(root.join("manifest.json")).unwrap()).unwrap();
    let line = |line: &serde_json::Value| {
        (root.join(line["path"].as_str().unwrap()), line["sha256"].as_str().unwrap().to_owned())
    };
    let expected: BTreeMap<_, _> = manifest["files"].as_array().unwrap().iter().map(line).collect();
    let hex = |body: &[u8]| Sha256Sum::of(body).to_string();
    let mut found = entries(root);
    found.retain(|path, entry| entry.mode & 0o40000 == 0 && !path.ends_with("manifest.json"));
    let found: BTreeMap<_, _> = found.into_iter().map(|(path, entry)| (path, hex(&entry.body))).collect();
    assert_eq!(found, expected, "{when}");
}

/// The vault is private and holds all of each entry; what it held before, it holds still.
fn assert_vault(before: &Site, site: &Site, when: &str) {
    let dir = site.vault();
    if before.vault().exists() {
        for (path, entry) in entries(&before.vault()) {
            let now = dir.join(path.strip_prefix(before.vault()).unwrap());
            assert!(now.exists(), "{} is gone {when}", now.display());
            assert_eq!(
                entry.body,
                if now.is_file() { fs::read(&now).unwrap() } else { Vec::new() },
                "{when}"
            );
        }
    }
    if !dir.exists() {
        return;
    }
    let vault = Vault::open(&dir, &[]).unwrap_or_else(|error| panic!("{when}: {error:#}"));
    vault.newest_ca().unwrap_or_else(|error| panic!("{when}: {error:#}"));
    for (path, entry) in entries(&dir) {
        assert_eq!(entry.mode & 0o77, 0, "{} {when}", path.display());
    }
    for entry in fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap()) {
        let name = entry.file_name().into_string().unwrap();
        if !name.starts_with('.') && !name.starts_with("ca-") {
            assert!(vault.key(&name).unwrap().is_some(), "{name} is without its key {when}");
        }
    }
}
