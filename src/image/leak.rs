//! Private keys that are about to be served to everybody.

use std::fs::File;
use std::io::Read;

use anyhow::{Context, Result, bail};
use memchr::memmem;

use super::archive::{Archive, Kind, Source};

/// What private keys contain: PEM and OpenSSH's form (RFC 7468, PROTOCOL.key), age's, and PuTTY's.
const MARKS: [(&[u8], &str); 3] = [
    (b"PRIVATE KEY-----", "a private key"),
    (b"AGE-SECRET-KEY-", "an age identity"),
    (b"PuTTY-User-Key-File-", "a private key"),
];

/// As much of a file as is searched at once.
const CHUNK: usize = 1 << 20;

/// Refuses an archive in which a file holds a private key. What a web server gives to any machine is no secret.
///
/// # Errors
/// When one does, or a file cannot be read.
pub fn refuse_secrets(archive: &Archive) -> Result<()> {
    for (path, entry) in archive.iter() {
        let Kind::File { source, .. } = &entry.kind else { continue };
        let found = match source {
            Source::Bytes(bytes) => mark(bytes),
            Source::Disk(file, _) => File::open(file)
                .and_then(search)
                .with_context(|| format!("could not read {}", file.display()))?,
        };
        if let Some(what) = found {
            bail!(
                "{path} holds {what}, and an overlay is served to every machine that asks: stage secrets when a node is \
                   installed instead"
            );
        }
    }
    Ok(())
}

fn mark(bytes: &[u8]) -> Option<&'static str> {
    MARKS.iter().find(|(mark, _)| memmem::find(bytes, mark).is_some()).map(|(_, what)| *what)
}

fn search(mut file: File) -> std::io::Result<Option<&'static str>> {
    let longest = MARKS.iter().map(|(mark, _)| mark.len()).max().unwrap_or(0);
    let mut window = Vec::with_capacity(CHUNK + longest);
    loop {
        let read = file.by_ref().take(CHUNK as u64).read_to_end(&mut window)?;
        if read == 0 {
            return Ok(None);
        }
        if let Some(what) = mark(&window) {
            return Ok(Some(what));
        }
        // A mark may lie across two pieces.
        window.drain(..window.len().saturating_sub(longest));
    }
}
