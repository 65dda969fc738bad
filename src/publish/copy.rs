//! One pass over a file: read, hashed, written where it is to go, and compared with what it should be.

use std::fs::File;

use anyhow::{Context, Result};

use super::contents::Expected;
use super::fault::{Fault, Kind};
use crate::fs::{self, Dir, FileFacts, split, sync_file};

/// Where the copies of a directory go.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) dir: &'a Dir,
    /// Whether each file is made durable by itself.
    pub(super) sync: bool,
}

/// Copies the file `expected` from `dir`, or only reads it; a fault where it is not what it should be.
///
/// # Errors
/// When a disk refuses.
pub(super) fn copy(
    dir: &Dir,
    shown: &str,
    expected: &Expected,
    to: Option<Target<'_>>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Option<Fault>> {
    let path = format!("{shown}{}", expected.path);
    let Ok(mut source) = dir.open_regular(&expected.path) else {
        return Ok(Some(Fault::new(Kind::Missing, path, "it can't be opened")));
    };
    let mut out = to.map(|to| create(to.dir, &expected.path)).transpose()?;
    let found =
        fs::copy(&mut source, out.as_mut(), progress).with_context(|| format!("could not copy {path}"))?;
    if let (Some(file), Some(Target { sync: true, .. })) = (&out, to) {
        sync_file(file).with_context(|| format!("could not make {path} durable"))?;
    }
    Ok(judge(found, expected, path))
}

/// What is wrong with a file of these facts.
pub(super) fn judge(found: FileFacts, expected: &Expected, path: String) -> Option<Fault> {
    let message = match expected.bytes {
        Some(bytes) if bytes != found.bytes => format!("it has {} bytes instead of {bytes}", found.bytes),
        _ if found.sha256 != expected.sha256 => {
            format!("its SHA-256 is {} instead of {}", found.sha256, expected.sha256)
        }
        _ => return None,
    };
    Some(Fault::new(Kind::Changed, path, message))
}

/// Makes the file `path` below `dir`.
fn create(dir: &Dir, path: &str) -> Result<File> {
    let (parent, name) = split(path);
    let run = || {
        let inner = if parent.is_empty() { None } else { Some(dir.open_dir(parent)?) };
        anyhow::Ok(inner.as_ref().unwrap_or(dir).create_public(name)?)
    };
    run().with_context(|| format!("could not make {path}"))
}
