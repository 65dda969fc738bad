//! An archive as segments of an initrd: read once, hashed, compressed on all cores, written in order.
//!
//! The kernel unpacks one gzip member or zstd frame after the other, and each must end between two entries: cut anywhere
//! else, it panics with "junk at the end of compressed archive". Nothing stands between them, so that `gzip -dc` and
//! `zstd -dc` read the whole as one archive.

use std::fs::File;
use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::{Context, Result, anyhow, bail, ensure};
use sha2::{Digest, Sha256};

use super::archive::{Archive, ArchivePath, Source};
use super::codec::{self, Codec};
use super::member::{self, Content};

/// How much of an archive is one segment, at least: enough that nothing is lost by compressing it alone.
const SEGMENT: usize = 4 << 20;

/// A file of more bytes is a segment of its own and is streamed.
const LARGE: u64 = 16 << 20;

/// How much of a large file is read at once; so much of it is tried to see whether compression pays.
const CHUNK: usize = 1 << 20;

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

/// What the reader hands to the writer, in order.
enum Step {
    /// A segment that is being compressed.
    Segment(Receiver<Result<Vec<u8>>>),
    /// The beginning of a large file's segment, and whether compressing it pays.
    Open(bool),
    /// More of it.
    Chunk(Vec<u8>),
    /// Its end.
    Close,
}

/// Writes `archive` to `out`; `progress` is told of every so many bytes that were read of files.
///
/// # Errors
/// When a file cannot be read or has another size than when the archive was made, or `out` refuses. What was written by
/// then is of no use.
pub fn pack(
    archive: &Archive,
    codec: Codec,
    out: &mut dyn Write,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Packed> {
    let threads = rayon::current_num_threads();
    thread::scope(|scope| {
        let (send, receive) = sync_channel(threads * 2);
        let reader = scope.spawn(move || {
            let mut reader = Reader { codec, send, progress, sum: Sha256::new(), bytes: 0, gone: false };
            reader.run(archive)?;
            anyhow::Ok((reader.bytes, reader.sum))
        });
        let written = write(receive, codec, out, u32::try_from(threads).unwrap_or(1));
        let read = reader.join().map_err(|_| anyhow!("the reading thread panicked: a bug in plasmagen"))?;
        // Where both failed, the writer went first, and the reader had nobody to read for.
        let written = written?;
        let (archive_bytes, sum) = read?;
        Ok(Packed { archive_bytes, archive_sha256: sum.finalize().into(), written })
    })
}

/// `archive` as one segment, packed by the calling thread alone: for the few small files that a node's overlay has.
///
/// The same bytes as [`pack`] writes. A thread of rayon's pool may call this, and must not call that: the segments which
/// that waits for are compressed by the pool.
///
/// # Errors
/// When a file of the archive is on disk, or the compression has no such level.
pub fn pack_in_memory(archive: &Archive, codec: Codec) -> Result<Vec<u8>> {
    let mut segment = Vec::new();
    for member in member::members(archive) {
        member.header(&mut segment)?;
        match member.content {
            Content::Nothing => {}
            Content::Text(text) => segment.extend_from_slice(text.as_bytes()),
            Content::File(Source::Bytes(bytes)) => segment.extend_from_slice(bytes),
            Content::File(Source::Disk(path, _)) => bail!("{} is not in memory", path.display()),
        }
        member::align(&mut segment, member.content.len());
    }
    member::end(&mut segment)?;
    codec.compress(&segment)
}

struct Reader<'a> {
    codec: Codec,
    send: SyncSender<Step>,
    progress: &'a (dyn Fn(u64) + Sync),
    sum: Sha256,
    bytes: u64,
    /// Whether the writer has given up.
    gone: bool,
}

impl Reader<'_> {
    fn run(&mut self, archive: &Archive) -> Result<()> {
        let mut segment = Vec::with_capacity(SEGMENT);
        for member in member::members(archive) {
            if self.gone {
                return Ok(());
            }
            let len = member.content.len();
            if len > LARGE && !segment.is_empty() {
                self.segment(&mut segment);
            }
            member.header(&mut segment)?;
            match member.content {
                Content::Nothing => {}
                Content::Text(text) => segment.extend_from_slice(text.as_bytes()),
                Content::File(Source::Bytes(bytes)) => segment.extend_from_slice(bytes),
                Content::File(Source::Disk(path, _)) if len > LARGE => {
                    let file = open(path)?;
                    self.stream(std::mem::take(&mut segment), file, len, member.path)?;
                    continue;
                }
                Content::File(Source::Disk(path, _)) => {
                    self.append(&mut segment, open(path)?, len, member.path)?;
                }
            }
            member::align(&mut segment, len);
            if segment.len() >= SEGMENT {
                self.segment(&mut segment);
            }
        }
        member::end(&mut segment)?;
        self.segment(&mut segment);
        Ok(())
    }

    /// Reads a small file into `segment`.
    fn append(&mut self, segment: &mut Vec<u8>, file: File, len: u64, path: &ArchivePath) -> Result<()> {
        let read =
            file.take(len + 1).read_to_end(segment).with_context(|| format!("could not read {path}"))?;
        (self.progress)(read as u64);
        ensure!(read as u64 == len, "{path} changed while it was read: run again");
        Ok(())
    }

    /// Hands a large file on, piece by piece.
    fn stream(&mut self, header: Vec<u8>, mut file: File, len: u64, path: &ArchivePath) -> Result<()> {
        let mut left = len;
        let mut chunk = self.chunk(&mut file, left, path)?;
        self.send(Step::Open(codec::pays(&chunk)));
        self.hashed(header);
        loop {
            left -= chunk.len() as u64;
            if left == 0 {
                member::align(&mut chunk, len);
            }
            self.hashed(chunk);
            if left == 0 || self.gone {
                break;
            }
            chunk = self.chunk(&mut file, left, path)?;
        }
        ensure!(
            self.gone || file.read(&mut [0]).with_context(|| format!("could not read {path}"))? == 0,
            "{path} changed while it was read: run again"
        );
        self.send(Step::Close);
        Ok(())
    }

    fn chunk(&self, file: &mut File, left: u64, path: &ArchivePath) -> Result<Vec<u8>> {
        let mut chunk = Vec::with_capacity(CHUNK + 3);
        let read = file.take(left.min(CHUNK as u64)).read_to_end(&mut chunk);
        let read = read.with_context(|| format!("could not read {path}"))?;
        ensure!(read > 0, "{path} changed while it was read: run again");
        (self.progress)(read as u64);
        Ok(chunk)
    }

    fn hashed(&mut self, chunk: Vec<u8>) {
        self.sum.update(&chunk);
        self.bytes += chunk.len() as u64;
        self.send(Step::Chunk(chunk));
    }

    /// Has `segment` compressed, and leaves it empty.
    fn segment(&mut self, segment: &mut Vec<u8>) {
        let bytes = std::mem::replace(segment, Vec::with_capacity(SEGMENT));
        self.sum.update(&bytes);
        self.bytes += bytes.len() as u64;
        let (done, compressed) = sync_channel(1);
        let codec = self.codec;
        rayon::spawn(move || {
            // Nobody listens when the writer has given up.
            let _ = done.send(codec.compress(&bytes));
        });
        self.send(Step::Segment(compressed));
    }

    fn send(&mut self, step: Step) {
        self.gone |= self.send.send(step).is_err();
    }
}

fn open(path: &std::path::Path) -> Result<File> {
    File::open(path).with_context(|| format!("could not open {}", path.display()))
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
