//! Runs of `certs` that are killed, or whose disk fails, at their system calls: the published certificates and CRLs are all old
//! or all new, no key is lost, no certificate is forgotten, and the next run completes what the one before had begun.

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
use crate::renewal::serials;

/// Calls after which the vault or the trees are different, or may be.
const STEPS: &str = "mkdir,mkdirat,openat,write,fchmod,fsync,syncfs,renameat,renameat2,unlinkat,flock";

/// Calls of which each is a death of its own; of the others the first and the last.
const MOVES: [&str; 2] = ["renameat", "renameat2"];

/// A site that has revoked a certificate, so that every step of a rotation signs or drops a CRL.
fn revoking() -> Site {
    let site = Site::rendered();
    site.run(&["certs", "renew", "node01", "--new-key"]).ends(0, &["revoked 1 certificate"]);
    site
}

/// The files of `site` below nodes/ that certificates, CRLs and the lists of certificates are in.
fn certificates(site: &Site) -> BTreeMap<PathBuf, String> {
    let mut found = tree::contents(&site.root().join("nodes"));
    let ends = ["-cert.pem", "-crl.pem", "issued.json", "revoked.json"];
    found.retain(|path, _| ends.iter().any(|end| path.to_string_lossy().ends_with(end)));
    found
}

/// What a command does to the certificates of a site.
struct Change<'a> {
    before: &'a Site,
    args: &'a [&'a str],
    old: BTreeMap<PathBuf, String>,
    /// The files that differ afterwards.
    all: Vec<PathBuf>,
}

