//! Packs an archive into the segments of an initrd. The files are read once, scanned for private keys, hashed,
//! compressed on all cores, and written in order.
//!
//! The kernel unpacks one gzip member or zstd frame after the other, and each must end between two entries: after a cut
//! anywhere else the kernel panics with "junk at the end of compressed archive". No bytes stand between segments, so
//! `gzip -dc` and `zstd -dc` read all segments as one archive.

use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use anyhow::{Context, Result, anyhow};

use super::archive::Archive;
use super::codec::Codec;
use super::reader::{ArchiveReader, Piece};
use crate::fs::{FileFacts, Hasher, Sha256Sum};

/// Size and digest of an archive that was packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedArchive {
    /// The size of the archive without compression, in bytes.
    pub archive_bytes: u64,
    /// The SHA-256 of the archive without compression.
    pub archive_sha256: Sha256Sum,
    /// The number of bytes that were written.
    pub written: u64,
}

/// Writes `archive` to `out`. `progress` is called with the number of bytes each time that some were read of files.
///
/// # Errors
/// When a file cannot be read, holds a private key or has another size than when the archive was made, or when writing
/// to `out` fails. The bytes that were written before an error are of no use.
pub fn pack(
    archive: &Archive,
    codec: Codec,
    out: &mut dyn Write,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<PackedArchive> {
    let threads = rayon::current_num_threads();
    thread::scope(|scope| {
        let (to_writer, pieces) = sync_channel(threads * 2);
        let (to_hasher, to_hash) = sync_channel(threads * 2);
        let reader =
            scope.spawn(move || ArchiveReader::new(codec, to_writer, to_hasher, progress).read(archive));
        // One thread hashes as fast as several compress. If the reader hashed, the compressors would wait for it.
        let hasher = scope.spawn(move || {
            let mut hasher = Hasher::default();
            to_hash.into_iter().for_each(|read: Arc<Vec<u8>>| hasher.update(&read));
            hasher.finish()
        });
        let written = write_pieces(pieces, codec, out, u32::try_from(threads).unwrap_or(1));
        let panicked = |_| anyhow!("a reading thread panicked: a bug in plasmagen");
        let (read, FileFacts { bytes, sha256 }) =
            (reader.join().map_err(panicked)?, hasher.join().map_err(panicked)?);
        // When both failed, the writer failed first, and the reader stopped because of that.
        let written = written?;
        read?;
        Ok(PackedArchive { archive_bytes: bytes, archive_sha256: sha256, written })
    })
}

/// Writes the pieces as they come, and returns the number of bytes.
fn write_pieces(pieces: Receiver<Piece>, codec: Codec, out: &mut dyn Write, threads: u32) -> Result<u64> {
    let mut out = CountingWriter { out, count: 0 };
    let mut pieces = pieces.into_iter();
    while let Some(piece) = pieces.next() {
        match piece {
            Piece::Segment(compressed) => {
                let bytes =
                    compressed.recv().context("a compressing thread panicked: a bug in plasmagen")??;
                out.write_all(&bytes).context("could not write the initrd")?;
            }
            Piece::StreamStart { is_compressible } => {
                let mut stream = codec.stream(&mut out, is_compressible, threads)?;
                for piece in pieces.by_ref() {
                    let Piece::StreamChunk(chunk) = piece else { break };
                    stream.write_all(&chunk).context("could not write the initrd")?;
                }
                stream.finish().context("could not write the initrd")?;
            }
            Piece::StreamChunk(_) | Piece::StreamEnd => {}
        }
    }
    Ok(out.count)
}

/// A writer that counts the bytes.
struct CountingWriter<'w> {
    out: &'w mut dyn Write,
    count: u64,
}

impl Write for CountingWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.count += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
