//! What a directory should hold, and what else it does.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;

use anyhow::{Context, Result, ensure};
use rustix::fs::{FileType, fstat};
use sha2::{Digest as _, Sha256};

use super::fault::{Fault, Kind};
use super::publication::PUBLICATION;
use crate::image::Sha256Sum;
use crate::write::disk;

/// The largest file that is read into memory: a list of a million files.
const SMALL: u64 = 256 << 20;

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
    pub(super) fn extra(&self, dir: &OwnedFd, shown: &str, faults: &mut Vec<Fault>) -> Result<()> {
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
    dir: &OwnedFd,
    prefix: &str,
    shown: &str,
    known: &BTreeSet<&str>,
    dirs: &BTreeSet<&str>,
    faults: &mut Vec<Fault>,
) -> Result<()> {
    for (name, stat) in disk::list(dir).with_context(|| format!("could not list {shown}{prefix}"))? {
        let path = format!("{prefix}{name}");
        let kind = disk::kind(&stat);
        if kind == FileType::Directory && dirs.contains(path.as_str()) {
            let child =
                disk::open_dir(dir, &name).with_context(|| format!("could not open {shown}{path}"))?;
            walk(&child, &format!("{path}/"), shown, known, dirs, faults)?;
        } else if known.contains(path.as_str()) {
            if kind != FileType::RegularFile {
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

/// Opens the regular file `path` below `dir` to read it.
pub(super) fn open(dir: &OwnedFd, path: &str) -> Result<File> {
    let (parent, name) = disk::split(path);
    let file = if parent.is_empty() {
        disk::open_file(dir, name)?
    } else {
        disk::open_file(disk::open_dir(dir, parent)?, name)?
    };
    ensure!(disk::kind(&fstat(&file)?) == FileType::RegularFile, "it is no regular file");
    Ok(file)
}

/// The whole of a small file.
pub(super) fn read(dir: &OwnedFd, path: &str) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    open(dir, path)?.take(SMALL + 1).read_to_end(&mut text)?;
    ensure!(text.len() as u64 <= SMALL, "it is too large for what it should be");
    Ok(text)
}

/// The digest of `bytes`.
pub(super) fn sum(bytes: &[u8]) -> Sha256Sum {
    Sha256Sum(Sha256::digest(bytes).into())
}
