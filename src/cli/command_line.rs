//! Command lines in messages, to be pasted into a shell: with the options that the user gave.

/// Commands on a web root that messages name; the options of one are those of the others.
const COMMANDS: [&str; 4] =
    ["plasmagen publish", "plasmagen arm --yes", "plasmagen disarm", "plasmagen armed"];

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
