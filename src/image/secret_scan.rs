//! The secret scan: it refuses private keys in files that are about to be served to every machine.

use anyhow::{Result, bail};

use crate::model::{PRIVATE_KEY_WINDOW as WINDOW, find_private_key};

use super::entry::ArchivePath;

/// A private key in an initrd file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitrdKey {
    /// The path of the file with the key, in the initrd.
    pub path: String,
    /// The type of the key, as in "a private key".
    pub what: &'static str,
}

/// The scan of one file after the other, each given in pieces. A web server gives every file to any machine, so none
/// may hold a secret.
#[derive(Default)]
pub(super) struct SecretScan {
    /// The end of the piece before: a marker may lie across two pieces.
    tail: Vec<u8>,
    /// Whether the first piece of the current file was scanned.
    has_begun: bool,
    /// Whether the current file is a program or a library. Some contain keys to test themselves with, as GnuTLS does.
    is_program: bool,
}

impl SecretScan {
    /// Scans the next piece of the file `path`; `is_last` says that the piece ends the file.
    ///
    /// # Errors
    /// When the file holds a private key.
    pub(super) fn scan(&mut self, path: &ArchivePath, piece: &[u8], is_last: bool) -> Result<()> {
        match self.find(piece, is_last) {
            None => Ok(()),
            Some(what) => bail!(
                "{path} holds {what}, and every machine in the boot network can fetch this file: leave it out; a node gets \
                 its secrets when it is installed (`plasmagen secrets stage`)"
            ),
        }
    }

    /// Scans the next piece of a file, and names the type of a private key in the file; `is_last` says that the piece ends
    /// the file.
    pub(super) fn find(&mut self, piece: &[u8], is_last: bool) -> Option<&'static str> {
        if !self.has_begun {
            self.is_program = piece.starts_with(b"\x7fELF");
        }
        self.has_begun = !is_last;
        if self.is_program {
            return None;
        }
        let mut found = None;
        if !self.tail.is_empty() {
            self.tail.extend_from_slice(&piece[..piece.len().min(WINDOW)]);
            found = find_private_key(&self.tail);
        }
        self.tail.clear();
        if !is_last {
            self.tail.extend_from_slice(&piece[piece.len().saturating_sub(WINDOW)..]);
        }
        found.or_else(|| find_private_key(piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&[u8]; 6] = [
        b"-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\r\nb3BlbnNzaC1r",
        b"{\"key\": \"-----BEGIN EC PRIVATE KEY-----\\nMHcCAQEEIB",
        b"AGE-SECRET-KEY-1QQPZRY9X8",
        b"PuTTY-User-Key-File-3: ssh-ed25519\r\n",
        b"dcur-kfnb-tvli-hgej-dcur-kfnb-tvli-hgej",
    ];

    /// Whether `pieces` are refused as one file.
    fn is_refused(pieces: &[&[u8]]) -> bool {
        let path = ArchivePath::new("etc/key").unwrap();
        let mut scan = SecretScan::default();
        let last = pieces.len() - 1;
        pieces.iter().enumerate().any(|(n, piece)| scan.scan(&path, piece, n == last).is_err())
    }

    #[test]
    fn a_key_is_found_wherever_it_is_cut() {
        for key in KEYS {
            for cut in 0..=key.len() {
                let (first, second) = key.split_at(cut);
                assert!(
                    is_refused(&[&[&b"x ".repeat(45), first].concat(), second]),
                    "{}",
                    key.escape_ascii()
                );
            }
        }
    }

    #[test]
    fn a_key_across_two_files_is_no_key() {
        let path = ArchivePath::new("etc/key").unwrap();
        let mut scan = SecretScan::default();
        scan.scan(&path, &KEYS[0][..20], true).unwrap();
        scan.scan(&path, &KEYS[0][20..], true).unwrap();
    }

    #[test]
    fn programs_that_contain_the_markers_hold_no_key() {
        for text in [
            &b"-----BEGIN OPENSSH PRIVATE KEY-----\n\0-----END OPENSSH PRIVATE KEY-----\n\0"[..],
            b"-----BEGIN RSA PRIVATE KEY-----\0-----END RSA PRIVATE KEY-----\0key",
            b"PuTTY-User-Key-File-2: %s\n\0AGE-SECRET-KEY-\0AGE-SECRET-KEY-%s",
            b"-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
            b"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZI",
            &[b"\x7fELF", KEYS[0]].concat(),
        ] {
            assert!(!is_refused(&[text]), "{}", text.escape_ascii());
        }
    }
}
