//! Where a bundle is made: a directory of its own in the bundle's, from which files come to their places once all are
//! whole. So what is in the bundle's directory beside it can be told from what somebody else has put there.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::manifest::{INITRD, KERNEL, MANIFEST, SCRIPT, SUMS};

/// While it is there, the bundle's files beside it are those of a run that was ended.
const STAGING: &str = ".plasmagen-bundle";

/// The files of a bundle. The manifest comes last: what has none is no bundle.
const FILES: [&str; 5] = [KERNEL, INITRD, SCRIPT, SUMS, MANIFEST];

/// A bundle that is being made.
pub(super) struct Staging<'a> {
    out: &'a Path,
    dir: PathBuf,
    /// Whether `out` was not there before.
    made: bool,
}

impl<'a> Staging<'a> {
    /// Begins a bundle in `out`, which is new or empty but for what a run has left that was ended halfway; `sound` may
    /// refuse the place.
    ///
    /// # Errors
    /// When anything else is in it, or the disk refuses. `out` is then as it was.
    pub(super) fn begin(out: &'a Path, sound: impl FnOnce() -> Result<()>) -> Result<Self> {
        let made = !out.exists();
        fs::create_dir_all(out).with_context(|| format!("could not make {}", out.display()))?;
        let staging = Self { out, dir: out.join(STAGING), made };
        let begun = sound().and_then(|()| staging.make_way());
        if begun.is_err() && made {
            // The first error is the one to tell of.
            let _ = fs::remove_dir(out);
        }
        begun.map(|()| staging)
    }

    /// Where its files are written.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    fn make_way(&self) -> Result<()> {
        let out = self.out.display();
        let list =
            || fs::read_dir(self.out)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>();
        let names = list().with_context(|| format!("could not list {out}"))?;
        let ours = |name| FILES.iter().chain([&STAGING]).any(|own| name == *own);
        let is_left = names.iter().any(|name| name == STAGING) && names.iter().all(ours);
        ensure!(names.is_empty() || is_left, "{out} is not empty: name a new directory");
        self.clear().with_context(|| format!("could not empty {out}"))?;
        fs::create_dir(&self.dir).with_context(|| format!("could not make {}", self.dir.display()))
    }

    fn clear(&self) -> io::Result<()> {
        let gone = |done: io::Result<()>| match done {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
        for name in FILES {
            gone(fs::remove_file(self.dir.join(name)))?;
            gone(fs::remove_file(self.out.join(name)))?;
        }
        // Last: it says whose the others were.
        gone(fs::remove_dir(&self.dir))
    }

    /// Brings the files, which are whole and durable, to their places.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn finish(&self) -> Result<()> {
        let run = || {
            for name in FILES {
                fs::rename(self.dir.join(name), self.out.join(name))?;
            }
            fs::remove_dir(&self.dir)?;
            File::open(self.out)?.sync_all()
        };
        run().with_context(|| format!("could not make {} durable", self.out.display()))
    }

    /// Takes back what a build that failed has left.
    pub(super) fn abandon(&self) {
        // The first error is the one to tell of.
        let _ = self.clear();
        if self.made {
            let _ = fs::remove_dir(self.out);
        }
    }
}
