//! A publish that is killed, or whose disk fails, at every single system call.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use plasmagen::publish::FaultKind;
use tempfile::TempDir;

use test_kit::Version;
use test_kit::strace::{self, Call, SIGKILL, Traced, calls_since, inject};

use crate::publish::kit::{PLASMAGEN, all, arguments, faults, holding, look};

/// Every call that changes something on a disk.
pub(crate) const CALLS: &str = "openat,write,pwrite64,ftruncate,flock,mkdir,mkdirat,fchmod,fsync,renameat,renameat2,symlinkat,\
                     unlinkat";

/// Publishes the new version into `root` under strace.
fn strace<S: AsRef<str>>(options: &[S], root: &Path) -> Traced {
    let mut publish = Command::new(PLASMAGEN);
    strace::strace(Command::new("strace"), options, publish.args(arguments(root, Version::New)), b"")
}

/// Those of [`CALLS`] that publishing makes once it has come to the web root.
fn calls(make: &dyn Fn() -> TempDir) -> Vec<Call> {
    let root = make();
    let Traced { output, log } = strace(&["-y", "-e", &format!("trace={CALLS}")], root.path());
    assert!(output.status.success(), "{output:?}");
    let found = calls_since(&log, root.path());
    assert!(found.len() > 40, "{found:?}");
    found
}

/// The faults that verify may report in a root in which a publish has died: that there is a generation nobody is sent to, or that a
/// build of iPXE is not the one that was published with the site.
pub(crate) fn assert_unharmed(root: &Path, when: &str) {
    let found = faults(root);
    let harmless = |fault: &plasmagen::publish::Fault| {
        fault.kind == FaultKind::RolledBack
            || fault.kind == FaultKind::Missing && fault.message == "no generation is current"
            || fault.kind == FaultKind::Changed && fault.path == "tftp/undionly.kpxe"
    };
    let other: Vec<_> =
        found.iter().filter(|fault| !fault.message.contains("expired") && !harmless(fault)).collect();
    assert!(other.is_empty(), "{when}: {other:?}");
}

/// After a run that ended in any way: the next one publishes everything.
fn assert_recovers(root: &Path, when: &str) {
    all(root, Version::New).unwrap_or_else(|error| panic!("no new publish {when}: {error:#}"));
    assert_eq!(look(root, when), (Version::New, Version::New));
    assert_eq!(faults(root), [], "{when}");
    assert_eq!(std::fs::read(root.join("tftp/undionly.kpxe")).unwrap(), b"BIOS New", "{when}");
    assert!(!root.join(".plasmagen/stage").exists(), "{when}");
}

/// Kills at every call; returns in which states that left bundle and site.
fn kill_everywhere(make: &dyn Fn() -> TempDir) -> Vec<(Version, Version)> {
    let mut seen = Vec::new();
    for call in calls(make) {
        let root = make();
        let when = format!("after a kill at {call}");
        let output = strace(&call.kill(), root.path()).output;
        assert_eq!(output.status.signal(), Some(SIGKILL), "no kill at {call}: {output:?}");
        seen.push(look(root.path(), &when));
        if plasmagen::publish::WebRoot::is_at(root.path()) {
            assert_unharmed(root.path(), &when);
        }
        assert_recovers(root.path(), &when);
    }
    seen.sort_unstable();
    seen.dedup();
    seen
}

/// I15.
#[test]
fn killed_at_any_call_a_machine_finds_the_old_or_the_new() {
    use Version::{New, Old};
    // Bundles are switched before the site; each is whole.
    assert_eq!(kill_everywhere(&|| holding(Old)), [(Old, Old), (New, Old), (New, New)]);
}

#[test]
fn killed_at_any_call_of_the_first_publish() {
    use Version::{New, None};
    assert_eq!(kill_everywhere(&|| holding(None)), [(None, None), (New, None), (New, New)]);
}

/// The digests of the builds of iPXE that plasmagen has installed.
fn record(root: &Path) -> Option<String> {
    std::fs::read_to_string(root.join(".plasmagen/loaders.json")).ok()
}

/// Fails to switch the site, after the builds of iPXE were installed.
fn fail_late(root: &Path) {
    let mut switches = calls(&|| holding(Version::Old));
    switches.retain(|call| call.name == "symlinkat");
    let output = strace(&switches[0].fail("EIO"), root).output;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

/// A web root of an earlier version: no publication names the builds of iPXE, only the record knows them.
#[test]
fn builds_that_only_the_record_knows_stay_known_after_a_failed_publish() {
    let root = holding(Version::Old);
    let before = record(root.path());
    assert!(before.is_some());
    fail_late(root.path());
    assert_eq!(record(root.path()), before);
}

/// A build that cannot be read cannot be put back: then the new build stays, since machines would find none otherwise.
#[test]
fn a_failed_publish_leaves_a_build_where_one_was() {
    let root = holding(Version::Old);
    let build = root.path().join("tftp/undionly.kpxe");
    std::fs::remove_file(&build).unwrap();
    std::os::unix::fs::symlink("/nowhere/undionly.kpxe", &build).unwrap();
    fail_late(root.path());
    assert_eq!(std::fs::read(&build).unwrap(), b"BIOS New");
}

/// Lets every call fail once: then nothing has changed, or everything, and the exit status says which.
fn fail_everywhere(error: &str) {
    for call in calls(&|| holding(Version::Old)) {
        let root = holding(Version::Old);
        let when = format!("after {error} at {call}");
        let Traced { output, log } = strace(&call.fail(error), root.path());
        assert!(log.contains("(INJECTED)"), "no {when}");
        let state = look(root.path(), &when);
        match output.status.code() {
            Some(0 | 4) => assert_eq!(state, (Version::New, Version::New), "{when}: {output:?}"),
            // 1: a file that could not be opened is told of as missing.
            Some(1 | 2) => {
                assert_eq!(state, (Version::Old, Version::Old), "{when}: {output:?}");
                let loader = std::fs::read(root.path().join("tftp/undionly.kpxe")).unwrap();
                assert_eq!(loader, b"BIOS Old", "{when}: {output:?}");
                assert_eq!(record(root.path()), record(holding(Version::Old).path()), "{when}: {output:?}");
                assert_unharmed(root.path(), &when);
            }
            other => panic!("{other:?} {when}: {output:?}"),
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
fn what_is_published_but_not_certain_to_last_is_told_by_the_exit_status() {
    let root = holding(Version::Old);
    let log = strace(&["-e", "trace=fsync,renameat"], root.path()).log;
    // The last rename but those of the removal is the last switch; what is synced after it confirms.
    let lines: Vec<_> = log.lines().collect();
    let last =
        lines.iter().rposition(|line| line.contains("renameat(") && line.contains("\"current\"")).unwrap();
    let syncs = lines[..last].iter().filter(|line| line.contains("fsync(")).count();
    let root = holding(Version::Old);
    let output = strace(&inject("fsync", "error=EIO", syncs + 1), root.path()).output;
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("may not outlast a power cut"), "{output:?}");
    assert_eq!(look(root.path(), "after"), (Version::New, Version::New));
}
