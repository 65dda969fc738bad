//! A kernel image: what it is for, and which version it says it is.
//!
//! x86: the setup header of the Linux/x86 boot protocol (Documentation/arch/x86/boot.rst). ARM: the header of a flat
//! `Image` (Documentation/arch/arm64/booting.rst), which holds no version: that is searched for in the image.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::model::System;

/// As much of an image as its header is found in.
const HEADER: usize = 0x1000;

/// What precedes the version in every kernel (`linux_banner` of init/version.c).
const BANNER: &[u8] = b"Linux version ";

/// The longest version (`__NEW_UTS_LEN` of linux/utsname.h).
const VERSION_BYTES: usize = 64;

/// A kernel image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// The machines that it runs on.
    pub system: System,
    /// Its release, as `uname -r` would print it.
    pub version: String,
    /// The longest command line that it takes, in bytes, where the image says so.
    pub command_line: Option<u32>,
}

impl Kernel {
    /// Reads the headers of the image at `path`.
    ///
    /// # Errors
    /// When it cannot be read, is no kernel for 64-bit x86 or ARM, or does not tell its version.
    pub fn read(path: &Path) -> Result<Self> {
        let mut file = File::open(path).with_context(|| format!("could not open {}", path.display()))?;
        read(&mut file).with_context(|| format!("{} cannot be booted", path.display()))
    }
}

fn read(file: &mut (impl Read + Seek)) -> Result<Kernel> {
    let mut header = Vec::with_capacity(HEADER);
    file.take(HEADER as u64).read_to_end(&mut header).context("it could not be read")?;
    if header.get(0x202..0x206) == Some(b"HdrS") {
        return x86(&header, file);
    }
    if header.get(0x38..0x3c) == Some(b"ARM\x64") {
        file.rewind().context("it could not be read")?;
        let version = search(file)?;
        return Ok(Kernel { system: System::Aarch64, version, command_line: None });
    }
    let what = match header.get(..8) {
        Some(b) if b.starts_with(b"\x1f\x8b") => "it is compressed by gzip: unpack it first",
        Some(b) if b.starts_with(b"MZ") && b.ends_with(b"zimg") => {
            "it unpacks itself (EFI zboot): take the plain Image"
        }
        Some(b) if b.starts_with(b"\x7fELF") => "it is an ELF file: take bzImage, not vmlinux",
        _ => "it has neither the `HdrS` of a bzImage nor the `ARM\\x64` of an Image",
    };
    bail!("it is no kernel that iPXE starts: {what}")
}

fn x86(header: &[u8], file: &mut (impl Read + Seek)) -> Result<Kernel> {
    let number = |at: usize, len: usize| {
        let bytes = header.get(at..at + len).context("its header is cut off")?;
        anyhow::Ok(bytes.iter().rev().fold(0_u32, |value, byte| value << 8 | u32::from(*byte)))
    };
    ensure!(number(0x1fe, 2)? == 0xaa55, "its boot sector lacks the mark 0xaa55");
    let protocol = number(0x206, 2)?;
    ensure!(
        protocol >= 0x020c,
        "its boot protocol is {}.{:02}, and 64-bit kernels speak 2.12 or newer",
        protocol >> 8,
        protocol & 0xff
    );
    ensure!(number(0x211, 1)? & 1 != 0, "it is a zImage, which is loaded below 1 MiB: take bzImage");
    // XLF_KERNEL_64
    ensure!(number(0x236, 2)? & 1 != 0, "it is a kernel for 32-bit x86");
    let at = u64::from(number(0x20e, 2)?) + 0x200;
    ensure!(at > 0x200, "it does not tell its version");
    file.seek(SeekFrom::Start(at)).context("it could not be read")?;
    let mut text = Vec::new();
    file.take(VERSION_BYTES as u64 * 4).read_to_end(&mut text).context("it could not be read")?;
    let command_line = Some(number(0x238, 4)?).filter(|bytes| *bytes > 0);
    Ok(Kernel { system: System::X86_64, version: version(&text)?, command_line })
}

