//! Private keys that are about to be served to everybody.

use anyhow::{Result, bail};
use memchr::memmem;

use super::archive::ArchivePath;

/// What private keys begin with: PEM and OpenSSH's form (RFC 7468, PROTOCOL.key), age's, and PuTTY's.
const MARKS: [(&[u8], &str); 3] = [
    (b"PRIVATE KEY-----", "a private key"),
    (b"AGE-SECRET-KEY-", "an age identity"),
    (b"PuTTY-User-Key-File-", "a private key"),
];

/// How many bytes of the key are looked at behind a mark: the programs that read and write keys hold the marks alone.
const KEY: usize = 8;

/// How many bytes may end the line before the key.
const BREAK: usize = 4;

/// As many bytes as there are from the first of a mark to the last of the key, at least.
const WINDOW: usize = 48;

/// Refuses files that hold a private key. What a web server gives to any machine is no secret.
#[derive(Default)]
pub(super) struct Leaks {
    /// The end of the piece before: a mark may lie across two.
    tail: Vec<u8>,
    /// Whether the file has begun.
    begun: bool,
    /// Whether it is a program or a library, of which some hold keys to test themselves with, as GnuTLS does.
    program: bool,
}

impl Leaks {
    /// Looks at the next piece of the file `path`; `last` ends it.
    ///
    /// # Errors
    /// When it holds a private key.
    pub(super) fn see(&mut self, path: &ArchivePath, piece: &[u8], last: bool) -> Result<()> {
        if !self.begun {
            self.program = piece.starts_with(b"\x7fELF");
        }
        self.begun = !last;
        if self.program {
            return Ok(());
        }
        let mut found = None;
        if !self.tail.is_empty() {
            self.tail.extend_from_slice(&piece[..piece.len().min(WINDOW)]);
            found = mark(&self.tail);
        }
        self.tail.clear();
        if !last {
            self.tail.extend_from_slice(&piece[piece.len().saturating_sub(WINDOW)..]);
        }
        if let Some(what) = found.or_else(|| mark(piece)) {
            bail!(
                "{path} holds {what}, and an overlay is served to every machine that asks: stage secrets when a node is \
                 installed instead"
            );
        }
        Ok(())
    }
}

fn mark(bytes: &[u8]) -> Option<&'static str> {
    let key = |rest: &[u8]| {
        // In JSON and in scripts a line may end with a backslash and an n.
        let ends = rest.iter().take(BREAK).take_while(|byte| b"\r\n\\n ".contains(byte)).count();
        let legal = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=:,- ".contains(byte);
        rest.get(ends..ends + KEY).is_some_and(|key| key.iter().all(legal))
    };
    let holds = |mark: &[u8]| memmem::find_iter(bytes, mark).any(|found| key(&bytes[found + mark.len()..]));
    MARKS.iter().find(|(mark, _)| holds(mark)).map(|(_, what)| *what)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&[u8]; 5] = [
        b"-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\r\nb3BlbnNzaC1r",
        b"{\"key\": \"-----BEGIN EC PRIVATE KEY-----\\nMHcCAQEEIB",
        b"AGE-SECRET-KEY-1QQPZRY9X8",
        b"PuTTY-User-Key-File-3: ssh-ed25519\r\n",
    ];

    /// Whether `pieces` are refused as one file.
    fn refused(pieces: &[&[u8]]) -> bool {
        let path = ArchivePath::new("etc/key").unwrap();
        let mut leaks = Leaks::default();
        let last = pieces.len() - 1;
        pieces.iter().enumerate().any(|(n, piece)| leaks.see(&path, piece, n == last).is_err())
    }

    #[test]
    fn a_key_is_found_wherever_it_is_cut() {
        for key in KEYS {
            assert!(MARKS.iter().all(|(mark, _)| mark.len() + BREAK + KEY <= WINDOW));
            for cut in 0..=key.len() {
                let (one, other) = key.split_at(cut);
                assert!(refused(&[&[&b"x".repeat(90), one].concat(), other]), "{}", key.escape_ascii());
            }
        }
    }

    #[test]
    fn what_ends_one_file_and_begins_the_next_is_no_key() {
        let path = ArchivePath::new("etc/key").unwrap();
        let mut leaks = Leaks::default();
        leaks.see(&path, &KEYS[0][..20], true).unwrap();
        leaks.see(&path, &KEYS[0][20..], true).unwrap();
    }

    #[test]
    fn programs_that_know_the_marks_hold_no_key() {
        for text in [
            &b"-----BEGIN OPENSSH PRIVATE KEY-----\n\0-----END OPENSSH PRIVATE KEY-----\n\0"[..],
            b"-----BEGIN RSA PRIVATE KEY-----\0-----END RSA PRIVATE KEY-----\0key",
            b"PuTTY-User-Key-File-2: %s\n\0AGE-SECRET-KEY-\0AGE-SECRET-KEY-%s",
            b"-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
            b"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZI",
            &[b"\x7fELF", KEYS[0]].concat(),
        ] {
            assert!(!refused(&[text]), "{}", text.escape_ascii());
        }
    }
}
