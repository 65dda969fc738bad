//! One pass over a file: read, hashed, written where it is to go, and compared with what it should be.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::sync::mpsc::sync_channel;
use std::thread;

use anyhow::{Context, Result};
use rustix::fs::{Mode, OFlags, fchmod, fsync, openat};
use sha2::{Digest as _, Sha256};

use super::contents::{Expected, open};
use super::fault::{Fault, Kind};
use crate::image::{FileFacts, Sha256Sum};
use crate::write::disk;

/// As much of a file as is read at once.
const CHUNK: usize = 1 << 20;

/// From this size on, a second thread hashes while the first one reads and writes.
const LARGE: u64 = 4 << 20;

/// Where the copies of a directory go.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) dir: &'a OwnedFd,
    /// Whether each file is made durable by itself.
    pub(super) sync: bool,
}

/// Copies the file `expected` from `dir`, or only reads it; a fault where it is not what it should be.
///
/// # Errors
/// When a disk refuses.
pub(super) fn copy(
    dir: &OwnedFd,
    shown: &str,
    expected: &Expected,
    to: Option<Target<'_>>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Option<Fault>> {
    let path = format!("{shown}{}", expected.path);
    let Ok(mut source) = open(dir, &expected.path) else {
        return Ok(Some(Fault::new(Kind::Missing, path, "it can't be opened")));
    };
    let mut out = to.map(|to| create(to.dir, &expected.path)).transpose()?;
    let found =
        pass(&mut source, out.as_mut(), progress).with_context(|| format!("could not copy {path}"))?;
    if let (Some(file), Some(Target { sync: true, .. })) = (&out, to) {
        fsync(file).with_context(|| format!("could not make {path} durable"))?;
    }
    Ok(judge(found, expected, path))
}

/// What is wrong with a file of these facts.
pub(super) fn judge(found: FileFacts, expected: &Expected, path: String) -> Option<Fault> {
    let message = match expected.bytes {
        Some(bytes) if bytes != found.bytes => format!("it has {} bytes instead of {bytes}", found.bytes),
        _ if found.sha256 != expected.sha256 => {
            format!("its SHA-256 is {} instead of {}", found.sha256, expected.sha256)
        }
        _ => return None,
    };
    Some(Fault::new(Kind::Changed, path, message))
}

/// A new file at `path` below `dir`, readable by everybody, whatever the umask.
fn create(dir: &OwnedFd, path: &str) -> Result<File> {
    let (parent, name) = disk::split(path);
    let run = || {
        let inner = if parent.is_empty() { None } else { Some(disk::open_dir(dir, parent)?) };
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(disk::file_mode(false));
        let file = File::from(openat(inner.as_ref().unwrap_or(dir), name, flags, mode)?);
        fchmod(&file, mode)?;
        anyhow::Ok(file)
    };
    run().with_context(|| format!("could not make {path}"))
}

/// Reads `source` to its end, and writes it to `out`; its size and its digest.
pub(super) fn pass(
    source: &mut File,
    out: Option<&mut File>,
    progress: &(dyn Fn(u64) + Sync),
) -> io::Result<FileFacts> {
    if source.metadata()?.len() < LARGE {
        return alone(source, out, progress);
    }
    thread::scope(|scope| {
        let (send, receive) = sync_channel::<Vec<u8>>(2);
        let (give_back, free) = sync_channel::<Vec<u8>>(4);
        let hasher = scope.spawn(move || {
            let (mut sum, mut bytes) = (Sha256::new(), 0);
            for chunk in receive {
                sum.update(&chunk);
                bytes += chunk.len() as u64;
                // The reader may be done already.
                let _ = give_back.send(chunk);
            }
            FileFacts { bytes, sha256: Sha256Sum(sum.finalize().into()) }
        });
        let mut out = out;
        let mut run = || {
            loop {
                let mut chunk = free.try_recv().unwrap_or_default();
                chunk.resize(CHUNK, 0);
                let read = source.read(&mut chunk)?;
                if read == 0 {
                    return Ok(());
                }
                chunk.truncate(read);
                if let Some(out) = &mut out {
                    out.write_all(&chunk)?;
                }
                progress(read as u64);
                if send.send(chunk).is_err() {
                    return Err(io::Error::other("the thread that hashes is gone"));
                }
            }
        };
        let read: io::Result<()> = run();
        drop((send, free));
        let facts = hasher.join().map_err(|_| io::Error::other("the thread that hashes is gone"));
        read.and(facts)
    })
}

/// The same on one thread.
fn alone(
    source: &mut File,
    mut out: Option<&mut File>,
    progress: &(dyn Fn(u64) + Sync),
) -> io::Result<FileFacts> {
    let (mut sum, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = source.read(&mut buffer)?;
        if read == 0 {
            return Ok(FileFacts { bytes, sha256: Sha256Sum(sum.finalize().into()) });
        }
        sum.update(&buffer[..read]);
        if let Some(out) = &mut out {
            out.write_all(&buffer[..read])?;
        }
        bytes += read as u64;
        progress(read as u64);
    }
}
