//! Copies an expected file in one pass, and compares the file with its digest.

use std::fs::File;

use anyhow::{Context, Result};

use super::contents::ExpectedFile;
use super::fault::{Fault, FaultKind};
use crate::fs::{self, Dir, FileFacts, LIST_LIMIT, Progress, split, sync_file};

/// The directory that copies are written to.
#[derive(Clone, Copy)]
pub(super) struct CopyTarget<'a> {
    pub(super) dir: &'a Dir,
    /// Whether each file is made durable by itself.
    pub(super) sync: bool,
}

/// Copies the file `expected` from `dir`, or only reads it where there is no target. Returns a fault where the file is not
/// the expected one.
///
/// # Errors
/// When a disk refuses.
pub(super) fn copy_expected(
    dir: &Dir,
    expected: &ExpectedFile,
    to: Option<CopyTarget<'_>>,
    progress: Progress<'_>,
) -> Result<Option<Fault>> {
    let path = &expected.path;
    let mut source = match open_expected(dir, expected) {
        Ok(source) => source,
        Err(fault) => return Ok(Some(fault)),
    };
    let mut out = to.map(|to| create(to.dir, path)).transpose()?;
    let facts =
        fs::copy(&mut source, out.as_mut(), progress).with_context(|| format!("could not copy {path}"))?;
    if let (Some(file), Some(CopyTarget { sync: true, .. })) = (&out, to) {
        sync_file(file).with_context(|| format!("could not make {path} durable"))?;
    }
    Ok(find_fault(facts, expected, path.clone()))
}

/// Opens the file `expected` in `dir`; a fault where the file cannot be opened or has another size: then the contents need
/// not be read.
pub(super) fn open_expected(dir: &Dir, expected: &ExpectedFile) -> Result<File, Fault> {
    let path = &expected.path;
    let open = || {
        let file = dir.open_regular(path)?;
        Ok((file.metadata()?.len(), file))
    };
    let Ok((bytes, file)) = open().map_err(|_: std::io::Error| ()) else {
        return Err(Fault::new(FaultKind::Missing, path, "it can't be opened"));
    };
    match explain_size(bytes, expected) {
        None => Ok(file),
        Some(message) => Err(Fault::new(FaultKind::Changed, path, message)),
    }
}

/// Says why a file of `bytes` bytes cannot be the file `expected`.
fn explain_size(bytes: u64, expected: &ExpectedFile) -> Option<String> {
    match expected.bytes {
        Some(right) if right != bytes => Some(format!("it has {bytes} bytes instead of {right}")),
        None if bytes > LIST_LIMIT => Some(format!("it has {bytes} bytes, more than any file of a site")),
        _ => None,
    }
}

/// Compares size and digest of a file with the expected ones.
pub(super) fn find_fault(facts: FileFacts, expected: &ExpectedFile, path: String) -> Option<Fault> {
    let differs = || format!("its SHA-256 is {} instead of {}", facts.sha256, expected.sha256);
    let message =
        explain_size(facts.bytes, expected).or_else(|| (facts.sha256 != expected.sha256).then(differs))?;
    Some(Fault::new(FaultKind::Changed, path, message))
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
