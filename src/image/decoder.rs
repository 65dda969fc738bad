//! The limits of the kernel's decoders, which read less than the libraries that read initrds here: from the sources
//! `lib/decompress_*.c`, `lib/xz/` and `init/initramfs.c` of Linux.

use super::format::SegmentFormat;

/// The largest window of a zstd frame in bytes (`lib/decompress_unzstd.c`).
const ZSTD_WINDOW: u64 = 128 << 20;

/// The flags of a gzip header that the kernel does not read past: CRC of the header, extra field, comment (RFC 1952
/// section 2.3.1). `lib/decompress_inflate.c` skips a file name only.
const GZIP_UNREAD: [(u8, &str); 3] = [
    (0x02, "a checksum of its header"),
    (0x04, "an extra field (as bgzip and dictzip write)"),
    (0x10, "a comment in its header"),
];

/// The identifiers of the xz filters that rewrite the branches of machine code, as far as all kernels undo them: those of
/// x86, PowerPC, Itanium, ARM, ARM Thumb and SPARC. The filters of 64-bit ARM and RISC-V are read from Linux 6.12 on.
const XZ_BRANCH_FILTERS: std::ops::RangeInclusive<u8> = 0x04..=0x09;

/// The identifier of the xz filter LZMA2.
const XZ_LZMA2: u8 = 0x21;

/// Finds what the kernel's decoder refuses in a segment of `format` whose first bytes are `start`, in words that follow
/// "has". Damage is left to the decoders.
pub(super) fn find_unsupported(format: SegmentFormat, start: &[u8]) -> Option<String> {
    match format {
        SegmentFormat::Gzip => {
            let flags = *start.get(3)?;
            GZIP_UNREAD.iter().find(|(flag, _)| flags & flag != 0).map(|(_, what)| (*what).to_owned())
        }
        SegmentFormat::Zstd => find_unsupported_zstd(start),
        SegmentFormat::Xz => find_unsupported_xz(start),
        SegmentFormat::Plain | SegmentFormat::Lz4 => None,
    }
}

/// Looks at the header of a zstd frame (RFC 8878 section 3.1.1.1).
fn find_unsupported_zstd(start: &[u8]) -> Option<String> {
    let descriptor = *start.get(4)?;
    let is_single = descriptor & 0x20 != 0;
    let dictionary_bytes = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let dictionary_at = if is_single { 5 } else { 6 };
    let dictionary = start.get(dictionary_at..dictionary_at + dictionary_bytes)?;
    if dictionary.iter().any(|byte| *byte != 0) {
        return Some("a dictionary, which the kernel does not have".to_owned());
    }
    let window = if is_single {
        // The window is the whole content.
        let size_at = dictionary_at + dictionary_bytes;
        match descriptor >> 6 {
            3 => u64::from_le_bytes(start.get(size_at..size_at + 8)?.try_into().ok()?),
            2 => u32::from_le_bytes(start.get(size_at..size_at + 4)?.try_into().ok()?).into(),
            _ => return None,
        }
    } else {
        let byte = u64::from(*start.get(5)?);
        let base = 1_u64 << (10 + (byte >> 3));
        base + base / 8 * (byte & 7)
    };
    (window > ZSTD_WINDOW)
        .then(|| format!("a window of {} MiB, and the kernel takes 128 MiB at most", window >> 20))
}

/// Looks at the header of an xz stream and of its first block (The .xz File Format, sections 2.1.1 and 3.1). xz writes
/// the same filters into all blocks.
fn find_unsupported_xz(start: &[u8]) -> Option<String> {
    let check = start.get(7)? & 0x0f;
    if check > 1 {
        let name = match check {
            4 => "CRC64".to_owned(),
            10 => "SHA-256".to_owned(),
            other => format!("type {other}"),
        };
        return Some(format!("an integrity check of {name}, and the kernel knows CRC32 only"));
    }
    let header_bytes = (usize::from(*start.get(12)?) + 1) * 4;
    let header = start.get(12..12 + header_bytes).filter(|_| start[12] != 0)?;
    let flags = *header.get(1)?;
    let mut rest = header.get(2..)?;
    for size_flag in [0x40, 0x80] {
        if flags & size_flag != 0 {
            let number_bytes = rest.iter().position(|byte| byte & 0x80 == 0)? + 1;
            rest = rest.get(number_bytes..)?;
        }
    }
    let filter_count = (flags & 3) + 1;
    let (first, properties) = (*rest.first()?, *rest.get(1)?);
    let is_read = match filter_count {
        1 => first == XZ_LZMA2,
        2 => XZ_BRANCH_FILTERS.contains(&first) && properties == 0 && *rest.get(2)? == XZ_LZMA2,
        _ => false,
    };
    (!is_read).then(|| "filters that not every kernel undoes".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_is_cut_off_is_left_to_the_decoder() {
        let frames: [(SegmentFormat, &[u8]); 3] = [
            (SegmentFormat::Gzip, b"\x1f\x8b\x08"),
            (SegmentFormat::Zstd, b"\x28\xb5\x2f\xfd\xe3"),
            (SegmentFormat::Xz, b"\xfd7zXZ\0\0\x01...."),
        ];
        for (format, start) in frames {
            for length in 0..=start.len() {
                assert_eq!(find_unsupported(format, &start[..length]), None);
            }
        }
    }

    /// Frames that would take gigabytes to make: a header is enough.
    #[test]
    fn a_window_of_more_than_128_mib_is_unsupported() {
        let frame =
            |bytes: &[u8]| find_unsupported(SegmentFormat::Zstd, &[b"\x28\xb5\x2f\xfd", bytes].concat());
        assert_eq!(frame(&[0x00, 17 << 3]), None);
        assert!(frame(&[0x00, 17 << 3 | 1]).is_some_and(|what| what.contains("144 MiB")));
        assert_eq!(frame(&[0xa0, 0, 0, 0, 8]), None);
        assert!(frame(&[0xa0, 1, 0, 0, 16]).is_some_and(|what| what.contains("256 MiB")));
        assert!(frame(&[0x01, 0x38, 7]).is_some_and(|what| what.contains("dictionary")));
    }
}
