//! What the tests share: two versions of both trees, snapshots of a directory, and the driver process.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use plasmagen::artifact::{Artifact, ArtifactSet};
use plasmagen::write::{CommitOptions, CommitOutcome, SiteLock, commit};
use tempfile::TempDir;

use test_kit::strace::{self, Traced};
use test_kit::{memory, process, tree};

use crate::writer::driver::driver;

/// A version of both trees: path and content.
pub(crate) type Files = BTreeMap<String, String>;

pub(crate) fn files(list: &[(&str, &str)]) -> Files {
    list.iter().map(|(path, body)| ((*path).to_owned(), (*body).to_owned())).collect()
}

/// The old version: [`new`] keeps one file a tree, changes one, removes one and adds one.
pub(crate) fn old() -> Files {
    files(&[
        ("nodes/n1.example.com/disko.nix", "{ kept = true; }\n"),
        ("nodes/n1.example.com/hardware.nix", "{ version = \"old\"; }\n"),
        ("nodes/n2.example.com/disko.nix", "{ removed = true; }\n"),
        ("site/pxe/dhcpd.conf", "# old\n"),
        ("site/scripts/provision.sh", "#!/bin/sh\n# kept\n"),
        ("site/scripts/removed.sh", "#!/bin/sh\n"),
    ])
}

pub(crate) fn new() -> Files {
    files(&[
        ("nodes/n1.example.com/disko.nix", "{ kept = true; }\n"),
        ("nodes/n1.example.com/hardware.nix", "{ version = \"new\"; }\n"),
        ("nodes/n3.example.com/disko.nix", "{ added = true; }\n"),
        ("site/pxe/dhcpd.conf", "# new\n"),
        ("site/scripts/provision.sh", "#!/bin/sh\n# kept\n"),
        ("site/www/index.html", "<p>added</p>\n"),
    ])
}

/// The artifacts; one whose name ends with `.sh` is executable, as in the driver.
pub(crate) fn set(files: &Files) -> ArtifactSet {
    let mut set = ArtifactSet::default();
    for (path, body) in files {
        let executable = path.ends_with(".sh");
        set.insert(Artifact { executable, ..Artifact::new(path, body.as_str()).unwrap() }).unwrap();
    }
    set
}

pub(crate) fn write(root: &Path, files: &Files) -> anyhow::Result<CommitOutcome> {
    commit(&SiteLock::acquire(root)?, &set(files), CommitOptions::default(), || Ok(()))
}

pub(crate) fn discard(root: &Path, files: &Files) -> anyhow::Result<CommitOutcome> {
    commit(&SiteLock::acquire(root)?, &set(files), CommitOptions { discard_edits: true }, || Ok(()))
}

/// A directory that holds `files`.
pub(crate) fn holding(files: &Files) -> TempDir {
    let root = memory::tempdir();
    write(root.path(), files).unwrap();
    root
}

/// Copies both trees, not our state: a fresh clone.
pub(crate) fn clone(root: &Path) -> TempDir {
    let to = memory::tempdir();
    tree::copy(root, to.path());
    let _ = fs::remove_dir_all(to.path().join(".plasmagen"));
    to
}

/// Modes and contents of the tree `name` of `root`, by path; nothing where there is no such tree.
pub(crate) fn snapshot(root: &Path, name: &str) -> BTreeMap<PathBuf, String> {
    tree::contents(&root.join(name))
}

/// Inode and times of everything in both trees: changes when anything is touched.
pub(crate) fn touched(root: &Path) -> BTreeMap<PathBuf, (u64, i64, i64, i64, i64)> {
    let trees = ["nodes", "site"].map(|tree| root.join(tree)).into_iter().filter(|tree| tree.exists());
    let look = |entry: walkdir::DirEntry| {
        let meta = entry.metadata().unwrap();
        let times = (meta.ino(), meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec());
        (entry.path().to_owned(), times)
    };
    trees.flat_map(walkdir::WalkDir::new).map(|entry| look(entry.unwrap())).collect()
}

/// Nothing is left in the state directory but the lock and the cache.
pub(crate) fn assert_no_leftover(root: &Path, when: &str) {
    for name in ["stage", "journal"] {
        assert!(!root.join(".plasmagen").join(name).exists(), "{name} is left over {when}");
    }
}

/// Runs `command`, of the Debian package `package`, with `files` as input for the driver.
pub(crate) fn feed(package: &str, command: &mut Command, files: &Files) -> Output {
    process::feed(package, command, serde_json::to_string(files).unwrap().as_bytes())
}

/// Runs the driver under strace with `options`.
pub(crate) fn strace<S: AsRef<str>>(options: &[S], root: &Path, act: &str, input: &Files) -> Traced {
    let input = serde_json::to_string(input).unwrap();
    strace::strace(Command::new("strace"), options, &mut driver(root, act), input.as_bytes())
}
