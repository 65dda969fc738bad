//! An archive as segments of an initrd: read once, searched for private keys, hashed, compressed on all cores, written in
//! order.
//!
//! The kernel unpacks one gzip member or zstd frame after the other, and each must end between two entries: cut anywhere
//! else, it panics with "junk at the end of compressed archive". Nothing stands between them, so that `gzip -dc` and
//! `zstd -dc` read the whole as one archive.

use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use anyhow::{Context, Result, anyhow};
use sha2::{Digest, Sha256};

use super::archive::Archive;
use super::codec::Codec;
use super::feed::{Reader, Step};

/// What was packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// The size of the archive without compression, in bytes.
    pub archive_bytes: u64,
    /// The SHA-256 of the archive without compression.
    pub archive_sha256: [u8; 32],
    /// How many bytes were written.
    pub written: u64,
}

/// Writes `archive` to `out`; `progress` is told of every so many bytes that were read of files.
///
/// # Errors
/// When a file cannot be read, holds a private key or has another size than when the archive was made, or `out` refuses.
/// What was written by then is of no use.
pub fn pack(
    archive: &Archive,
    codec: Codec,
    out: &mut dyn Write,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Packed> {
    let threads = rayon::current_num_threads();
    thread::scope(|scope| {
        let (send, receive) = sync_channel(threads * 2);
        let (sum, summed) = sync_channel(threads * 2);
        let reader = scope.spawn(move || Reader::new(codec, send, sum, progress).run(archive));
        // One thread hashes as fast as several compress: the reading one would keep them waiting.
        let hasher = scope.spawn(move || {
            summed.into_iter().fold((0, Sha256::new()), |(bytes, sum), read: Arc<Vec<u8>>| {
                (bytes + read.len() as u64, sum.chain_update(&*read))
            })
        });
        let written = write(receive, codec, out, u32::try_from(threads).unwrap_or(1));
        let panicked = |_| anyhow!("a reading thread panicked: a bug in plasmagen");
        let (read, (archive_bytes, sum)) =
            (reader.join().map_err(panicked)?, hasher.join().map_err(panicked)?);
        // Where both failed, the writer went first, and the reader had nobody to read for.
        let written = written?;
        read?;
        Ok(Packed { archive_bytes, archive_sha256: sum.finalize().into(), written })
    })
}

/// Writes what comes.
fn write(steps: Receiver<Step>, codec: Codec, out: &mut dyn Write, threads: u32) -> Result<u64> {
    let mut out = Counted { out, count: 0 };
    let mut steps = steps.into_iter();
    while let Some(step) = steps.next() {
        match step {
            Step::Segment(compressed) => {
                let bytes =
                    compressed.recv().context("a compressing thread panicked: a bug in plasmagen")??;
                out.write_all(&bytes).context("could not write the initrd")?;
            }
            Step::Open(pays) => {
                let mut stream = codec.stream(&mut out, pays, threads)?;
                for step in steps.by_ref() {
                    let Step::Chunk(chunk) = step else { break };
                    stream.write_all(&chunk).context("could not write the initrd")?;
                }
                stream.finish().context("could not write the initrd")?;
            }
            Step::Chunk(_) | Step::Close => {}
        }
    }
    Ok(out.count)
}

/// A writer that knows how many bytes went through.
struct Counted<'w> {
    out: &'w mut dyn Write,
    count: u64,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.count += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
