//! The formats of the segments that an initrd consists of.

use super::newc;

/// The compression of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SegmentFormat {
    /// A newc archive without compression.
    Plain,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
    /// xz.
    Xz,
    /// lz4 in its legacy format, the only one that the kernel reads.
    Lz4,
}

impl SegmentFormat {
    /// The name of the format, as in `manifest.json`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "newc",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Lz4 => "lz4",
        }
    }

    /// Finds the format of a segment by its first bytes.
    pub(super) fn detect(start: &[u8]) -> Option<Self> {
        let magic_numbers: [(&[u8], Self); 6] = [
            (newc::MAGIC[0], Self::Plain),
            (newc::MAGIC[1], Self::Plain),
            (&[0x1f, 0x8b], Self::Gzip),
            (&[0x28, 0xb5, 0x2f, 0xfd], Self::Zstd),
            (&[0xfd, b'7', b'z', b'X', b'Z', 0], Self::Xz),
            (&[0x02, 0x21, 0x4c, 0x18], Self::Lz4),
        ];
        magic_numbers.into_iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, format)| format)
    }
}
