//! `cargo bench --bench change` measures `plasmagen diff` and `plasmagen node add` on generated inventories.
//!
//! The library compares 10,000 nodes with a cluster that differs in one node, in a virtual address, in a setting of all
//! nodes, and in 1,000 nodes more. Then the program reads both inventories and prints the change, and adds 1,000 nodes to
//! 1,000 in one run. Times are those of the processor.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use plasmagen::change::compare;
use plasmagen::check::check;
use plasmagen::model::{Cluster, ResolvedInventory, read_resolved};
use test_kit::many::inventory;
use test_kit::process::cpu_time;

const NODES: usize = 10_000;

fn main() -> Result<()> {
    let old = inventory(NODES, "ONE");
    let pairs = [
        ("one node", inventory(NODES, "OTHER")),
        ("a virtual address", old.clone() + "[vip]\ncache = \"10.128.0.5\"\n"),
        ("a setting", old.clone() + "[service.chainfire]\nsettings.log_level = \"debug\"\n"),
        ("1,000 nodes more", inventory(NODES + 1_000, "ONE")),
    ];
    let cluster = sound(&old)?;
    let json = serde_json::to_vec(&ResolvedInventory::new(&cluster))?;
    row("check", timed(|| sound(&old))?)?;
    row("read site/inventory.json", timed(|| read_resolved(&json))?)?;
    let dir = tempfile::tempdir()?;
    fs::create_dir(dir.path().join("site"))?;
    fs::write(dir.path().join("site/inventory.json"), &json)?;
    fs::write(dir.path().join("old.toml"), &old)?;
    for (name, new) in &pairs {
        let changed = sound(new)?;
        row(&format!("compare: {name}"), timed(|| compare(&cluster, &changed))?)?;
        fs::write(dir.path().join("inventory.toml"), new)?;
        row("  plasmagen diff", run(dir.path(), &["diff"])?)?;
        row("  plasmagen diff OLD NEW", run(dir.path(), &["diff", "old.toml", "inventory.toml"])?)?;
    }
    let grown = RANGES.iter().fold(inventory(1_000, "ONE"), |text, (line, range)| {
        text.replace(line, &format!("{line}range.control-plane = \"{range}\"\n"))
    });
    fs::write(dir.path().join("inventory.toml"), grown)?;
    let add = ["node", "add", "m[00001-01000]", "--profile", "control-plane"];
    row("plasmagen node add of 1,000", run(dir.path(), &add)?)
}

/// The lines of the inventory below which ranges of addresses are added, each with the range.
const RANGES: [(&str, &str); 2] = [
    ("pool = \"10.0.1.0-10.0.1.255\"\n", "10.16.0.1-10.16.15.255"),
    ("gateway = \"10.128.0.1\"\n", "10.144.0.1-10.144.15.255"),
];

fn sound(text: &str) -> Result<Cluster> {
    check(text.as_bytes())?.cluster.context("the generated inventory is refused")
}

/// Runs plasmagen in `dir`, and returns the seconds that it computed.
fn run(dir: &Path, args: &[&str]) -> Result<f64> {
    let before = cpu_time()?;
    let status = Command::new(env!("CARGO_BIN_EXE_plasmagen"))
        .args(args)
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()?;
    ensure!(status.success(), "plasmagen {} failed", args.join(" "));
    Ok(cpu_time()? - before)
}

/// Calls `work`, and returns the seconds that it computed.
fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<f64> {
    let before = cpu_time()?;
    let result = work()?;
    let time = cpu_time()? - before;
    drop(result);
    Ok(time)
}

fn row(name: &str, seconds: f64) -> Result<()> {
    Ok(writeln!(io::stdout(), "{name:32} {seconds:.3} s")?)
}
