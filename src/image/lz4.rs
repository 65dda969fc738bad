//! Unpacks lz4's legacy format: a magic number, then blocks, each with its length before it. The format has no end mark;
//! Linux stops at a length of zero (`lib/decompress_unlz4.c`).

use std::io::{self, BufRead, Cursor, Read};

/// The largest block, unpacked, in bytes (lz4_Frame_format.md, "Legacy frame").
const BLOCK_BYTES: usize = 8 << 20;

/// The magic number, which a file that was made by concatenation has between blocks, too.
const MAGIC: usize = 0x184c_2102;

/// A reader of the unpacked bytes of a segment in lz4's legacy format.
pub(super) struct Lz4Reader<'a> {
    input: &'a mut dyn BufRead,
    /// Whether the magic number was read.
    has_begun: bool,
    /// Whether a length of zero was read.
    has_ended: bool,
    /// The current block, unpacked.
    block: Cursor<Vec<u8>>,
}

impl<'a> Lz4Reader<'a> {
    pub(super) fn new(input: &'a mut dyn BufRead) -> Self {
        Self { input, has_begun: false, has_ended: false, block: Cursor::default() }
    }

    fn read_number(&mut self) -> io::Result<usize> {
        let mut number = [0; 4];
        self.input.read_exact(&mut number)?;
        Ok(u32::from_le_bytes(number) as usize)
    }
}

impl Read for Lz4Reader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if !std::mem::replace(&mut self.has_begun, true) {
            self.read_number()?;
        }
        loop {
            let read = self.block.read(out)?;
            if read > 0 || out.is_empty() || self.has_ended || self.input.fill_buf()?.is_empty() {
                return Ok(read);
            }
            let length = self.read_number()?;
            match length {
                // Linux takes zeros for the end of the segment.
                0 => {
                    self.has_ended = true;
                    return Ok(0);
                }
                MAGIC => continue,
                _ => {}
            }
            if length > lz4_flex::block::get_maximum_output_size(BLOCK_BYTES) {
                return Err(io::Error::other("a block is too long"));
            }
            let mut packed = vec![0; length];
            self.input.read_exact(&mut packed)?;
            let block = lz4_flex::block::decompress(&packed, BLOCK_BYTES).map_err(io::Error::other)?;
            self.block = Cursor::new(block);
        }
    }
}
