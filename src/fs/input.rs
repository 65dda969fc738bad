//! Files that somebody else may have made: opened without waiting, and read into memory up to a limit.
//!
//! The opener of a FIFO waits until somebody writes into the FIFO, a device may never end, and a sparse file of a terabyte
//! costs its author nothing. So an input is a regular file of a limited size. The one exception is a pipe without a name,
//! such as standard input and a shell's `<(command)`: only the caller of plasmagen can have made that pipe.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, fcntl_getfl, fcntl_setfl, fstat, fstatfs};
use rustix::io::Errno;

/// The largest text that a person or a small program writes: a file of keys, a certificate, a publication, in bytes.
pub(crate) const TEXT_LIMIT: u64 = 1 << 20;

/// The largest list of files, in bytes: that of a million files.
pub(crate) const LIST_LIMIT: u64 = 256 << 20;

/// How an input is opened. Without `O_NONBLOCK` a FIFO would hold the opener for ever; without `O_NOCTTY` a terminal could
/// become the one that controls the process.
pub(super) const INPUT: OFlags =
    OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// The type of the file system of pipes without a name (`PIPEFS_MAGIC` of linux/magic.h).
const PIPEFS: i64 = 0x5049_5045;

/// Opens the file `path` that a user named, of at most `limit` bytes; symbolic links are followed.
///
/// # Errors
/// When the file cannot be opened, is not a regular file, or is larger.
pub(crate) fn open_input(path: &Path, limit: u64) -> io::Result<File> {
    let file = File::from(rustix::fs::open(path, INPUT, Mode::empty())?);
    if is_unnamed_pipe(&file)? {
        fcntl_setfl(&file, fcntl_getfl(&file)? - OFlags::NONBLOCK)?;
        return Ok(file);
    }
    check_input(&file, limit)?;
    Ok(file)
}

/// Reads the file `path` that a user named, of at most `limit` bytes; symbolic links are followed.
///
/// # Errors
/// As for [`open_input`], and when a read fails.
pub(crate) fn read_input(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    read_to_limit(open_input(path, limit)?, limit)
}

/// Reads the text `path` that a user named, of at most `limit` bytes; symbolic links are followed.
///
/// # Errors
/// As for [`read_input`], and when the file is not UTF-8.
pub(crate) fn read_input_text(path: &Path, limit: u64) -> io::Result<String> {
    to_text(read_input(path, limit)?)
}

/// Refuses an open file that is not a regular file, or that is larger than `limit` bytes.
pub(super) fn check_input(file: &File, limit: u64) -> io::Result<()> {
    let stat = fstat(file)?;
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {
            let size = u64::try_from(stat.st_size).unwrap_or_default();
            return if size > limit { Err(too_large(limit)) } else { Ok(()) };
        }
        FileType::Directory => return Err(Errno::ISDIR.into()),
        FileType::Fifo => "a pipe",
        FileType::Socket => "a socket",
        _ => "a device",
    };
    Err(io::Error::other(format!("it is {kind}, no regular file")))
}

/// Reads `file` to its end, which comes after `limit` bytes at the latest.
pub(super) fn read_to_limit(file: File, limit: u64) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    // A file may have grown since its size was looked at, and a pipe has no size.
    file.take(limit + 1).read_to_end(&mut body)?;
    if body.len() as u64 > limit { Err(too_large(limit)) } else { Ok(body) }
}

/// Bytes as text.
pub(super) fn to_text(body: Vec<u8>) -> io::Result<String> {
    String::from_utf8(body).map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not UTF-8 text"))
}

fn is_unnamed_pipe(file: &File) -> io::Result<bool> {
    let is_pipe = FileType::from_raw_mode(fstat(file)?.st_mode) == FileType::Fifo;
    Ok(is_pipe && fstatfs(file)?.f_type == PIPEFS)
}

fn too_large(limit: u64) -> io::Error {
    let message = format!("it is too large: such a file has at most {limit} bytes");
    io::Error::new(ErrorKind::FileTooLarge, message)
}
