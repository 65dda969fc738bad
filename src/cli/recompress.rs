//! The command that compresses an initrd again, so that the kernel unpacks it.

use std::path::Path;

use crate::image::{SegmentFormat, UnsupportedSegment};
use crate::model::quote_for_shell;

/// Adds to `error` the command that mends the initrd `path`, where a segment is the reason that the initrd is refused.
pub(super) fn explain(error: anyhow::Error, path: &Path) -> anyhow::Error {
    let help = error.chain().find_map(|cause| cause.downcast_ref()).map(|segment| mend(segment, path));
    match help {
        Some(help) => anyhow::anyhow!("{error:#}: {help}"),
        None => error,
    }
}

/// Prints what to run: the segments before `segment` stay as they are.
fn mend(segment: &UnsupportedSegment, path: &Path) -> String {
    let path = quote_for_shell(&path.display().to_string());
    let (unpack, pack) = match segment.format {
        // A plain archive is refused where it is read.
        SegmentFormat::Plain => return "pack it again with `cpio -o -H newc`".to_owned(),
        SegmentFormat::Gzip => ("gzip -dc", "gzip"),
        SegmentFormat::Zstd => ("zstd -dc --long=31", "zstd"),
        SegmentFormat::Xz => ("xz -dc", "xz --check=crc32"),
        SegmentFormat::Lz4 => ("lz4 -dc", "zstd"),
    };
    let command = match segment.offset {
        0 => format!("{unpack} < {path} | {pack} > new-initrd"),
        offset => {
            let first = offset + 1;
            format!("(head -c {offset} {path}; tail -c +{first} {path} | {unpack} | {pack}) > new-initrd")
        }
    };
    format!("compress it again, `{command}` where no other segment follows, and name new-initrd as --initrd")
}
