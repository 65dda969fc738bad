//! Passphrases of encrypted disks.

use std::fmt;

use anyhow::{anyhow, ensure};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::model::PASSPHRASE_LETTERS;

/// The file of the passphrase of a node's encrypted disks: in the vault, and on a node that shows it to its TPM.
pub const PASSPHRASE: &str = "luks-passphrase";

/// The file in the installer's memory from which `disko.nix` reads the passphrase: nixos-anywhere writes the file there.
pub const INSTALLER_PASSPHRASE: &str = "/run/disk-encryption.key";

/// The number of bytes of a passphrase that are drawn at random; each becomes two letters.
const RANDOM_BYTES: usize = 16;

/// The letters between two hyphens.
const GROUP: usize = 4;

/// The most bytes that cryptsetup reads from a terminal.
const LONGEST: usize = 512;

/// The passphrase of a node's encrypted disks (LUKS2).
///
/// Like a [`SecretKey`](super::SecretKey), a passphrase can't be serialised or displayed, its `Debug` is redacted, no error
/// message quotes it, and only the vault writes it.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Draws a new passphrase with the system's random number generator: 128 bits, as eight groups of four letters. Somebody
    /// types it at a console: most keyboards have these letters at the same places, as those of systemd's recovery keys.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn generate() -> anyhow::Result<Self> {
        let mut random = Zeroizing::new([0; RANDOM_BYTES]);
        SystemRandom::new().fill(&mut *random).map_err(|_| anyhow!("the system has no random bytes"))?;
        // Large enough at once: a string that grows leaves copies in memory.
        let mut text = Zeroizing::new(String::with_capacity(RANDOM_BYTES * 3));
        let letters = random.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        for (at, letter) in letters.enumerate() {
            if at > 0 && at % GROUP == 0 {
                text.push('-');
            }
            text.push(char::from(PASSPHRASE_LETTERS[usize::from(letter)]));
        }
        Ok(Self(text))
    }

    /// Takes a passphrase from the text of a file, which may end in a line break.
    ///
    /// # Errors
    /// When the text is no line that can be typed. The message quotes nothing of `text`.
    pub fn from_file(text: &str) -> anyhow::Result<Self> {
        // As disko reads the file: a shell removes the line breaks at the end.
        let line = text.trim_end_matches('\n');
        ensure!(
            !line.is_empty() && line.len() <= LONGEST && !line.chars().any(char::is_control),
            "not a passphrase that can be typed: it must be one line of 1 to {LONGEST} bytes"
        );
        Ok(Self(Zeroizing::new(line.to_owned())))
    }

    /// The text, without a line break: for the vault, and for a node that shows it to its TPM.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::find_private_key;

    #[test]
    fn passphrases_are_random_and_of_the_form_that_scans_know() {
        let drawn: Vec<_> = (0..64).map(|_| Passphrase::generate().unwrap()).collect();
        let letters: BTreeSet<u8> = drawn.iter().flat_map(|drawn| drawn.expose().bytes()).collect();
        assert_eq!(letters.len(), PASSPHRASE_LETTERS.len() + 1);
        for passphrase in &drawn {
            let text = passphrase.expose();
            assert_eq!((text.len(), text.split('-').count()), (39, 8));
            assert!(find_private_key(text.as_bytes()).is_some());
            assert!(!format!("{passphrase:?}").contains(text));
        }
        let distinct: BTreeSet<&str> = drawn.iter().map(Passphrase::expose).collect();
        assert_eq!(distinct.len(), drawn.len());
    }

    #[test]
    fn a_file_holds_one_line() {
        for (text, line) in [("a b", "a b"), ("a\n", "a"), ("é\n\n", "é")] {
            assert_eq!(Passphrase::from_file(text).unwrap().expose(), line);
        }
        for text in ["", "\n", "a\nb", "a\r\n", "a\0", &"a".repeat(513)] {
            let why = Passphrase::from_file(text).unwrap_err().to_string();
            assert!(why.starts_with("not a passphrase"), "{why}");
        }
    }
}
