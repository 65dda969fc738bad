//! A publish that is killed, or whose disk fails, at every single system call.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Output;

use plasmagen::publish::FaultKind;
use tempfile::TempDir;

use crate::publish::kit::{Version, all, arguments, faults, holding, look, program, run};

/// Every call that changes something on a disk.
const CALLS: &str = "openat,write,pwrite64,ftruncate,flock,mkdir,mkdirat,fchmod,fsync,renameat,renameat2,symlinkat,\
                     unlinkat";

const SIGKILL: i32 = 9;

/// Publishes the new version into `root` under strace; what strace saw comes last.
fn strace(options: &[&str], root: &Path) -> (Output, String) {
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut args: Vec<String> = ["-f", "-qq", "-o", log.path().to_str().unwrap()].map(str::to_owned).to_vec();
    args.extend(options.iter().map(|option| (*option).to_owned()));
    args.push(program().to_str().unwrap().to_owned());
    args.extend(arguments(root, Version::New));
    let output = run("strace", "strace", &args);
    (output, fs::read_to_string(log.path()).unwrap())
}

/// How often publishing makes each of [`CALLS`], once it has come to the web root.
fn calls(make: &dyn Fn() -> TempDir) -> Vec<(String, usize)> {
    let root = make();
    let (output, log) = strace(&["-e", &format!("trace={CALLS}")], root.path());
    assert!(output.status.success(), "{output:?}");
    let (mut counts, mut seen, mut found) = (BTreeMap::<String, usize>::new(), false, Vec::new());
    for line in log.lines() {
        let Some((name, _)) = line.split_whitespace().nth(1).and_then(|call| call.split_once('(')) else {
            continue;
        };
        let count = counts.entry(name.to_owned()).or_default();
        *count += 1;
        // Before that, the loader of programs and the command line are at work.
        seen |= line.contains(root.path().to_str().unwrap());
        if seen {
            found.push((name.to_owned(), *count));
        }
    }
    assert!(found.len() > 40, "{found:?}");
    found
}

/// What verify may say of a root in which a publish has died: that there is a generation nobody is sent to.
fn assert_unharmed(root: &Path, when: &str) {
    let found = faults(root);
    let harmless = |own: &plasmagen::publish::Fault| {
        own.kind == FaultKind::RolledBack
            || own.kind == FaultKind::Missing && own.message == "no generation is current"
    };
    let other: Vec<_> =
        found.iter().filter(|own| !own.message.contains("expired") && !harmless(own)).collect();
    assert!(other.is_empty(), "{when}: {other:?}");
}

/// After a run that ended in any way: the next one publishes everything.
fn assert_recovers(root: &Path, when: &str) {
    all(root, Version::New).unwrap_or_else(|error| panic!("no new publish {when}: {error:#}"));
    assert_eq!(look(root, when), (Version::New, Version::New));
    assert_eq!(faults(root), [], "{when}");
    assert!(!root.join(".plasmagen/stage").exists(), "{when}");
}

/// Kills at every call; returns in which states that left bundle and site.
fn kill_everywhere(make: &dyn Fn() -> TempDir) -> Vec<(Version, Version)> {
    let mut seen = Vec::new();
    for (call, n) in calls(make) {
        let root = make();
        let when = format!("after a kill at {call} {n}");
        let inject = format!("inject={call}:signal=KILL:when={n}");
        let (output, _) = strace(&["-e", &format!("trace={call}"), "-e", &inject], root.path());
        assert_eq!(output.status.signal(), Some(SIGKILL), "no kill at {call} {n}: {output:?}");
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

/// Lets every call fail once: then nothing has changed, or everything, and the exit status says which.
fn fail_everywhere(error: &str) {
    for (call, n) in calls(&|| holding(Version::Old)) {
        let root = holding(Version::Old);
        let when = format!("after {error} at {call} {n}");
        let inject = format!("inject={call}:error={error}:when={n}");
        let (output, log) = strace(&["-e", &format!("trace={call}"), "-e", &inject], root.path());
        assert!(log.contains("(INJECTED)"), "no {when}");
        let state = look(root.path(), &when);
        match output.status.code() {
            Some(0 | 4) => assert_eq!(state, (Version::New, Version::New), "{when}: {output:?}"),
            // 1: a file that could not be opened is told of as missing.
            Some(1 | 2) => {
                assert_eq!(state, (Version::Old, Version::Old), "{when}: {output:?}");
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
    let (_, log) = strace(&["-e", "trace=fsync,renameat"], root.path());
    // The last rename but those of the removal is the last switch; what is synced after it confirms.
    let lines: Vec<_> = log.lines().collect();
    let last =
        lines.iter().rposition(|line| line.contains("renameat(") && line.contains("\"current\"")).unwrap();
    let syncs = lines[..last].iter().filter(|line| line.contains("fsync(")).count();
    let root = holding(Version::Old);
    let inject = format!("inject=fsync:error=EIO:when={}", syncs + 1);
    let (output, _) = strace(&["-e", "trace=fsync", "-e", &inject], root.path());
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("may not outlast a power cut"), "{output:?}");
    assert_eq!(look(root.path(), "after"), (Version::New, Version::New));
}
