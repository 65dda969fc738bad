//! What the tests share: two versions of both trees, snapshots of a directory, and the driver process.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use plasmagen::artifact::{Artifact, ArtifactSet};
use plasmagen::write::{CommitOptions, CommitOutcome, SiteLock, commit};
use tempfile::TempDir;

use test_kit::memory;

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
    for entry in walkdir::WalkDir::new(root).min_depth(1) {
        let entry = entry.unwrap();
        let path = entry.path().strip_prefix(root).unwrap();
        let target = to.path().join(path);
        match entry.file_type() {
            _ if path.starts_with(".plasmagen") => {}
            kind if kind.is_dir() => fs::create_dir(target).unwrap(),
            kind if kind.is_symlink() => symlink(fs::read_link(entry.path()).unwrap(), target).unwrap(),
            _ => _ = fs::copy(entry.path(), target).unwrap(),
        }
    }
    to
}

/// Everything in the tree `name` of `root`: kind, mode and content by path; nothing where there is no such tree.
pub(crate) fn snapshot(root: &Path, name: &str) -> BTreeMap<PathBuf, String> {
    let look = |entry: walkdir::DirEntry| {
        let mode = entry.metadata().unwrap().mode();
        let body = if entry.file_type().is_file() {
            fs::read_to_string(entry.path()).unwrap()
        } else {
            String::new()
        };
        (entry.path().strip_prefix(root).unwrap().to_owned(), format!("{mode:o} {body}"))
    };
    let tree = root.join(name);
    if !tree.exists() {
        return BTreeMap::new();
    }
    walkdir::WalkDir::new(tree).into_iter().map(|entry| look(entry.unwrap())).collect()
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

/// The driver's binary. `cargo test --test writer` alone does not build examples.
pub(crate) fn driver() -> &'static Path {
    static DRIVER: LazyLock<PathBuf> = LazyLock::new(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--example", "commit", "--manifest-path"]);
        cargo.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"));
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        assert!(cargo.status().unwrap().success(), "could not build the driver");
        let deps = std::env::current_exe().unwrap();
        deps.parent().and_then(Path::parent).unwrap().join("examples/commit")
    });
    &DRIVER
}

/// Runs `program ARGS`, with `input` for the driver; `package` has the program.
pub(crate) fn run(program: &str, package: &str, args: &[&str], input: &Files) -> Output {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let missing = |error| panic!("could not run {program}, from the Debian package {package}: {error}");
    let mut child = command.spawn().unwrap_or_else(missing);
    // A driver that is killed early leaves the pipe broken.
    let _ = child.stdin.take().unwrap().write_all(serde_json::to_string(input).unwrap().as_bytes());
    child.wait_with_output().unwrap()
}

/// Runs the driver under strace with more options; what strace saw comes last.
pub(crate) fn strace(options: &[&str], root: &Path, act: &str, input: &Files) -> (Output, String) {
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut args = vec!["-f", "-qq", "-o", log.path().to_str().unwrap()];
    args.extend(options);
    args.extend([driver().to_str().unwrap(), root.to_str().unwrap(), act]);
    let output = run("strace", "strace", &args, input);
    (output, fs::read_to_string(log.path()).unwrap())
}
