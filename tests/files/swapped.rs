//! The owner of the directory puts links into the place of what root is about to remove: nothing behind a link is touched.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use plasmagen::publish::{PublishRequest, WebRootLock, publish};
use plasmagen::write::{CommitOptions, CommitOutcome, SiteLock, commit};
use tempfile::TempDir;

use test_kit::{Version, memory, tree};

use crate::publish::kit as web;

use crate::writer::kit::{assert_no_leftover, holding, new, old, set, snapshot};

/// A directory of somebody else, with the names that a run removes.
fn victim() -> TempDir {
    let victim = memory::tempdir();
    for dir in ["stage/nodes/n1.example.com", "stage/site", "nodes"] {
        fs::create_dir_all(victim.path().join(dir)).unwrap();
        fs::write(victim.path().join(dir).join("precious"), "precious").unwrap();
    }
    for file in ["journal", "stat-cache", "stat-cache.new", "journal.new"] {
        fs::write(victim.path().join(file), "precious").unwrap();
    }
    victim
}

/// Moves `root/path` away, and puts a link to `aim` there.
fn swap(root: &Path, path: &str, aim: &Path) {
    fs::rename(root.join(path), root.join("away")).unwrap();
    symlink(aim, root.join(path)).unwrap();
}

/// Commits the new version; `act` happens between staging and exchange.
fn commit_new(lock: &SiteLock, act: impl FnOnce()) -> anyhow::Result<CommitOutcome> {
    commit(lock, &set(&new()), CommitOptions::default(), || {
        act();
        Ok(())
    })
}

#[test]
fn a_state_directory_that_is_swapped_leads_no_run_elsewhere() {
    for is_late in [false, true] {
        let (root, victim) = (holding(&old()), victim());
        let before = tree::entries(victim.path());
        let lock = SiteLock::acquire(root.path()).unwrap();
        let act = || swap(root.path(), ".plasmagen", victim.path());
        if !is_late {
            act();
        }
        commit_new(&lock, || {
            if is_late {
                act();
            }
        })
        .unwrap();
        assert_eq!(tree::entries(victim.path()), before, "late: {is_late}");
        for name in ["nodes", "site"] {
            assert_eq!(snapshot(root.path(), name), snapshot(holding(&new()).path(), name), "{name}");
        }
        for name in ["stage", "journal"] {
            assert!(!root.path().join("away").join(name).exists(), "{name} is left over");
        }
        drop(lock);
        let error = format!("{:#}", SiteLock::acquire(root.path()).unwrap_err());
        assert!(error.contains("follows no symbolic link here"), "{error}");
        assert_eq!(tree::entries(victim.path()), before, "late: {is_late}");
    }
}

#[test]
fn a_staging_directory_that_is_swapped_leads_no_run_elsewhere() {
    let (root, victim) = (holding(&old()), victim());
    let before = tree::entries(victim.path());
    let lock = SiteLock::acquire(root.path()).unwrap();
    let aim = victim.path().join("stage");
    commit_new(&lock, || swap(root.path(), ".plasmagen/stage", &aim)).unwrap_err();
    assert_eq!(tree::entries(victim.path()), before);
    assert_no_leftover(root.path(), "after the swap");
    assert_eq!(snapshot(root.path(), "nodes"), snapshot(holding(&old()).path(), "nodes"));
}

#[test]
fn a_state_directory_of_a_web_root_that_is_swapped_leads_no_run_elsewhere() {
    for is_late in [false, true] {
        let (root, victim) = (web::holding(Version::Old), victim());
        let before = tree::entries(victim.path());
        let lock = WebRootLock::acquire(root.path()).unwrap();
        let act = || swap(root.path(), ".plasmagen", victim.path());
        if !is_late {
            act();
        }
        let bundles = ["worker", "control-plane"].map(|profile| web::MADE.bundle(profile, Version::New));
        let site = web::MADE.site(Version::New);
        let request = PublishRequest { bundles: &bundles, site: Some(&site), ..web::request(web::NOW) };
        // Progress is told when files are copied into the staging directory.
        let is_swapped = AtomicBool::new(!is_late);
        let progress = |_: u64| {
            if !is_swapped.swap(true, Ordering::SeqCst) {
                act();
            }
        };
        publish(&lock, &request, &progress).unwrap();
        assert!(is_swapped.into_inner());
        drop(lock);
        assert_eq!(tree::entries(victim.path()), before, "late: {is_late}");
        assert_eq!(web::look(root.path(), "after the swap"), (Version::New, Version::New));
        assert!(!root.path().join("away/stage").exists());
        WebRootLock::acquire(root.path()).unwrap_err();
        assert_eq!(tree::entries(victim.path()), before, "late: {is_late}");
    }
}

/// The old trees are removed after the exchange, with what their owner has put into them in the last moment.
#[test]
fn a_link_in_an_old_tree_is_removed_and_not_followed() {
    let (root, victim) = (holding(&old()), victim());
    let before = tree::entries(victim.path());
    let lock = SiteLock::acquire(root.path()).unwrap();
    commit_new(&lock, || {
        swap(root.path(), "nodes/n2.example.com", &victim.path().join("nodes"));
        symlink(victim.path(), root.path().join("site/link")).unwrap();
    })
    .unwrap();
    assert_eq!(tree::entries(victim.path()), before);
    assert_no_leftover(root.path(), "after the links");
    assert_eq!(snapshot(root.path(), "nodes"), snapshot(holding(&new()).path(), "nodes"));
}
