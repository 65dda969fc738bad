//! A commit that is killed, or whose disk fails, at every single system call.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::sync::LazyLock;

use plasmagen::write::SiteLock;
use tempfile::TempDir;

use crate::writer::kit::{
    Files, assert_no_leftover, clone, discard, holding, new, old, snapshot, strace, write,
};
use test_kit::strace::{Call, SIGKILL, Traced, calls_since, inject};
use test_kit::{Version, memory};

/// Every call that changes something on a disk.
const CALLS: &str = "openat,write,pwrite64,ftruncate,flock,mkdirat,linkat,fchmod,fsync,syncfs,renameat,renameat2,\
                     unlink,unlinkat,rmdir";

/// The version of a tree, which must be whole.
fn version(root: &Path, tree: &str, when: &str) -> Version {
    type Snapshot = BTreeMap<std::path::PathBuf, String>;
    static WHOLE: LazyLock<BTreeMap<(Version, &str), Snapshot>> = LazyLock::new(|| {
        let of = |version, files: &Files| {
            let root = holding(files);
            ["nodes", "site"].map(|tree| ((version, tree), snapshot(root.path(), tree)))
        };
        of(Version::Old, &old()).into_iter().chain(of(Version::New, &new())).collect()
    });
    let found = snapshot(root, tree);
    let is = |version: &Version| found == WHOLE[&(*version, if tree == "nodes" { "nodes" } else { "site" })];
    let whole = [Version::Old, Version::New].into_iter().find(is);
    whole
        .or(found.is_empty().then_some(Version::None))
        .unwrap_or_else(|| panic!("{tree} is torn {when}: {found:?}"))
}

fn versions(root: &Path, when: &str) -> (Version, Version) {
    (version(root, "nodes", when), version(root, "site", when))
}

/// Those of [`CALLS`] that the driver makes once it has come to the directory that `make` makes.
fn calls(make: impl Fn() -> TempDir, act: &str) -> Vec<Call> {
    let root = make();
    let Traced { output, log } = strace(&["-y", "-e", &format!("trace={CALLS}")], root.path(), act, &new());
    assert!(output.status.success(), "{output:?}");
    calls_since(&log, root.path())
}

/// After a run that ended in any way: the next one finds one version of both trees, and can commit.
fn assert_recovers(root: &Path, when: &str) {
    drop(SiteLock::acquire(root).unwrap_or_else(|error| panic!("no new run {when}: {error:#}")));
    let (nodes, site) = versions(root, when);
    assert_eq!(nodes, site, "{when}");
    assert_no_leftover(root, when);
    write(root, &new()).unwrap_or_else(|error| panic!("no new commit {when}: {error:#}"));
    assert_eq!(versions(root, when), (Version::New, Version::New), "{when}");
    assert!(write(root, &new()).unwrap().is_unchanged(), "{when}");
}

/// Kills the driver at every call; returns in which states that left the trees.
fn kill_everywhere(make: impl Fn() -> TempDir, act: &str) -> Vec<(Version, Version)> {
    let mut seen = Vec::new();
    for call in calls(&make, act) {
        let root = make();
        let when = format!("after a kill at {call}");
        let output = strace(&call.kill(), root.path(), act, &new()).output;
        assert_eq!(output.status.signal(), Some(SIGKILL), "no kill at {call}: {output:?}");
        seen.push(versions(root.path(), &when));
        assert_recovers(root.path(), &when);
    }
    seen.sort_unstable();
    seen.dedup();
    seen
}

/// Both trees are to be replaced, and nodes/ is already: the run died between the two.
fn half_done() -> TempDir {
    let root = holding(&old());
    strace(&inject("renameat2", "signal=KILL", 2), root.path(), "", &new());
    assert_eq!(versions(root.path(), "when half done"), (Version::New, Version::Old));
    root
}

#[test]
fn killed_at_any_call_both_trees_are_whole_and_the_next_run_makes_them_agree() {
    use Version::{New, Old};
    let seen = kill_everywhere(|| clone(holding(&old()).path()), "");
    assert_eq!(seen, [(Old, Old), (New, Old), (New, New)]);
}

