//! Reads an initrd as the kernel does: segments in a row, each a newc archive, plain or compressed
//! (`init/initramfs.c`).

use std::fmt;
use std::io::{BufRead, BufReader, Read};

use anyhow::{Context, Result, bail, ensure};

use super::decoder::find_unsupported;
use super::digest_reader::DigestReader;
use super::format::SegmentFormat;
use super::lookahead::LookaheadReader;
use super::lz4::Lz4Reader;
use super::newc::{CpioHeader, read_entries};
use crate::fs::{FileFacts, Hasher, Sha256Sum};

/// The most memory that the xz decoder may take, in bytes: a segment of `xz -9` needs 65 MiB.
const XZ_MEMORY: u64 = 128 << 20;

/// A segment of an initrd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The compression of the segment.
    pub format: SegmentFormat,
    /// Where the segment begins in the initrd, in bytes.
    pub offset: u64,
    /// The number of cpio entries.
    pub entries: usize,
}

/// A segment that is whole, and that the kernel does not unpack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsupportedSegment {
    /// The compression of the segment.
    pub format: SegmentFormat,
    /// Where the segment begins in the initrd, in bytes.
    pub offset: u64,
    /// The property of the segment that the kernel refuses, in words that follow "has".
    pub property: String,
}

impl fmt::Display for UnsupportedSegment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { format, offset, property } = self;
        write!(f, "the {} segment at offset {offset} has {property}", format.as_str())
    }
}

impl std::error::Error for UnsupportedSegment {}

/// The contents of an initrd, summed up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitrdSummary {
    /// The segments, in order.
    pub segments: Vec<Segment>,
    /// The size of all segments unpacked, in bytes, without the zeros between segments.
    pub bytes: u64,
    /// The SHA-256 of all segments unpacked.
    pub sha256: Sha256Sum,
}

/// Reads a whole initrd, and calls `visit` with the header and the content of each entry.
///
/// # Errors
/// When `input` cannot be read, when a segment has an unknown format or is damaged, when the kernel does not unpack a
/// segment (an [`UnsupportedSegment`]), when a plain segment does not begin at a multiple of four bytes (the kernel skips
/// such a segment silently), when there is no segment, or when `visit` fails.
pub fn read_initrd(
    input: impl Read,
    visit: &mut dyn FnMut(&CpioHeader, &mut dyn Read) -> Result<()>,
) -> Result<InitrdSummary> {
    let mut input = LookaheadReader::new(input);
    let mut segments = Vec::new();
    let mut hasher = Hasher::default();
    loop {
        skip_zeros(&mut input)?;
        let offset = input.position();
        let start = input.peek()?;
        if start.is_empty() {
            ensure!(!segments.is_empty(), "it is empty");
            let FileFacts { bytes, sha256 } = hasher.finish();
            return Ok(InitrdSummary { segments, bytes, sha256 });
        }
        let Some(format) = SegmentFormat::detect(start) else {
            bail!(
                "the bytes `{}` at offset {offset} begin neither a newc archive nor gzip, zstd, xz or lz4",
                start[..start.len().min(6)].escape_ascii()
            );
        };
        ensure!(
            format != SegmentFormat::Plain || offset.is_multiple_of(4),
            "the plain archive at offset {offset} does not begin at a multiple of 4 bytes, and the kernel would skip it \
             silently: put {} zeros before the archive, or compress it",
            offset.wrapping_neg() % 4
        );
        if let Some(property) = find_unsupported(format, start) {
            return Err(UnsupportedSegment { format, offset, property }.into());
        }
        let entries = read_segment(&mut input, format, &mut hasher, visit)
            .with_context(|| format!("the {} segment at offset {offset} is damaged", format.as_str()))?;
        segments.push(Segment { format, offset, entries });
    }
}

/// Reads the entries of one segment, and leaves `input` at the first byte after the segment.
fn read_segment(
    input: &mut dyn BufRead,
    format: SegmentFormat,
    hasher: &mut Hasher,
    visit: &mut dyn FnMut(&CpioHeader, &mut dyn Read) -> Result<()>,
) -> Result<usize> {
    let mut read_unpacked = |unpacked: &mut dyn Read| {
        let mut unpacked = DigestReader::new(BufReader::with_capacity(1 << 16, unpacked), hasher);
        let mut count = 0;
        loop {
            skip_zeros(&mut unpacked)?;
            match unpacked.fill_buf().context("it cannot be unpacked")?.first() {
                None => return anyhow::Ok(count),
                Some(b'0') => count += read_entries(&mut unpacked, visit)?,
                Some(_) => bail!("there are bytes after the last entry"),
            }
        }
    };
    match format {
        SegmentFormat::Plain => read_entries(&mut DigestReader::new(input, hasher), visit),
        SegmentFormat::Gzip => read_unpacked(&mut flate2::bufread::GzDecoder::new(input)),
        SegmentFormat::Zstd => {
            let decoder = zstd::Decoder::with_buffer(input).context("could not start zstd")?;
            read_unpacked(&mut decoder.single_frame())
        }
        SegmentFormat::Xz => {
            let stream =
                liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, 0).context("could not start xz")?;
            read_unpacked(&mut liblzma::bufread::XzDecoder::new_stream(input, stream))
        }
        SegmentFormat::Lz4 => read_unpacked(&mut Lz4Reader::new(input)),
    }
}

/// Skips zero bytes.
fn skip_zeros(input: &mut dyn BufRead) -> Result<()> {
    loop {
        let bytes = input.fill_buf().context("it could not be read")?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        if zeros == 0 {
            return Ok(());
        }
        input.consume(zeros);
    }
}
