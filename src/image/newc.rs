//! Reads newc archives (cpio(5)) as the kernel does: entry by entry, from any source, believing nothing.

use std::io::{self, BufRead, Read};

use anyhow::{Context, Result, bail, ensure};

/// The magic numbers: without and with checksums.
pub(super) const MAGIC: [&[u8]; 2] = [b"070701", b"070702"];

/// How long a header is: the magic number and thirteen fields of eight hexadecimal digits.
const HEADER: usize = 6 + 13 * 8;

/// The longest name, its NUL included (`PATH_MAX` of linux/limits.h): the kernel skips what is longer.
const NAME_BYTES: u32 = 4096;

/// An entry as an archive has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its path, of any bytes but NUL.
    pub name: Vec<u8>,
    /// Its type and permissions (inode(7)).
    pub mode: u32,
    /// How many bytes of content follow.
    pub size: u32,
}

/// Reads entries from `input` until it ends or goes on with something else, and calls `visit` with each; what `visit`
/// leaves of a content is skipped. The count of entries, ends of archives aside.
///
/// # Errors
/// When an entry is cut off or is none, or `visit` fails.
pub(super) fn entries(
    input: &mut dyn BufRead,
    visit: &mut dyn FnMut(&Header, &mut dyn Read) -> Result<()>,
) -> Result<usize> {
    let mut count = 0;
    loop {
        let next = input.fill_buf().context("it cannot be unpacked")?;
        match next.first() {
            Some(b'0') => {}
            _ => return Ok(count),
        }
        let header = header(input)?;
        let size = u64::from(header.size);
        let mut content = input.take(size);
        if header.name != b"TRAILER!!!" {
            visit(&header, &mut content)?;
            count += 1;
        }
        io::copy(&mut content, &mut io::sink()).context("it cannot be unpacked")?;
        ensure!(content.limit() == 0, "`{}` is cut off", header.name.escape_ascii());
        let padding = size.wrapping_neg() % 4;
        skip(input, padding)?;
    }
}

fn header(input: &mut dyn BufRead) -> Result<Header> {
    let mut raw = [0; HEADER];
    input.read_exact(&mut raw).context("a header is cut off")?;
    let (magic, fields) = raw.split_at(6);
    if !MAGIC.contains(&magic) {
        bail!(
            "`{}` stands where an entry should begin: only cpio archives of the newc form are unpacked",
            magic.escape_ascii()
        );
    }
    let field = |index: usize| {
        let digits = std::str::from_utf8(&fields[index * 8..][..8]).ok();
        // `from_str_radix` would take a sign.
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).context("a header holds no numbers")
    };
    let (mode, size, length) = (field(1)?, field(6)?, field(11)?);
    ensure!(
        (1..=NAME_BYTES).contains(&length),
        "a name has {length} bytes, and the kernel takes {NAME_BYTES}"
    );
    let mut name = vec![0; length as usize];
    input.read_exact(&mut name).context("a name is cut off")?;
    skip(input, (HEADER as u64 + u64::from(length)).wrapping_neg() % 4)?;
    let end = name.iter().position(|byte| *byte == 0).context("a name has no end")?;
    name.truncate(end);
    Ok(Header { name, mode, size })
}

/// Skips what fills up to four bytes; at the very end of an archive it may be missing.
fn skip(input: &mut dyn BufRead, bytes: u64) -> Result<()> {
    io::copy(&mut input.take(bytes), &mut io::sink()).context("it cannot be unpacked")?;
    Ok(())
}
