//! Runs that arm or disarm several machines, and that are killed, or whose disk fails, at every single system call.

use std::fs;
use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use plasmagen::model::{MacAddr, Word};
use plasmagen::publish::{ArmTarget, DisarmSelection, Refused, WebRoot, disarm, list_armed};
use tempfile::TempDir;
use time::Duration;

use test_kit::process::{child_test, lossy};
use test_kit::strace::{self, Call, SIGKILL, Traced, calls_since};
use test_kit::{Version, memory, tree};

use crate::publish::armed::{arm_at, node, target};
use crate::publish::faults::CALLS;
use crate::publish::kit::{MAC, NOW, PLASMAGEN, holding};

const ROOT: &str = "PLASMAGEN_TEST_ROOT";

/// The machine of node02.
const OTHER: &str = "52-54-00-12-34-57";

/// The content of the armed file of each of the two machines.
type State = [Option<String>; 2];

fn state(root: &Path) -> State {
    [MAC, OTHER].map(|name| fs::read_to_string(root.join("armed").join(name)).ok())
}

/// Arms both nodes.
fn arm_both(root: &Path) -> anyhow::Result<()> {
    let (first, second) = (node("node01"), node("node02"));
    let mac = MacAddr::parse(&OTHER.replace('-', ":")).unwrap();
    let targets = [target(&first, &[]), ArmTarget { macs: vec![mac], ..target(&second, &[]) }];
    arm_at(root, &targets, NOW, false).map(drop)
}

/// The process that arms both nodes: this test binary again.
#[test]
#[ignore = "the body of a child process"]
fn child() {
    let Some(root) = std::env::var_os(ROOT) else { return };
    // The harness of tests may have left us on its only thread.
    rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global().unwrap();
    let status = match arm_both(Path::new(&root)) {
        Ok(()) => 0,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error:#}");
            if error.is::<Refused>() { 1 } else { 2 }
        }
    };
    std::process::exit(status);
}

/// Arms both nodes under strace.
fn traced_arm<S: AsRef<str>>(options: &[S], root: &Path) -> Traced {
    let mut child = child_test("publish::arming::child");
    strace::strace(Command::new("strace"), options, child.env(ROOT, root), b"")
}

/// Disarms all machines under strace.
fn traced_disarm<S: AsRef<str>>(options: &[S], root: &Path) -> Traced {
    let mut plasmagen = Command::new(PLASMAGEN);
    plasmagen.args(["disarm", "--all", "--root"]).arg(root);
    strace::strace(Command::new("strace"), options, &mut plasmagen, b"")
}

/// A web root in which node01 was armed an hour ago.
fn one_armed() -> TempDir {
    let root = holding(Version::Old);
    let earlier = NOW - Duration::HOUR;
    arm_at(root.path(), &[target(&node("node01"), &[])], earlier, false).unwrap();
    root
}

fn copy(root: &TempDir) -> TempDir {
    let to = memory::tempdir();
    tree::copy(root.path(), to.path());
    to
}

type Run = fn(&[String], &Path) -> Traced;

/// Those of [`CALLS`] that the run makes in the web root and that change something there.
fn changes(run: Run, root: &TempDir) -> Vec<Call> {
    let root = copy(root);
    let options = ["-y", "-e", &format!("trace={CALLS}")].map(str::to_owned);
    let Traced { output, log } = run(&options, root.path());
    assert!(output.status.success(), "{output:?}");
    let mut found = calls_since(&log, root.path());
    found.retain(|call| call.name != "openat" || call.line.contains("O_CREAT"));
    assert!(found.len() > 8, "{found:?}");
    found
}

/// Everything that is left is told of, and the next run, whatever it does, leaves nothing half.
fn assert_recovers(root: &Path, [before, after]: &[State; 2], when: &str) {
    let left = state(root);
    let web_root = WebRoot::open(root).unwrap();
    let is_half = left != *before && left != *after;
    let is_told = |file: &plasmagen::publish::ArmedFile| file.is_interrupted;
    assert!(!is_half || list_armed(&web_root).unwrap().iter().all(is_told), "{when}: {left:?}");
    let outcome = disarm(&web_root, DisarmSelection::Files(&["52-54-00-00-00-99".to_owned()])).unwrap();
    assert!(!is_half || state(root) == [None, None], "{when}");
    assert!(outcome.recovered.is_empty() || state(root) == [None, None], "{when}");
    assert!(!list_armed(&web_root).unwrap().iter().any(is_told), "{when}");
    arm_both(root).unwrap_or_else(|error| panic!("no new arming {when}: {error:#}"));
    for name in ["disarm", "arm"] {
        assert!(!root.join(".plasmagen").join(name).exists(), "{name} is left over {when}");
    }
}

/// Kills a run at every call.
fn kill_everywhere(run: Run, make: &TempDir) {
    let states = states(run, make);
    for call in changes(run, make) {
        let root = copy(make);
        let when = format!("after a kill at {call}");
        let output = run(&call.kill(), root.path()).output;
        assert_eq!(output.status.signal(), Some(SIGKILL), "no kill at {call}: {output:?}");
        assert_recovers(root.path(), &states, &when);
    }
}

