//! A publication into a web root that several clusters share, killed or with a failing disk at every single system call: each
//! cluster's machines find the old site or the new one, and never half of one, and the others' machines find theirs.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use plasmagen::publish::{Fault, FaultKind, WebRootLock, remove_cluster, roll_back};
use tempfile::TempDir;

use test_kit::strace::{self, Call, SIGKILL, Traced, calls_since};
use test_kit::{memory, tree};

use crate::publish::clusters::{ELM, OAK, added, alone, found, of, put_site, shared, site};
use crate::publish::faults::CALLS;
use crate::publish::kit::{NOW, PLASMAGEN, faults, terms};

/// A change of a web root by the command line.
struct Change {
    /// The web root before.
    template: TempDir,
    arguments: Vec<String>,
    /// What the machines of oak and elm find before and after.
    before: (&'static str, &'static str),
    after: (&'static str, &'static str),
}

/// The rendered sites that are published.
struct Sites {
    dir: TempDir,
}

static SITES: LazyLock<Sites> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    for (cluster, text, node) in [("elm", "elm old", ELM), ("oak", "oak newest", OAK)] {
        fs::create_dir(dir.path().join(cluster)).unwrap();
        site(&dir.path().join(cluster), cluster, text, &[node]);
    }
    fs::create_dir(dir.path().join("no-builds")).unwrap();
    Sites { dir }
});

