//! `cargo bench --bench render [-- DIR...]` measures `plasmagen check` and `plasmagen render` on generated inventories.
//!
//! The library checks 1,000, 10,000 and 100,000 nodes, and renders 1,000 and 10,000 nodes step by step. For comparison the
//! same files are written without any care, and made durable. Then the program renders with certificates: a first run,
//! a run with one changed node, a run with nothing changed, each with the peak memory of the process.
//!
//! Each DIR, by default the temporary directory, is measured: file systems differ by an order of magnitude.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use plasmagen::artifact::{Artifact, ArtifactSet};
use plasmagen::check::check;
use plasmagen::outputs;
use plasmagen::plan::{Certificates, HostKeys, Plan, Zones};
use plasmagen::write::{CommitOptions, SiteLock, commit};
use rayon::prelude::*;
use test_kit::many::inventory;
use test_kit::peak::wait_with_peak;

/// A plan with texts of the usual size in the place of certificates, which would take long to issue.
fn plan(text: &str) -> Result<Plan> {
    let cluster = check(text.as_bytes())?.cluster.context("the generated inventory is refused")?;
    let nodes = cluster.nodes.iter().map(|node| (node.name.clone(), node.fqdn.to_string().repeat(40)));
    let certificates =
        Certificates { ca: Some("CA".repeat(350)), nodes: nodes.collect(), ..Certificates::default() };
    Ok(Plan { cluster, certificates, host_keys: HostKeys::default(), zones: Zones::default() })
}

fn main() -> Result<()> {
    let mut dirs: Vec<PathBuf> =
        std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).map(Into::into).collect();
    if dirs.is_empty() {
        dirs.push(std::env::temp_dir());
    }
    for nodes in [1_000, 10_000, 100_000] {
        let text = inventory(nodes, "ONE");
        row(&format!("check of {nodes}"), &seconds(timed(|| check(text.as_bytes()))?))?;
    }
    for dir in &dirs {
        for nodes in [1_000, 10_000] {
            writeln!(io::stdout(), "\n{nodes} nodes in {}", dir.display())?;
            library(dir, nodes)?;
            program(dir, nodes)?;
        }
    }
    Ok(())
}

/// Measures the library: each step, without certificates.
fn library(dir: &Path, nodes: usize) -> Result<()> {
    let (text, changed) = (inventory(nodes, "ONE"), inventory(nodes, "OTHER"));
    let work = tempfile::tempdir_in(dir)?;
    let (plain, root) = (work.path().join("bare"), work.path().join("site"));
    fs::create_dir(&plain)?;
    fs::create_dir(&root)?;
    let written =
        |set: &ArtifactSet| commit(&SiteLock::acquire(&root)?, set, CommitOptions::default(), || Ok(()));
    let whole = |text: &str| written(&outputs::render(&plan(text)?)?);

    let planned = plan(&text)?;
    let set = outputs::render(&planned)?;
    let bytes: usize = set.iter().map(|artifact| artifact.body.len()).sum();
    row("files", &format!("{} of {:.1} MB", set.len(), bytes as f64 / 1e6))?;
    row("check", &seconds(timed(|| check(text.as_bytes()))?))?;
    row("render in memory", &seconds(timed(|| outputs::render(&planned))?))?;
    let bare = timed(|| write_bare(&plain, &set))?;
    row("bare writing", &seconds(bare))?;
    let first = timed(|| whole(&text))?;
    let ratio = first.as_secs_f64() / bare.as_secs_f64();
    row("first run", &format!("{}, {ratio:.2} x bare writing", seconds(first)))?;
    row("one node changed", &seconds(timed(|| whole(&changed))?))?;
    row("nothing changed", &seconds(timed(|| whole(&changed))?))
}

/// Writes the files of `set` on all cores, without any care but durability.
fn write_bare(root: &Path, set: &ArtifactSet) -> Result<()> {
    let write = |artifact: &Artifact| -> Result<()> {
        let path = root.join(artifact.path.as_str());
        fs::create_dir_all(path.parent().unwrap_or(root))?;
        Ok(fs::write(path, &artifact.body)?)
    };
    set.iter()
        .collect::<Vec<_>>()
        .par_chunks(8)
        .try_for_each(|files| files.iter().copied().try_for_each(write))?;
    rustix::fs::syncfs(File::open(root)?)?;
    Ok(())
}

/// Measures the program as a process, with certificates.
fn program(dir: &Path, nodes: usize) -> Result<()> {
    let work = tempfile::tempdir_in(dir)?;
    let file = work.path().join("inventory.toml");
    for (what, serial) in [("first run", "ONE"), ("one node changed", "OTHER"), ("nothing changed", "OTHER")]
    {
        fs::write(&file, inventory(nodes, serial))?;
        let start = Instant::now();
        let mut run = Command::new(env!("CARGO_BIN_EXE_plasmagen"))
            .args(["render", "--quiet", "--vault"])
            .arg(work.path().join("vault"))
            .arg(&file)
            .stdin(Stdio::null())
            .spawn()?;
        let (status, peak) = wait_with_peak(&mut run)?;
        let time = start.elapsed();
        ensure!(status.success(), "plasmagen render failed");
        row(&format!("program, {what}"), &format!("{}, peak {peak}", seconds(time)))?;
    }
    Ok(())
}

fn timed<T>(run: impl FnOnce() -> Result<T>) -> Result<Duration> {
    let start = Instant::now();
    let result = run()?;
    let time = start.elapsed();
    drop(result);
    Ok(time)
}

fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

fn row(what: &str, figure: &str) -> Result<()> {
    Ok(writeln!(io::stdout(), "  {what:24} {figure}")?)
}
