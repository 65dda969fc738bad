//! Rules for iptables-restore(8) and ip6tables-restore(8), by their scanner (`add_param_to_argv` in
//! `iptables/xshared.c`).

use std::fmt::Write;

use minijinja::Error;

use crate::render::dialect::{Dialect, ListSyntax, check_characters, refuse};

/// The longest comment in bytes (`XT_MAX_COMMENT_LEN` is 256 with the final zero). Every other argument is shorter.
const COMMENT_BYTES: usize = 255;

/// The dialect `iptables`.
///
/// - A literal is one argument in quotes, or a number; a list is several literals with commas between, for `--dports`.
/// - A bare word is an address, a prefix, a port or a name of a chain: `[A-Za-z0-9._:/-]`, and no `.`, `/` or `-`
///   first. A `:` at the start of a line would declare a chain, so no line starts with a hole.
pub(super) struct IptablesDialect;

impl Dialect for IptablesDialect {
    fn extension(&self) -> &'static str {
        "iptables"
    }

    fn list_syntax(&self) -> ListSyntax {
        ListSyntax { open: "", between: ",", close: "", empty: None }
    }

    /// Between quotes, `\` escapes the next character. The text then becomes an argument like any other: `!` alone would
    /// negate, iptables looks for `-t` in an argument that starts with `-`, and `+` at the end of an interface's name
    /// matches any further characters.
    fn write_string(&self, out: &mut dyn Write, text: &str) -> Result<(), Error> {
        if text.is_empty() || text == "!" || text.starts_with('-') || text.ends_with('+') {
            return Err(refuse(format!("{text:?} is no plain argument of iptables")));
        }
        if text.len() > COMMENT_BYTES {
            return Err(refuse(format!("{text:?} has {} bytes, iptables takes {COMMENT_BYTES}", text.len())));
        }
        out.write_char('"')?;
        for c in text.chars() {
            if matches!(c, '"' | '\\') {
                out.write_char('\\')?;
            }
            out.write_char(c)?;
        }
        Ok(out.write_char('"')?)
    }

    fn check_word(&self, word: &str) -> Result<(), Error> {
        check_characters(word, ":_", "./-")
    }
}
