//! A roll back that is killed, or whose disk fails, at every single system call.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use plasmagen::publish::{FaultKind, FinishedRollback, WebRootLock, roll_back};
use tempfile::TempDir;

use test_kit::strace::{self, Call, SIGKILL, Traced, calls_since};
use test_kit::{Version, memory, tree};

use crate::publish::faults::{CALLS, assert_unharmed};
use crate::publish::kit::{MADE, NOW, PLASMAGEN, all, faults, holding, look, terms};

/// The states of bundle and site before a roll back, and after it.
const BEFORE: (Version, Version) = (Version::New, Version::New);
const AFTER: (Version, Version) = (Version::Old, Version::New);

/// A web root in which the new version follows the old one.
fn published_twice() -> TempDir {
    let root = holding(Version::Old);
    all(root.path(), Version::New).unwrap();
    root
}

fn copy(root: &TempDir) -> TempDir {
    let to = memory::tempdir();
    tree::copy(root.path(), to.path());
    to
}

/// Rolls the worker's bundle back under strace.
fn strace<S: AsRef<str>>(options: &[S], root: &Path) -> Traced {
    let mut plasmagen = Command::new(PLASMAGEN);
    plasmagen.args(["publish", "--rollback", "worker", "--root"]).arg(root);
    strace::strace(Command::new("strace"), options, &mut plasmagen, b"")
}

/// Those of [`CALLS`] that a roll back makes in the web root and that change something there.
fn changes(make: &TempDir) -> Vec<Call> {
    let root = copy(make);
    let Traced { output, log } = strace(&["-y", "-e", &format!("trace={CALLS}")], root.path());
    assert!(output.status.success(), "{output:?}");
    let mut found = calls_since(&log, root.path());
    found.retain(|call| call.name != "openat" || call.line.contains("O_CREAT"));
    assert!(found.len() > 15, "{found:?}");
    found
}

/// The same command again: it ends where the first one was going.
fn assert_finished(root: &Path, when: &str) {
    let lock = WebRootLock::acquire(root).unwrap_or_else(|error| panic!("{when}: {error:#}"));
    let is_begun = root.join(".plasmagen/rollback").exists();
    let (_, finished) = roll_back(&lock, "worker", &terms(NOW))
        .unwrap_or_else(|error| panic!("not finished {when}: {error:#}"));
    // The next one would lead to the new version again.
    let next = FinishedRollback { next: Some(MADE.manifest("worker", Version::New).id) };
    assert_eq!(finished, is_begun.then_some(next), "{when}");
    drop(lock);
    assert_eq!(look(root, when), AFTER, "{when}");
    assert_eq!(faults(root), [], "{when}");
    for name in ["rollback", "stage"] {
        assert!(!root.join(".plasmagen").join(name).exists(), "{name} is left over {when}");
    }
}

#[test]
fn a_killed_roll_back_is_finished_by_the_same_command() {
    let make = published_twice();
    let mut seen = Vec::new();
    for call in changes(&make) {
        let root = copy(&make);
        let when = format!("after a kill at {call}");
        let output = strace(&call.kill(), root.path()).output;
        assert_eq!(output.status.signal(), Some(SIGKILL), "no kill at {call}: {output:?}");
        let state = look(root.path(), &when);
        assert_unharmed(root.path(), &when);
        let is_begun = root.path().join(".plasmagen/rollback").exists();
        let found = faults(root.path());
        assert_eq!(found.len(), usize::from(is_begun), "{when}: {found:?}");
        for fault in found {
            let words = "A roll back was interrupted: plasmagen publish --rollback worker finishes it";
            assert!(
                fault.kind == FaultKind::RolledBack && fault.message.ends_with(words),
                "{when}: {fault:?}"
            );
        }
        // A run that is killed after its last step has nothing to finish.
        if state == BEFORE || is_begun {
            assert_finished(root.path(), &when);
        }
        seen.push((state, is_begun));
    }
    seen.dedup();
    assert_eq!(seen, [(BEFORE, false), (BEFORE, true), (AFTER, true), (AFTER, false)]);
}

#[test]
fn on_a_failing_disk_a_roll_back_is_done_or_undone() {
    let make = published_twice();
    for (call, error) in
        changes(&make).iter().flat_map(|call| ["ENOSPC", "EIO"].map(|error| (call.clone(), error)))
    {
        let root = copy(&make);
        let when = format!("after {error} at {call}");
        let Traced { output, log } = strace(&call.fail(error), root.path());
        assert!(log.contains("(INJECTED)"), "no {when}");
        let state = look(root.path(), &when);
        match output.status.code() {
            Some(code @ (0 | 4)) => {
                assert_eq!(state, AFTER, "{when}: {output:?}");
                // Where the disk did not confirm the roll back, the same command does it again.
                let left = faults(root.path());
                assert!(
                    left.iter().all(|fault| code == 4 && fault.kind == FaultKind::RolledBack),
                    "{when}: {left:?}"
                );
                if !left.is_empty() {
                    assert_finished(root.path(), &when);
                }
            }
            Some(2) => {
                assert_eq!(state, BEFORE, "{when}: {output:?}");
                assert_unharmed(root.path(), &when);
                assert_finished(root.path(), &when);
            }
            other => panic!("{other:?} {when}: {output:?}"),
        }
    }
}

/// A web root in which a roll back of the worker's bundle was killed at the switch.
fn rolled_back_until_the_switch() -> TempDir {
    let make = published_twice();
    let root = copy(&make);
    let switch = changes(&make).into_iter().rfind(|call| call.name == "symlinkat").unwrap();
    strace(&switch.kill(), root.path());
    root
}

#[test]
fn a_publication_takes_the_place_of_a_killed_roll_back() {
    let root = rolled_back_until_the_switch();
    assert!(root.path().join(".plasmagen/rollback").exists());
    all(root.path(), Version::New).unwrap();
    assert!(!root.path().join(".plasmagen/rollback").exists());
    assert_eq!((look(root.path(), "after"), faults(root.path())), (BEFORE, Vec::new()));
    assert_finished(root.path(), "after a publication");
}

/// A roll back of another channel between the kill and the rerun.
#[test]
fn a_killed_roll_back_is_finished_after_one_of_the_site() {
    let root = rolled_back_until_the_switch();
    roll_back(&WebRootLock::acquire(root.path()).unwrap(), "site", &terms(NOW)).unwrap();
    let begun = std::fs::read_to_string(root.path().join(".plasmagen/rollback")).unwrap();
    assert_eq!(begun, format!("nixos/worker {}\n", MADE.id("worker", Version::Old)));
    let lock = WebRootLock::acquire(root.path()).unwrap();
    assert!(roll_back(&lock, "worker", &terms(NOW)).unwrap().1.is_some());
    assert_eq!(look(root.path(), "after"), (Version::Old, Version::Old));
    assert!(!root.path().join(".plasmagen/rollback").exists());
}

#[test]
fn a_note_of_a_roll_back_that_nobody_can_read_is_told_of() {
    let make = published_twice();
    let id = MADE.manifest("worker", Version::Old).id;
    for body in [Some("\u{1b}[2J"), Some(&format!("nixos/elsewhere {id}\n")[..]), None] {
        let root = copy(&make);
        let note = root.path().join(".plasmagen/rollback");
        match body {
            Some(body) => std::fs::write(&note, body).unwrap(),
            None => std::fs::create_dir(&note).unwrap(),
        }
        let found = faults(root.path());
        assert!(found.len() == 1 && found[0].path == ".plasmagen/rollback", "{body:?}: {found:?}");
        assert!(found[0].message.ends_with(": remove it"), "{found:?}");
    }
}
