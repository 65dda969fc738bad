//! What a target language must tell so that templates can be written in it, and the table of all of them.
//!
//! One more language is one file with an implementation of [`Dialect`] and one row in [`DIALECTS`].

use std::fmt::Write;

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind};

use super::{dhcp, dnsmasq, iptables, ipxe, named, nft, nginx, nix, shell, zone};

/// Every language that templates are written in.
const DIALECTS: &[&dyn Dialect] = &[
    &dhcp::Dhcp,
    &dnsmasq::Dnsmasq,
    &iptables::Iptables,
    &ipxe::Ipxe,
    &named::Named,
    &nft::Nft,
    &nginx::Nginx,
    &nix::Nix,
    &shell::Shell,
    &zone::Zone,
];

/// How a language writes several values in a row.
pub(super) struct List {
    pub(super) open: &'static str,
    pub(super) between: &'static str,
    pub(super) close: &'static str,
    /// What no value at all looks like; `None` where the language cannot say it.
    pub(super) empty: Option<&'static str>,
}

/// Prints one value as one token, or refuses it.
type Print<'a> = &'a dyn Fn(&mut dyn Write, &Value) -> Result<(), Error>;

/// A target language. The methods with a body serve most of them.
pub(super) trait Dialect: Sync {
    /// What a template's name has before `.j2`.
    fn extension(&self) -> &'static str;

    /// Lists, of literals and of words.
    fn list(&self) -> List;

    /// Prints `text`, which holds no control character, as a literal with its quotes.
    fn string(&self, out: &mut dyn Write, text: &str) -> Result<(), Error>;

    /// Accepts `word` if it is one token as it stands, wherever it lands.
    fn word(&self, word: &str) -> Result<(), Error>;

    /// Prints `text` as the name of an attribute.
    fn name(&self, _out: &mut dyn Write, text: &str) -> Result<(), Error> {
        Err(refuse(format!("{text:?}: {} has no attributes that could be named", self.extension())))
    }

    /// Prints `value` as a literal.
    fn literal(&self, out: &mut dyn Write, value: &Value) -> Result<(), Error> {
        self.one_or_list(out, value, &|out, value| match value.as_str() {
            Some(text) => {
                printable(text)?;
                self.string(out, text)
            }
            None => self.number(out, value),
        })
    }

    /// Prints `value` as it is, without quotes, after a check.
    fn bare(&self, out: &mut dyn Write, value: &Value) -> Result<(), Error> {
        self.one_or_list(out, value, &|out, value| match value.as_str() {
            Some(word) => {
                self.word(word)?;
                Ok(out.write_str(word)?)
            }
            None => self.number(out, value),
        })
    }

    /// Prints a whole number that is not negative: ports, VLANs, seconds. No output needs more of these languages.
    fn number(&self, out: &mut dyn Write, value: &Value) -> Result<(), Error> {
        match u64::try_from(value.clone()) {
            Ok(number) if value.is_integer() => Ok(write!(out, "{number}")?),
            _ => Err(refuse(format!("{value:?} is nothing that {} can say", self.extension()))),
        }
    }

    /// Prints `value` itself, or, where it is a list, each of its items.
    fn one_or_list(&self, out: &mut dyn Write, value: &Value, print: Print) -> Result<(), Error> {
        if value.kind() != ValueKind::Seq {
            return print(out, value);
        }
        let list = self.list();
        if value.len() == Some(0) {
            let empty =
                list.empty.ok_or_else(|| refuse(format!("{} has no empty list", self.extension())))?;
            return Ok(out.write_str(empty)?);
        }
        for (index, item) in value.try_iter()?.enumerate() {
            out.write_str(if index == 0 { list.open } else { list.between })?;
            print(out, &item)?;
        }
        Ok(out.write_str(list.close)?)
    }
}

/// The dialect of a template named `NAME.DIALECT.j2`.
pub(super) fn of_template(name: &str) -> anyhow::Result<&'static dyn Dialect> {
    let mut parts = name.rsplitn(3, '.');
    match (parts.next(), parts.next().and_then(by_extension), parts.next()) {
        (Some("j2"), Some(dialect), Some(_)) => Ok(dialect),
        _ => {
            let known: Vec<_> = DIALECTS.iter().map(|dialect| dialect.extension()).collect();
            anyhow::bail!("{name} is not named NAME.DIALECT.j2 with one of the dialects {}", known.join(", "))
        }
    }
}

/// The dialect `extension`.
pub(super) fn by_extension(extension: &str) -> Option<&'static dyn Dialect> {
    DIALECTS.iter().copied().find(|dialect| dialect.extension() == extension)
}

/// The error for what cannot be said; minijinja adds the template and the line.
pub(super) fn refuse(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, why.into())
}

/// Refuses control characters, line ends above all: no value of ours spans lines, whatever a language may allow.
pub(super) fn printable(text: &str) -> Result<(), Error> {
    match text.chars().find(|c| c.is_control()) {
        Some(c) => Err(refuse(format!("{text:?} holds {c:?}: no output takes a control character"))),
        None => Ok(()),
    }
}

/// Accepts a `word` that starts with one of `[A-Za-z0-9]` or `first` and goes on with these or one of `more`.
pub(super) fn check_word(word: &str, first: &str, more: &str) -> Result<(), Error> {
    let start = |c: char| c.is_ascii_alphanumeric() || first.contains(c);
    if word.starts_with(start) && word.chars().all(|c| start(c) || more.contains(c)) {
        return Ok(());
    }
    Err(refuse(format!(
        "{word:?} is no bare word: one starts with a letter, a digit or one of `{first}` and may go on with `{more}`"
    )))
}
