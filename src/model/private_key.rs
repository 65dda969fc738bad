//! The form of private keys, and of passphrases of disks, by which they are recognised where none may be: in an inventory, and in files that are about
//! to be served.

use std::sync::LazyLock;

use memchr::memmem::Finder;

pub use crate::diag::PASSPHRASE_LETTERS;
use crate::diag::{KEY_MARKERS, find_passphrase};

/// The markers that private keys begin with, prepared for the search, each with what it begins.
static FINDERS: LazyLock<[(Finder<'static>, &'static str); 3]> =
    LazyLock::new(|| KEY_MARKERS.map(|(marker, what)| (Finder::new(marker), what)));

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
    FINDERS.iter().find(|(finder, _)| finder.find(text.as_bytes()).is_some()).map(|(_, what)| *what)
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
    // Every marker and every passphrase has a hyphen, and most strings of an inventory have none.
    memchr::memchr(b'-', bytes)?;
    let has_key =
        |finder: &Finder<'_>| finder.find_iter(bytes).any(|at| is_key(&bytes[at + finder.needle().len()..]));
    let marked = FINDERS.iter().find(|(finder, _)| has_key(finder)).map(|(_, what)| *what);
    marked.or_else(|| find_passphrase(bytes).map(|_| "a passphrase of encrypted disks"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_recognised_within_the_window() {
        for (marker, _) in KEY_MARKERS {
            assert!(marker.contains('-'), "{marker}");
            assert!(marker.len() + LINE_BREAK_BYTES + KEY_BYTES <= PRIVATE_KEY_WINDOW);
        }
    }
}
