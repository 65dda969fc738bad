//! Master files of zones: RFC 1035 section 5.

use std::fmt::Write;
use std::net::IpAddr;

use minijinja::Error;

use crate::render::dialect::{Dialect, ListSyntax, refuse};

/// The dialect `zone`.
///
/// - A name is printed with its final dot, so that `$ORIGIN` is never added to it: labels of `[A-Za-z0-9_/-]` that begin
///   with a letter, a digit or `_`, 63 bytes at most, 253 in all. A mailbox becomes the name that RFC 1035 section 8
///   defines: the part before the `@` is one label, whose dots are escaped.
/// - A bare word is an address. No record of plasmagen holds a string.
pub(super) struct ZoneDialect;

impl Dialect for ZoneDialect {
    fn extension(&self) -> &'static str {
        "zone"
    }

    fn list_syntax(&self) -> ListSyntax {
        ListSyntax { open: "", between: " ", close: "", empty: None }
    }

    fn write_string(&self, _: &mut dyn Write, text: &str) -> Result<(), Error> {
        Err(refuse(format!("{text:?}: no record of plasmagen holds a string")))
    }

    fn check_word(&self, word: &str) -> Result<(), Error> {
        match word.parse::<IpAddr>() {
            Ok(_) => Ok(()),
            Err(_) => Err(refuse(format!("{word:?} is no bare word of a zone, which is an address"))),
        }
    }

    fn write_name(&self, out: &mut dyn Write, text: &str) -> Result<(), Error> {
        if text.len() > 253 {
            return Err(refuse(format!("{text:?} has {} bytes, a name of DNS has 253", text.len())));
        }
        let (user, domain) = match text.split_once('@') {
            Some((user, domain)) => (Some(user), domain),
            None => (None, text),
        };
        if let Some(user) = user {
            if !user.split('.').all(|part| is_label(part, "_+-")) || user.len() > 63 {
                return Err(refuse(format!("{user:?} is no user of a mailbox")));
            }
            write!(out, "{}.", user.replace('.', "\\."))?;
        }
        if let Some(label) = domain.split('.').find(|label| !is_label(label, "_/-")) {
            return Err(refuse(format!("{text:?}: {label:?} is no label")));
        }
        Ok(write!(out, "{domain}.")?)
    }
}

/// Whether `text` is a label of letters, digits and `more`.
fn is_label(text: &str, more: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
}
