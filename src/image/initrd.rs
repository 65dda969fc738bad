//! An initrd as the kernel sees it: archives in a row, each plain or compressed in its own way (`init/initramfs.c`).

use std::io::{BufRead, BufReader, Read};

use anyhow::{Context, Result, bail, ensure};

use super::newc::{self, Header};
use super::readers::{Lz4, Positioned, Sum, Summed};

/// The most memory that unpacking xz may take: `xz -9` needs 65 MiB.
const XZ_MEMORY: u64 = 128 << 20;

/// How a segment is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Not at all.
    Plain,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
    /// xz.
    Xz,
    /// lz4 in its legacy format, which is the kernel's.
    Lz4,
}

impl Format {
    /// Its name, as programs that unpack it are called.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "newc",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Lz4 => "lz4",
        }
    }

    /// The format that begins with `magic`.
    fn of(magic: &[u8]) -> Option<Self> {
        let formats: [(&[u8], Self); 6] = [
            (newc::MAGIC[0], Self::Plain),
            (newc::MAGIC[1], Self::Plain),
            (&[0x1f, 0x8b], Self::Gzip),
            (&[0x28, 0xb5, 0x2f, 0xfd], Self::Zstd),
            (&[0xfd, b'7', b'z', b'X', b'Z', 0], Self::Xz),
            (&[0x02, 0x21, 0x4c, 0x18], Self::Lz4),
        ];
        formats.into_iter().find(|(start, _)| magic.starts_with(start)).map(|(_, format)| format)
    }
}

/// A part of an initrd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// How it is packed.
    pub format: Format,
    /// Where it begins, in bytes.
    pub offset: u64,
    /// How many entries it has.
    pub entries: usize,
}

/// What an initrd unpacks to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpacked {
    /// Its segments, in order.
    pub segments: Vec<Segment>,
    /// The size of all of them unpacked, in bytes, without what fills up between them.
    pub bytes: u64,
    /// The SHA-256 of that.
    pub sha256: [u8; 32],
}

/// Reads a whole initrd, and calls `visit` with each entry and its content.
///
/// # Errors
/// When `input` cannot be read, a segment is of no known format or damaged, a plain one begins off the multiples of four
/// bytes (the kernel passes over such a one silently), or there is no segment; or when `visit` fails.
pub fn scan(
    input: impl Read,
    visit: &mut dyn FnMut(&Header, &mut dyn Read) -> Result<()>,
) -> Result<Unpacked> {
    let mut input = Positioned::new(input);
    let mut segments = Vec::new();
    let mut sum = Sum::default();
    loop {
        skip_zeros(&mut input)?;
        let offset = input.position();
        let magic = input.peek()?;
        if magic.is_empty() {
            ensure!(!segments.is_empty(), "it is empty");
            return Ok(Unpacked { segments, bytes: sum.bytes, sha256: sum.digest() });
        }
        let Some(format) = Format::of(magic) else {
            bail!(
                "at byte {offset} stands `{}`, which begins neither a newc archive nor gzip, zstd, xz or lz4",
                magic[..magic.len().min(6)].escape_ascii()
            );
        };
        ensure!(
            format != Format::Plain || offset.is_multiple_of(4),
            "the archive at byte {offset} does not begin at a multiple of 4: the kernel would pass over it silently; put \
             {} zeros before it, or compress it",
            offset.wrapping_neg() % 4
        );
        let entries = unpack(&mut input, format, &mut sum, visit)
            .with_context(|| format!("the {} segment at byte {offset} is damaged", format.as_str()))?;
        segments.push(Segment { format, offset, entries });
    }
}

/// Reads the entries of one segment, and leaves `input` behind it.
fn unpack(
    input: &mut dyn BufRead,
    format: Format,
    sum: &mut Sum,
    visit: &mut dyn FnMut(&Header, &mut dyn Read) -> Result<()>,
) -> Result<usize> {
    let mut read_all = |unpacked: &mut dyn Read| {
        let mut unpacked = Summed::new(BufReader::with_capacity(1 << 16, unpacked), sum);
        let mut count = 0;
        loop {
            skip_zeros(&mut unpacked)?;
            match unpacked.fill_buf().context("it cannot be unpacked")?.first() {
                None => return anyhow::Ok(count),
                Some(b'0') => count += newc::entries(&mut unpacked, visit)?,
                Some(_) => bail!("something stands behind its last entry"),
            }
        }
    };
    match format {
        Format::Plain => newc::entries(&mut Summed::new(input, sum), visit),
        Format::Gzip => read_all(&mut flate2::bufread::GzDecoder::new(input)),
        Format::Zstd => {
            let decoder = zstd::Decoder::with_buffer(input).context("could not start zstd")?;
            read_all(&mut decoder.single_frame())
        }
        Format::Xz => {
            let stream =
                liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, 0).context("could not start xz")?;
            read_all(&mut liblzma::bufread::XzDecoder::new_stream(input, stream))
        }
        Format::Lz4 => read_all(&mut Lz4::new(input)),
    }
}

/// Passes over zeros.
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
