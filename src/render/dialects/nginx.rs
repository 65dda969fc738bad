//! nginx's configuration, by nginx's reader (`ngx_conf_read_token` in `src/core/ngx_conf_file.c`).

use std::fmt::Write;

use minijinja::Error;

use crate::render::dialect::{Dialect, ListSyntax, check_characters, refuse};

/// The dialect `nginx`.
///
/// - A literal is a string in double quotes, or a number; a list is such literals with spaces between.
/// - A bare word is an address, a port, a path or a name: `[A-Za-z0-9._:/-]`, and none of `.`, `:` and `-` first.
pub(super) struct NginxDialect;

impl Dialect for NginxDialect {
    fn extension(&self) -> &'static str {
        "nginx"
    }

    fn list_syntax(&self) -> ListSyntax {
        ListSyntax { open: "", between: " ", close: "", empty: None }
    }

    /// `$` is a variable, in quotes too, and has no escape; `"` and `\` have escapes, which not every directive undoes.
    /// `'`, `;`, `{` and `}` are text between quotes, but would mislead tools that read the file line by line.
    fn write_string(&self, out: &mut dyn Write, text: &str) -> Result<(), Error> {
        if let Some(c) = text.chars().find(|c| matches!(c, '$' | '"' | '\'' | '\\' | ';' | '{' | '}')) {
            return Err(refuse(format!("{text:?} holds {c:?}, which a string of nginx.conf must not")));
        }
        Ok(write!(out, "\"{text}\"")?)
    }

    fn check_word(&self, word: &str) -> Result<(), Error> {
        check_characters(word, "/_", ".:-")
    }
}
