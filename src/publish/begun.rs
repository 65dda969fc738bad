//! The file `.plasmagen/rollback` says, while a roll back is at work, to which generation of which channel. When the run is
//! killed, the same command finishes the roll back instead of beginning one in the other direction.

use anyhow::{Context, Result};

use super::lock::WebRootLock;
use super::root::WebRoot;
use crate::fs::{Sha256Sum, TEXT_LIMIT};

const NAME: &str = "rollback";

/// Reads the id of the generation to which a killed roll back of the channel at `path` has led.
pub(super) fn read_begun(root: &WebRoot, path: &str) -> Option<Sha256Sum> {
    let text = String::from_utf8(root.state.read_limited(NAME, TEXT_LIMIT).ok()?).ok()?;
    let (channel, id) = text.trim_end().split_once(' ')?;
    if channel == path { Sha256Sum::try_from(id.to_owned()).ok() } else { None }
}

/// Writes durably that a roll back to the generation `id` of the channel at `path` begins.
pub(super) fn write_begun(lock: &WebRootLock, path: &str, id: Sha256Sum) -> Result<()> {
    let text = format!("{path} {id}\n");
    lock.root.state.replace(NAME, text.as_bytes(), true).context("could not write .plasmagen/rollback")
}

/// Forgets the roll back of the channel at `path`, if one was begun: it is finished, or something else is published there.
pub(super) fn forget_begun(lock: &WebRootLock, path: &str) -> Result<()> {
    if read_begun(&lock.root, path).is_none() {
        return Ok(());
    }
    lock.root.state.remove_file(NAME)?;
    lock.root.state.sync().context("could not make .plasmagen durable")
}
