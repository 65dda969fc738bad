//! The form of private keys, and of passphrases of disks, by which they are recognised where none may be: in an inventory, and in files that are about
//! to be served.

use memchr::memmem;

pub use crate::diag::PASSPHRASE_LETTERS;
use crate::diag::{KEY_MARKERS, find_passphrase};

/// How many bytes after a marker must look like a key. Programs that read and write keys contain the markers alone.
const KEY_BYTES: usize = 8;

/// How many bytes of line break may stand between the marker and the key.
const LINE_BREAK_BYTES: usize = 4;

/// A private key, or a passphrase of disks, is recognised by at most this many bytes: from the first of a marker to the last that must look like a
/// key. A scan of a file in pieces keeps as many bytes of one piece for the next.
pub const PRIVATE_KEY_WINDOW: usize = 48;

/// Looks for a word in `text` that a private key begins with, and names the type of the key. The key may be missing.
#[must_use]
pub fn find_key_marker(text: &str) -> Option<&'static str> {
    KEY_MARKERS.iter().find(|(marker, _)| text.contains(marker)).map(|(_, what)| *what)
}

/// Looks for a private key in `bytes`, or for a passphrase that plasmagen makes for encrypted disks, and names its type. Programs that read and write keys contain the words that keys
/// begin with, but no key behind them.
#[must_use]
pub fn find_private_key(bytes: &[u8]) -> Option<&'static str> {
    let is_key = |rest: &[u8]| {
        // In JSON and in scripts a line may end with a backslash and an n.
        let line_break =
            rest.iter().take(LINE_BREAK_BYTES).take_while(|byte| b"\r\n\\n ".contains(byte)).count();
        let is_legal = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=:,- ".contains(byte);
        rest.get(line_break..line_break + KEY_BYTES).is_some_and(|key| key.iter().all(is_legal))
    };
    let has_key =
        |marker: &str| memmem::find_iter(bytes, marker).any(|at| is_key(&bytes[at + marker.len()..]));
    let marked = KEY_MARKERS.iter().find(|(marker, _)| has_key(marker)).map(|(_, what)| *what);
    marked.or_else(|| find_passphrase(bytes).map(|_| "a passphrase of encrypted disks"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_recognised_within_the_window() {
        for (marker, _) in KEY_MARKERS {
            assert!(marker.len() + LINE_BREAK_BYTES + KEY_BYTES <= PRIVATE_KEY_WINDOW);
        }
    }
}
