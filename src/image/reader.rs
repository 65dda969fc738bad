//! The reader of an archive that is packed: it reads the files and hands pieces of segments to the writer, in order.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use anyhow::{Context, Result, ensure};

use super::archive::Archive;
use super::codec::{Codec, is_compressible};
use super::cpio_entry::{CpioContent, to_cpio_entries, write_padding, write_trailer};
use super::entry::{ArchivePath, FileContent};
use super::secret_scan::SecretScan;
use crate::fs::open_input;

/// The smallest segment in bytes, the last one excepted: large enough that nothing is lost by compressing it alone.
const SEGMENT: usize = 4 << 20;

/// A file with more bytes is streamed as a segment of its own.
const LARGE: u64 = 16 << 20;

/// How much of a large file is read at once. The first chunk tells whether the file is compressible.
const CHUNK: usize = 1 << 20;

/// A piece of work that the reader hands to the writer, in order.
pub(super) enum Piece {
    /// A whole segment, which a thread of the pool compresses and then sends.
    Segment(Receiver<Result<Vec<u8>>>),
    /// The beginning of the segment of a large file, and whether compression makes the file smaller.
    StreamStart { is_compressible: bool },
    /// A part of the segment of a large file, not yet compressed.
    StreamChunk(Arc<Vec<u8>>),
    /// The end of the segment of a large file.
    StreamEnd,
}

/// The reader of an archive.
pub(super) struct ArchiveReader<'a> {
    codec: Codec,
    to_writer: SyncSender<Piece>,
    to_hasher: SyncSender<Arc<Vec<u8>>>,
    progress: &'a (dyn Fn(u64) + Sync),
    secrets: SecretScan,
    /// Whether the writer or the hasher has given up.
    is_abandoned: bool,
}

impl<'a> ArchiveReader<'a> {
    /// A reader whose segments are compressed with `codec`.
    pub(super) fn new(
        codec: Codec,
        to_writer: SyncSender<Piece>,
        to_hasher: SyncSender<Arc<Vec<u8>>>,
        progress: &'a (dyn Fn(u64) + Sync),
    ) -> Self {
        Self { codec, to_writer, to_hasher, progress, secrets: SecretScan::default(), is_abandoned: false }
    }

    /// Reads all of `archive`, or stops early when the writer has given up.
    ///
    /// # Errors
    /// When a file cannot be read, holds a private key or has changed.
    pub(super) fn read(&mut self, archive: &Archive) -> Result<()> {
        let mut segment = Vec::with_capacity(SEGMENT);
        for entry in to_cpio_entries(archive) {
            if self.is_abandoned {
                return Ok(());
            }
            let len = entry.content.len();
            if len > LARGE && !segment.is_empty() {
                self.finish_segment(&mut segment);
            }
            entry.write_header(&mut segment)?;
            match entry.content {
                CpioContent::Empty => {}
                CpioContent::Target(target) => segment.extend_from_slice(target.as_bytes()),
                CpioContent::File(FileContent::Bytes(bytes)) => {
                    self.secrets.scan(entry.path, bytes, true)?;
                    segment.extend_from_slice(bytes);
                }
                CpioContent::File(FileContent::Disk(path, _)) if len > LARGE => {
                    let file = open(path)?;
                    self.stream_file(std::mem::take(&mut segment), file, len, entry.path)?;
                    continue;
                }
                CpioContent::File(FileContent::Disk(path, _)) => {
                    self.append_file(&mut segment, open(path)?, len, entry.path)?;
                }
            }
            write_padding(&mut segment, len);
            if segment.len() >= SEGMENT {
                self.finish_segment(&mut segment);
            }
        }
        write_trailer(&mut segment)?;
        self.finish_segment(&mut segment);
        Ok(())
    }

    /// Reads a small file into `segment`.
    fn append_file(&mut self, segment: &mut Vec<u8>, file: File, len: u64, path: &ArchivePath) -> Result<()> {
        let read =
            file.take(len + 1).read_to_end(segment).with_context(|| format!("could not read {path}"))?;
        (self.progress)(read as u64);
        ensure!(read as u64 == len, "{path} changed while it was read: run again");
        self.secrets.scan(path, &segment[segment.len() - read..], true)
    }

    /// Hands a large file to the writer, chunk by chunk, as a segment that begins with `header`.
    fn stream_file(&mut self, header: Vec<u8>, mut file: File, len: u64, path: &ArchivePath) -> Result<()> {
        let mut left = len;
        let mut chunk = self.read_chunk(&mut file, left, path)?;
        self.send(Piece::StreamStart { is_compressible: is_compressible(&chunk) });
        self.send_chunk(header);
        loop {
            left -= chunk.len() as u64;
            self.secrets.scan(path, &chunk, left == 0)?;
            if left == 0 {
                write_padding(&mut chunk, len);
            }
            self.send_chunk(chunk);
            if left == 0 || self.is_abandoned {
                break;
            }
            chunk = self.read_chunk(&mut file, left, path)?;
        }
        ensure!(
            self.is_abandoned || file.read(&mut [0]).with_context(|| format!("could not read {path}"))? == 0,
            "{path} changed while it was read: run again"
        );
        self.send(Piece::StreamEnd);
        Ok(())
    }

    fn read_chunk(&self, file: &mut File, left: u64, path: &ArchivePath) -> Result<Vec<u8>> {
        let mut chunk = Vec::with_capacity(CHUNK + 3);
        let read = file.take(left.min(CHUNK as u64)).read_to_end(&mut chunk);
        let read = read.with_context(|| format!("could not read {path}"))?;
        ensure!(read > 0, "{path} changed while it was read: run again");
        (self.progress)(read as u64);
        Ok(chunk)
    }

    /// Hands a chunk of a large file to the hasher and the writer.
    fn send_chunk(&mut self, chunk: Vec<u8>) {
        let chunk = self.hash(chunk);
        self.send(Piece::StreamChunk(chunk));
    }

    /// Lets a thread of the pool compress `segment`, and leaves an empty one.
    fn finish_segment(&mut self, segment: &mut Vec<u8>) {
        let bytes = std::mem::replace(segment, Vec::with_capacity(SEGMENT));
        let bytes = self.hash(bytes);
        let (done, compressed) = sync_channel(1);
        let codec = self.codec;
        rayon::spawn(move || {
            // Nobody receives when the writer has given up.
            let _ = done.send(codec.compress(&bytes));
        });
        self.send(Piece::Segment(compressed));
    }

    /// Hands `bytes` to the hasher.
    fn hash(&mut self, bytes: Vec<u8>) -> Arc<Vec<u8>> {
        let bytes = Arc::new(bytes);
        self.is_abandoned |= self.to_hasher.send(Arc::clone(&bytes)).is_err();
        bytes
    }

    fn send(&mut self, piece: Piece) {
        self.is_abandoned |= self.to_writer.send(piece).is_err();
    }
}

fn open(path: &Path) -> Result<File> {
    open_input(path, u64::MAX).with_context(|| format!("could not open {}", path.display()))
}
