//! Reads the architecture and the version of a kernel image.
//!
//! x86: from the setup header of the Linux/x86 boot protocol (Documentation/arch/x86/boot.rst). ARM: from the header of
//! a flat `Image` (Documentation/arch/arm64/booting.rst). That header holds no version, so the image is searched for it.

use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::fs::open_input;
use crate::model::System;

/// How many bytes at the beginning of an image contain the header.
const HEADER_BYTES: usize = 0x1000;

/// The size of the largest kernel, in bytes: those with every driver and debugging aid have less than a tenth.
pub(super) const KERNEL_LIMIT: u64 = 1 << 30;

/// The text before the version in every kernel (`linux_banner` of init/version.c).
const BANNER: &[u8] = b"Linux version ";

/// The longest version in bytes (`__NEW_UTS_LEN` of linux/utsname.h).
const VERSION_BYTES: usize = 64;

/// The facts that a kernel image states about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// The architecture that the kernel runs on.
    pub system: System,
    /// The release, as `uname -r` prints it.
    pub version: String,
    /// The longest command line that the kernel takes, in bytes. Only x86 images say it.
    pub command_line: Option<u32>,
}

impl Kernel {
    /// Reads the headers of the image at `path`.
    ///
    /// # Errors
    /// When the file cannot be read, is not a kernel for 64-bit x86 or ARM, or has no version.
    pub fn read(path: &Path) -> Result<Self> {
        let mut file =
            open_input(path, KERNEL_LIMIT).with_context(|| format!("could not open {}", path.display()))?;
        read_image(&mut file).with_context(|| format!("{} cannot be booted", path.display()))
    }

    /// Whether the release comes before `major.minor`.
    pub(super) fn is_older_than(&self, major: u32, minor: u32) -> bool {
        let mut numbers =
            self.version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u32>().ok());
        match (numbers.next().flatten(), numbers.next().flatten()) {
            (Some(first), Some(second)) => (first, second) < (major, minor),
            _ => false,
        }
    }
}

fn read_image(file: &mut (impl Read + Seek)) -> Result<Kernel> {
    let mut header = Vec::with_capacity(HEADER_BYTES);
    file.take(HEADER_BYTES as u64).read_to_end(&mut header).context("it could not be read")?;
    if header.get(0x202..0x206) == Some(b"HdrS") {
        return read_x86(&header, file);
    }
    if header.get(0x38..0x3c) == Some(b"ARM\x64") {
        file.rewind().context("it could not be read")?;
        let version = find_version(file)?;
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
    bail!("it is not a kernel that iPXE starts: {what}")
}

fn read_x86(header: &[u8], file: &mut (impl Read + Seek)) -> Result<Kernel> {
    let number = |at: usize, len: usize| {
        let bytes = header.get(at..at + len).context("its header is cut off")?;
        anyhow::Ok(bytes.iter().rev().fold(0_u32, |value, byte| value << 8 | u32::from(*byte)))
    };
    ensure!(number(0x1fe, 2)? == 0xaa55, "its boot sector lacks the signature 0xaa55");
    let protocol = number(0x206, 2)?;
    ensure!(
        protocol >= 0x020c,
        "its boot protocol is {}.{:02}, and 64-bit kernels have 2.12 or newer",
        protocol >> 8,
        protocol & 0xff
    );
    ensure!(number(0x211, 1)? & 1 != 0, "it is a zImage, which is loaded below 1 MiB: take bzImage");
    // XLF_KERNEL_64
    ensure!(number(0x236, 2)? & 1 != 0, "it is a kernel for 32-bit x86");
    let at = u64::from(number(0x20e, 2)?) + 0x200;
    ensure!(at > 0x200, "it does not contain its version");
    file.seek(SeekFrom::Start(at)).context("it could not be read")?;
    let mut text = Vec::new();
    file.take(VERSION_BYTES as u64 * 4).read_to_end(&mut text).context("it could not be read")?;
    let command_line = Some(number(0x238, 4)?).filter(|bytes| *bytes > 0);
    Ok(Kernel { system: System::X86_64, version: parse_version(&text)?, command_line })
}

/// Parses the release at the beginning of `text`.
fn parse_version(text: &[u8]) -> Result<String> {
    let end = text.iter().position(|byte| matches!(byte, b' ' | 0)).context("its version has no end")?;
    let is_legal = |byte: &u8| byte.is_ascii_alphanumeric() || b"._+~-".contains(byte);
    ensure!(
        (1..=VERSION_BYTES).contains(&end) && text[..end].iter().all(is_legal),
        "the text in the place of its version is not a version"
    );
    Ok(String::from_utf8_lossy(&text[..end]).into_owned())
}

/// Searches an image for its first banner, and parses the version after it.
fn find_version(file: &mut impl Read) -> Result<String> {
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut window = Vec::with_capacity(2 << 20);
    loop {
        let read = reader.by_ref().take(1 << 20).read_to_end(&mut window).context("it could not be read")?;
        let found = window.windows(BANNER.len()).position(|bytes| bytes == BANNER);
        if let Some(at) = found
            && (window.len() > at + BANNER.len() + VERSION_BYTES || read == 0)
        {
            return parse_version(&window[at + BANNER.len()..]);
        }
        ensure!(read > 0, "it does not contain its version: is it compressed?");
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
    fn the_version_is_found_on_both_architectures() {
        let kernel = read_image(&mut Cursor::new(bzimage())).unwrap();
        assert_eq!((kernel.system, kernel.version.as_str()), (System::X86_64, "6.1.0-40-cloud-amd64"));
        assert_eq!(kernel.command_line, Some(2047));
        // Also when the banner lies across two blocks that are read at once.
        for at in [0x100, (1 << 20) - 20, (1 << 20) - 5, 1 << 20, (2 << 20) - 1] {
            let kernel = read_image(&mut Cursor::new(arm(at))).unwrap();
            assert_eq!((kernel.system, kernel.version.as_str()), (System::Aarch64, "6.6.1"), "{at}");
        }
    }

    #[test]
    fn what_does_not_boot_is_refused_with_the_reason() {
        let with = |at: usize, byte: u8| {
            let mut image = bzimage();
            image[at] = byte;
            read_image(&mut Cursor::new(image)).unwrap_err().to_string()
        };
        assert!(with(0x202, b'X').contains("HdrS"));
        assert!(with(0x206, 0x0b).contains("boot protocol is 2.11"));
        assert!(with(0x236, 0).contains("32-bit"));
        assert!(with(0x211, 0).contains("zImage"));
        assert!(with(0x1200, b'\n').contains("version"));
        for (bytes, why) in
            [(&b"\x1f\x8b\x08"[..], "HdrS"), (b"\x1f\x8b\x08\0\0\0\0\0", "gzip"), (b"", "HdrS")]
        {
            let error = read_image(&mut Cursor::new(bytes)).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        for cut in (0..0x1220).step_by(7) {
            // A missing part is an error, never a panic.
            let _ = read_image(&mut Cursor::new(&bzimage()[..cut]));
        }
        assert!(read_image(&mut Cursor::new(&arm(0x100)[..0x105])).is_err());
    }
}
