//! A reader that hashes the bytes that are consumed of it.

use std::io::{self, BufRead, Read};

use sha2::{Digest, Sha256};

/// The running SHA-256 and the number of bytes, over all segments of an initrd.
#[derive(Default)]
pub(super) struct RunningDigest {
    sha256: Sha256,
    pub(super) bytes: u64,
}

impl RunningDigest {
    /// The SHA-256 of all bytes so far.
    pub(super) fn finish(self) -> [u8; 32] {
        self.sha256.finalize().into()
    }
}

/// A buffered reader that adds the bytes that are consumed of it to a digest.
pub(super) struct DigestReader<'d, R> {
    inner: R,
    digest: &'d mut RunningDigest,
}

impl<'d, R> DigestReader<'d, R> {
    pub(super) fn new(inner: R, digest: &'d mut RunningDigest) -> Self {
        Self { inner, digest }
    }
}

impl<R: BufRead> Read for DigestReader<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(out)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for DigestReader<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        // The bytes were buffered before, so this does not read again.
        if let Ok(buffer) = self.inner.fill_buf() {
            self.digest.sha256.update(&buffer[..bytes]);
            self.digest.bytes += bytes as u64;
        }
        self.inner.consume(bytes);
    }
}
