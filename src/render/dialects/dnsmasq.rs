//! dnsmasq's configuration file, by dnsmasq(8) and its reader (`read_file` of `src/option.c`).

use std::fmt::Write;

use minijinja::Error;

use crate::render::dialect::{Dialect, ListSyntax, check_characters, refuse};

/// The longest string. dnsmasq reads lines of at most 1,024 bytes and takes the rest for another line; the bare words of a
/// host or an option on the same line need space too.
const STRING_BYTES: usize = 512;

/// The dialect `dnsmasq`.
///
/// - A literal is a string in double quotes, which keep `,`, `#` and spaces from meaning anything, or a number; a list
///   has commas between.
/// - A bare word is an address, a MAC address, a name or a tag: `[A-Za-z0-9._:/-]`, and none of `.`, `/` and `-` first.
///   In a `dhcp-host`, a name must not look like a time or a keyword, which rule B04 sees to.
pub(super) struct DnsmasqDialect;

impl Dialect for DnsmasqDialect {
    fn extension(&self) -> &'static str {
        "dnsmasq"
    }

    fn list_syntax(&self) -> ListSyntax {
        ListSyntax { open: "", between: ",", close: "", empty: None }
    }

    /// dnsmasq has escapes, and takes bytes above 127 without a declared encoding: both are refused.
    fn write_string(&self, out: &mut dyn Write, text: &str) -> Result<(), Error> {
        if let Some(c) = text.chars().find(|&c| !c.is_ascii() || matches!(c, '"' | '\\')) {
            return Err(refuse(format!("{text:?} holds {c:?}, which strings of dnsmasq.conf must not")));
        }
        if text.is_empty() || text.len() > STRING_BYTES {
            return Err(refuse(format!(
                "{text:?} has {} bytes, and dnsmasq.conf takes 1 to {STRING_BYTES}",
                text.len()
            )));
        }
        Ok(write!(out, "\"{text}\"")?)
    }

    fn check_word(&self, word: &str) -> Result<(), Error> {
        check_characters(word, ":_", "./-")
    }
}
