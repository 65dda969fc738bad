//! The staging directory of a bundle, inside the bundle's directory. The files move into the bundle's directory when all
//! are complete. So the files that a killed run has left can be told from files of the user's.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::manifest::{INITRD, KERNEL, MANIFEST, SCRIPT, SUMS};
use crate::fs::{self, DIR_MODE, Dir, Errno};

/// The name of the staging directory. While the directory exists, the bundle's files beside it belong to an unfinished
/// run.
const STAGING: &str = ".plasmagen-bundle";

/// The files of a bundle, in the order in which they move. The manifest is the last: a directory without a manifest is no
/// bundle.
const FILES: [&str; 5] = [KERNEL, INITRD, SCRIPT, SUMS, MANIFEST];

/// A bundle that is being made.
pub(super) struct Staging<'a> {
    path: &'a Path,
    out: Dir,
    staging: Dir,
    /// Whether the directory of the bundle was made for this bundle.
    is_new: bool,
}

impl<'a> Staging<'a> {
    /// Makes the staging directory in the directory `path`, which is new, empty, or holds only the files of an unfinished
    /// run. `check` runs before anything is removed, and may refuse `path`.
    ///
    /// # Errors
    /// When the directory holds other files, or the disk refuses. The directory is then as it was.
    pub(super) fn begin(path: &'a Path, check: impl FnOnce() -> Result<()>) -> Result<Self> {
        let is_new = !path.exists();
        fs::make_dirs(path)?;
        let begun = check().and_then(|()| {
            let out = Dir::open(path).with_context(|| format!("could not open {}", path.display()))?;
            let staging = make_staging_dir(path, &out)?;
            Ok(Self { path, out, staging, is_new })
        });
        if begun.is_err() && is_new {
            // The first error is reported.
            let _ = fs::remove_empty_dir(path);
        }
        begun
    }

    /// The directory to write the files into.
    pub(super) fn dir(&self) -> &Dir {
        &self.staging
    }

    /// Moves the files, which are complete and durable, into the bundle's directory.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn finish(&self) -> Result<()> {
        let run = || {
            for name in FILES {
                self.staging.rename(name, &self.out, name)?;
            }
            self.out.remove_empty_dir(STAGING)?;
            self.out.sync()
        };
        run().with_context(|| format!("could not make {} durable", self.path.display()))
    }

    /// Removes all files of a bundle that could not be finished.
    pub(super) fn abandon(&self) {
        // The first error is reported.
        let _ = clear(&self.out);
        if self.is_new {
            let _ = fs::remove_empty_dir(self.path);
        }
    }
}

/// Makes the staging directory in `out`, after the files of an unfinished run are removed.
fn make_staging_dir(path: &Path, out: &Dir) -> Result<Dir> {
    let shown = path.display();
    let names = out.list().with_context(|| format!("could not list {shown}"))?;
    let is_ours = |name: &str| name == STAGING || FILES.contains(&name);
    let is_unfinished =
        names.iter().any(|(name, _)| name == STAGING) && names.iter().all(|(name, _)| is_ours(name));
    ensure!(names.is_empty() || is_unfinished, "{shown} is not empty: name a new directory");
    clear(out).with_context(|| format!("could not empty {shown}"))?;
    let make = || {
        out.make_dir(STAGING, DIR_MODE)?;
        out.open_dir(STAGING)
    };
    make().with_context(|| format!("could not make {shown}/{STAGING}"))
}

/// Removes the files of a bundle from the directory `out` and from the staging directory in it.
fn clear(out: &Dir) -> Result<()> {
    let staging = match out.open_dir(STAGING) {
        Err(Errno::NOENT) => None,
        staging => Some(staging?),
    };
    for name in FILES {
        if let Some(staging) = &staging {
            staging.remove_file(name)?;
        }
        out.remove_file(name)?;
    }
    // The staging directory is the last, since it marks the other files as ours.
    if staging.is_some() {
        out.remove_empty_dir(STAGING)?;
    }
    Ok(())
}
