//! The trait of a target language: what templates must be told so that they can be written in that language.

use std::fmt::Write;

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind};

/// How a language writes several values in a row.
pub(super) struct ListSyntax {
    pub(super) open: &'static str,
    pub(super) between: &'static str,
    pub(super) close: &'static str,
    /// The text of an empty list; `None` where the language has no empty list.
    pub(super) empty: Option<&'static str>,
}

/// A function that prints one value as one token, or refuses the value.
type Print<'a> = &'a dyn Fn(&mut dyn Write, &Value) -> Result<(), Error>;

/// A target language. The methods with a body serve most languages.
pub(super) trait Dialect: Sync {
    /// The part of a template's name before `.j2`.
    fn extension(&self) -> &'static str;

    /// How lists of literals and of words are written.
    fn list_syntax(&self) -> ListSyntax;

    /// Prints `text`, which holds no control character, as a literal with quotes.
    fn write_string(&self, out: &mut dyn Write, text: &str) -> Result<(), Error>;

    /// Accepts `word` if it is one token without quotes, wherever it stands.
    fn check_word(&self, word: &str) -> Result<(), Error>;

    /// Prints `text` as the name of an attribute.
    fn write_name(&self, _out: &mut dyn Write, text: &str) -> Result<(), Error> {
        Err(refuse(format!("{text:?}: {} has no names of attributes", self.extension())))
    }

    /// Prints `value` as a literal.
    fn write_literal(&self, out: &mut dyn Write, value: &Value) -> Result<(), Error> {
        self.write_one_or_list(out, value, &|out, value| match value.as_str() {
            Some(text) => {
                check_printable(text)?;
                self.write_string(out, text)
            }
            None => self.write_number(out, value),
        })
    }

    /// Prints `value` without quotes, after a check.
    fn write_bare(&self, out: &mut dyn Write, value: &Value) -> Result<(), Error> {
        self.write_one_or_list(out, value, &|out, value| match value.as_str() {
            Some(word) => {
                self.check_word(word)?;
                Ok(out.write_str(word)?)
            }
            None => self.write_number(out, value),
        })
    }

    /// Prints a whole number that is not negative: a port, a VLAN, seconds. No output of these languages needs other
    /// numbers.
    fn write_number(&self, out: &mut dyn Write, value: &Value) -> Result<(), Error> {
        match u64::try_from(value.clone()) {
            Ok(number) if value.is_integer() => Ok(write!(out, "{number}")?),
            _ => Err(refuse(format!("{} has no literal for {value:?}", self.extension()))),
        }
    }

    /// Prints `value` itself, or, where `value` is a list, each item of the list.
    fn write_one_or_list(&self, out: &mut dyn Write, value: &Value, print: Print) -> Result<(), Error> {
        if value.kind() != ValueKind::Seq {
            return print(out, value);
        }
        let syntax = self.list_syntax();
        if value.len() == Some(0) {
            let empty =
                syntax.empty.ok_or_else(|| refuse(format!("{} has no empty list", self.extension())))?;
            return Ok(out.write_str(empty)?);
        }
        for (index, item) in value.try_iter()?.enumerate() {
            out.write_str(if index == 0 { syntax.open } else { syntax.between })?;
            print(out, &item)?;
        }
        Ok(out.write_str(syntax.close)?)
    }
}

/// The error for a value that a language cannot express; minijinja adds the template and the line.
pub(super) fn refuse(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, why.into())
}

/// Refuses control characters, line ends above all: no value of plasmagen spans lines, whatever a language may allow.
pub(super) fn check_printable(text: &str) -> Result<(), Error> {
    match text.chars().find(|c| c.is_control()) {
        Some(c) => Err(refuse(format!("{text:?} holds {c:?}: no output takes a control character"))),
        None => Ok(()),
    }
}

/// Accepts a `word` that starts with one of `[A-Za-z0-9]` or `first` and goes on with these or one of `more`.
pub(super) fn check_characters(word: &str, first: &str, more: &str) -> Result<(), Error> {
    let start = |c: char| c.is_ascii_alphanumeric() || first.contains(c);
    if word.starts_with(start) && word.chars().all(|c| start(c) || more.contains(c)) {
        return Ok(());
    }
    Err(refuse(format!(
        "{word:?} is no bare word: a bare word starts with a letter, a digit or one of `{first}` and may go on with `{more}`"
    )))
}
