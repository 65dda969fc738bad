//! Compresses segments. The same input gives the same output, with any number of threads.

use std::io::{self, Write};

use anyhow::{Context, Result, anyhow};
use libdeflater::{CompressionLvl, Compressor};

use super::format::SegmentFormat;

/// The level at which zstd passes incompressible data on about as fast as memory is copied.
const ZSTD_FASTEST: i32 = -7;

/// A compression that the kernel can undo (`lib/decompress.c`), with its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// No compression.
    Plain,
    /// gzip (RFC 1952) of the level 1 to 12.
    Gzip(u8),
    /// Zstandard (RFC 8878) of the level 1 to 22, for kernels of 5.9 and newer.
    Zstd(u8),
}

impl Codec {
    /// The format of the compressed segments.
    pub(super) fn format(self) -> SegmentFormat {
        match self {
            Self::Plain => SegmentFormat::Plain,
            Self::Gzip(_) => SegmentFormat::Gzip,
            Self::Zstd(_) => SegmentFormat::Zstd,
        }
    }

    /// Compresses `bytes` into one gzip member or zstd frame.
    ///
    /// # Errors
    /// When the codec has no such level.
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

    /// Makes a compressor in front of `out`, for files that are too large for memory. Incompressible bytes are stored in
    /// the codec's format unchanged, which every decoder of the format reads.
    ///
    /// # Errors
    /// When the codec has no such level.
    pub(super) fn stream<'w>(
        self,
        out: &'w mut dyn Write,
        is_compressible: bool,
        threads: u32,
    ) -> Result<Stream<'w>> {
        Ok(match self {
            Self::Plain => Stream::Plain(out),
            Self::Gzip(level) => {
                // libdeflate needs a whole member in memory; zlib has levels up to 9.
                let level = if is_compressible { u32::from(level.min(9)) } else { 0 };
                let level = flate2::Compression::new(level);
                Stream::Gzip(Box::new(flate2::write::GzEncoder::new(out, level)))
            }
            Self::Zstd(level) => {
                let level = if is_compressible { level.into() } else { ZSTD_FASTEST };
                let mut encoder = zstd::Encoder::new(out, level).context("could not start zstd")?;
                // With one worker or more the output does not depend on their number.
                encoder.multithread(threads.max(1)).context("could not start the threads of zstd")?;
                Stream::Zstd(encoder)
            }
        })
    }
}

/// Whether compression makes `sample`, the beginning of a large file, smaller by a thirtieth. A squashfs, firmware or a
/// kernel module that is already compressed does not become smaller.
pub(super) fn is_compressible(sample: &[u8]) -> bool {
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
    /// Writes the bytes that are still buffered, and the end of the format.
    ///
    /// # Errors
    /// When the inner writer fails.
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
