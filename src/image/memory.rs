//! Packs small archives in memory, on the calling thread.

use anyhow::{Result, bail};

use super::archive::Archive;
use super::codec::Codec;
use super::cpio_entry::{CpioContent, to_cpio_entries, write_padding, write_trailer};
use super::entry::FileContent;
use super::secret_scan::SecretScan;

/// Packs `archive` into one segment, on the calling thread alone: for the few small files of a node's overlay.
///
/// The result is what [`pack`](super::pack()) writes. A thread of rayon's pool may call this function but not `pack`,
/// which waits for segments that the pool compresses.
///
/// # Errors
/// When a file of the archive holds a private key or is on disk, or when the codec has no such level.
pub fn pack_in_memory(archive: &Archive, codec: Codec) -> Result<Vec<u8>> {
    let mut segment = Vec::new();
    for entry in to_cpio_entries(archive) {
        entry.write_header(&mut segment)?;
        match entry.content {
            CpioContent::Empty => {}
            CpioContent::Target(target) => segment.extend_from_slice(target.as_bytes()),
            CpioContent::File(FileContent::Bytes(bytes)) => {
                SecretScan::default().scan(entry.path, bytes, true)?;
                segment.extend_from_slice(bytes);
            }
            CpioContent::File(FileContent::Disk(path, _)) => bail!("{} is not in memory", path.display()),
        }
        write_padding(&mut segment, entry.content.len());
    }
    write_trailer(&mut segment)?;
    codec.compress(&segment)
}
