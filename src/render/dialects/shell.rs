//! Files of assignments that a POSIX shell reads, and systemd as an `EnvironmentFile=` (systemd.exec(5)): Debian's
//! `/etc/default`.

use std::fmt::Write;

use minijinja::Error;

use crate::render::dialect::{Dialect, ListSyntax, check_characters, refuse};

/// The dialect `shell`.
///
/// - A literal is a string in single quotes; a list is several such words.
/// - A bare word is a name, a number or a path: `[A-Za-z0-9._:/-]`, and none of `.`, `:` and `-` first.
pub(super) struct ShellDialect;

impl Dialect for ShellDialect {
    fn extension(&self) -> &'static str {
        "shell"
    }

    fn list_syntax(&self) -> ListSyntax {
        ListSyntax { open: "", between: " ", close: "", empty: Some("") }
    }

    /// Between single quotes every character stands for itself (POSIX.1-2017, XCU 2.2.2) except `'`, which a shell can only
    /// express outside of the quotes, where systemd reads differently. Older systemd takes `\` for an escape in the quotes.
    fn write_string(&self, out: &mut dyn Write, text: &str) -> Result<(), Error> {
        if let Some(c) = text.chars().find(|c| matches!(c, '\'' | '\\')) {
            return Err(refuse(format!("{text:?} holds {c:?}, which a shell and systemd read differently")));
        }
        Ok(write!(out, "'{text}'")?)
    }

    fn check_word(&self, word: &str) -> Result<(), Error> {
        check_characters(word, "/_", ".:-")
    }
}