fn publication(cluster: &str) -> Vec<String> {
    let text = |path: PathBuf| path.to_str().unwrap().to_owned();
    let (site, builds) = (SITES.dir.path().join(cluster).join("site"), SITES.dir.path().join("no-builds"));
    vec!["publish".to_owned(), "--site".to_owned(), text(site), "--ipxe".to_owned(), text(builds)]
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Elm comes in beside oak, which was alone.
fn coming_in() -> Change {
    let arguments = [publication("elm"), words(&["--add-cluster"])].concat();
    let (before, after) = (("oak new", ""), ("oak new", "elm old"));
    Change { template: alone(), arguments, before, after }
}

/// Oak publishes again beside elm.
fn publishing() -> Change {
    let (before, after) = (("oak new", "elm old"), ("oak newest", "elm old"));
    Change { template: shared(), arguments: publication("oak"), before, after }
}

/// Elm leaves.
fn leaving() -> Change {
    let arguments = words(&["publish", "--remove-cluster", "elm"]);
    Change { template: shared(), arguments, before: ("oak new", "elm old"), after: ("oak new", "") }
}

/// Oak goes back to its generation before; elm has left, since the command line names no inventory.
fn going_back() -> Change {
    let template = shared();
    remove_cluster(&WebRootLock::acquire(template.path()).unwrap(), "elm", &terms(NOW)).unwrap();
    let arguments = words(&["publish", "--rollback", "site"]);
    Change { template, arguments, before: ("oak new", ""), after: ("oak old", "") }
}

impl Change {
    fn copy(&self) -> TempDir {
        let to = memory::tempdir();
        tree::copy(self.template.path(), to.path());
        to
    }

    fn command(&self, root: &Path) -> Command {
        let mut plasmagen = Command::new(PLASMAGEN);
        plasmagen.args(&self.arguments).arg("--root").arg(root);
        plasmagen
    }

    fn strace<S: AsRef<str>>(&self, options: &[S], root: &Path) -> Traced {
        strace::strace(Command::new("strace"), options, &mut self.command(root), b"")
    }

    /// Those of [`CALLS`] that change something in the web root.
    fn calls(&self) -> Vec<Call> {
        let root = self.copy();
        let Traced { output, log } = self.strace(&["-y", "-e", &format!("trace={CALLS}")], root.path());
        assert!(output.status.success(), "{output:?}");
        self.assert_done(root.path(), "without a fault");
        let mut calls = calls_since(&log, root.path());
        calls.retain(|call| call.name != "openat" || call.line.contains("O_CREAT"));
        assert!(calls.len() > 15, "{calls:?}");
        calls
    }

    /// Whether the change is done, and not still to be done; panics where a machine finds anything else.
    fn is_done(&self, root: &Path, when: &str) -> bool {
        let (oak, elm) = found(root);
        let state = (oak.as_str(), elm.as_str());
        assert!(state == self.before || state == self.after, "{when}: {state:?}");
        state == self.after
    }

    fn assert_done(&self, root: &Path, when: &str) {
        assert!(self.is_done(root, when), "{when}");
        assert_eq!(faults(root), [], "{when}");
        assert!(!root.join(".plasmagen/stage").exists(), "{when}");
    }

    /// The same command again does the change, unless it is done.
    fn assert_recovers(&self, root: &Path, is_done: bool, when: &str) {
        // To leave and to go back are done once; a site may be published again.
        let is_repeated = self.arguments.iter().any(|word| word == "--site");
        if is_repeated || !is_done || root.join(".plasmagen/rollback").exists() {
            let output = self.command(root).output().unwrap();
            assert!(output.status.success(), "no second run {when}: {output:?}");
        } else {
            // What the killed run has left goes with the next publication of a site.
            put_site(root, of("oak"), self.after.0, OAK).unwrap();
        }
        self.assert_done(root, when);
    }

    fn kill_everywhere(&self) {
        let mut seen = Vec::new();
        for call in self.calls() {
            let root = self.copy();
            let when = format!("after a kill at {call}");
            let output = self.strace(&call.kill(), root.path()).output;
            assert_eq!(output.status.signal(), Some(SIGKILL), "no kill at {call}: {output:?}");
            let is_done = self.is_done(root.path(), &when);
            assert_unharmed(root.path(), &when);
            self.assert_recovers(root.path(), is_done, &when);
            seen.push(is_done);
        }
        seen.dedup();
        assert_eq!(seen, [false, true], "one step switches all clusters");
    }

    fn fail_everywhere(&self, error: &str) {
        for call in self.calls() {
            let root = self.copy();
            let when = format!("after {error} at {call}");
            let Traced { output, log } = self.strace(&call.fail(error), root.path());
            assert!(log.contains("(INJECTED)"), "no {when}");
            let is_done = self.is_done(root.path(), &when);
            match output.status.code() {
                Some(0 | 4) => assert!(is_done, "{when}: {output:?}"),
                Some(1 | 2) => assert!(!is_done, "{when}: {output:?}"),
                other => panic!("{other:?} {when}: {output:?}"),
            }
            assert_unharmed(root.path(), &when);
            self.assert_recovers(root.path(), is_done, &when);
        }
    }
}

/// The faults that verify may report after a publication that has died: that there are generations, or sites of clusters, to which
/// nobody is sent.
fn assert_unharmed(root: &Path, when: &str) {
    let is_harmless = |fault: &Fault| {
        fault.kind == FaultKind::RolledBack
            || fault.kind == FaultKind::Extra
                && fault.message.starts_with("machines boot no site of that name")
            || fault.message.contains("expired")
    };
    let other: Vec<_> = faults(root).into_iter().filter(|fault| !is_harmless(fault)).collect();
    assert!(other.is_empty(), "{when}: {other:?}");
}

#[test]
fn killed_at_any_call_while_a_cluster_comes_in() {
    coming_in().kill_everywhere();
}

#[test]
fn killed_at_any_call_while_one_of_two_clusters_publishes() {
    publishing().kill_everywhere();
}

#[test]
fn killed_at_any_call_while_a_cluster_leaves() {
    leaving().kill_everywhere();
}

#[test]
fn killed_at_any_call_while_a_cluster_goes_back() {
    going_back().kill_everywhere();
}

#[test]
fn any_call_may_find_the_disk_full_while_a_cluster_comes_in() {
    coming_in().fail_everywhere("ENOSPC");
}

#[test]
fn any_call_may_find_the_disk_broken_while_one_of_two_clusters_publishes() {
    publishing().fail_everywhere("EIO");
}

/// The way back of one cluster, and the coming of a third, after a run of the other that was killed at its switch.
#[test]
fn a_cluster_publishes_after_a_killed_run_of_another() {
    let change = publishing();
    let root = change.copy();
    let switch = change.calls().into_iter().rfind(|call| call.name == "symlinkat").unwrap();
    change.strace(&switch.kill(), root.path());
    let root = root.path();
    assert_eq!(found(root), ("oak new".to_owned(), "elm old".to_owned()));
    put_site(root, of("elm"), "elm new", ELM).unwrap();
    assert_eq!(found(root), ("oak new".to_owned(), "elm new".to_owned()));
    put_site(root, added("ash"), "ash", ("ash1", "52-54-00-00-00-a1")).unwrap();
    roll_back(&WebRootLock::acquire(root).unwrap(), "site", &of("elm")).unwrap();
    assert_eq!(found(root), ("oak new".to_owned(), "elm old".to_owned()));
    let output = change.command(root).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    change.assert_done(root, "after the second run");
}
