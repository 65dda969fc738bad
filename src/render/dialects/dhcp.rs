//! ISC dhcpd's configuration file, by its lexer (`common/conflex.c`) and dhcpd.conf(5).

use std::fmt::Write;

use minijinja::Error;

use crate::render::dialect::{Dialect, ListSyntax, refuse};

/// A DHCP option carries at most this many bytes (RFC 2132, section 2: its length is one octet).
const OPTION_BYTES: usize = 255;

/// The dialect `dhcp`.
///
/// - A literal is a string of printable ASCII or a number; a list is such literals with commas between.
/// - A bare word is an IPv4 address, a MAC address, a number or a name: tokens `[A-Za-z0-9][A-Za-z0-9_-]*` with `.` or
///   `:` between them. The lexer starts no token with `_`, and a `-` at the start may be a minus. The file has no IPv6.
pub(super) struct DhcpDialect;

impl Dialect for DhcpDialect {
    fn extension(&self) -> &'static str {
        "dhcp"
    }

    fn list_syntax(&self) -> ListSyntax {
        ListSyntax { open: "", between: ", ", close: "", empty: None }
    }

    /// dhcpd knows escapes, but `"` and `\` then go through its lease file and through clients that quote again; bytes
    /// above 127 have no declared encoding. So both are refused (rule I12).
    fn write_string(&self, out: &mut dyn Write, text: &str) -> Result<(), Error> {
        if let Some(c) = text.chars().find(|&c| !c.is_ascii() || matches!(c, '"' | '\\')) {
            return Err(refuse(format!("{text:?} holds {c:?}, which strings of dhcpd.conf must not")));
        }
        if text.len() > OPTION_BYTES {
            return Err(refuse(format!("{text:?} has {} bytes, a DHCP option {OPTION_BYTES}", text.len())));
        }
        Ok(write!(out, "\"{text}\"")?)
    }

    fn check_word(&self, word: &str) -> Result<(), Error> {
        let token = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        };
        if word.split(['.', ':']).all(token) {
            return Ok(());
        }
        Err(refuse(format!(
            "{word:?} is no bare word of dhcpd.conf: an address, a MAC address or an identifier"
        )))
    }
}
