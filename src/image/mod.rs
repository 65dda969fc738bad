//! Netboot images: archives of files, packed into initrds, and bundles of them.
//!
//! ```text
//! archive   what an initrd holds: paths and entries, sorted, collisions refused
//! walk      an archive from a directory
//! member    one entry as bytes of a newc archive (cpio(5))
//! pack      archive → segments, compressed on all cores, hashed while they are written
//! feed      its reading half
//! memory    the same for what is in memory, without threads
//! codec     gzip, zstd, or not at all
//! initrd    segments → entries: what an initrd from anywhere holds
//! readers   what its bytes come through
//! newc      one segment's entries
//! kernel    what a kernel image says of itself
//! leak      private keys that must not be served
//! bundle    kernel, initrd and the script that loads them, with a manifest
//! staging   where it is made
//! assemble  its initrd: what it begins with, and overlays
//! script    its boot.ipxe
//! manifest  what a bundle says of itself
//! copy      hashed while it is written
//! ```
//!
//! Nothing here prints. A file is read once, and never held in memory whole unless it is small.

mod archive;
mod assemble;
mod bundle;
mod codec;
mod copy;
mod feed;
mod initrd;
mod kernel;
mod leak;
mod manifest;
mod member;
mod memory;
mod newc;
mod pack;
mod readers;
mod script;
mod staging;
mod walk;

pub use archive::{Archive, ArchivePath, Entry, Kind, Source};
pub use bundle::{Base, Recipe, build};
pub use codec::Codec;
pub use initrd::{Format, Segment, Unpacked, scan};
pub use kernel::Kernel;
pub use manifest::{FileFacts, INITRD, Input, KERNEL, MANIFEST, Manifest, SCRIPT, SUMS, Sha256Sum};
pub use memory::pack_in_memory;
pub use newc::Header;
pub use pack::{Packed, pack};
pub use walk::walk;
