//! Slips of values: text without quotes, escapes that TOML does not have, signs of other languages.

use toml_parser::lexer::{Token, TokenKind};

use crate::diag::{Diagnostic, Span};

use super::brackets::refuse_missing_comma;
use super::fault::{fault, is_value};
use super::statement::{Statement, span_of};

/// Finds a fault in the values of `statement` that stand on `line`.
pub(super) fn find_bad_value(statement: &Statement<'_>, line: &Span) -> Option<Diagnostic> {
    if statement.is_header() {
        return None;
    }
    find_sign(statement, line)
        .or_else(|| values_in(statement, line).iter().find_map(|value| refuse_value(statement, value)))
}

/// Finds a sign behind a value that ends a line, or begins a comment, in other languages.
fn find_sign(statement: &Statement<'_>, line: &Span) -> Option<Diagnostic> {
    let equals = statement.equals()?.span().end();
    let tokens: Vec<&Token> =
        statement.tokens_in(line).filter(|token| token.span().start() >= equals).collect();
    if let Some(token) = tokens.iter().find(|token| statement.text_of(token).starts_with("//")) {
        let start = token.span().start();
        let fault = fault(&(start..start + 2), "`//` begins no comment in TOML");
        return Some(fault.help("write `#`").edit(start..start + 2, "#"));
    }
    let last = tokens.last().filter(|last| last.span().end() == end_of(statement))?;
    let sign = statement.text_of(last).chars().next_back().filter(|sign| [',', ';'].contains(sign))?;
    let is_sign = [TokenKind::Comma, TokenKind::Atom].contains(&last.kind());
    let (start, end) = (last.span().end() - 1, last.span().end());
    let fault =
        fault(&(start..end), format!("`{sign}` stands behind the value: in TOML the line's end ends it"));
    is_sign.then(|| fault.help("remove it").edit(start..end, ""))
}

/// Where the last token of `statement` that means something ends.
fn end_of(statement: &Statement<'_>) -> usize {
    statement.tokens().next_back().map_or(0, |token| token.span().end())
}

/// The values in `line`: each as the tokens between two signs, without the keys.
fn values_in<'s>(statement: &'s Statement<'_>, line: &Span) -> Vec<Vec<&'s Token>> {
    use TokenKind::{Atom, BasicString, Dot, Equals, LiteralString};
    let mut values = vec![Vec::new()];
    for token in statement.tokens_in(line) {
        match token.kind() {
            Atom | Dot | BasicString | LiteralString => {
                values.last_mut().into_iter().for_each(|value| value.push(token));
            }
            Equals => {
                values.pop();
                values.push(Vec::new());
            }
            _ => values.push(Vec::new()),
        }
    }
    values.retain(|value| !value.is_empty());
    values
}

/// Makes the fault of `value`, unless TOML has such a value.
fn refuse_value(statement: &Statement<'_>, value: &[&Token]) -> Option<Diagnostic> {
    let (first, last) = (value.first()?, value.last()?);
    let span = first.span().start()..last.span().end();
    let text = &statement.text[span.clone()];
    if is_value(text) {
        return None;
    }
    let is_string =
        |token: &Token| [TokenKind::BasicString, TokenKind::LiteralString].contains(&token.kind());
    if value.len() > 1 && value.iter().any(|token| is_string(token)) || is_several(statement, value) {
        let (next, _) = value[1..]
            .iter()
            .zip(value)
            .find(|(next, before)| next.span().start() > before.span().end())
            .or_else(|| value[1..].iter().zip(value).next())?;
        if statement.depth_at(span.start) > 0 {
            return refuse_missing_comma(statement, &span_of(next));
        }
        let fault = fault(&(next.span().start()..span.end), "more text follows the value");
        return Some(fault.help("write one value; a list stands in brackets, `[ …, … ]`"));
    }
    if is_string(first) {
        return refuse_escape(&span, text);
    }
    Some(refuse_word(&span, text))
}

/// Whether `value` is several values, each of which TOML has.
fn is_several(statement: &Statement<'_>, value: &[&Token]) -> bool {
    let text = &statement.text[value[0].span().start()..value[value.len() - 1].span().end()];
    let words: Vec<&str> = text.split_whitespace().collect();
    words.len() > 1 && words.iter().all(|word| is_value(word))
}

/// Makes the fault of a word without quotes.
fn refuse_word(span: &Span, text: &str) -> Diagnostic {
    let flag = match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Some("true"),
        "false" | "no" | "off" => Some("false"),
        _ => None,
    };
    if let Some(flag) = flag {
        let fault = fault(span, format!("`{text}` is no value in TOML"));
        return fault.help(format!("write `{flag}`")).edit(span.clone(), flag);
    }
    if ["null", "none", "nil", "~"].contains(&text.to_ascii_lowercase().as_str()) {
        return fault(span, format!("`{text}` is no value: TOML has no empty value")).help("remove the line");
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        let number = text.trim_start_matches('0');
        let number = if number.is_empty() { "0" } else { number };
        let fault = fault(span, "a number has no leading zeros");
        return fault.help(format!("write `{number}`")).edit(span.clone(), number);
    }
    let fault = fault(span, "this text has no quotes");
    let help = "write text, such as an address, in quotes";
    if text.contains(['"', '\\']) {
        return fault.help(help);
    }
    fault.help(help).edit(span.clone(), format!("\"{text}\""))
}

/// Makes the fault of the string `text`, if a backslash in it begins no escape of TOML.
fn refuse_escape(span: &Span, text: &str) -> Option<Diagnostic> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut characters = inner.char_indices();
    let (at, c) = loop {
        let (at, c) = characters.next()?;
        if c == '\\' {
            let (_, next) = characters.next()?;
            if !is_value(&format!("\"\\{next}\"")) && !"xuU".contains(next) {
                break (at, next);
            }
        }
    };
    let start = span.start + 1 + at;
    let place = start..start + 1 + c.len_utf8();
    let fault = fault(&place, format!("`\\{c}` is no escape in TOML"));
    Some(if inner.contains('\'') {
        fault.help("write `\\\\` for a backslash in double quotes").edit(start..start + 1, "\\\\")
    } else {
        fault
            .help("write the text between two `'`, where a backslash is a backslash")
            .edit(span.clone(), format!("'{inner}'"))
    })
}
