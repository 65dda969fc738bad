//! Where a bundle is made: a staging directory in the directory of the bundle, from which the files come to their places
//! once all are whole. So the files of a run that was ended can be told from files that somebody else has put there.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::manifest::{INITRD, KERNEL, MANIFEST, SCRIPT, SUMS};
use crate::fs::{self, DIR_MODE, Dir, Errno};

/// The name of the staging directory. While it is there, the bundle's files beside it are those of a run that was ended.
const STAGING: &str = ".plasmagen-bundle";

/// The files of a bundle. The manifest comes last: a directory without a manifest is no bundle.
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
    /// Begins a bundle in the directory `path`, which is new, empty, or holds only the files of a run that was ended
    /// halfway; `check` may refuse the place.
    ///
    /// # Errors
    /// When anything else is in the directory, or the disk refuses. The directory is then as it was.
    pub(super) fn begin(path: &'a Path, check: impl FnOnce() -> Result<()>) -> Result<Self> {
        let is_new = !path.exists();
        fs::make_dirs(path)?;
        let begun = check().and_then(|()| {
            let out = Dir::open(path).with_context(|| format!("could not open {}", path.display()))?;
            let staging = make_way(path, &out)?;
            Ok(Self { path, out, staging, is_new })
        });
        if begun.is_err() && is_new {
            // The first error is the one to tell of.
            let _ = fs::remove_empty_dir(path);
        }
        begun
    }

    /// The directory to write the files into.
    pub(super) fn dir(&self) -> &Dir {
        &self.staging
    }

    /// Brings the files, which are whole and durable, to their places.
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

    /// Removes everything that a build that failed has left.
    pub(super) fn abandon(&self) {
        // The first error is the one to tell of.
        let _ = clear(&self.out);
        if self.is_new {
            let _ = fs::remove_empty_dir(self.path);
        }
    }
}

/// Makes the staging directory in `out`, and removes before that what a run has left.
fn make_way(path: &Path, out: &Dir) -> Result<Dir> {
    let shown = path.display();
    let names = out.list().with_context(|| format!("could not list {shown}"))?;
    let is_ours = |name: &str| name == STAGING || FILES.contains(&name);
    let is_left =
        names.iter().any(|(name, _)| name == STAGING) && names.iter().all(|(name, _)| is_ours(name));
    ensure!(names.is_empty() || is_left, "{shown} is not empty: name a new directory");
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
    // Last: it says whose the others were.
    if staging.is_some() {
        out.remove_empty_dir(STAGING)?;
    }
    Ok(())
}