/// The states before and after a run.
fn states(run: Run, make: &TempDir) -> [State; 2] {
    let root = copy(make);
    let before = state(root.path());
    assert!(run(&[], root.path()).output.status.success());
    [before, state(root.path())]
}

/// Lets every call of a run fail once. `is_said` looks at a state that is neither the old nor the new one.
fn fail_everywhere(run: Run, make: &TempDir, is_said: fn(&State, &str) -> bool) {
    let states = states(run, make);
    for (call, error) in
        changes(run, make).iter().flat_map(|call| ["ENOSPC", "EIO"].map(|error| (call.clone(), error)))
    {
        let root = copy(make);
        let when = format!("after {error} at {call}");
        let Traced { output, log } = run(&call.fail(error), root.path());
        assert!(log.contains("(INJECTED)"), "no {when}");
        let (left, stderr) = (state(root.path()), lossy(&output.stderr));
        match output.status.code() {
            Some(0) => assert_eq!(left, states[1], "{when}: {stderr}"),
            Some(1 | 2) => assert!(left == states[0] || is_said(&left, &stderr), "{when}: {left:?} {stderr}"),
            other => panic!("{other:?} {when}: {stderr}"),
        }
        assert_recovers(root.path(), &states, &when);
    }
}

#[test]
fn a_killed_arming_is_told_of_and_taken_back() {
    kill_everywhere(traced_arm, &one_armed());
}

#[test]
fn a_killed_disarming_is_told_of_and_finished() {
    let root = one_armed();
    arm_both(root.path()).unwrap();
    kill_everywhere(traced_disarm, &root);
}

#[test]
fn on_a_failing_disk_all_are_armed_or_nothing_has_changed() {
    fail_everywhere(traced_arm, &one_armed(), |_, _| false);
}

#[test]
fn on_a_failing_disk_disarm_names_those_that_are_still_armed() {
    let root = one_armed();
    arm_both(root.path()).unwrap();
    fail_everywhere(traced_disarm, &root, |left, stderr| {
        let names: Vec<_> =
            ["node01", "node02"].into_iter().zip(left).filter(|(_, file)| file.is_some()).collect();
        let names: Vec<_> = names.into_iter().map(|(name, _)| name).collect();
        if names.is_empty() {
            return stderr.contains("armed again after a power cut: node01, node02");
        }
        stderr.contains(&format!("still armed: {}:", names.join(", ")))
    });
}

/// A file whose inode can't be read is removed like every other one.
#[test]
fn a_file_that_nobody_can_look_at_keeps_no_other_machine_armed() {
    let make = one_armed();
    arm_both(make.path()).unwrap();
    let root = copy(&make);
    let log = traced_disarm(&["-y", "-e", "trace=newfstatat"], root.path()).log;
    let calls = calls_since(&log, root.path());
    let calls: Vec<_> = calls.iter().filter(|call| call.line.contains(&format!("\"{MAC}\""))).collect();
    assert!(!calls.is_empty(), "{log}");
    for call in calls {
        let root = copy(&make);
        let Traced { output, log } = traced_disarm(&call.fail("EIO"), root.path());
        assert!(log.contains("(INJECTED)"), "{call}");
        assert_eq!((output.status.code(), state(root.path())), (Some(0), [None, None]), "{call}: {output:?}");
    }
}

/// Files of an earlier run that was killed are removed when nothing but the arming itself can fail any more, and an error
/// names their nodes.
#[test]
fn a_failed_arming_says_which_nodes_it_has_disarmed() {
    let make = one_armed();
    arm_both(make.path()).unwrap();
    fs::write(make.path().join(".plasmagen/disarm"), format!("{OTHER}\n")).unwrap();
    let before = state(make.path());
    let mut seen = Vec::new();
    for call in changes(traced_arm, &make) {
        let root = copy(&make);
        let output = traced_arm(&call.fail("ENOSPC"), root.path()).output;
        let (left, stderr) = (state(root.path()), lossy(&output.stderr));
        if output.status.success() {
            continue;
        }
        let has_changed = left != before;
        assert!(
            !has_changed || stderr.contains("node02") && !stderr.contains("nothing has changed"),
            "{call}: {stderr}"
        );
        seen.push(has_changed);
    }
    assert!(seen.contains(&false) && seen.contains(&true), "{seen:?}");
}

/// From the second of the two renames on, no rename succeeds: node01 can't be taken back.
#[test]
fn what_cannot_be_taken_back_is_named() {
    let make = one_armed();
    let calls = changes(traced_arm, &make);
    let into_armed = |call: &&Call| call.name == "renameat" && call.line.contains(&format!("\"{OTHER}\""));
    let second = calls.iter().rfind(into_armed).unwrap().nth;
    let root = copy(&make);
    let [trace, fault] = ["trace=renameat".to_owned(), format!("inject=renameat:error=EIO:when={second}+")];
    let options = ["-e".to_owned(), trace, "-e".to_owned(), fault];
    let output = traced_arm(&options, root.path()).output;
    let stderr = lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    let words = ["armed now are node01. Run plasmagen disarm node01", OTHER];
    assert!(words.iter().all(|word| stderr.contains(word)), "{stderr}");
    let states = states(traced_arm, &make);
    assert_eq!(state(root.path()), [states[1][0].clone(), None]);
    assert_recovers(root.path(), &states, "with a broken disk");
}
