//! Copies the inputs of a bundle while they are read.

use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::{Context, Result};

use crate::fs::{self, Dir, FileFacts, sync_file};

/// A reader that writes to `copy` all bytes that are read of `inner`, as tee(1) does.
pub(super) struct Tee<'a, R, W> {
    pub(super) inner: R,
    pub(super) copy: W,
    /// Called with the number of bytes of each read.
    pub(super) progress: &'a (dyn Fn(u64) + Sync),
}

impl<R: Read, W: Write> Read for Tee<'_, R, W> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(out)?;
        self.copy.write_all(&out[..read])?;
        (self.progress)(read as u64);
        Ok(read)
    }
}

/// Copies the file `from`, of at most `limit` bytes, to the new file `name` in `dir`, in one pass.
///
/// # Errors
/// When reading or writing fails, or when `name` exists.
pub(super) fn copy(
    from: &Path,
    limit: u64,
    dir: &Dir,
    name: &str,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<FileFacts> {
    let run = || {
        let mut out = dir.create(name)?;
        let facts = fs::copy(&mut fs::open_input(from, limit)?, Some(&mut out), progress)?;
        sync_file(&out)?;
        anyhow::Ok(facts)
    };
    run().with_context(|| format!("could not copy {} to {name}", from.display()))
}
