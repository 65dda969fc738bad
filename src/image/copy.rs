//! Bytes that are hashed while they go from one place to the other.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::manifest::{FileFacts, Sha256Sum};

/// A writer that knows how many bytes went through, and their digest.
pub(super) struct Hashed<W> {
    inner: W,
    sum: Sha256,
    bytes: u64,
}

impl<W: Write> Hashed<W> {
    pub(super) fn new(inner: W) -> Self {
        Self { inner, sum: Sha256::new(), bytes: 0 }
    }

    /// How many bytes went through.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The writer, and what went through it.
    pub(super) fn finish(self) -> (W, FileFacts) {
        (self.inner, FileFacts { bytes: self.bytes, sha256: Sha256Sum(self.sum.finalize().into()) })
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.sum.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// A reader that passes on what is read of it.
pub(super) struct Tee<'a, R, W> {
    pub(super) inner: R,
    pub(super) copy: W,
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

/// Copies the file `from` to the new file `to` in one pass.
///
/// # Errors
/// When either refuses, or `to` is there already.
pub(super) fn copy(from: &Path, to: &Path, progress: &(dyn Fn(u64) + Sync)) -> Result<FileFacts> {
    let run = || {
        let mut out = Hashed::new(File::create_new(to)?);
        let mut source = Tee { inner: File::open(from)?, copy: &mut out, progress };
        let mut buffer = vec![0; 1 << 20];
        while source.read(&mut buffer)? > 0 {}
        let (file, facts) = out.finish();
        file.sync_all()?;
        io::Result::Ok(facts)
    };
    run().with_context(|| format!("could not copy {} to {}", from.display(), to.display()))
}
