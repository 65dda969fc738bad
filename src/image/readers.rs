//! The readers that an initrd is read through: one that looks ahead, one that sums up, one that unpacks lz4.

use std::io::{self, BufRead, Read};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// The largest block of lz4's legacy format, unpacked (lz4_Frame_format.md, "Legacy frame").
const LZ4_BLOCK: usize = 8 << 20;

/// How much is read at once.
const BUFFER: usize = 1 << 18;

/// A reader that knows where it is, and can look ahead. What it hands on does not depend on the pieces that it gets:
/// libzstd judges some damaged frames by them.
pub(super) struct Positioned<R> {
    inner: R,
    at: u64,
    buffer: Vec<u8>,
    /// How much of the buffer was taken.
    taken: usize,
}

impl<R: Read> Positioned<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, at: 0, buffer: Vec::with_capacity(BUFFER), taken: 0 }
    }

    /// Fills the buffer up.
    fn refill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        let missing = BUFFER - self.buffer.len();
        self.inner.by_ref().take(missing as u64).read_to_end(&mut self.buffer)?;
        Ok(())
    }

    /// How many bytes were taken.
    pub(super) fn position(&self) -> u64 {
        self.at
    }

    /// The next bytes, without taking them: so many that a decoder sees more than the beginning of its segment.
    pub(super) fn peek(&mut self) -> Result<&[u8]> {
        if self.buffer.len() - self.taken < BUFFER / 2 {
            self.refill().context("it could not be read")?;
        }
        Ok(&self.buffer[self.taken..])
    }
}

impl<R: Read> Read for Positioned<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(out)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for Positioned<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken == self.buffer.len() {
            self.refill()?;
        }
        Ok(&self.buffer[self.taken..])
    }

    fn consume(&mut self, bytes: usize) {
        self.at += bytes as u64;
        self.taken += bytes;
    }
}

/// The digest of what is unpacked, and its size.
#[derive(Default)]
pub(super) struct Sum {
    sha256: Sha256,
    pub(super) bytes: u64,
}

impl Sum {
    pub(super) fn digest(self) -> [u8; 32] {
        self.sha256.finalize().into()
    }
}

/// A reader whose bytes are summed up as they are taken.
pub(super) struct Summed<'s, R> {
    inner: R,
    sum: &'s mut Sum,
}

impl<'s, R> Summed<'s, R> {
    pub(super) fn new(inner: R, sum: &'s mut Sum) -> Self {
        Self { inner, sum }
    }
}

impl<R: BufRead> Read for Summed<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(out)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Summed<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        // What was filled before is there without another read.
        if let Ok(buffer) = self.inner.fill_buf() {
            self.sum.sha256.update(&buffer[..bytes]);
            self.sum.bytes += bytes as u64;
        }
        self.inner.consume(bytes);
    }
}

/// lz4's legacy format: a magic number, then blocks with their lengths before them. It has no end but the file's.
pub(super) struct Lz4<'a> {
    input: &'a mut dyn BufRead,
    begun: bool,
    block: io::Cursor<Vec<u8>>,
}

impl<'a> Lz4<'a> {
    pub(super) fn new(input: &'a mut dyn BufRead) -> Self {
        Self { input, begun: false, block: io::Cursor::default() }
    }
}

impl Read for Lz4<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let number = |input: &mut dyn BufRead| {
            let mut number = [0; 4];
            input.read_exact(&mut number).map(|()| u32::from_le_bytes(number) as usize)
        };
        if !std::mem::replace(&mut self.begun, true) {
            number(self.input)?;
        }
        loop {
            let read = self.block.read(out)?;
            if read > 0 || out.is_empty() || self.input.fill_buf()?.is_empty() {
                return Ok(read);
            }
            let length = number(self.input)?;
            if length > lz4_flex::block::get_maximum_output_size(LZ4_BLOCK) {
                return Err(io::Error::other("a block is too long"));
            }
            let mut packed = vec![0; length];
            self.input.read_exact(&mut packed)?;
            let block = lz4_flex::block::decompress(&packed, LZ4_BLOCK).map_err(io::Error::other)?;
            self.block = io::Cursor::new(block);
        }
    }
}
