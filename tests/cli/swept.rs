//! `secrets stage` and `secrets encrypt`, killed or failing at each of their system calls: all files or none, and the next
//! run finishes or removes what is left.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use test_kit::strace::{self, Call, SIGKILL, inject};
use test_kit::tree;

use crate::kit::Site;
use crate::sealing::{self, encrypt};
use crate::staging::{assert_staged, stage};
use crate::{faults, secrets};

const FAULTS: [&str; 3] = ["signal=KILL", "error=ENOSPC", "error=EIO"];

/// The calls of a run, of which one may be the last: from the first that names `made` on every one, and of those before,
/// which read the site and the vault, the first and the last of each name.
pub(crate) fn calls(site: &Site, args: &[&str], made: &str) -> Vec<Call> {
    let names = "mkdir,mkdirat,openat,write,fchmod,fchmodat,fsync,renameat,unlinkat,flock";
    let (_, run, log) = faults::strace(site, &["-y", "-e", &format!("trace={names}")], args);
    run.ends(0, &[]);
    let calls = strace::calls(&log);
    let made = calls.iter().position(|call| call.line.contains(made)).unwrap();
    let (before, after) = calls.split_at(made);
    [faults::ends(before.to_vec()), after.to_vec()].concat()
}

const STAGE: [&str; 5] = ["secrets", "stage", "node01", "--to", "../out"];

#[test]
fn a_staged_tree_is_whole_or_nothing() {
    let site = Site::rendered();
    let out = site.path().join("out");
    let keys = secrets::secrets(&site);
    let calls = calls(&site, &STAGE, "/out");
    assert!(calls.len() > 15, "only {calls:#?}");
    for call in calls {
        for fault in FAULTS {
            fs::remove_dir_all(&out).unwrap();
            let (status, run, log) = faults::strace(&site, &inject(&call.name, fault, call.nth), &STAGE);
            let when = format!("{fault} at {call}");
            assert!(!secrets::leaks((run.stdout.clone() + &run.stderr).as_bytes(), &keys), "{when}");
            assert!(status.signal() == Some(SIGKILL) || log.contains("(INJECTED)"), "no {when}");
            let is_staged = out.join("etc").exists();
            // A run that was killed may leave the directory that it worked in.
            if status.signal().is_none() && is_staged {
                assert_staged(&site, &out);
            } else if run.code == Some(2) && out.exists() {
                assert_eq!(fs::read_dir(&out).unwrap().count(), 0, "{when}: {run:?}");
            }
            assert!(is_staged || run.code != Some(0), "{when}: {run:?}");
            // The next run, for another node: of a run that did not come to the commit point nothing is left.
            let is_committed = is_staged || out.join(".plasmagen-staged").exists();
            let other = site.run(&["secrets", "stage", "node02", "--to", "../out"]);
            if is_committed {
                other.ends(2, &["out is not empty"]);
                assert_staged(&site, &out);
            } else {
                other.ends(0, &["staged the key and the SSH host key of node02"]);
                fs::remove_dir_all(&out).unwrap();
            }
            stage(&site, "../out").ends(0, &[]);
            assert_staged(&site, &out);
        }
    }
}

