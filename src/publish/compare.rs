//! Compares many files with their digests, on all cores.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::contents::{Contents, ExpectedFile};
use super::copy::find_fault;
use super::fault::{Fault, FaultKind};
use crate::fs::{self, Dir, FileFacts, Progress, Sha256Sum};

/// A directory and its expected contents.
pub(super) struct ExpectedDir {
    pub(super) dir: Dir,
    /// The prefix that messages put before the path of a file, such as `nixos/worker/<id>/`.
    pub(super) prefix: String,
    pub(super) contents: Contents,
}

/// Compares every file of `dirs` with its digest. A file with the content of another expected file is called swapped.
///
/// # Errors
/// When a file can't be read to its end.
pub(super) fn compare(dirs: &[ExpectedDir], progress: Progress<'_>) -> Result<Vec<Fault>> {
    let mut jobs: Vec<(&ExpectedDir, &ExpectedFile)> = Vec::new();
    for dir in dirs {
        jobs.extend(dir.contents.expected.iter().map(|file| (dir, file)));
    }
    // The large ones first, or one core is left with the largest at the end.
    jobs.sort_by_key(|(_, file)| std::cmp::Reverse(file.bytes));
    let hashed: Vec<_> =
        jobs.par_iter().map(|(dir, file)| hash(dir, file, progress)).collect::<Result<_>>()?;
    let mut owners = BTreeMap::<Sha256Sum, String>::new();
    for (dir, file) in &jobs {
        owners.entry(file.sha256).or_insert_with(|| format!("{}{}", dir.prefix, file.path));
    }
    let mut faults = Vec::new();
    for ((dir, file), facts) in jobs.iter().zip(hashed) {
        let path = format!("{}{}", dir.prefix, file.path);
        let Some(facts) = facts else {
            faults.push(Fault::new(FaultKind::Missing, path, "it can't be opened"));
            continue;
        };
        let Some(fault) = find_fault(facts, file, path.clone()) else { continue };
        match owners.get(&facts.sha256) {
            Some(owner) => {
                faults.push(Fault::new(FaultKind::Swapped, path, format!("it holds what {owner} should")));
            }
            None => faults.push(fault),
        }
    }
    Ok(faults)
}

/// Hashes a file; none where it can't be opened.
fn hash(dir: &ExpectedDir, file: &ExpectedFile, progress: Progress<'_>) -> Result<Option<FileFacts>> {
    let Ok(mut open) = dir.dir.open_regular(&file.path) else { return Ok(None) };
    let facts = fs::copy(&mut open, None, progress);
    facts.map(Some).with_context(|| format!("could not read {}{}", dir.prefix, file.path))
}
