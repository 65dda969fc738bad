//! Words of command lines in messages, to be pasted into a shell.

use super::word::is_invisible;

/// Quotes a word for a POSIX shell, where the word needs quotes.
#[must_use]
pub fn quote_for_shell(word: &str) -> String {
    // Characters that a terminal obeys are written by their bytes, as POSIX has it since 2024.
    if word.contains(is_invisible) {
        let escape = |byte: u8| match byte {
            b'\\' | b'\'' => format!("\\{}", char::from(byte)),
            b' '..=b'~' => char::from(byte).to_string(),
            _ => format!("\\x{byte:02x}"),
        };
        return format!("$'{}'", word.bytes().map(escape).collect::<String>());
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    let word = if word.starts_with('-') { format!("./{word}") } else { word.to_owned() };
    if !word.is_empty() && word.chars().all(is_plain) {
        word
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stays_one_word() {
        for (word, quoted) in [
            ("site/a.b", "site/a.b"),
            ("a b", "'a b'"),
            ("it's", "'it'\\''s'"),
            ("-x", "./-x"),
            ("", "''"),
            ("$(x)", "'$(x)'"),
        ] {
            assert_eq!(quote_for_shell(word), quoted);
        }
    }
}
