//! A reader that knows its position and can look ahead.

use std::io::{self, BufRead, Read};

use anyhow::{Context, Result};

/// The size of the buffer in bytes.
const BUFFER: usize = 1 << 18;

/// A buffered reader that knows its position and can look ahead. What it returns does not depend on the sizes of the
/// pieces that the inner reader returns: libzstd accepts some damaged frames when it sees only their first bytes.
pub(super) struct LookaheadReader<R> {
    inner: R,
    position: u64,
    buffer: Vec<u8>,
    /// How many bytes of the buffer were consumed.
    consumed: usize,
}

impl<R: Read> LookaheadReader<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, position: 0, buffer: Vec::with_capacity(BUFFER), consumed: 0 }
    }

    /// Fills the buffer up.
    fn refill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.consumed);
        self.consumed = 0;
        let missing = BUFFER - self.buffer.len();
        self.inner.by_ref().take(missing as u64).read_to_end(&mut self.buffer)?;
        Ok(())
    }

    /// The number of bytes that were consumed.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// The next bytes, without consuming them: enough that a decoder sees more than the beginning of its segment.
    pub(super) fn peek(&mut self) -> Result<&[u8]> {
        if self.buffer.len() - self.consumed < BUFFER / 2 {
            self.refill().context("it could not be read")?;
        }
        Ok(&self.buffer[self.consumed..])
    }
}

impl<R: Read> Read for LookaheadReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(out)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for LookaheadReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.consumed == self.buffer.len() {
            self.refill()?;
        }
        Ok(&self.buffer[self.consumed..])
    }

    fn consume(&mut self, bytes: usize) {
        self.position += bytes as u64;
        self.consumed += bytes;
    }
}
