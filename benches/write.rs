//! 10,000 nodes of 8 files, about 1 KB each: `cargo bench --bench write -- DIR...` measures the first commit, an
//! unchanged one and one with a single changed file against writing the same files bare, made as durable.
//!
//! Each directory is measured by its own file system: ext4 differs from tmpfs by an order of magnitude.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use plasmagen::artifact::{Artifact, ArtifactSet};
use plasmagen::write::{Lock, Options, check, commit};
use rayon::prelude::*;

const NODES: usize = 10_000;
const FILES: usize = 8;

fn main() -> Result<()> {
    let dirs: Vec<PathBuf> =
        std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).map(Into::into).collect();
    for dir in dirs {
        measure(&dir)?;
    }
    Ok(())
}

fn artifacts(changed: bool) -> Result<ArtifactSet> {
    let mut set = ArtifactSet::default();
    for node in 0..NODES {
        for file in 0..FILES {
            let body = format!("# node {node}, file {file}\n").repeat(42);
            let tail = if changed && node == NODES / 2 && file == 0 { "changed\n" } else { "" };
            set.insert(Artifact::new(format!("nodes/node{node:05}.example.com/file{file}"), body + tail)?)?;
        }
    }
    Ok(set)
}

/// What a program that cares for nothing but durability would do, on all cores too.
fn bare(root: &Path, set: &ArtifactSet) -> Result<()> {
    let files: Vec<_> = set.iter().collect();
    files.par_chunks(FILES).try_for_each(|node| {
        let dir = root.join(node[0].path.as_str());
        fs::create_dir_all(dir.parent().unwrap_or(root))?;
        node.iter().try_for_each(|file| fs::write(root.join(file.path.as_str()), &file.body))
    })?;
    rustix::fs::syncfs(File::open(root)?)?;
    Ok(())
}

fn measure(dir: &Path) -> Result<()> {
    let (first, second) = (artifacts(false)?, artifacts(true)?);
    let written =
        |root: &Path, set: &ArtifactSet| commit(&Lock::acquire(root)?, set, Options::default(), || Ok(()));
    for _ in 0..3 {
        let work = tempfile::tempdir_in(dir)?;
        let (plain, root) = (work.path().join("bare"), work.path().join("commit"));
        fs::create_dir(&plain)?;
        fs::create_dir(&root)?;
        let report = [
            ("bare", timed(|| bare(&plain, &first))?),
            ("first", timed(|| written(&root, &first))?),
            ("unchanged", timed(|| written(&root, &first))?),
            ("check", timed(|| check(&root, &first))?),
            ("one file", timed(|| written(&root, &second))?),
            ("unchanged", timed(|| written(&root, &second))?),
        ];
        for (what, time) in report {
            write!(io::stdout(), "{what} {:.3} s   ", time.as_secs_f64())?;
        }
        writeln!(io::stdout(), "{}", dir.display())?;
    }
    Ok(())
}

fn timed<T>(run: impl FnOnce() -> Result<T>) -> Result<Duration> {
    let start = Instant::now();
    run()?;
    Ok(start.elapsed())
}
