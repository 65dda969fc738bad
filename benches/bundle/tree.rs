//! Generated trees that resemble the contents of a NixOS initrd. The same shares always give the same bytes.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Result;

/// The sizes of the parts of a tree, in megabytes.
pub(crate) struct Shares {
    /// Text files of 1 to 12 KB.
    pub(crate) text: usize,
    /// Programs and libraries of 30 KB to 24 MB.
    pub(crate) binaries: usize,
    /// One file that cannot be compressed, like a squashfs.
    pub(crate) squashfs: usize,
}

/// Writes a tree into the directory `root`.
pub(crate) fn make(root: &Path, shares: &Shares) -> Result<()> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    fs::create_dir_all(root)?;
    fs::write(root.join("init"), "#!/bin/sh\n")?;
    let mut left = shares.text * 1_000_000;
    for n in 0.. {
        let dir = root.join(format!("nix/store/{:016x}-text-{}/share/doc", random.next(), n));
        fs::create_dir_all(&dir)?;
        for file in 0..40 {
            let len = (1_000 + random.below(11_000)).min(left);
            fs::write(dir.join(format!("{file}.txt")), text(&mut random, len))?;
            left -= len;
            if left == 0 {
                break;
            }
        }
        if left == 0 {
            break;
        }
    }
    let mut left = shares.binaries * 1_000_000;
    let mut n = 0;
    while left > 0 {
        let dir = root.join(format!("nix/store/{:016x}-program-{n}/bin", random.next()));
        fs::create_dir_all(&dir)?;
        // Most programs are small, and most bytes are in the large ones.
        let len = (30_000 << random.below(8)) + random.below(20_000_000) / (1 + random.below(200));
        fs::write(dir.join("program"), binary(&mut random, len.min(left)))?;
        left -= len.min(left);
        n += 1;
    }
    let mut squashfs = BufWriter::new(File::create_new(root.join("nix-store.squashfs"))?);
    for _ in 0..shares.squashfs * 1_000_000 / 8 {
        squashfs.write_all(&random.next().to_le_bytes())?;
    }
    Ok(squashfs.flush()?)
}

/// Random words of a small vocabulary, in which the first words are the most frequent.
fn text(random: &mut Random, len: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(len + 20);
    while text.len() < len {
        let word = random.often(4_000);
        let mut letters = Random(word as u64 + 1);
        for _ in 0..2 + letters.below(8) {
            text.push(b'a' + letters.often(26) as u8);
        }
        text.push(if random.below(12) == 0 { b'\n' } else { b' ' });
    }
    text.truncate(len);
    text
}

/// Random sequences of instructions of a small set, in which the first ones are the most frequent; some have a number as
/// their operand.
fn binary(random: &mut Random, len: usize) -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    while bytes.len() < len {
        let instruction = random.often(2_500);
        let mut code = Random(instruction as u64 + 1);
        for _ in 0..1 + code.below(3) {
            let letters = code.next().to_le_bytes();
            bytes.extend_from_slice(&letters[..2 + code.below(6)]);
        }
        if random.below(8) == 0 {
            bytes.extend_from_slice(&(random.often(1 << 20) as u32).to_le_bytes());
        }
    }
    bytes.truncate(len);
    bytes
}

/// The random generator xorshift64 (Marsaglia 2003).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        (self.next() >> 16) as usize % end
    }

    /// A number below `end`, small numbers more often than large ones.
    fn often(&mut self, end: usize) -> usize {
        let unit = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        (unit * unit * unit * end as f64) as usize
    }
}