impl<'a> Change<'a> {
    fn of(before: &'a Site, args: &'a [&'a str]) -> Self {
        let after = before.copy();
        after.run(args).ends(0, &[]);
        let mut change = Self { before, args, old: certificates(before), all: Vec::new() };
        change.all = change.changed(&after);
        change
    }

    /// The calls of the command: each that moves something, and the first and the last of each other name.
    fn calls(&self) -> Vec<Call> {
        let (moves, others): (Vec<Call>, Vec<Call>) = trace(self.before, STEPS, self.args)
            .into_iter()
            .partition(|call| MOVES.contains(&call.name.as_str()));
        [moves, ends(others)].concat()
    }

    /// The files of `site` that are others than before.
    fn changed(&self, site: &Site) -> Vec<PathBuf> {
        let now = certificates(site);
        assert!(now.keys().eq(self.old.keys()));
        now.into_iter().filter(|(path, text)| self.old[path] != *text).map(|(path, _)| path).collect()
    }

    /// The version of the certificates in `site`, which are all old or all new; no key is lost, and no certificate.
    fn version(&self, site: &Site, when: &str) -> Version {
        drop(SiteLock::acquire(&site.root()).unwrap_or_else(|error| panic!("no new run {when}: {error:#}")));
        let found = self.changed(site);
        assert!(found.is_empty() || found == self.all, "{when}: {found:?}");
        assert_nothing_is_lost(self.before, site, when);
        if found.is_empty() { Version::Old } else { Version::New }
    }

    /// The same command leads to the end from `site`.
    fn assert_heals(&self, site: &Site, when: &str) {
        let run = site.run(self.args);
        assert_eq!(run.code, Some(0), "{when}: {}", run.stderr);
        assert_eq!(self.version(site, when), Version::New, "{when}");
        assert_keys_belong(site, when);
        assert_host_keys_belong(site, when);
        site.run(&["check", "--deny-warnings"]).ends(0, &[]);
        site.run(&["render", "--check"]).ends(0, &[]);
    }
}

/// Kills `args` at its calls in copies of `before`; returns the versions of the certificates that this left. The same command
/// leads to the end from there, as it does from `before`.
fn kill_everywhere(before: &Site, args: &[&str]) -> Vec<Version> {
    let change = Change::of(before, args);
    let mut seen = Vec::new();
    for call in change.calls() {
        let site = before.copy();
        let when = format!("after a kill at {call}");
        let (status, run, _) = strace(&site, &call.kill(), args);
        assert_eq!(status.signal(), Some(SIGKILL), "no kill at {call}: {run:?}");
        seen.push(change.version(&site, &when));
        // A render leaves nothing in between, either.
        let rendered = site.copy();
        rendered.run(&["render"]).ends(0, &[]);
        assert_keys_belong(&rendered, &when);
        assert_host_keys_belong(&rendered, &when);
        change.assert_heals(&site, &when);
    }
    seen.sort_unstable();
    seen.dedup();
    seen
}

/// Lets the calls of `args` fail in copies of `before`: with a full disk, and the last of each name with a broken one.
fn fail_everywhere(before: &Site, args: &[&str]) {
    let change = Change::of(before, args);
    let calls = ends(change.calls());
    let full = calls.iter().map(|call| (call, "ENOSPC"));
    let broken = calls.iter().skip(1).step_by(2).map(|call| (call, "EIO"));
    let mut failed = 0;
    for (call, error) in full.chain(broken) {
        let site = before.copy();
        let when = format!("after {error} at {call}");
        let (_, run, log) = strace(&site, &call.fail(error), args);
        assert!(log.contains("(INJECTED)"), "no {when}");
        let version = change.version(&site, &when);
        match run.code {
            Some(0) => assert_eq!(version, Version::New, "{when}"),
            Some(2) => {
                failed += 1;
                assert!(run.stderr.contains("error: ") && !run.stderr.contains("bug"), "{when}: {run:?}");
            }
            _ => panic!("{when}: {run:?}"),
        }
        change.assert_heals(&site, &when);
    }
    assert!(failed > 5, "only {failed} runs noticed");
}

/// Every key that the vault of `before` holds is in that of `site`, in its place or put aside; and every certificate of `before`
/// is recorded or revoked.
fn assert_nothing_is_lost(before: &Site, site: &Site, when: &str) {
    let held: Vec<String> = tree::contents(&site.vault()).into_values().collect();
    for (path, key) in tree::contents(&before.vault()) {
        assert!(held.contains(&key), "{} is lost {when}", path.display());
    }
    assert_eq!(leaves(site).len(), leaves(before).len(), "{when}");
    let lists = site.read("nodes/issued.json") + &site.read("nodes/revoked.json");
    for (node, serial) in serials(before) {
        assert!(lists.contains(&serial), "the certificate of {node} is forgotten {when}");
    }
}

const BEGIN: [&str; 3] = ["certs", "rotate", "begin"];

#[test]
fn a_renewal_with_new_keys() {
    let seen = kill_everywhere(&revoking(), &["certs", "renew", "--all", "--new-key"]);
    assert_eq!(seen, [Version::Old, Version::New]);
}

#[test]
fn every_step_of_a_rotation() {
    let site = revoking();
    for step in [&["begin"][..], &["issue", "--new-key"], &["finish", "--deployed"]] {
        let args = [&["certs", "rotate"], step].concat();
        assert_eq!(kill_everywhere(&site, &args), [Version::Old, Version::New], "{args:?}");
        site.run(&args).ends(0, &[]);
    }
}

#[test]
fn a_rotation_that_is_cancelled() {
    let site = revoking();
    site.run(&BEGIN).ends(0, &[]);
    assert_eq!(kill_everywhere(&site, &["certs", "rotate", "cancel"]), [Version::Old, Version::New]);
}

#[test]
fn a_disk_fails_during_a_renewal() {
    fail_everywhere(&revoking(), &["certs", "renew", "--all", "--new-key"]);
}

#[test]
fn a_disk_fails_during_each_step_of_a_rotation() {
    let site = revoking();
    fail_everywhere(&site, &BEGIN);
    site.run(&BEGIN).ends(0, &[]);
    fail_everywhere(&site, &["certs", "rotate", "cancel"]);
    for step in [&["issue", "--new-key"][..], &["finish", "--deployed"]] {
        let args = [&["certs", "rotate"], step].concat();
        fail_everywhere(&site, &args);
        site.run(&args).ends(0, &[]);
    }
}
