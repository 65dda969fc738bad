//! Nix expressions, by the lexer of Nix itself (`src/libexpr/lexer.l`) and the manual's chapter "Nix Language".

use std::fmt::Write;

use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use crate::render::dialect::{Dialect, ListSyntax, check_printable, refuse};

/// The lexer's keywords, which are no identifiers.
const KEYWORDS: &[&str] = &["assert", "else", "if", "in", "inherit", "let", "or", "rec", "then", "with"];

/// The dialect `nix`.
///
/// - A literal is a string, a list, an attribute set, a number, `true`, `false` or `null`, on one line.
/// - A bare word is an identifier, or a path that starts with `./` or `../`. Paths have no empty component, since `//`
///   is an operator, and no `/` at their end, which Nix refuses.
pub(super) struct NixDialect;

impl Dialect for NixDialect {
    fn extension(&self) -> &'static str {
        "nix"
    }

    fn list_syntax(&self) -> ListSyntax {
        ListSyntax { open: "[ ", between: " ", close: " ]", empty: Some("[ ]") }
    }

    /// Only `"`, `\` and `${` have a meaning inside `"…"`. Any other `$` is text, and so is the first `$` of `$${`, of which
    /// the lexer takes two characters: with the second `$` escaped, the text is still read as written.
    fn write_string(&self, out: &mut dyn Write, text: &str) -> Result<(), Error> {
        out.write_char('"')?;
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            if matches!(c, '"' | '\\') || (c == '$' && rest.peek() == Some(&'{')) {
                out.write_char('\\')?;
            }
            out.write_char(c)?;
        }
        Ok(out.write_char('"')?)
    }

    fn check_word(&self, word: &str) -> Result<(), Error> {
        if is_identifier(word) || is_path(word) {
            return Ok(());
        }
        Err(refuse(format!("{word:?} is no bare word: neither an identifier nor a path from `./` or `../`")))
    }

    /// Prints an identifier without quotes, and any other name in quotes.
    fn write_name(&self, out: &mut dyn Write, text: &str) -> Result<(), Error> {
        if is_identifier(text) {
            return Ok(out.write_str(text)?);
        }
        check_printable(text)?;
        self.write_string(out, text)
    }

    fn write_literal(&self, out: &mut dyn Write, value: &Value) -> Result<(), Error> {
        match value.kind() {
            ValueKind::None => Ok(out.write_str("null")?),
            ValueKind::Bool => Ok(out.write_str(if value.is_true() { "true" } else { "false" })?),
            ValueKind::String => {
                let text = value.as_str().unwrap_or_default();
                check_printable(text)?;
                self.write_string(out, text)
            }
            ValueKind::Seq => self.write_one_or_list(out, value, &|out, item| self.write_literal(out, item)),
            ValueKind::Map => self.write_attributes(out, value),
            _ => self.write_number(out, value),
        }
    }

    /// A negative number is an expression, not a token: in a list it needs parentheses. The smallest `i64`, the floats that
    /// `strtod` calls out of range, infinities, NaN and -0 have no literal.
    fn write_number(&self, out: &mut dyn Write, value: &Value) -> Result<(), Error> {
        let refused = || refuse(format!("Nix has no literal for {value:?}"));
        let digits = if value.is_integer() {
            let number = i64::try_from(value.clone()).map_err(|_| refused())?;
            if number == i64::MIN {
                return Err(refused());
            }
            number.to_string()
        } else if value.is_number() {
            format_float(f64::try_from(value.clone())?).ok_or_else(refused)?
        } else {
            return Err(refused());
        };
        match digits.starts_with('-') {
            true => Ok(write!(out, "({digits})")?),
            false => Ok(out.write_str(&digits)?),
        }
    }
}

impl NixDialect {
    /// Prints a map with text keys: a struct in the order of its fields, any other map in the order of its keys.
    fn write_attributes(&self, out: &mut dyn Write, map: &Value) -> Result<(), Error> {
        out.write_str("{ ")?;
        for key in map.try_iter()? {
            let name = key.as_str().ok_or_else(|| refuse(format!("the key {key:?} is no string")))?;
            self.write_name(out, name)?;
            out.write_str(" = ")?;
            self.write_literal(out, &map.get_item(&key)?)?;
            out.write_str("; ")?;
        }
        Ok(out.write_char('}')?)
    }
}

/// Formats `number` with the fewest digits that read back as `number`, and with the point that makes a float.
fn format_float(number: f64) -> Option<String> {
    if !(number.is_normal() || number.to_bits() == 0) {
        return None;
    }
    let digits = format!("{number:?}");
    Some(if digits.contains('.') { digits } else { digits.replacen('e', ".0e", 1) })
}

/// Lexer: `ID [a-zA-Z\_][a-zA-Z0-9\_\'\-]*`.
fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_'-".contains(c))
        && !KEYWORDS.contains(&text)
}

/// Lexer: `PATH [a-zA-Z0-9\.\_\-\+]*(\/[a-zA-Z0-9\.\_\-\+]+)+`.
fn is_path(text: &str) -> bool {
    (text.starts_with("./") || text.starts_with("../"))
        && text.split('/').all(|component| {
            !component.is_empty()
                && component.chars().all(|c| c.is_ascii_alphanumeric() || "._-+".contains(c))
        })
}
