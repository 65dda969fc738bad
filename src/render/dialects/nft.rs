//! nftables rulesets, by nft(8), "Lexical conventions", and nft's scanner (`src/scanner.l`).

use std::fmt::Write;

use minijinja::Error;

use crate::render::dialect::{Dialect, ListSyntax, check_characters, refuse};

/// The longest comment in bytes (`NFTNL_UDATA_COMMENT_MAXLEN`). Every other string of a ruleset is shorter.
const COMMENT_BYTES: usize = 128;

/// The dialect `nft`.
///
/// - A literal is a quoted string or a number; a list is an anonymous set in braces, which cannot be empty.
/// - A bare word is an address, a prefix, a range, a port or an identifier: `[A-Za-z0-9._:/-]`, and no `.`, `/` or `-`
///   first. Identifiers that are keywords stay keywords: bare words come from plasmagen, and users' names are strings.
pub(super) struct NftDialect;

impl Dialect for NftDialect {
    fn extension(&self) -> &'static str {
        "nft"
    }

    fn list_syntax(&self) -> ListSyntax {
        ListSyntax { open: "{ ", between: ", ", close: " }", empty: None }
    }

    /// nft has no escapes: a string is the text between two `"`. `$` is a variable in a log prefix, and `*` at the end of
    /// an interface's name matches any further characters.
    fn write_string(&self, out: &mut dyn Write, text: &str) -> Result<(), Error> {
        if let Some(c) = text.chars().find(|c| matches!(c, '"' | '$')) {
            return Err(refuse(format!("{text:?} holds {c:?}, which a string of nft cannot hold")));
        }
        if text.ends_with('*') {
            return Err(refuse(format!(
                "{text:?} would be a pattern: nft takes `*` at the end for any text"
            )));
        }
        if text.len() > COMMENT_BYTES {
            return Err(refuse(format!("{text:?} has {} bytes, nft takes {COMMENT_BYTES}", text.len())));
        }
        Ok(write!(out, "\"{text}\"")?)
    }

    fn check_word(&self, word: &str) -> Result<(), Error> {
        check_characters(word, ":_", "./-")
    }
}
