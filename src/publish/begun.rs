//! The file `.plasmagen/rollback` says, while a roll back is at work, to which generation of which channel, a line for each
//! channel. When the run is killed, the same command finishes the roll back instead of beginning one in the other direction.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::fault::{Fault, FaultKind};
use super::lock::WebRootLock;
use super::root::WebRoot;
use crate::fs::{STATE, Sha256Sum, TEXT_LIMIT};

const NAME: &str = "rollback";

/// The roll backs that were begun: the path of each channel, with the id of the generation to which its roll back leads.
type BegunRollbacks = BTreeMap<String, Sha256Sum>;

/// Reads which roll backs were begun.
///
/// # Errors
/// When the file can't be read, or no run of plasmagen wrote it.
fn read_begun(root: &WebRoot) -> Result<BegunRollbacks> {
    let text = root.state.read_text(NAME, TEXT_LIMIT)?.unwrap_or_default();
    let parse = |line: &str| {
        let (channel, id) = line.split_once(' ')?;
        Some((channel.to_owned(), Sha256Sum::try_from(id.to_owned()).ok()?))
    };
    text.lines().map(parse).collect::<Option<_>>().context("it names no generation")
}

/// Finds the id of the generation to which a killed roll back of the channel at `path` has led.
pub(super) fn find_begun(root: &WebRoot, path: &str) -> Option<Sha256Sum> {
    // verify reports a file that can't be read.
    read_begun(root).ok()?.remove(path)
}

/// Reports a file that can't be read, or that is of a channel that is not there: the faults of a channel have the others.
pub(super) fn verify_begun(root: &WebRoot, faults: &mut Vec<Fault>) {
    let mut fault = |message| faults.push(Fault::new(FaultKind::Changed, format!("{STATE}/{NAME}"), message));
    match read_begun(root) {
        Err(error) => fault(format!("{error:#}: remove it")),
        Ok(begun) => {
            for channel in begun.keys().filter(|channel| root.dir.open_dir(channel).is_err()) {
                fault(format!("nothing is published for {}: remove it", channel.escape_debug()));
            }
        }
    }
}

/// Writes durably that a roll back to the generation `id` of the channel at `path` begins.
pub(super) fn write_begun(lock: &WebRootLock, path: &str, id: Sha256Sum) -> Result<()> {
    // A file that can't be read is replaced.
    let mut begun = read_begun(&lock.root).unwrap_or_default();
    begun.insert(path.to_owned(), id);
    write_all(lock, &begun)
}

fn write_all(lock: &WebRootLock, begun: &BegunRollbacks) -> Result<()> {
    let text: String = begun.iter().map(|(path, id)| format!("{path} {id}\n")).collect();
    lock.root.state.replace(NAME, text.as_bytes(), true).context("could not write .plasmagen/rollback")
}

/// Forgets the roll back of the channel at `path`, if one was begun: it is finished, or something else is published there.
pub(super) fn forget_begun(lock: &WebRootLock, path: &str) -> Result<()> {
    let mut begun = read_begun(&lock.root).unwrap_or_default();
    if begun.remove(path).is_none() {
        return Ok(());
    }
    if !begun.is_empty() {
        return write_all(lock, &begun);
    }
    lock.root.state.remove_file(NAME)?;
    lock.root.state.sync().context("could not make .plasmagen durable")
}
