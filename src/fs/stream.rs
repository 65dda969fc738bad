//! One pass over a file: read, hashed, and copied where a copy is wanted.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::mpsc::sync_channel;
use std::thread;

use super::sha256::{FileFacts, Hasher};

/// Bytes that are read at once from a large file.
const CHUNK: usize = 1 << 20;

/// Bytes that are read at once from a small file: so many at least, and so many at most.
const LEAST: usize = 4 << 10;
const MOST: usize = 64 << 10;

/// From this size on, a second thread hashes while the first one reads and writes.
const LARGE: u64 = 4 << 20;

/// A function that is called with the number of bytes of each read.
pub type Progress<'a> = &'a (dyn Fn(u64) + Sync);

/// Reads `source` to its end and writes the bytes to `out`, if there is one; returns their size and digest.
///
/// # Errors
/// When a read or a write fails.
pub(crate) fn copy(
    source: &mut File,
    out: Option<&mut File>,
    progress: Progress<'_>,
) -> io::Result<FileFacts> {
    let size = source.metadata()?.len();
    if size >= LARGE {
        return copy_large(source, out, progress);
    }
    let mut hasher = Hasher::default();
    // One byte more than the file has shows its end without another full read; a pipe has no size.
    let room = usize::try_from(size + 1).unwrap_or(MOST).clamp(LEAST, MOST);
    pass(source, out, progress, vec![0; room], |buffer, read| {
        hasher.update(&buffer[..read]);
        Ok(buffer)
    })?;
    Ok(hasher.finish())
}

/// The one loop over a file. `take` gets the buffer with the number of bytes that were read, after they were written, and
/// gives back a buffer to read into.
fn pass(
    source: &mut File,
    mut out: Option<&mut File>,
    progress: Progress<'_>,
    mut buffer: Vec<u8>,
    mut take: impl FnMut(Vec<u8>, usize) -> io::Result<Vec<u8>>,
) -> io::Result<()> {
    loop {
        let read = source.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        if let Some(out) = &mut out {
            out.write_all(&buffer[..read])?;
        }
        progress(read as u64);
        buffer = take(buffer, read)?;
    }
}

fn copy_large(source: &mut File, out: Option<&mut File>, progress: Progress<'_>) -> io::Result<FileFacts> {
    let gone = || io::Error::other("the thread that hashes is gone");
    thread::scope(|scope| {
        let (send, receive) = sync_channel::<Vec<u8>>(2);
        let (give_back, free) = sync_channel::<Vec<u8>>(4);
        let thread = scope.spawn(move || {
            let mut hasher = Hasher::default();
            for chunk in receive {
                hasher.update(&chunk);
                // The reading thread may be done already.
                let _ = give_back.send(chunk);
            }
            hasher.finish()
        });
        let read = pass(source, out, progress, vec![0; CHUNK], |mut chunk, read| {
            chunk.truncate(read);
            send.send(chunk).map_err(|_| gone())?;
            let mut next = free.try_recv().unwrap_or_default();
            next.resize(CHUNK, 0);
            Ok(next)
        });
        drop((send, free));
        let facts = thread.join().map_err(|_| gone());
        read.and(facts)
    })
}
