//! The file `.plasmagen/rollback` says, while a roll back is at work, to which generation of which channel. When the run is
//! killed, the same command finishes the roll back instead of beginning one in the other direction.

use anyhow::{Context, Result};

use super::fault::{Fault, FaultKind};
use super::lock::WebRootLock;
use super::root::WebRoot;
use crate::fs::{STATE, Sha256Sum, TEXT_LIMIT};

const NAME: &str = "rollback";

/// A roll back that was begun.
pub(super) struct BegunRollback {
    /// Path of the channel.
    pub(super) channel: String,
    /// Id of the generation to which the roll back leads.
    id: Sha256Sum,
}

/// Reads which roll back was begun.
///
/// # Errors
/// When the file can't be read, or no run of plasmagen wrote it.
pub(super) fn read_begun(root: &WebRoot) -> Result<Option<BegunRollback>> {
    let Some(text) = root.state.read_text(NAME, TEXT_LIMIT)? else { return Ok(None) };
    let parse = || {
        let (channel, id) = text.trim_end().split_once(' ')?;
        Some(BegunRollback { channel: channel.to_owned(), id: Sha256Sum::try_from(id.to_owned()).ok()? })
    };
    parse().map(Some).context("it names no generation")
}

/// Finds the id of the generation to which a killed roll back of the channel at `path` has led.
pub(super) fn find_begun(root: &WebRoot, path: &str) -> Option<Sha256Sum> {
    // verify reports a file that can't be read.
    let begun = read_begun(root).ok().flatten();
    begun.filter(|begun| begun.channel == path).map(|begun| begun.id)
}

/// Reports a file that can't be read, or that is of a channel that is not there: the faults of a channel have the others.
pub(super) fn verify_begun(root: &WebRoot, faults: &mut Vec<Fault>) {
    let message = match read_begun(root) {
        Ok(None) => return,
        Ok(Some(begun)) if root.dir.open_dir(&begun.channel).is_ok() => return,
        Ok(Some(begun)) => format!("nothing is published for {}: remove it", begun.channel.escape_debug()),
        Err(error) => format!("{error:#}: remove it"),
    };
    faults.push(Fault::new(FaultKind::Changed, format!("{STATE}/{NAME}"), message));
}

/// Writes durably that a roll back to the generation `id` of the channel at `path` begins.
pub(super) fn write_begun(lock: &WebRootLock, path: &str, id: Sha256Sum) -> Result<()> {
    let text = format!("{path} {id}\n");
    lock.root.state.replace(NAME, text.as_bytes(), true).context("could not write .plasmagen/rollback")
}

/// Forgets the roll back of the channel at `path`, if one was begun: it is finished, or something else is published there.
pub(super) fn forget_begun(lock: &WebRootLock, path: &str) -> Result<()> {
    if find_begun(&lock.root, path).is_none() {
        return Ok(());
    }
    lock.root.state.remove_file(NAME)?;
    lock.root.state.sync().context("could not make .plasmagen durable")
}
