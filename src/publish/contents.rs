//! The files that a directory should hold, and the search for others.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use super::fault::{Fault, FaultKind};
use super::publication::{PUBLICATION, PUBLICATION_SIGNATURE};
use crate::fs::{Dir, FileType, Sha256Sum, kind_of, parents};

/// The end of the temporary name of a signature: a run of `plasmagen sign` that was killed leaves such files.
pub(super) const INTERRUPTED: &str = ".sig.new";

/// A file that a directory should hold.
#[derive(Clone, Debug)]
pub(super) struct ExpectedFile {
    /// Path relative to the directory, with `/`.
    pub(super) path: String,
    /// Size in bytes, where the manifest says it.
    pub(super) bytes: Option<u64>,
    /// Digest of the content.
    pub(super) sha256: Sha256Sum,
}

/// Everything that a directory should hold.
#[derive(Clone, Debug)]
pub(super) struct Contents {
    /// Every file with a digest, the manifest included.
    pub(super) expected: Vec<ExpectedFile>,
    /// Names of detached signatures, which have no digest in the manifest.
    pub(super) signatures: Vec<String>,
    /// Digest of the manifest.
    pub(super) manifest: Sha256Sum,
}

impl Contents {
    /// Reports everything in `dir` that is neither expected, nor a publication, nor a directory of expected files. Messages
    /// have `prefix` before each path.
    pub(super) fn report_extra(&self, dir: &Dir, prefix: &str, faults: &mut Vec<Fault>) -> Result<()> {
        let mut files: BTreeSet<&str> = self.expected.iter().map(|file| file.path.as_str()).collect();
        files.extend(self.signatures.iter().map(String::as_str));
        files.extend([PUBLICATION, PUBLICATION_SIGNATURE]);
        let dirs = files.iter().flat_map(|path| parents(path)).collect();
        ExtraSearch { files, dirs, prefix, faults }.report_dir(dir, "")
    }
}

/// The search for files that should not be there.
struct ExtraSearch<'a> {
    files: BTreeSet<&'a str>,
    dirs: BTreeSet<&'a str>,
    prefix: &'a str,
    faults: &'a mut Vec<Fault>,
}

impl ExtraSearch<'_> {
    fn report_dir(&mut self, dir: &Dir, path: &str) -> Result<()> {
        let prefix = self.prefix;
        for (name, stat) in dir.list().with_context(|| format!("could not list {prefix}{path}"))? {
            let path = format!("{path}{name}");
            let kind = kind_of(&stat);
            if kind == FileType::Directory && self.dirs.contains(path.as_str()) {
                let child = dir.open_dir(&name).with_context(|| format!("could not open {prefix}{path}"))?;
                self.report_dir(&child, &format!("{path}/"))?;
            } else if !self.files.contains(path.as_str()) {
                let message = match path.ends_with(INTERRUPTED) && prefix.is_empty() {
                    true => "plasmagen sign left it when it was interrupted: sign again, which removes it",
                    false => "nobody published it",
                };
                let path = format!("{prefix}{}", path.escape_debug());
                self.faults.push(Fault::new(FaultKind::Extra, path, message));
            } else if kind != FileType::RegularFile {
                let path = format!("{prefix}{path}");
                self.faults.push(Fault::new(FaultKind::Changed, path, "it is no regular file"));
            }
        }
        Ok(())
    }
}
