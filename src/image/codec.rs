//! How segments are compressed. The same bytes always give the same bytes, however many threads there are.

use std::io::{self, Write};

use anyhow::{Context, Result, anyhow};
use libdeflater::{CompressionLvl, Compressor};

use super::Format;

/// The level at which zstd passes on what it can't shrink about as fast as memory is copied.
const ZSTD_FASTEST: i32 = -7;

/// A compression that the kernel knows (`lib/decompress.c`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// None.
    Plain,
    /// gzip (RFC 1952) of this level, 1 to 12.
    Gzip(u8),
    /// Zstandard (RFC 8878) of this level, 1 to 22. Kernels of 5.9 and newer.
    Zstd(u8),
}

impl Codec {
    /// The format that it writes.
    pub(super) fn format(self) -> Format {
        match self {
            Self::Plain => Format::Plain,
            Self::Gzip(_) => Format::Gzip,
            Self::Zstd(_) => Format::Zstd,
        }
    }

    /// `bytes` compressed, as one gzip member or zstd frame.
    ///
    /// # Errors
    /// When the level is none.
    pub(super) fn compress(self, bytes: &[u8]) -> Result<Vec<u8>> {
        match self {
            Self::Plain => Ok(bytes.to_vec()),
            Self::Gzip(level) => {
                let level =
                    CompressionLvl::new(level.into()).map_err(|_| anyhow!("gzip has no level {level}"))?;
                let mut compressor = Compressor::new(level);
                let mut out = vec![0; compressor.gzip_compress_bound(bytes.len())];
                let len = compressor.gzip_compress(bytes, &mut out).context("could not compress")?;
                out.truncate(len);
                Ok(out)
            }
            Self::Zstd(level) => zstd::bulk::compress(bytes, level.into()).context("could not compress"),
        }
    }

    /// Compresses what is written to it into `out`, for files that are too large for memory. Where it does not pay, the
    /// bytes are stored in the format as they are: every reader of the format reads them.
    ///
    /// # Errors
    /// When the level is none.
    pub(super) fn stream<'w>(self, out: &'w mut dyn Write, pays: bool, threads: u32) -> Result<Stream<'w>> {
        Ok(match self {
            Self::Plain => Stream::Plain(out),
            Self::Gzip(level) => {
                // libdeflate wants a member whole; zlib knows the levels up to 9.
                let level = if pays { u32::from(level.min(9)) } else { 0 };
                let level = flate2::Compression::new(level);
                Stream::Gzip(Box::new(flate2::write::GzEncoder::new(out, level)))
            }
            Self::Zstd(level) => {
                let level = if pays { level.into() } else { ZSTD_FASTEST };
                let mut encoder = zstd::Encoder::new(out, level).context("could not start zstd")?;
                // With one worker or more the output does not depend on their number.
                encoder.multithread(threads.max(1)).context("could not start the threads of zstd")?;
                Stream::Zstd(encoder)
            }
        })
    }
}

/// Whether `sample`, the beginning of a large file, gets smaller by a thirtieth: a squashfs, a kernel module that is
/// compressed already, or firmware does not.
pub(super) fn pays(sample: &[u8]) -> bool {
    let compressed = zstd::bulk::compress(sample, 1).map_or(usize::MAX, |bytes| bytes.len());
    compressed < sample.len() - sample.len() / 30
}

/// A compressor in front of a writer.
pub(super) enum Stream<'w> {
    Plain(&'w mut dyn Write),
    Gzip(Box<flate2::write::GzEncoder<&'w mut dyn Write>>),
    Zstd(zstd::Encoder<'static, &'w mut dyn Write>),
}

impl Stream<'_> {
    /// Writes what is left.
    ///
    /// # Errors
    /// When the writer beneath refuses.
    pub(super) fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Gzip(encoder) => encoder.finish().map(drop),
            Self::Zstd(encoder) => encoder.finish().map(drop),
        }
    }
}

impl Write for Stream<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            Self::Gzip(encoder) => encoder.flush(),
            Self::Zstd(encoder) => encoder.flush(),
        }
    }
}
