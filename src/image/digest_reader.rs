//! A reader that hashes the bytes that are consumed of it.

use std::io::{self, BufRead, Read};

use crate::fs::Hasher;

/// A buffered reader that adds the bytes that are consumed of it to a digest.
pub(super) struct DigestReader<'d, R> {
    inner: R,
    hasher: &'d mut Hasher,
}

impl<'d, R> DigestReader<'d, R> {
    pub(super) fn new(inner: R, hasher: &'d mut Hasher) -> Self {
        Self { inner, hasher }
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
            self.hasher.update(&buffer[..bytes]);
        }
        self.inner.consume(bytes);
    }
}