/// The release at the beginning of `text`.
fn version(text: &[u8]) -> Result<String> {
    let end = text.iter().position(|byte| matches!(byte, b' ' | 0)).context("its version never ends")?;
    let legal = |byte: &u8| byte.is_ascii_alphanumeric() || b"._+~-".contains(byte);
    ensure!(
        (1..=VERSION_BYTES).contains(&end) && text[..end].iter().all(legal),
        "what it has in the place of its version is none"
    );
    Ok(String::from_utf8_lossy(&text[..end]).into_owned())
}

/// The version behind the first banner of an image.
fn search(file: &mut impl Read) -> Result<String> {
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut window = Vec::with_capacity(2 << 20);
    loop {
        let read = reader.by_ref().take(1 << 20).read_to_end(&mut window).context("it could not be read")?;
        let found = window.windows(BANNER.len()).position(|bytes| bytes == BANNER);
        if let Some(at) = found
            && (window.len() > at + BANNER.len() + VERSION_BYTES || read == 0)
        {
            return version(&window[at + BANNER.len()..]);
        }
        ensure!(read > 0, "it does not tell its version: is it compressed?");
        if found.is_none() {
            window.drain(..window.len().saturating_sub(BANNER.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn bzimage() -> Vec<u8> {
        let mut image = vec![0; 0x2000];
        image[0x1fe..0x200].copy_from_slice(&[0x55, 0xaa]);
        image[0x202..0x206].copy_from_slice(b"HdrS");
        image[0x206..0x208].copy_from_slice(&[0x0f, 0x02]);
        image[0x20e..0x210].copy_from_slice(&[0x00, 0x10]);
        image[0x211] = 1;
        image[0x236] = 1;
        image[0x238..0x23c].copy_from_slice(&2047_u32.to_le_bytes());
        image[0x1200..0x1217].copy_from_slice(b"6.1.0-40-cloud-amd64 (x");
        image
    }

    fn arm(banner_at: usize) -> Vec<u8> {
        let mut image = vec![0; banner_at];
        image.extend_from_slice(b"Linux version 6.6.1 (builder)");
        image[0x38..0x3c].copy_from_slice(b"ARM\x64");
        image
    }

    #[test]
    fn both_architectures_tell_their_version() {
        let kernel = read(&mut Cursor::new(bzimage())).unwrap();
        assert_eq!((kernel.system, kernel.version.as_str()), (System::X86_64, "6.1.0-40-cloud-amd64"));
        assert_eq!(kernel.command_line, Some(2047));
        // Also where the banner lies across what is read at once.
        for at in [0x100, (1 << 20) - 20, (1 << 20) - 5, 1 << 20, (2 << 20) - 1] {
            let kernel = read(&mut Cursor::new(arm(at))).unwrap();
            assert_eq!((kernel.system, kernel.version.as_str()), (System::Aarch64, "6.6.1"), "{at}");
        }
    }

    #[test]
    fn what_does_not_boot_is_refused_with_the_reason() {
        let with = |at: usize, byte: u8| {
            let mut image = bzimage();
            image[at] = byte;
            read(&mut Cursor::new(image)).unwrap_err().to_string()
        };
        assert!(with(0x202, b'X').contains("HdrS"));
        assert!(with(0x206, 0x0b).contains("boot protocol is 2.11"));
        assert!(with(0x236, 0).contains("32-bit"));
        assert!(with(0x211, 0).contains("zImage"));
        assert!(with(0x1200, b'\n').contains("version"));
        for (bytes, why) in
            [(&b"\x1f\x8b\x08"[..], "HdrS"), (b"\x1f\x8b\x08\0\0\0\0\0", "gzip"), (b"", "HdrS")]
        {
            let error = read(&mut Cursor::new(bytes)).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        for cut in (0..0x1220).step_by(7) {
            // Nothing panics, whatever is missing.
            let _ = read(&mut Cursor::new(&bzimage()[..cut]));
        }
        assert!(read(&mut Cursor::new(&arm(0x100)[..0x105])).is_err());
    }
}
