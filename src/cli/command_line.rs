//! Command lines in messages, to be pasted into a shell: with the options that the user gave.

use crate::model::is_invisible;

/// Commands on a web root that messages name; the options of one are those of the others.
const COMMANDS: [&str; 4] =
    ["plasmagen publish", "plasmagen arm --yes", "plasmagen disarm", "plasmagen armed"];

/// Quotes a word for a POSIX shell, where the word needs quotes.
pub(super) fn quote(word: &str) -> String {
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

/// Adds `options`, which begin with a space, to each command on a web root in the message `text`.
pub(super) fn carry_options(text: &str, options: &str) -> String {
    COMMANDS
        .iter()
        .fold(text.to_owned(), |text, command| text.replace(command, &format!("{command}{options}")))
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
            assert_eq!(quote(word), quoted);
        }
    }

    #[test]
    fn options_stand_after_the_command() {
        let text =
            "run plasmagen disarm node01 first, or plasmagen publish --rollback worker, or plasmagen publish";
        let carried = "run plasmagen disarm --root 'a b' node01 first, or plasmagen publish --root 'a b' --rollback worker, or \
                       plasmagen publish --root 'a b'";
        assert_eq!(carry_options(text, " --root 'a b'"), carried);
        let text = "plasmagen arm did not write it";
        assert_eq!(carry_options(text, " --root x"), text);
    }
}
