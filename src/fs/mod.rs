//! The ground floor: the only room that changes a disk, and the SHA-256 of files.
//!
//! ```text
//! sha256    the SHA-256 type, and hashers for bytes that pass by
//! stream    one pass over a file: read, hashed, and copied where a copy is wanted
//! dir       a directory by its descriptor: its files and directories, opened and listed
//! input     files that somebody else may have made: opened and read, regular files of a limited size only
//! change    files, directories and links in such a directory: made, replaced, removed, made durable
//! edited    a file that a person wrote, replaced by an edited version
//! rename    moves and exchanges between two directories, and why the kernel refuses one
//! lock      flock(2): lock files that name their holder, and locks that wait
//! paths     directories and files that are made by path, because no directory is open yet
//! ancestors the directories above a path: whether another user could exchange what lies there
//! ```
//!
//! A directory is opened once, by the path that the user named. Everything below it is reached by descriptor and without
//! following a symbolic link, so that nobody can lead a write elsewhere while plasmagen runs.
//!
//! `.clippy.toml` refuses the writing calls of `std::fs` and `rustix::fs` in every other room but `lab`, which fills a
//! scratch directory.

#![allow(clippy::disallowed_methods, reason = "this is the room that changes disks")]

mod ancestors;
mod batch;
mod change;
mod dir;
mod edited;
mod input;
mod lock;
mod paths;
mod rename;
mod sha256;
mod stream;

pub use lock::Held;
pub use sha256::{FileFacts, Sha256Sum};

pub(crate) use ancestors::{check_ancestors, is_trusted_owner};
pub(crate) use change::{DIR_MODE, file_mode, sync_file};
pub(crate) use dir::{Dir, kind_of, parents, split};
pub(crate) use edited::replace_edited;
pub(crate) use input::{LIST_LIMIT, TEXT_LIMIT, open_input, read_input, read_input_text};
pub(crate) use lock::{FileLock, LockedDir, LockedFile, STATE};
pub(crate) use paths::{create_all, make_dirs, make_private_dirs, remove_empty_dir};
pub(crate) use rename::explain_refusal;
pub(crate) use rustix::fs::{FileType, Stat};
pub(crate) use rustix::io::Errno;
pub(crate) use sha256::{Hasher, HashingWriter};
pub use stream::Progress;
pub(crate) use stream::copy;
