//! Two runs at once, and locks of the dead.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;

use plasmagen::fs::Held;
use plasmagen::write::SiteLock;

use crate::writer::driver::driver;
use crate::writer::kit::{assert_no_leftover, feed, holding, new, old, snapshot, write};

fn holder(root: &Path) -> Child {
    let mut child = driver(root, "hold").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    // The harness of tests has said something before.
    assert!(lines.map(Result::unwrap).any(|line| line == "held"), "the lock is not held");
    child
}

#[test]
fn the_second_run_is_told_who_holds_the_lock() {
    let root = holding(&old());
    let mut child = holder(root.path());
    let error = SiteLock::acquire(root.path()).unwrap_err();
    assert_eq!(error.downcast_ref::<Held>().map(|held| held.pid), Some(Some(child.id())));
    let output = feed("cargo", &mut driver(root.path(), ""), &new());
    assert_eq!(output.status.code(), Some(3));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains(&format!("process {}", child.id())),
        "{output:?}"
    );
    drop(child.stdin.take());
    child.wait().unwrap();
    write(root.path(), &new()).unwrap();
}

#[test]
fn the_lock_of_a_dead_run_is_no_obstacle() {
    let root = holding(&old());
    let mut child = holder(root.path());
    child.kill().unwrap();
    child.wait().unwrap();
    write(root.path(), &new()).unwrap();
}

#[test]
fn of_many_runs_at_once_each_commits_wholly_or_is_told_to_wait() {
    let root = holding(&old());
    let (a, b) = (holding(&old()), holding(&new()));
    for _ in 0..5 {
        let done: usize = thread::scope(|scope| {
            let one = |n: usize| {
                let files = if n.is_multiple_of(2) { old() } else { new() };
                match feed("cargo", &mut driver(root.path(), ""), &files) {
                    output if output.status.success() => 1,
                    output => {
                        assert_eq!(output.status.code(), Some(3), "{output:?}");
                        0
                    }
                }
            };
            let runs: Vec<_> = (0..6).map(|n| scope.spawn(move || one(n))).collect();
            runs.into_iter().map(|run| run.join().unwrap()).sum()
        });
        assert!(done >= 1, "nobody got the lock");
        assert_no_leftover(root.path(), "after many runs");
        let both = |other: &Path| {
            ["nodes", "site"].iter().all(|tree| snapshot(root.path(), tree) == snapshot(other, tree))
        };
        assert!(both(a.path()) || both(b.path()));
    }
}
