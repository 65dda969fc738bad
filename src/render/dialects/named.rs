//! BIND's named.conf(5).

use std::fmt::Write;

use minijinja::Error;

use crate::render::dialect::{Dialect, ListSyntax, refuse};

/// The dialect `named`.
///
/// - A literal is a string in quotes, of printable ASCII without `"` and `\`, or a number.
/// - There is no bare word: names of zones and files are strings.
pub(super) struct NamedDialect;

impl Dialect for NamedDialect {
    fn extension(&self) -> &'static str {
        "named"
    }

    fn list_syntax(&self) -> ListSyntax {
        ListSyntax { open: "{ ", between: "; ", close: "; }", empty: Some("{ }") }
    }

    fn write_string(&self, out: &mut dyn Write, text: &str) -> Result<(), Error> {
        if let Some(c) = text.chars().find(|&c| !c.is_ascii() || matches!(c, '"' | '\\')) {
            return Err(refuse(format!("{text:?} holds {c:?}, which strings of named.conf must not")));
        }
        Ok(write!(out, "\"{text}\"")?)
    }

    fn check_word(&self, word: &str) -> Result<(), Error> {
        Err(refuse(format!("{word:?}: plasmagen writes no bare words in named.conf")))
    }
}
