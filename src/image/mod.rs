//! Netboot images: archives of files, packed into initrds, and bundles of them.
//!
//! ```text
//! archive   what an initrd holds: paths and entries, sorted, collisions refused
//! walk      an archive from a directory
//! member    one entry as bytes of a newc archive (cpio(5))
//! pack      archive → segments, compressed on all cores, hashed while they are written
//! codec     gzip, zstd, or not at all
//! initrd    segments → entries: what an initrd from anywhere holds
//! newc      one segment's entries
//! kernel    what a kernel image says of itself
//! ```
//!
//! Nothing here prints. A file is read once, and never held in memory whole unless it is small.

mod archive;
mod codec;
mod initrd;
mod kernel;
mod member;
mod newc;
mod pack;
mod walk;

pub use archive::{Archive, ArchivePath, Entry, Kind, Source};
pub use codec::Codec;
pub use initrd::{Format, Segment, Unpacked, scan};
pub use kernel::Kernel;
pub use newc::Header;
pub use pack::{Packed, pack};
pub use walk::walk;
