//! A process that commits, for tests that trace it, kill it or let its disk run full: this test binary again.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::Command;

use plasmagen::fs::Held;
use plasmagen::write::{CommitOptions, SiteLock, check, commit, unified_diff};
use test_kit::process::{child_test, shell_words};

use crate::writer::kit::set;

const ROOT: &str = "PLASMAGEN_TEST_ROOT";
const ACT: &str = "PLASMAGEN_TEST_ACT";

/// The process for the directory `root`. It reads the artifacts from standard input: `{"path": "content"}`. `act` is empty
/// for a commit, else `discard-edits`, `check`, `recover` (only takes the lock) or `hold` (keeps the lock until standard
/// input ends).
pub(crate) fn driver(root: &Path, act: &str) -> Command {
    let mut command = child_test("writer::driver::child");
    command.env(ROOT, root).env(ACT, act);
    command
}

/// The same for a script of the shell: the function `commit ROOT [ACT]`.
pub(crate) fn shell_function() -> String {
    format!("commit() {{ {ROOT}=$1 {ACT}=${{2-}} {}; }}", shell_words(&child_test("writer::driver::child")))
}

#[test]
#[ignore = "the body of a child process"]
fn child() {
    let Some(root) = std::env::var_os(ROOT) else { return };
    let act = std::env::var_os(ACT).unwrap_or_default();
    // The harness of tests may have left us on its only thread.
    rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global().unwrap();
    let status = match run(Path::new(&root), act.to_str().unwrap()) {
        Ok(()) => 0,
        Err(error) => {
            // Where standard error is closed, the exit status still tells.
            let _ = writeln!(io::stderr(), "{error:#}");
            if error.is::<Held>() { 3 } else { 2 }
        }
    };
    std::process::exit(status);
}

fn run(root: &Path, act: &str) -> anyhow::Result<()> {
    let mut input = String::new();
    if act == "hold" {
        let _lock = SiteLock::acquire(root)?;
        writeln!(io::stdout(), "held")?;
        io::stdin().read_to_string(&mut input)?;
        return Ok(());
    }
    io::stdin().read_to_string(&mut input)?;
    let artifacts = set(&serde_json::from_str(&input)?);
    if act == "check" {
        for change in check(root, &artifacts)? {
            io::stdout().write_all(unified_diff(&change).as_bytes())?;
        }
        return Ok(());
    }
    let lock = SiteLock::acquire(root)?;
    if act == "recover" {
        return Ok(());
    }
    let options = CommitOptions { discard_edits: act == "discard-edits" };
    let outcome = commit(&lock, &artifacts, options, || Ok(()))?;
    writeln!(io::stdout(), "{outcome:?}")?;
    Ok(())
}
