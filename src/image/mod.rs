//! Netboot images: archives of files, packed into initrds, and bundles of kernel, initrd and script.
//!
//! From the ground floor up; a file uses only files above it in this list:
//!
//! ```text
//! newc           reads newc archives (cpio(5))
//! entry          the entries of an archive: paths, types, contents
//! archive        the entries of an initrd by path; collisions are refused
//! directory      makes an archive from a directory on disk
//! cpio_entry     writes an entry as bytes of a newc archive
//! format         the compression formats of an initrd's segments
//! codec          compresses segments: gzip, zstd or plain
//! secret_scan    refuses private keys in files that will be served
//! reader         reads the files of an archive, in pieces
//! pack           packs an archive into segments, on all cores
//! memory         packs small archives in memory, on one thread
//! lookahead, digest_reader, lz4    the readers that an initrd is read through
//! decoder        the limits of the kernel's decoders
//! initrd         reads an initrd from any source
//! kernel         reads architecture and version of a kernel image
//! manifest       manifest.json of a bundle, and its id
//! copy           copies inputs while they are read
//! recipe         inputs and options of a bundle
//! assemble       writes a bundle's initrd
//! script         renders a bundle's boot.ipxe
//! staging        the directory in which a bundle is made
//! bundle         makes a bundle
//! ```
//!
//! Nothing in this room prints. A file is read once, and only small files are held in memory.

mod archive;
mod assemble;
mod bundle;
mod codec;
mod copy;
mod cpio_entry;
mod decoder;
mod digest_reader;
mod directory;
mod entry;
mod format;
mod initrd;
mod kernel;
mod lookahead;
mod lz4;
mod manifest;
mod memory;
mod newc;
mod pack;
mod reader;
mod recipe;
mod script;
mod secret_scan;
mod staging;

pub use archive::Archive;
pub use bundle::{BuiltBundle, build_bundle};
pub use codec::Codec;
pub use directory::read_directory;
pub use entry::{ArchiveEntry, ArchivePath, EntryKind, FileContent, LostAttribute, Owner};
pub use format::SegmentFormat;
pub use initrd::{InitrdSummary, Segment, UnsupportedSegment, read_initrd};
pub use kernel::Kernel;
pub use manifest::{BundleManifest, INITRD, Input, KERNEL, MANIFEST, SCRIPT, SUMS};
pub use memory::pack_in_memory;
pub use newc::CpioHeader;
pub use pack::{PackedArchive, pack};
pub use recipe::{InitrdSource, Recipe};
pub use secret_scan::InitrdKey;
