//! What a directory should hold, and what else it does.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use super::fault::{Fault, Kind};
use super::publication::PUBLICATION;
use crate::fs::{Dir, FileType, Sha256Sum, kind};

/// A file that should be there.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    /// Relative to the directory, with `/`.
    pub(super) path: String,
    pub(super) bytes: Option<u64>,
    pub(super) sha256: Sha256Sum,
}

/// What a directory should hold.
#[derive(Clone, Debug)]
pub(super) struct Contents {
    /// Every file with a digest, the list of them included.
    pub(super) expected: Vec<Expected>,
    /// Detached signatures, which prove themselves.
    pub(super) signatures: Vec<String>,
    /// The digest of the list.
    pub(super) manifest: Sha256Sum,
}

impl Contents {
    /// Whatever lies in `dir` that is neither expected, nor a publication, nor a directory of expected files.
    pub(super) fn extra(&self, dir: &Dir, shown: &str, faults: &mut Vec<Fault>) -> Result<()> {
        let mut known: BTreeSet<&str> = self.expected.iter().map(|own| own.path.as_str()).collect();
        known.extend(self.signatures.iter().map(String::as_str));
        known.insert(PUBLICATION);
        let mut dirs = BTreeSet::new();
        for path in &known {
            let mut rest = *path;
            while let Some((parent, _)) = rest.rsplit_once('/') {
                dirs.insert(parent);
                rest = parent;
            }
        }
        walk(dir, "", shown, &known, &dirs, faults)
    }
}

fn walk(
    dir: &Dir,
    prefix: &str,
    shown: &str,
    known: &BTreeSet<&str>,
    dirs: &BTreeSet<&str>,
    faults: &mut Vec<Fault>,
) -> Result<()> {
    for (name, stat) in dir.list().with_context(|| format!("could not list {shown}{prefix}"))? {
        let path = format!("{prefix}{name}");
        let is = kind(&stat);
        if is == FileType::Directory && dirs.contains(path.as_str()) {
            let child = dir.open_dir(&name).with_context(|| format!("could not open {shown}{path}"))?;
            walk(&child, &format!("{path}/"), shown, known, dirs, faults)?;
        } else if known.contains(path.as_str()) {
            if is != FileType::RegularFile {
                faults.push(Fault::new(Kind::Changed, format!("{shown}{path}"), "it is no regular file"));
            }
        } else {
            let message = "nobody published it";
            let path = format!("{shown}{}", path.escape_debug());
            faults.push(Fault::new(Kind::Extra, path, message));
        }
    }
    Ok(())
}
