//! A render that is killed, or whose disk fails, at its system calls: the vault and both trees taken together.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};

use test_kit::strace::{self, Call, SIGKILL, calls};

use crate::kit::{PLASMAGEN, Run, Site};
use test_kit::Version;

use crate::whole::Scenario;

/// Calls that change something on a disk.
const CHANGES: &str = "openat,write,pwrite64,ftruncate,flock,mkdir,mkdirat,link,linkat,fchmod,fsync,syncfs,rename,\
                       renameat,renameat2,unlink,unlinkat,rmdir";

/// Calls that only look.
const LOOKS: &str = "openat,read,pread64,getdents64,statx,newfstatat,fstat,readlink";

/// The program in `site`, under strace with `options`.
pub(crate) fn strace<S: AsRef<str>>(site: &Site, options: &[S], args: &[&str]) -> (ExitStatus, Run, String) {
    let mut strace = site.command("strace");
    strace.current_dir(site.root());
    let traced = strace::strace(strace, options, Command::new(PLASMAGEN).args(args), b"");
    (traced.output.status, Run::of(&traced.output), traced.log)
}

/// The `names` among the calls of `args` in a copy of `before` that concern files of the site or the vault.
pub(crate) fn trace(before: &Site, names: &str, args: &[&str]) -> Vec<Call> {
    let site = before.copy();
    let (_, run, log) = strace(&site, &["-y", "-e", &format!("trace={names}")], args);
    run.ends(0, &[]);
    let place = site.path().canonicalize().unwrap();
    let mut found = calls(&log);
    found.retain(|call| {
        let (_, args) = call.line.split_once('(').unwrap();
        let args =
            args.split_once('>').filter(|_| args.starts_with("AT_FDCWD<")).map_or(args, |(_, rest)| rest);
        let is_relative = args.starts_with(", \"") && !args.starts_with(", \"/");
        // How often the lock is marked depends on the clock; this often it always is.
        let is_certain = !["pwrite64", "ftruncate"].contains(&call.name.as_str()) || call.nth <= 5;
        is_certain && (is_relative || args.contains(place.to_str().unwrap()))
    });
    assert!(found.len() > 50, "the trace shows too little: {found:#?}");
    found
}

/// Those that change something. Files are staged one like the other: of long rows of one call, the ends and every
/// fifth between. (`tests/files/writer/faults.rs` sweeps every single call, on smaller trees.)
fn changes(scenario: &Scenario) -> Vec<Call> {
    let mut calls = trace(&scenario.before, CHANGES, &["render"]);
    calls.retain(|call| call.name != "openat" || call.line.contains("O_CREAT"));
    let mut rows = BTreeMap::<String, Vec<Call>>::new();
    for call in calls {
        rows.entry(call.name.clone()).or_default().push(call);
    }
    let thinned = |row: Vec<Call>| {
        let last = row.len();
        let is_kept = move |at: usize| at < 12 || at + 12 >= last || at.is_multiple_of(5);
        row.into_iter().enumerate().filter(move |(at, _)| is_kept(*at)).map(|(_, call)| call)
    };
    rows.into_values().flat_map(thinned).collect()
}

/// Those that look.
fn looks(scenario: &Scenario) -> Vec<Call> {
    let mut calls = trace(&scenario.before, LOOKS, &["render"]);
    calls.retain(|call| !call.line.contains("O_CREAT"));
    calls
}

/// The first and the last of each name.
pub(crate) fn ends(calls: Vec<Call>) -> Vec<Call> {
    let mut ends = BTreeMap::<String, (Call, Call)>::new();
    for call in calls {
        let (_, last) = ends.entry(call.name.clone()).or_insert_with(|| (call.clone(), call.clone()));
        *last = call;
    }
    ends.into_values().flat_map(|(first, last)| [first, last]).collect()
}

/// Kills a render at every call that changes something; returns in which states that left the trees.
fn kill_everywhere(scenario: &Scenario) -> Vec<(Version, Version)> {
    let mut seen = Vec::new();
    for call in changes(scenario) {
        let site = scenario.before.copy();
        let when = format!("after a kill at {call}");
        let (status, run, _) = strace(&site, &call.kill(), &["render"]);
        assert_eq!(status.signal(), Some(SIGKILL), "no kill at {call}: {run:?}");
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
fn fail_everywhere(scenario: &Scenario, calls: Vec<Call>, error: &str) {
    let mut failed = 0;
    for call in calls {
        let site = scenario.before.copy();
        let when = format!("after {error} at {call}");
        let (_, run, log) = strace(&site, &call.fail(error), &["render"]);
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
