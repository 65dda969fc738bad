//! Reads newc archives (cpio(5)) as the kernel does: entry by entry, from any source, without trust in the input.

use std::io::{self, BufRead, Read};

use anyhow::{Context, Result, bail, ensure};

/// The magic numbers of newc archives: without and with checksums.
pub(super) const MAGIC: [&[u8]; 2] = [b"070701", WITH_CHECKSUMS];

/// The magic number of archives with checksums.
const WITH_CHECKSUMS: &[u8] = b"070702";

/// The path of the last entry of every newc archive, which marks the archive's end.
pub(super) const TRAILER: &str = "TRAILER!!!";

/// The size of a header in bytes: the magic number and thirteen fields of eight hexadecimal digits.
const HEADER_BYTES: usize = 6 + 13 * 8;

/// The longest path in bytes, with the final NUL (`PATH_MAX` of linux/limits.h). The kernel skips entries with longer
/// paths.
const PATH_BYTES: u32 = 4096;

/// The file type bits of [`CpioHeader::mode`], and their values for a regular file and a symbolic link (inode(7)).
const TYPE_BITS: u32 = 0o170_000;
const REGULAR_FILE: u32 = 0o100_000;
const SYMBOLIC_LINK: u32 = 0o120_000;

/// The context of errors of the source or of the decompressor.
pub(super) const UNREADABLE: &str = "it cannot be unpacked";

/// The header of a cpio entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpioHeader {
    /// The path, of any bytes but NUL.
    pub path: Vec<u8>,
    /// The file type and the permissions (inode(7)).
    pub mode: u32,
    /// The size of the content that follows, in bytes.
    pub size: u32,
}

impl CpioHeader {
    /// Whether the entry is a regular file.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.mode & TYPE_BITS == REGULAR_FILE
    }
}

/// Reads entries from `input` until the input ends or continues with something else, and calls `visit` with each header
/// and content. What `visit` does not read of a content is skipped. Returns the number of entries, trailers excluded.
///
/// # Errors
/// When an entry is cut off or has no valid header, or when `visit` fails.
pub(super) fn read_entries(
    input: &mut dyn BufRead,
    visit: &mut dyn FnMut(&CpioHeader, &mut dyn Read) -> Result<()>,
) -> Result<usize> {
    let mut count = 0;
    loop {
        let next = input.fill_buf().context(UNREADABLE)?;
        if next.first() != Some(&b'0') {
            return Ok(count);
        }
        let header = read_header(input)?;
        let size = u64::from(header.size);
        let mut content = input.take(size);
        if header.path != TRAILER.as_bytes() {
            visit(&header, &mut content)?;
            count += 1;
        }
        io::copy(&mut content, &mut io::sink()).context(UNREADABLE)?;
        ensure!(content.limit() == 0, "`{}` is cut off", header.path.escape_ascii());
        skip_padding(input, size)?;
    }
}

fn read_header(input: &mut dyn BufRead) -> Result<CpioHeader> {
    let mut raw = [0; HEADER_BYTES];
    input.read_exact(&mut raw).context("a header is cut off")?;
    let (magic, fields) = raw.split_at(6);
    if magic == WITH_CHECKSUMS {
        bail!(
            "it has checksums (the format `crc`), which kernels before 5.19 do not unpack: make it again with \
             `cpio -o -H newc`"
        );
    }
    if !MAGIC.contains(&magic) {
        bail!(
            "`{}` stands where an entry should begin: only cpio archives of the newc format are unpacked",
            magic.escape_ascii()
        );
    }
    let field = |index: usize| {
        let digits = std::str::from_utf8(&fields[index * 8..][..8]).ok();
        // `from_str_radix` would take a sign.
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        number.context("a header field is not a hexadecimal number")
    };
    let (mode, size, length) = (field(1)?, field(6)?, field(11)?);
    ensure!(
        (1..=PATH_BYTES).contains(&length),
        "a path has {length} bytes with its final NUL, and the kernel takes 1 to {PATH_BYTES}"
    );
    ensure!(
        mode & TYPE_BITS != SYMBOLIC_LINK || size <= PATH_BYTES,
        "a symbolic link has a target of {size} bytes, and the kernel leaves out targets of more than {PATH_BYTES}"
    );
    let mut path = vec![0; length as usize];
    input.read_exact(&mut path).context("a path is cut off")?;
    skip_padding(input, HEADER_BYTES as u64 + u64::from(length))?;
    let end = path.iter().position(|byte| *byte == 0).context("a path does not end with a NUL")?;
    path.truncate(end);
    Ok(CpioHeader { path, mode, size })
}

/// Skips the padding after `bytes` bytes, which the format aligns to four. At the end of an archive it may be missing.
fn skip_padding(input: &mut dyn BufRead, bytes: u64) -> Result<()> {
    io::copy(&mut input.take(bytes.wrapping_neg() % 4), &mut io::sink()).context(UNREADABLE)?;
    Ok(())
}
