//! Compares many files with their digests, on all cores.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::contents::{Contents, ExpectedFile};
use super::copy::{find_fault, open_expected};
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
    let sizes = jobs.iter().filter_map(|(_, file)| file.bytes).collect();
    let hashed: Vec<_> =
        jobs.par_iter().map(|(dir, file)| hash(dir, file, &sizes, progress)).collect::<Result<_>>()?;
    let mut owners = BTreeMap::<Sha256Sum, String>::new();
    for (dir, file) in &jobs {
        owners.entry(file.sha256).or_insert_with(|| format!("{}{}", dir.prefix, file.path));
    }
    let mut faults = Vec::new();
    for ((dir, file), facts) in jobs.iter().zip(hashed) {
        let path = format!("{}{}", dir.prefix, file.path);
        let facts = match facts {
            Ok(facts) => facts,
            Err(fault) => {
                faults.push(Fault { path, ..fault });
                continue;
            }
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

/// Hashes a file; a fault where the file cannot be opened, or has a size that none of the expected files has: a file that
/// was swapped is looked for by its digest, and a sparse file of any size is not read.
fn hash(
    dir: &ExpectedDir,
    file: &ExpectedFile,
    sizes: &BTreeSet<u64>,
    progress: Progress<'_>,
) -> Result<Result<FileFacts, Fault>> {
    let could_not = || format!("could not read {}{}", dir.prefix, file.path);
    let mut open = match open_expected(&dir.dir, file) {
        Ok(open) => open,
        Err(fault) if fault.kind == FaultKind::Missing => return Ok(Err(fault)),
        Err(fault) => {
            let open = dir.dir.open_regular(&file.path).with_context(could_not)?;
            if !sizes.contains(&open.metadata().with_context(could_not)?.len()) {
                return Ok(Err(fault));
            }
            open
        }
    };
    fs::copy(&mut open, None, progress).map(Ok).with_context(could_not)
}
