//! Digests of many files, on all cores.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::contents::{Contents, Expected};
use super::copy::judge;
use super::fault::{Fault, Kind};
use crate::fs::{self, Dir, FileFacts, Sha256Sum};

/// A directory, what it should hold, and what messages call it.
pub(super) struct Place {
    pub(super) dir: Dir,
    pub(super) shown: String,
    pub(super) contents: Contents,
}

/// Compares every file of `places` with its digest. A file that is another one of them is called swapped.
///
/// # Errors
/// When a file can't be read to its end.
pub(super) fn compare(places: &[Place], progress: &(dyn Fn(u64) + Sync)) -> Result<Vec<Fault>> {
    let mut jobs: Vec<(&Place, &Expected)> = Vec::new();
    for place in places {
        jobs.extend(place.contents.expected.iter().map(|expected| (place, expected)));
    }
    // The large ones first, or one core is left with the largest at the end.
    jobs.sort_by_key(|(_, expected)| std::cmp::Reverse(expected.bytes));
    let found: Vec<_> =
        jobs.par_iter().map(|(place, expected)| facts(place, expected, progress)).collect::<Result<_>>()?;
    let mut owners = BTreeMap::<Sha256Sum, String>::new();
    for (place, expected) in &jobs {
        owners.entry(expected.sha256).or_insert_with(|| format!("{}{}", place.shown, expected.path));
    }
    let mut faults = Vec::new();
    for ((place, expected), facts) in jobs.iter().zip(found) {
        let path = format!("{}{}", place.shown, expected.path);
        let Some(facts) = facts else {
            faults.push(Fault::new(Kind::Missing, path, "it can't be opened"));
            continue;
        };
        let Some(fault) = judge(facts, expected, path.clone()) else { continue };
        match owners.get(&facts.sha256) {
            Some(owner) => {
                faults.push(Fault::new(Kind::Swapped, path, format!("it holds what {owner} should")));
            }
            None => faults.push(fault),
        }
    }
    Ok(faults)
}

fn facts(place: &Place, expected: &Expected, progress: &(dyn Fn(u64) + Sync)) -> Result<Option<FileFacts>> {
    let Ok(mut file) = place.dir.open_regular(&expected.path) else { return Ok(None) };
    let facts = fs::copy(&mut file, None, progress);
    facts.map(Some).with_context(|| format!("could not read {}{}", place.shown, expected.path))
}
