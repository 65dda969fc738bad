//! A render that is killed, or whose disk fails, at its system calls: the vault and both trees taken together.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::LazyLock;

use crate::kit::{Run, Site};
use crate::whole::{Scenario, Version};

/// Calls that change something on a disk.
const CHANGES: &str = "openat,write,pwrite64,ftruncate,flock,mkdir,mkdirat,link,linkat,fchmod,fsync,syncfs,rename,\
                       renameat,renameat2,unlink,unlinkat,rmdir";

/// Calls that only look.
const LOOKS: &str = "openat,read,pread64,getdents64,statx,newfstatat,fstat,readlink";

const SIGKILL: i32 = 9;

/// The program on one thread. `cargo test --test cli` alone does not build examples.
fn one_thread() -> &'static Path {
    static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--example", "one_thread", "--manifest-path"]);
        cargo.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"));
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        assert!(cargo.status().unwrap().success(), "could not build the program on one thread");
        let deps = std::env::current_exe().unwrap();
        deps.parent().and_then(Path::parent).unwrap().join("examples/one_thread")
    });
    &PROGRAM
}

/// The program under strace with `options`; what strace saw comes last.
pub(crate) fn strace(site: &Site, options: &[&str], args: &[&str]) -> (ExitStatus, Run, String) {
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut command = site.command("strace");
    command.current_dir(site.root()).args(["-f", "-qq", "-o"]).arg(log.path()).args(options);
    let output = command.arg(one_thread()).args(args).output();
    let output = output.unwrap_or_else(|error| panic!("strace does not run ({error}): install strace"));
    (output.status, Run::of(&output), std::fs::read_to_string(log.path()).unwrap())
}

/// The `calls` of a render that concern files of the site or the vault: name, which of that name, and the whole line.
fn trace(scenario: &Scenario, calls: &str) -> Vec<(String, usize, String)> {
    let site = scenario.before.copy();
    let (_, run, log) = strace(&site, &["-y", "-e", &format!("trace={calls}")], &["render"]);
    run.ends(0, &[]);
    let place = site.path().canonicalize().unwrap();
    let mut counts = BTreeMap::<String, usize>::new();
    let mut found = Vec::new();
    for line in log.lines().filter_map(|line| line.split_once(' ').map(|(_, call)| call.trim_start())) {
        let Some((name, args)) = line.split_once('(') else { continue };
        let count = counts.entry(name.to_owned()).or_default();
        *count += 1;
        let args =
            args.split_once('>').filter(|_| args.starts_with("AT_FDCWD<")).map_or(args, |(_, rest)| rest);
        let relative = args.starts_with(", \"") && !args.starts_with(", \"/");
        // How often the lock is marked depends on the clock; this often it always is.
        let certain = !["pwrite64", "ftruncate"].contains(&name) || *count <= 5;
        if certain && (relative || args.contains(place.to_str().unwrap())) {
            found.push((name.to_owned(), *count, line.to_owned()));
        }
    }
    assert!(found.len() > 50, "the trace shows too little: {found:#?}");
    found
}

/// Those that change something. Files are staged one like the other: of long rows of one call, the ends and every
/// fifth between. (`tests/files/writer/faults.rs` sweeps every single call, on smaller trees.)
fn changes(scenario: &Scenario) -> Vec<(String, usize)> {
    let mut calls = trace(scenario, CHANGES);
    calls.retain(|(name, _, line)| name != "openat" || line.contains("O_CREAT"));
    let mut rows = BTreeMap::<String, Vec<usize>>::new();
    for (name, n, _) in calls {
        rows.entry(name).or_default().push(n);
    }
    let thinned = |(name, row): (String, Vec<usize>)| {
        let last = row.len();
        let kept = (0..last).filter(|at| *at < 12 || at + 12 >= last || at % 5 == 0);
        kept.map(|at| (name.clone(), row[at])).collect::<Vec<_>>()
    };
    rows.into_iter().flat_map(thinned).collect()
}

/// Those that look.
fn looks(scenario: &Scenario) -> Vec<(String, usize)> {
    let mut calls = trace(scenario, LOOKS);
    calls.retain(|(_, _, line)| !line.contains("O_CREAT"));
    calls.into_iter().map(|(name, n, _)| (name, n)).collect()
}

/// The first and the last of each name.
fn ends(calls: Vec<(String, usize)>) -> Vec<(String, usize)> {
    let mut ends = BTreeMap::<String, (usize, usize)>::new();
    for (name, n) in calls {
        ends.entry(name).or_insert((n, n)).1 = n;
    }
    ends.into_iter().flat_map(|(name, (first, last))| [(name.clone(), first), (name, last)]).collect()
}

