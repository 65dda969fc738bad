//! The user's home directory.

use anyhow::Context;
use etcetera::base_strategy::Xdg;

/// Finds the user's home directory, and the directories that the XDG Base Directory Specification puts there.
pub(super) fn find() -> anyhow::Result<Xdg> {
    Xdg::new().context("could not find the user's home directory: set HOME")
}
