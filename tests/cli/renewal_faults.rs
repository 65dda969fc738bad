//! Runs of `certs` that are killed at their system calls: the published certificates are all old or all new, no key is lost,
//! and the next run completes what the killed one had begun.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;

use plasmagen::write::SiteLock;
use test_kit::Version;
use test_kit::strace::{Call, SIGKILL};
use test_kit::tree;

use crate::certificates::{assert_host_keys_belong, assert_keys_belong, leaves};
use crate::faults::{ends, strace, trace};
use crate::kit::Site;

/// Calls after which the vault or the trees are different, or may be.
const STEPS: &str = "mkdir,mkdirat,openat,write,fchmod,fsync,syncfs,renameat,renameat2,unlinkat,flock";

/// Calls of which each is a death of its own; of the others the first and the last.
const MOVES: [&str; 2] = ["renameat", "renameat2"];

/// The public files of `site` below nodes/ that certificates are in.
fn certificates(site: &Site) -> BTreeMap<PathBuf, String> {
    let mut found = tree::contents(&site.root().join("nodes"));
    found.retain(|path, _| path.to_string_lossy().ends_with("-cert.pem"));
    found
}

/// Kills `args` at its calls in copies of `before`; returns the versions of the certificates that this left. The same command
/// leads to the end from there, as it does from `before`.
fn kill_everywhere(before: &Site, args: &[&str]) -> Vec<Version> {
    let after = before.copy();
    after.run(args).ends(0, &[]);
    let old = certificates(before);
    let changed = |site: &Site| -> Vec<PathBuf> {
        let now = certificates(site);
        assert!(now.keys().eq(old.keys()));
        now.into_iter().filter(|(path, text)| old[path] != *text).map(|(path, _)| path).collect()
    };
    let all = changed(&after);
    let calls = trace(before, STEPS, args);
    let (moves, others): (Vec<Call>, Vec<Call>) =
        calls.into_iter().partition(|call| MOVES.contains(&call.name.as_str()));
    let mut seen = Vec::new();
    for call in [moves, ends(others)].concat() {
        let site = before.copy();
        let when = format!("after a kill at {call}");
        let (status, run, _) = strace(&site, &call.kill(), args);
        assert_eq!(status.signal(), Some(SIGKILL), "no kill at {call}: {run:?}");
        drop(SiteLock::acquire(&site.root()).unwrap_or_else(|error| panic!("no new run {when}: {error:#}")));
        let found = changed(&site);
        assert!(found.is_empty() || found == all, "{when}: {found:?}");
        seen.push(if found.is_empty() { Version::Old } else { Version::New });
        assert_no_key_is_lost(before, &site, &when);
        // A render leaves nothing in between, either.
        let rendered = site.copy();
        rendered.run(&["render"]).ends(0, &[]);
        assert_keys_belong(&rendered, &when);
        assert_host_keys_belong(&rendered, &when);
        let run = site.run(args);
        assert_eq!(run.code, Some(0), "{when}: {}", run.stderr);
        assert_eq!(changed(&site), all, "{when}");
        assert_keys_belong(&site, &when);
        assert_host_keys_belong(&site, &when);
        site.run(&["check", "--deny-warnings"]).ends(0, &[]);
        site.run(&["render", "--check"]).ends(0, &[]);
    }
    seen.sort_unstable();
    seen.dedup();
    seen
}

/// Every key that the vault of `before` holds is in that of `site`, in its place or put aside.
fn assert_no_key_is_lost(before: &Site, site: &Site, when: &str) {
    let held: Vec<String> = tree::contents(&site.vault()).into_values().collect();
    for (path, key) in tree::contents(&before.vault()) {
        assert!(held.contains(&key), "{} is lost {when}", path.display());
    }
    assert_eq!(leaves(site).len(), leaves(before).len(), "{when}");
}

#[test]
fn a_renewal_with_new_keys() {
    let seen = kill_everywhere(&Site::rendered(), &["certs", "renew", "--all", "--new-key"]);
    assert_eq!(seen, [Version::Old, Version::New]);
}

#[test]
fn every_step_of_a_rotation() {
    let site = Site::rendered();
    for step in [&["begin"][..], &["issue", "--new-key"], &["finish", "--deployed"]] {
        let args = [&["certs", "rotate"], step].concat();
        assert_eq!(kill_everywhere(&site, &args), [Version::Old, Version::New], "{args:?}");
        site.run(&args).ends(0, &[]);
    }
}
