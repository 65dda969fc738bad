//! The reading half of packing: files become pieces of segments, in order.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use anyhow::{Context, Result, ensure};

use super::archive::{Archive, ArchivePath, Source};
use super::codec::{self, Codec};
use super::leak::Leaks;
use super::member::{self, Content};

/// How much of an archive is one segment, at least: enough that nothing is lost by compressing it alone.
const SEGMENT: usize = 4 << 20;

/// A file of more bytes is a segment of its own and is streamed.
const LARGE: u64 = 16 << 20;

/// How much of a large file is read at once; so much of it is tried to see whether compression pays.
const CHUNK: usize = 1 << 20;

/// What the reader hands to the writer, in order.
pub(super) enum Step {
    /// A segment that is being compressed.
    Segment(Receiver<Result<Vec<u8>>>),
    /// The beginning of a large file's segment, and whether compressing it pays.
    Open(bool),
    /// More of it.
    Chunk(Arc<Vec<u8>>),
    /// Its end.
    Close,
}

/// Reads the files of an archive, and hands on what they are packed as.
pub(super) struct Reader<'a> {
    codec: Codec,
    send: SyncSender<Step>,
    /// To the thread that hashes.
    sum: SyncSender<Arc<Vec<u8>>>,
    progress: &'a (dyn Fn(u64) + Sync),
    leaks: Leaks,
    /// Whether the writer has given up.
    gone: bool,
}

impl<'a> Reader<'a> {
    /// A reader that has its segments compressed with `codec`.
    pub(super) fn new(
        codec: Codec,
        send: SyncSender<Step>,
        sum: SyncSender<Arc<Vec<u8>>>,
        progress: &'a (dyn Fn(u64) + Sync),
    ) -> Self {
        Self { codec, send, sum, progress, leaks: Leaks::default(), gone: false }
    }

    /// Reads all of `archive`, or as much as somebody wants.
    ///
    /// # Errors
    /// When a file cannot be read, holds a private key or has changed.
    pub(super) fn run(&mut self, archive: &Archive) -> Result<()> {
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
                Content::File(Source::Bytes(bytes)) => {
                    self.leaks.see(member.path, bytes, true)?;
                    segment.extend_from_slice(bytes);
                }
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
        self.leaks.see(path, &segment[segment.len() - read..], true)
    }

    /// Hands a large file on, piece by piece.
    fn stream(&mut self, header: Vec<u8>, mut file: File, len: u64, path: &ArchivePath) -> Result<()> {
        let mut left = len;
        let mut chunk = self.chunk(&mut file, left, path)?;
        self.send(Step::Open(codec::pays(&chunk)));
        self.pass(header);
        loop {
            left -= chunk.len() as u64;
            self.leaks.see(path, &chunk, left == 0)?;
            if left == 0 {
                member::align(&mut chunk, len);
            }
            self.pass(chunk);
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

    /// Hands a piece of a large file on.
    fn pass(&mut self, chunk: Vec<u8>) {
        let chunk = self.sum(chunk);
        self.send(Step::Chunk(chunk));
    }

    /// Has `segment` compressed, and leaves it empty.
    fn segment(&mut self, segment: &mut Vec<u8>) {
        let bytes = std::mem::replace(segment, Vec::with_capacity(SEGMENT));
        let bytes = self.sum(bytes);
        let (done, compressed) = sync_channel(1);
        let codec = self.codec;
        rayon::spawn(move || {
            // Nobody listens when the writer has given up.
            let _ = done.send(codec.compress(&bytes));
        });
        self.send(Step::Segment(compressed));
    }

    /// Has `bytes` hashed.
    fn sum(&mut self, bytes: Vec<u8>) -> Arc<Vec<u8>> {
        let bytes = Arc::new(bytes);
        self.gone |= self.sum.send(Arc::clone(&bytes)).is_err();
        bytes
    }

    fn send(&mut self, step: Step) {
        self.gone |= self.send.send(step).is_err();
    }
}

fn open(path: &Path) -> Result<File> {
    File::open(path).with_context(|| format!("could not open {}", path.display()))
}
