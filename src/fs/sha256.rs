//! SHA-256 (FIPS 180-4): the one type of a digest, and the hashers that make one of bytes that pass by.

use std::fmt;
use std::io::{self, Write};

use anyhow::{Result, ensure};
use ring::digest::{self, SHA256};
use serde::{Deserialize, Serialize};

/// A SHA-256 digest, printed and read as 64 hexadecimal digits in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Sha256Sum(pub [u8; 32]);

impl Sha256Sum {
    /// Hashes `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_digest(digest::digest(&SHA256, bytes))
    }

    /// The sum in a SHA-256 digest of ring's; zeros for a digest of another length, which no caller makes.
    fn from_digest(digest: digest::Digest) -> Self {
        Self(digest.as_ref().try_into().unwrap_or_default())
    }
}

impl fmt::Display for Sha256Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut hex = [0; 64];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(self.0) {
            pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
            pair[1] = b"0123456789abcdef"[usize::from(byte & 15)];
        }
        f.write_str(std::str::from_utf8(&hex).unwrap_or_default())
    }
}

impl Serialize for Sha256Sum {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl TryFrom<String> for Sha256Sum {
    type Error = anyhow::Error;

    fn try_from(text: String) -> Result<Self> {
        let legal = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        ensure!(legal, "`{text}` is no SHA-256: 64 digits of 0-9 and a-f");
        let mut sum = [0; 32];
        for (byte, digits) in sum.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits)?, 16)?;
        }
        Ok(Self(sum))
    }
}

/// The size and the digest of a file, or of any other row of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileFacts {
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 digest of the content.
    pub sha256: Sha256Sum,
}

/// Counts and hashes bytes that come piece by piece.
#[derive(Clone)]
pub(crate) struct Hasher {
    sha256: digest::Context,
    bytes: u64,
}

impl Default for Hasher {
    fn default() -> Self {
        Self { sha256: digest::Context::new(&SHA256), bytes: 0 }
    }
}

impl Hasher {
    /// Takes the next bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// Number of bytes so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Size and digest of all bytes.
    pub(crate) fn finish(self) -> FileFacts {
        FileFacts { bytes: self.bytes, sha256: Sha256Sum::from_digest(self.sha256.finish()) }
    }
}

/// A writer that counts and hashes the bytes that pass through it.
pub(crate) struct HashingWriter<W> {
    inner: W,
    hasher: Hasher,
}

impl<W: Write> HashingWriter<W> {
    /// Wraps `inner`, which gets the bytes.
    pub(crate) fn new(inner: W) -> Self {
        Self { inner, hasher: Hasher::default() }
    }

    /// Number of bytes so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.hasher.bytes()
    }

    /// The inner writer, and size and digest of the bytes.
    pub(crate) fn finish(self) -> (W, FileFacts) {
        (self.inner, self.hasher.finish())
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_read_strictly() {
        let good = "0123456789abcdef".repeat(4);
        assert_eq!(Sha256Sum::try_from(good.clone()).unwrap().to_string(), good);
        for bad in [good.to_uppercase(), good[1..].to_owned(), format!("+{}", &good[1..]), String::new()] {
            assert!(Sha256Sum::try_from(bad).is_err());
        }
    }

    #[test]
    fn a_writer_hashes_what_one_call_does() {
        let mut writer = HashingWriter::new(Vec::new());
        writer.write_all(b"ab").unwrap();
        writer.write_all(b"c").unwrap();
        let (body, facts) = writer.finish();
        assert_eq!((body.as_slice(), facts.bytes), (&b"abc"[..], 3));
        assert_eq!(facts.sha256, Sha256Sum::of(b"abc"));
        // FIPS 180-4, example B.1.
        assert_eq!(
            facts.sha256.to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
