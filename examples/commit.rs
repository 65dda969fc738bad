//! The driver for tests of `plasmagen::write`: a process that tests can trace, kill and run out of disk space.
//!
//! `commit ROOT [recover | hold | check | discard-edits]` reads `{"path": "content"}` from standard input; a path that ends with
//! `.sh` is executable. `recover` only takes the lock; `hold` keeps it until standard input ends. Everything runs on
//! one thread, so that the Nth system call is always the same one.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use plasmagen::artifact::{Artifact, ArtifactSet};
use plasmagen::fs::Held;
use plasmagen::write::{CommitOptions, SiteLock, check, commit, unified_diff};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where standard error is closed, the exit status still tells.
            let _ = writeln!(io::stderr(), "{error:#}");
            if error.is::<Held>() { ExitCode::from(3) } else { ExitCode::from(2) }
        }
    }
}

fn run() -> Result<()> {
    rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global()?;
    let args: Vec<_> = std::env::args().skip(1).collect();
    let root = args.first().context("which directory?")?;
    let act = args.get(1).map(String::as_str).unwrap_or_default();
    let mut input = String::new();
    if act == "hold" {
        let _lock = SiteLock::acquire(Path::new(root))?;
        writeln!(io::stdout(), "held")?;
        io::stdin().read_to_string(&mut input)?;
        return Ok(());
    }
    io::stdin().read_to_string(&mut input)?;
    if act == "check" {
        let changes = check(Path::new(root), &artifacts(&input)?)?;
        return Ok(changes
            .iter()
            .try_for_each(|change| io::stdout().write_all(unified_diff(change).as_bytes()))?);
    }
    let lock = SiteLock::acquire(Path::new(root))?;
    if act == "recover" {
        return Ok(());
    }
    let options = CommitOptions { discard_edits: act == "discard-edits" };
    let outcome = commit(&lock, &artifacts(&input)?, options, || Ok(()))?;
    writeln!(io::stdout(), "{outcome:?}")?;
    Ok(())
}

fn artifacts(json: &str) -> Result<ArtifactSet> {
    let files: std::collections::BTreeMap<String, String> = serde_json::from_str(json)?;
    let mut set = ArtifactSet::default();
    for (path, body) in files {
        let executable = path.ends_with(".sh");
        set.insert(Artifact { executable, ..Artifact::new(path, body)? })?;
    }
    Ok(set)
}
