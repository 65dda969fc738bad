//! BIND's named.conf(5).

use std::fmt::Write;

use minijinja::Error;

use super::dialect::{Dialect, List, refuse};

/// The dialect `named`.
///
/// - A literal is a string in quotes, of printable ASCII without `"` and `\`, or a number.
/// - There is no bare word: names of zones and files are strings.
pub(super) struct Named;

impl Dialect for Named {
    fn extension(&self) -> &'static str {
        "named"
    }

    fn list(&self) -> List {
        List { open: "{ ", between: "; ", close: "; }", empty: Some("{ }") }
    }

    fn string(&self, out: &mut dyn Write, text: &str) -> Result<(), Error> {
        if let Some(c) = text.chars().find(|&c| !c.is_ascii() || matches!(c, '"' | '\\')) {
            return Err(refuse(format!("{text:?} holds {c:?}, which strings of named.conf must not")));
        }
        Ok(write!(out, "\"{text}\"")?)
    }

    fn word(&self, word: &str) -> Result<(), Error> {
        Err(refuse(format!("{word:?}: named.conf has no bare words of ours")))
    }
}
