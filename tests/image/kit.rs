//! Trees to pack, and what the tests do with them.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use plasmagen::image::{Archive, Codec, PackedArchive, pack};

/// Every compression.
pub(crate) const CODECS: [Codec; 3] = [Codec::Plain, Codec::Gzip(6), Codec::Zstd(3)];

/// Makes a tree that has everything but devices, which only root can make.
pub(crate) fn tree(root: &Path) {
    for dir in ["bin", "etc/ssh", "lib/modules", "empty"] {
        fs::create_dir_all(root.join(dir)).unwrap();
    }
    fs::write(root.join("bin/tool"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(root.join("bin/tool"), Permissions::from_mode(0o4755)).unwrap();
    fs::hard_link(root.join("bin/tool"), root.join("bin/a-tool")).unwrap();
    fs::hard_link(root.join("bin/tool"), root.join("lib/tool")).unwrap();
    symlink("tool", root.join("bin/link")).unwrap();
    fs::write(root.join("etc/hostname"), "node01\n").unwrap();
    fs::write(root.join("etc/ssh/none"), "").unwrap();
    fs::set_permissions(root.join("etc/ssh"), Permissions::from_mode(0o700)).unwrap();
    fs::write(root.join("etc/ünïcode name"), "x").unwrap();
    // One that is streamed and compresses, one that is streamed and does not, and enough for several segments.
    fs::write(root.join("lib/zeros"), vec![0; (17 << 20) + 1]).unwrap();
    fs::write(root.join("lib/noise"), noise((16 << 20) + 3)).unwrap();
    for n in 0..9 {
        fs::write(root.join(format!("lib/modules/{n}")), noise(1_000_001 + n)).unwrap();
    }
}

/// Bytes that no compressor shrinks, always the same (xorshift64, Marsaglia 2003).
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ len as u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// `archive` packed into memory.
pub(crate) fn packed(archive: &Archive, codec: Codec) -> (Vec<u8>, PackedArchive) {
    let mut out = Vec::new();
    let packed = pack(archive, codec, &mut out, &|_| {}).unwrap();
    (out, packed)
}
