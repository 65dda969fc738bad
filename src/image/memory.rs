//! Packing what is in memory, for those who have no thread to spare.

use anyhow::{Result, bail};

use super::archive::{Archive, Source};
use super::codec::Codec;
use super::leak::Leaks;
use super::member::{self, Content};

/// `archive` as one segment, packed by the calling thread alone: for the few small files that a node's overlay has.
///
/// The same bytes as [`pack`](super::pack()) writes. A thread of rayon's pool may call this, and must not call that: the segments which
/// that waits for are compressed by the pool.
///
/// # Errors
/// When a file of the archive holds a private key or is on disk, or the compression has no such level.
pub fn pack_in_memory(archive: &Archive, codec: Codec) -> Result<Vec<u8>> {
    let mut segment = Vec::new();
    for member in member::members(archive) {
        member.header(&mut segment)?;
        match member.content {
            Content::Nothing => {}
            Content::Text(text) => segment.extend_from_slice(text.as_bytes()),
            Content::File(Source::Bytes(bytes)) => {
                Leaks::default().see(member.path, bytes, true)?;
                segment.extend_from_slice(bytes);
            }
            Content::File(Source::Disk(path, _)) => bail!("{} is not in memory", path.display()),
        }
        member::align(&mut segment, member.content.len());
    }
    member::end(&mut segment)?;
    codec.compress(&segment)
}
