//! Descriptions of one machine in several files become one: by MAC address, then by serial number, then by name.

use std::collections::{BTreeMap, BTreeSet};

use super::candidate::{Candidate, ImportFault};

/// The keys by which a machine is known again, the surest first.
const IDENTITY: [&str; 3] = ["mac", "serial", "name"];

/// Merges `candidates`. Two values for one key are a fault, with both places.
pub(super) fn merge(candidates: Vec<Candidate>, faults: &mut Vec<ImportFault>) -> Vec<Candidate> {
    let mut merged: Vec<Candidate> = Vec::new();
    let mut known: BTreeMap<(&'static str, String), usize> = BTreeMap::new();
    for candidate in candidates {
        let identity = |candidate: &Candidate| {
            let values = IDENTITY.iter().filter_map(|key| Some((*key, candidate.get(key)?.text.clone())));
            values.collect::<Vec<_>>()
        };
        let found = identity(&candidate).into_iter().find_map(|key| known.get(&key).copied());
        let at = match found {
            Some(at) => {
                join(&mut merged[at], candidate, faults);
                at
            }
            None => {
                merged.push(candidate);
                merged.len() - 1
            }
        };
        for key in identity(&merged[at]) {
            known.insert(key, at);
        }
    }
    merged
}

/// Adds what `other` says to `candidate`.
fn join(candidate: &mut Candidate, other: Candidate, faults: &mut Vec<ImportFault>) {
    for (key, values) in other.values {
        let Some(known) = candidate.values.get(&key) else {
            candidate.values.insert(key, values);
            continue;
        };
        let texts = |values: &[super::candidate::Written]| {
            values.iter().map(|value| value.text.clone()).collect::<BTreeSet<_>>()
        };
        if texts(known) != texts(&values) {
            let (first, second) = (&known[0], &values[0]);
            let message = format!(
                "`{key}` is `{}` here, and `{}` at {} for the same machine",
                second.text, first.text, first.place
            );
            faults.push(ImportFault::new(&second.place, message));
        }
    }
}
