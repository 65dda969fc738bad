//! A lab that ends in whatever way leaves no process, no mount, no interface and no file.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use test_kit::process::child_test;

use crate::lab::kit::{inventory, lab};

/// How long the kernel may take to end some processes, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The processes in whose environment there is `mark`: whatever the lab starts inherits it.
fn processes(mark: &str) -> Vec<String> {
    let all = fs::read_dir("/proc").unwrap().filter_map(|entry| Some(entry.ok()?.path()));
    let marked = all.filter(|dir| {
        let environment = fs::read(dir.join("environ")).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|variable| variable == format!("PLASMAGEN_LAB_MARK={mark}").as_bytes())
    });
    marked.map(|dir| fs::read_to_string(dir.join("comm")).unwrap_or_default()).collect()
}

fn names(dir: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(dir).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn mounts() -> usize {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
    table.lines().filter(|line| line.contains("plasmagen-lab") || line.contains(" - tmpfs lab ")).count()
}

/// Kills a lab with `signal` once it has said `when`. It would not end by itself: a stranger stands at its message.
fn killed(signal: Signal, when: &str) {
    let (dir, path) = inventory(".", "");
    let text = fs::read_to_string(&path).unwrap().replace("pause = \"1s\"", "pause = \"1h\"");
    fs::write(&path, text).unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let before = (names(Path::new("/sys/class/net")), names(Path::new("/run/netns")), names(dir.path()));
    let mark = format!("{}-{}", std::process::id(), when.replace(' ', "-"));
    let mut command = lab(&path, &["--firmware", "bios", "--timeout", "1h"]);
    command.env("PLASMAGEN_LAB_MARK", &mark).env("TMPDIR", temporary.path());
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let said = when.is_empty() || lines.any(|line| line.unwrap().contains(when));
    assert!(said, "the lab never said `{when}`");
    if when == "kernel" {
        // This program twice, unshare, three servers, the router, and a machine, at least.
        assert!(processes(&mark).len() >= 8, "{:?}", processes(&mark));
    }
    kill_process(Pid::from_child(&child), signal).unwrap();
    let status = child.wait().unwrap();
    assert!(!status.success(), "{status}");
    let end = Instant::now() + PATIENCE;
    while !processes(&mark).is_empty() {
        assert!(Instant::now() < end, "{signal:?} after `{when}` leaves {:?}", processes(&mark));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(mounts(), 0, "{signal:?} after `{when}`");
    assert_eq!(names(temporary.path()), BTreeSet::new(), "{signal:?} after `{when}`");
    let after = (names(Path::new("/sys/class/net")), names(Path::new("/run/netns")), names(dir.path()));
    assert_eq!(after, before, "{signal:?} after `{when}`");
}

#[test]
fn nothing_is_left_of_a_lab_that_is_killed() {
    for (signal, when) in [
        (Signal::KILL, ""),
        (Signal::INT, "trying whether KVM"),
        (Signal::KILL, "making and publishing"),
        (Signal::KILL, "starting the servers"),
        (Signal::TERM, "powering on"),
        (Signal::INT, "lease"),
        (Signal::KILL, "kernel"),
    ] {
        killed(signal, when);
    }
}

/// Runs a lab whose machines wait for an hour, until somebody kills this program.
#[test]
#[ignore = "the body of the program that the next test kills"]
fn child() {
    let (_dir, path) = inventory(".", "");
    lab(&path, &["--firmware", "bios", "--timeout", "1h"]).output().unwrap();
}

/// Whoever interrupts the tests is rid of their machines.
#[test]
fn a_lab_ends_with_the_tests_that_have_started_it() {
    let mark = format!("{}-child", std::process::id());
    let mut tests = child_test("lab::leaves::child");
    let mut tests = tests.env("PLASMAGEN_LAB_MARK", &mark).stdout(Stdio::null()).spawn().unwrap();
    let wait = |is_done: &dyn Fn(&[String]) -> bool| {
        let end = Instant::now() + PATIENCE;
        while !is_done(&processes(&mark)) {
            assert!(Instant::now() < end, "{:?}", processes(&mark));
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let is_lab = |name: &String| name == "plasmagen\n";
    wait(&|names| names.iter().filter(|name| is_lab(name)).count() >= 2);
    tests.kill().unwrap();
    tests.wait().unwrap();
    wait(&<[String]>::is_empty);
}