#[test]
fn encrypted_keys_are_all_new_or_all_old() {
    let site = sealing::site();
    encrypt(&site, &[]).ends(0, &[]);
    let keys = site.root().join("keys");
    let saved = site.path().join("saved");
    fs::rename(&keys, &saved).unwrap();
    let restore = || {
        let _ = fs::remove_dir_all(&keys);
        tree::copy(&saved, &keys);
    };
    let old = tree::contents(&saved);
    let args = ["secrets", "encrypt", "--to", "keys", "--force"];
    restore();
    let calls = calls(&site, &args, "/keys");
    assert!(calls.len() > 20, "only {calls:#?}");
    let mut seen = BTreeSet::new();
    for (call, fault) in calls.iter().flat_map(|call| FAULTS.map(|fault| (call, fault))) {
        restore();
        let (status, run, log) = faults::strace(&site, &inject(&call.name, fault, call.nth), &args);
        let when = format!("{fault} at {call}");
        let is_killed = status.signal() == Some(SIGKILL);
        assert!(is_killed || log.contains("(INJECTED)"), "no {when}");
        let left = count_new(&old, &keys);
        if is_killed {
            seen.insert(left);
        } else {
            let is_refused = left == (0, 3) && matches!(run.code, Some(1 | 2));
            assert!(left == (3, 3) && run.code == Some(0) || is_refused, "{when}: {left:?} {run:?}");
        }
        // Without --force the next run makes no file: it finishes those of the killed run.
        let is_committed = keys.join(".plasmagen-staged").exists();
        let next = encrypt(&site, &[]);
        next.ends(0, &[]);
        let new = if is_committed { 3 } else { left.0 };
        assert_eq!(count_new(&old, &keys), (new, 3), "{when}");
        assert_eq!(next.stderr.contains("finished what an earlier run had begun"), is_committed, "{when}");
        assert_eq!(fs::read_dir(&keys).unwrap().count(), 3, "something is left {when}");
    }
    // Only a kill leaves some, all of which are complete elsewhere by then.
    assert!(seen.contains(&(0, 3)) && seen.contains(&(1, 3)) && seen.contains(&(3, 3)), "{seen:?}");
}

/// The number of encrypted keys in `keys` that are not those of `old`, and of all.
fn count_new(old: &BTreeMap<PathBuf, String>, keys: &Path) -> (usize, usize) {
    let mut found = tree::contents(keys);
    found.retain(|path, _| path.parent() == Some(Path::new("")) && path.extension().is_some());
    (found.iter().filter(|(path, body)| old.get(*path) != Some(body)).count(), found.len())
}

const SIGN: [&str; 8] = ["sign", "bundle", "--key", "signer.key", "--signer", "signer.pem", "--site", "site"];

/// The signatures in the bundle and of the site, with everything beside the latter.
fn list_signatures(site: &Site) -> BTreeMap<PathBuf, String> {
    let mut found = tree::contents(&site.root().join("signatures"));
    for (path, body) in tree::contents(&site.root().join("bundle")) {
        if path.to_str().unwrap().contains(".sig") {
            found.insert(Path::new("bundle").join(path), body);
        }
    }
    found
}

#[test]
fn signatures_are_old_or_new_whatever_ends_the_run() {
    let site = crate::boot_signatures::site();
    site.run(&SIGN).ends(0, &[]);
    let kept = site.root().join("kept");
    for dir in ["bundle", "signatures"] {
        tree::copy(&site.root().join(dir), &kept.join(dir));
    }
    let restore = || {
        for dir in ["bundle", "signatures"] {
            let _ = fs::remove_dir_all(site.root().join(dir));
            tree::copy(&kept.join(dir), &site.root().join(dir));
        }
    };
    // One file is renamed, one is another, and one signature of the bundle is gone.
    fs::remove_file(kept.join("bundle/initrd.sig")).unwrap();
    site.edit("mac = \"3c:ec:ef:00:00:01\"", "mac = \"3c:ec:ef:00:00:09\"");
    site.run(&["render"]).ends(0, &[]);
    restore();
    let old = list_signatures(&site);
    let calls = calls(&site, &SIGN, "/bundle");
    let new = list_signatures(&site);
    assert!(calls.len() > 20, "only {calls:#?}");
    // A kill at each call, and an error of the disk at every third.
    let failing = calls.iter().step_by(3).map(|call| (call, "error=EIO"));
    for (call, fault) in calls.iter().map(|call| (call, "signal=KILL")).chain(failing) {
        restore();
        let (status, run, log) = faults::strace(&site, &inject(&call.name, fault, call.nth), &SIGN);
        let when = format!("{fault} at {call}");
        assert!(status.signal() == Some(SIGKILL) || log.contains("(INJECTED)"), "no {when}");
        let found = list_signatures(&site);
        for (path, body) in found.iter().filter(|(path, _)| path.extension().is_some_and(|end| end == "sig"))
        {
            assert!([old.get(path), new.get(path)].contains(&Some(body)), "{} {when}", path.display());
        }
        assert!(run.code != Some(0) || found == new, "{when}: {run:?}");
        site.run(&SIGN).ends(0, &[]);
        assert_eq!(list_signatures(&site), new, "{when}");
    }
}
