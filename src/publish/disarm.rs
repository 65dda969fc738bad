//! Disarms machines, and an error names the machines that stay armed.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow};

use super::armed::{clear_interrupted, lock, read_armed, read_interrupted, write_interrupted};
use super::needs::without_repeats;
use super::root::{ARMED, WebRoot};
use crate::fs::Dir;
use crate::model::{MacAddr, Word};

/// The outcome of [`disarm`].
#[derive(Debug, Default)]
pub struct DisarmOutcome {
    /// The names of the files that armed a machine and are gone now, each with the name of its node.
    pub disarmed: BTreeMap<String, String>,
    /// The nodes that a killed run had left half armed or half disarmed, and that are disarmed now.
    pub recovered: Vec<String>,
}

/// The files in `armed/` that are to be removed.
#[derive(Clone, Copy, Debug)]
pub enum DisarmSelection<'a> {
    /// The files with these names.
    Files(&'a [String]),
    /// The file of every MAC address.
    All,
}

/// Disarms machines.
///
/// # Errors
/// When a disk refuses: the error names the nodes that are still armed. All others are disarmed.
pub fn disarm(root: &WebRoot, selection: DisarmSelection<'_>) -> Result<DisarmOutcome> {
    if !root.dir.exists(ARMED)? {
        return Ok(DisarmOutcome::default());
    }
    let dir = root.dir.open_dir(ARMED).context("could not open armed/")?;
    // To disarm is the safe direction: nothing that stands in the way of another run keeps anybody from it.
    let _ = lock(&dir);
    let interrupted = read_interrupted(root).unwrap_or_default();
    let mut names = match selection {
        DisarmSelection::Files(names) => names.to_vec(),
        DisarmSelection::All => {
            let names = dir.list_names().context("could not list armed/")?;
            names.into_iter().filter(|name| is_mac(name)).collect()
        }
    };
    let is_asked = |name: &String| names.contains(name);
    let others: Vec<_> = interrupted.iter().filter(|name| !is_asked(name)).cloned().collect();
    names.extend(others.iter().cloned());
    if names.len() > 1 {
        // A full disk must not keep anybody from disarming: without the list, a killed run is only not finished.
        let _ = write_interrupted(root, names.iter());
    }
    let mut disarmed = remove_files(&dir, &names)?;
    // Where the list stays, the next run finds nothing more to remove.
    let _ = clear_interrupted(root);
    let recovered = without_repeats(others.iter().filter_map(|name| disarmed.remove(name)));
    Ok(DisarmOutcome { disarmed, recovered })
}

/// Removes the files `names` in `armed/` durably, as many as the disk lets. Returns those that were there, each with the
/// name of its node.
pub(super) fn remove_files(dir: &Dir, names: &[String]) -> Result<BTreeMap<String, String>> {
    let mut removed = BTreeMap::new();
    let mut failed = Vec::new();
    for name in names.iter().filter(|name| is_mac(name)) {
        // A file that can't be looked at may be removed all the same.
        if matches!(dir.exists(name), Ok(false)) {
            continue;
        }
        let label = read_armed(dir, name.clone()).label();
        match dir.remove_file(name) {
            Ok(()) => drop(removed.insert(name.clone(), label)),
            Err(error) => failed.push((label, error)),
        }
    }
    // Also where nothing was there: an earlier run may have removed a file and not come to this.
    let synced = dir.sync();
    if let Some((_, error)) = failed.first() {
        let left = without_repeats(failed.iter().map(|(label, _)| label.clone()));
        return Err(anyhow!("{error:#}").context(format!("still armed: {}", left.join(", "))));
    }
    synced.with_context(|| {
        let labels = without_repeats(removed.values().cloned()).join(", ");
        format!("disarmed, but perhaps armed again after a power cut: {labels}. Run plasmagen armed then")
    })?;
    Ok(removed)
}

/// Whether `name` is a MAC address with hyphens. iPXE asks for no other name.
fn is_mac(name: &str) -> bool {
    MacAddr::parse(&name.replace('-', ":")).is_ok()
}
