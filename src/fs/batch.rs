//! Entries of one directory that are put into place all or none, even when the run is killed or the power fails.
//!
//! ```text
//! DIR/.plasmagen-staging/   new entries, incomplete: the next run removes them
//! DIR/.plasmagen-staged/    new entries, complete and durable: the next run moves them into DIR
//! ```
//!
//! The commit point is the rename of the staging directory: before the rename DIR is as it was, and after the rename no run
//! takes anything back. The caller holds the lock of DIR.

use anyhow::{Context, Result};
use rustix::fs::FileType;

use super::dir::{Dir, kind_of};

/// The staging directory before the commit point.
const STAGING: &str = ".plasmagen-staging";

/// The staging directory from the commit point on.
const STAGED: &str = ".plasmagen-staged";

impl Dir {
    /// Puts the entries that `fill` writes into a staging directory into this directory, durably; they replace files of the
    /// same names. `fill` makes each entry durable.
    ///
    /// # Errors
    /// When `fill` fails or the disk refuses before the commit point: this directory is then as it was. When the disk
    /// refuses twice to move an entry later: [`Dir::recover_batch`] of the next run moves the rest.
    pub(crate) fn commit_batch(&self, fill: impl FnOnce(&Self) -> Result<()>) -> Result<()> {
        if let Err(error) = self.stage_batch(fill) {
            return Err(match self.remove_tree(STAGING) {
                Ok(()) => error,
                Err(more) => error.context(format!(
                    "{STAGING} is left, which the next run of this command removes ({more:#})"
                )),
            });
        }
        // A fault of a moment must not leave half of the entries in place.
        self.move_staged().or_else(|_| self.move_staged()).with_context(|| {
            format!(
                "not everything is in place yet; run this command again, which moves the rest from {STAGED}"
            )
        })
    }

    /// Ends what a killed run has left of [`Dir::commit_batch`]: moves the entries into place if that run came to the commit
    /// point, and removes them otherwise. Returns whether entries were moved.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn recover_batch(&self) -> Result<bool> {
        self.remove_tree(STAGING)?;
        let staged = self.stat(STAGED).with_context(|| format!("could not look at {STAGED}"))?;
        let is_dir = staged.is_some_and(|stat| kind_of(&stat) == FileType::Directory);
        if is_dir {
            self.move_staged()?;
        } else {
            // plasmagen makes nothing but a directory of that name.
            self.remove_tree(STAGED)?;
        }
        Ok(is_dir)
    }

    /// Whether a killed run has left entries that [`Dir::recover_batch`] would move into place.
    pub(crate) fn has_staged_batch(&self) -> Result<bool> {
        self.exists(STAGED)
    }

    /// Fills the staging directory, makes the entries durable, and passes the commit point.
    fn stage_batch(&self, fill: impl FnOnce(&Self) -> Result<()>) -> Result<()> {
        let staging =
            self.make_dir_exact(STAGING, 0o700).with_context(|| format!("could not make {STAGING}"))?;
        fill(&staging)?;
        staging.sync().with_context(|| format!("could not make {STAGING} durable"))?;
        self.rename(STAGING, self, STAGED).with_context(|| format!("could not rename {STAGING}"))?;
        if let Err(error) = self.sync() {
            // After a power cut the commit might be undone, so the first entry must not be moved.
            self.rename(STAGED, self, STAGING).with_context(|| {
                format!("{STAGED} is left: run this command again, which moves its entries")
            })?;
            return Err(error).context("could not make the directory durable");
        }
        Ok(())
    }

    /// Moves the entries from the staging directory into place, and removes the staging directory.
    fn move_staged(&self) -> Result<()> {
        if self.exists(STAGED)? {
            let staged = self.open_dir(STAGED).with_context(|| format!("could not open {STAGED}"))?;
            let entries = staged.list().with_context(|| format!("could not list {STAGED}"))?;
            for (name, _) in entries {
                staged
                    .rename(&name, self, &name)
                    .with_context(|| format!("could not move {name} into place"))?;
            }
            self.sync().context("could not make the directory durable")?;
            self.remove_empty_dir(STAGED).with_context(|| format!("could not remove {STAGED}"))?;
        }
        self.sync().context("could not make the directory durable")
    }
}
