//! `keys make` and `keys adopt`, killed at their system calls: a node is installed with the key that nodes/ publishes
//! or not at all, no key is lost, and the same command completes what the killed run had begun.

use std::fs;
use std::os::unix::process::ExitStatusExt;

use test_kit::strace::{Call, SIGKILL, calls};
use test_kit::tree;

use crate::faults::{ends, strace, trace};
use crate::host_keys::{find, full, keys, private, public};
use crate::kit::Site;

/// Calls after which the vault or the trees are different, or may be.
const STEPS: &str = "mkdir,mkdirat,openat,write,fchmod,fsync,syncfs,renameat,renameat2,unlinkat,flock";

/// Calls of which each is a death of its own; of the others the first and the last.
const MOVES: [&str; 2] = ["renameat", "renameat2"];

/// Kills `args` at its calls in copies of `before`.
fn kill_everywhere(before: &Site, args: &[&str]) {
    let (old, mut seen) = (public(before, "node01"), Vec::new());
    let calls = trace(before, STEPS, args);
    let (moves, others): (Vec<Call>, Vec<Call>) =
        calls.into_iter().partition(|call| MOVES.contains(&call.name.as_str()));
    for call in [moves, ends(others)].concat() {
        let site = before.copy();
        let when = format!("after a kill at {call}");
        let (status, run, _) = strace(&site, &call.kill(), args);
        assert_eq!(status.signal(), Some(SIGKILL), "no kill at {call}: {run:?}");
        let held: Vec<String> = tree::contents(&site.vault()).into_values().collect();
        for key in ["node01", "node02"].map(|node| fs::read_to_string(private(before, node)).unwrap()) {
            assert!(held.iter().any(|file| file.ends_with(&key)), "a key is lost {when}");
        }
        let staged = site.run(&["secrets", "stage", "node01", "--to", "../out"]);
        match fs::read(site.path().join("out/etc/ssh/ssh_host_ed25519_key.pub")) {
            Ok(text) => {
                assert_eq!(
                    text,
                    format!("{} {}\n", public(&site, "node01"), full("node01")).into_bytes(),
                    "{when}"
                );
            }
            // Either the machine has the key, or the operator is told how to go on.
            Err(_) => {
                let words =
                    ["has an SSH host key of its own", "plasmagen keys make node01 publishes the key"];
                assert!(words.iter().any(|word| staged.stderr.contains(word)), "{when}: {}", staged.stderr);
            }
        }
        seen.push(public(&site, "node01") != old);
        let run = site.run(args);
        assert_eq!(run.code, Some(0), "{when}: {}", run.stderr);
        let new = public(&site, "node01");
        assert!(new != old && find(&site, "node01") == Some(new), "{when}");
        for args in [&["vault", "verify"][..], &["render", "--check"]] {
            let run = site.run(args);
            assert_eq!(run.code, Some(0), "{when}: {}{}", run.stdout, run.stderr);
        }
    }
    assert!(seen.contains(&true) && seen.contains(&false), "{seen:?}");
}

#[test]
fn a_host_key_that_is_made() {
    kill_everywhere(&Site::rendered(), &["keys", "make", "node01"]);
}

#[test]
fn a_host_key_that_is_adopted() {
    let site = Site::rendered();
    site.shell("ssh-keygen -q -t ed25519 -N '' -f ../own").ends(0, &[]);
    kill_everywhere(&site, &["keys", "adopt", "node01", "--host-key", "../own.pub"]);
    // The sweep has an end that the trace does not show: all is done.
    keys(&site, &["adopt", "node01", "--host-key", "../own.pub"]).ends(0, &[]);
}

/// After a power cut, a key that was put aside must not be gone with a directory that was never durable.
#[test]
fn the_directory_of_retired_keys_is_durable_before_a_key_moves_into_it() {
    let site = Site::rendered();
    let options = ["-y", "-e", "trace=mkdir,mkdirat,fsync,renameat,renameat2"];
    let (_, run, log) = strace(&site, &options, &["keys", "make", "node01"]);
    run.ends(0, &[]);
    let (vault, calls) = (site.vault().canonicalize().unwrap(), calls(&log));
    let (synced, retired) = (format!("<{}>)", vault.display()), format!("{}/.retired", vault.display()));
    let find = |from: usize, name: &str, words: &str| {
        let is_it = |call: &Call| call.name.starts_with(name) && call.line.contains(words);
        calls[from..].iter().position(is_it).map(|at| from + at)
    };
    let made = find(0, "mkdir", "\".retired\"").unwrap();
    let moved = find(made, "renameat", &retired).unwrap();
    let durable = find(made, "fsync", &synced);
    assert!(durable.is_some_and(|durable| durable < moved), "{:#?}", &calls[made..=moved]);
}