/// Kills a render at every call that changes something; returns in which states that left the trees.
fn kill_everywhere(scenario: &Scenario) -> Vec<(Version, Version)> {
    let mut seen = Vec::new();
    for (call, n) in changes(scenario) {
        let site = scenario.before.copy();
        let when = format!("after a kill at {call} {n}");
        let inject = format!("inject={call}:signal=KILL:when={n}");
        let (status, run, _) = strace(&site, &["-e", &format!("trace={call}"), "-e", &inject], &["render"]);
        assert_eq!(status.signal(), Some(SIGKILL), "no kill at {call} {n}: {run:?}");
        seen.push(scenario.assert_whole(&site, &when));
        scenario.assert_recovers(&site, &when);
    }
    seen.sort_unstable();
    seen.dedup();
    seen
}

#[test]
fn killed_at_any_call_of_the_first_run() {
    use Version::{New, None};
    assert_eq!(kill_everywhere(&Scenario::first()), [(None, None), (New, None), (New, New)]);
}

#[test]
fn killed_at_any_call_of_a_run_that_issues_certificates() {
    use Version::{New, Old};
    assert_eq!(kill_everywhere(&Scenario::update()), [(Old, Old), (New, Old), (New, New)]);
}

/// Lets each of `calls` fail once: that is an error or harmless, and both trees agree without a next run.
fn fail_everywhere(scenario: &Scenario, calls: Vec<(String, usize)>, error: &str) {
    let mut failed = 0;
    for (call, n) in calls {
        let site = scenario.before.copy();
        let when = format!("after {error} at {call} {n}");
        let inject = format!("inject={call}:error={error}:when={n}");
        let (_, run, log) = strace(&site, &["-e", &format!("trace={call}"), "-e", &inject], &["render"]);
        assert!(log.contains("(INJECTED)"), "no {when}");
        let (nodes, rest) = scenario.assert_whole(&site, &when);
        assert_eq!(nodes, rest, "{when}: {run:?}");
        match run.code {
            Some(0) => assert_eq!(nodes, Version::New, "{when}"),
            Some(2) => {
                failed += 1;
                assert!(run.stderr.contains("error: ") && !run.stderr.contains("bug"), "{when}: {run:?}");
            }
            _ => panic!("{when}: {run:?}"),
        }
        scenario.assert_recovers(&site, &when);
    }
    assert!(failed > 5, "only {failed} runs noticed");
}

#[test]
fn any_change_may_find_the_disk_full() {
    let scenario = Scenario::update();
    fail_everywhere(&scenario, changes(&scenario), "ENOSPC");
}

#[test]
fn any_change_of_the_first_run_may_find_the_disk_full() {
    let scenario = Scenario::first();
    fail_everywhere(&scenario, changes(&scenario), "ENOSPC");
}

#[test]
fn any_change_may_find_the_disk_broken() {
    let scenario = Scenario::update();
    fail_everywhere(&scenario, ends(changes(&scenario)), "EIO");
}

#[test]
fn any_look_may_find_the_disk_broken() {
    let scenario = Scenario::update();
    fail_everywhere(&scenario, ends(looks(&scenario)), "EIO");
}

/// By the order of the calls: a power cut never leaves a published certificate whose key is lost.
#[test]
fn keys_are_durable_before_certificates_are_published() {
    let scenario = Scenario::first();
    let site = scenario.before.copy();
    let (_, run, log) =
        strace(&site, &["-y", "-e", "trace=mkdir,fsync,syncfs,renameat,renameat2"], &["render"]);
    run.ends(0, &[]);
    let place = site.path().canonicalize().unwrap();
    let log = log.replace(place.to_str().unwrap(), "PLACE");
    let lines: Vec<_> = log.lines().collect();
    let at = |parts: &[&str]| {
        let found: Vec<_> =
            (0..lines.len()).filter(|n| parts.iter().all(|part| lines[*n].contains(part))).collect();
        assert!(!found.is_empty(), "{parts:?} in {log}");
        found
    };
    let published = at(&["renameat2(", "\"nodes\""])[0];
    const VAULT: &str = "PLACE/home/data/plasmagen/my-cluster";
    for entry in
        ["ca-1", "node01.cluster.example.com", "node02.cluster.example.com", "node03.cluster.example.com"]
    {
        let renamed =
            at(&["renameat(", &format!("{VAULT}/.staging>, \"{entry}\""), &format!("{VAULT}>, \"{entry}\"")])
                [0];
        let written = *at(&["fsync(", &format!("{VAULT}/.staging/{entry}/"), "-key.pem>"]).last().unwrap();
        let listed = *at(&["fsync(", &format!("{VAULT}/.staging/{entry}>")]).last().unwrap();
        let settled = at(&["fsync(", &format!("{VAULT}>")]);
        let settled = settled.into_iter().find(|n| *n > renamed).unwrap();
        assert!(written < listed && listed < renamed && settled < published, "{entry} in {log}");
    }
    // The directories above, of which there was none but the home.
    for (made, holder) in
        [("home/data", "home"), ("home/data/plasmagen", "home/data"), (&VAULT[6..], "home/data/plasmagen")]
    {
        let made = at(&["mkdir(", &format!("PLACE/{made}\"")])[0];
        let settled = at(&["fsync(", &format!("PLACE/{holder}>")])[0];
        assert!(made < settled && settled < published, "{holder} in {log}");
    }
}