#[test]
fn killed_at_any_call_of_the_first_commit() {
    use Version::{New, None};
    assert_eq!(kill_everywhere(memory::tempdir, ""), [(None, None), (New, None), (New, New)]);
}

#[test]
fn killed_at_any_call_of_the_recovery() {
    use Version::{New, Old};
    assert_eq!(kill_everywhere(half_done, "recover"), [(New, Old), (New, New)]);
}

/// Lets every call of a commit fail once: that is an error or harmless, and both trees agree without a next run.
fn fail_everywhere(error: &str) {
    for call in calls(|| clone(holding(&old()).path()), "") {
        let root = clone(holding(&old()).path());
        let when = format!("after {error} at {call}");
        let Traced { output, log } = strace(&call.fail(error), root.path(), "", &new());
        assert!(log.contains("(INJECTED)"), "no {when}");
        let (nodes, site) = versions(root.path(), &when);
        assert_eq!(nodes, site, "{when}: {output:?}");
        if output.status.success() {
            assert_eq!(nodes, Version::New, "{when}");
            assert_no_leftover(root.path(), &when);
        } else {
            // 101 would be a panic.
            assert_eq!(output.status.code(), Some(2), "{when}: {output:?}");
        }
        assert_recovers(root.path(), &when);
    }
}

#[test]
fn any_call_may_find_the_disk_full() {
    fail_everywhere("ENOSPC");
}

#[test]
fn any_call_may_find_the_disk_broken() {
    fail_everywhere("EIO");
}

#[test]
fn any_call_may_be_interrupted() {
    fail_everywhere("EINTR");
}

#[test]
fn when_nothing_can_be_taken_back_the_next_run_finishes() {
    let root = holding(&old());
    let broken = ["-e", "trace=renameat2", "-e", "inject=renameat2:error=EIO:when=2+"];
    let output = strace(&broken, root.path(), "", &new()).output;
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("the next run will try again") && stderr.contains("could not put the new site/"),
        "{stderr}"
    );
    assert_eq!(versions(root.path(), "with a broken disk"), (Version::New, Version::Old));
    drop(SiteLock::acquire(root.path()).unwrap());
    assert_eq!(versions(root.path(), "after recovery"), (Version::New, Version::New));
    assert_recovers(root.path(), "after a broken disk");
}

#[test]
fn a_file_system_that_cannot_exchange_is_refused() {
    for (error, words) in [("EINVAL", "FAT, NFS"), ("EXDEV", "another file system"), ("EBUSY", "mount point")]
    {
        let root = holding(&old());
        let output =
            strace(&inject("renameat2", &format!("error={error}"), 1), root.path(), "", &new()).output;
        assert!(String::from_utf8_lossy(&output.stderr).contains(words), "{output:?}");
        assert_eq!(versions(root.path(), error), (Version::Old, Version::Old));
        assert_no_leftover(root.path(), error);
    }
}

#[test]
fn an_edit_between_death_and_recovery_is_not_lost() {
    let root = half_done();
    let file = root.path().join("site/pxe/dhcpd.conf");
    fs::write(&file, "# mine\n").unwrap();
    drop(SiteLock::acquire(root.path()).unwrap());
    assert_eq!(fs::read_to_string(&file).unwrap(), "# mine\n");
    assert_no_leftover(root.path(), "after recovery");
    assert!(
        format!("{:#}", write(root.path(), &new()).unwrap_err()).contains("modified site/pxe/dhcpd.conf")
    );
    discard(root.path(), &new()).unwrap();
    assert_eq!(versions(root.path(), "at last"), (Version::New, Version::New));
}

#[test]
fn a_damaged_journal_stops_everything() {
    let root = half_done();
    fs::write(root.path().join(".plasmagen/journal"), "{").unwrap();
    assert!(
        format!("{:#}", SiteLock::acquire(root.path()).unwrap_err())
            .contains("could not read .plasmagen/journal")
    );
    assert!(root.path().join(".plasmagen/stage/site").exists(), "what may be the only copy is kept");
}
