//! Slips of headers and keys.

use toml_parser::lexer::{Token, TokenKind};

use crate::diag::{Diagnostic, Subject};
use crate::model::suggest_label;

use super::fault::fault;
use super::statement::{Statement, span_of};

/// Signs that begin a comment elsewhere.
const COMMENTS: [&str; 4] = ["//", "--", "/*", ";"];

/// Finds a comment of another language at the beginning of `statement`.
pub(super) fn find_comment(statement: &Statement<'_>) -> Option<Diagnostic> {
    let start = statement.tokens().next()?.span().start();
    let sign = COMMENTS.iter().find(|sign| statement.text[start..].starts_with(**sign))?;
    let span = start..start + sign.len();
    let fault = fault(&span, format!("`{sign}` begins no comment in TOML"));
    Some(fault.help("write `#`").edit(span, "#"))
}

/// Finds what stands behind the bracket that closes a header.
pub(super) fn find_text_behind_header(statement: &Statement<'_>) -> Option<Diagnostic> {
    let tokens: Vec<&Token> = statement.tokens().collect();
    let is_closer = |token: &&Token| token.kind() == TokenKind::RightSquareBracket;
    let closed_at = tokens.iter().position(is_closer).filter(|_| statement.is_header())?;
    // `[[…]]` is no header of an inventory: the parser's fault says more.
    if tokens[1].kind() == TokenKind::LeftSquareBracket {
        return None;
    }
    let (first, last) = (tokens.get(closed_at + 1)?, tokens.last()?);
    let span = first.span().start()..last.span().end();
    if tokens[closed_at + 1..].iter().all(is_closer) {
        let fault = fault(&span, format!("this `{}` closes nothing", &statement.text[span.clone()]));
        return Some(fault.help("remove it").edit(span, ""));
    }
    let fault = fault(&span, "this stands behind a header, on the same line");
    if !tokens.iter().any(|token| token.kind() == TokenKind::Equals) {
        return Some(fault.help("remove it, or write `#` before it"));
    }
    let gap = span_of(tokens[closed_at]).end..span.start;
    Some(fault.help("write it on a line of its own").edit(gap, "\n"))
}

/// Finds a header without one of its brackets.
pub(super) fn find_half_header(statement: &Statement<'_>) -> Option<Diagnostic> {
    let tokens: Vec<&Token> = statement.tokens().collect();
    let last = tokens.last()?;
    let is_closed = last.kind() == TokenKind::RightSquareBracket;
    if statement.is_header() {
        let end = last.span().end();
        let is_foreign = [TokenKind::RightCurlyBracket, TokenKind::Comma].contains(&last.kind());
        let place = if is_foreign { span_of(last) } else { end..end };
        let fault = fault(&(tokens[0].span().start()..end), "this header is never closed");
        let fault = fault.help("write `]` at its end");
        let name = if is_foreign { &tokens[1..tokens.len() - 1] } else { &tokens[1..] };
        let is_name = name.iter().all(|token| is_key_part(token));
        return (!is_closed).then(|| if is_name { fault.edit(place, "]") } else { fault });
    }
    let is_key = tokens[..tokens.len() - 1].iter().all(|token| is_key_part(token));
    if statement.equals().is_some() || !is_closed || !is_key || tokens.len() < 2 {
        return None;
    }
    let (start, end) = (tokens[0].span().start(), last.span().end());
    let fault = fault(&(start..end), "this header is never opened");
    Some(fault.help("write `[` at its beginning").edit(start..start, "["))
}

/// Whether `token` may be a part of a key.
fn is_key_part(token: &Token) -> bool {
    [TokenKind::Atom, TokenKind::Dot, TokenKind::BasicString, TokenKind::LiteralString]
        .contains(&token.kind())
}

/// Finds a part of a key that needs quotes, or another name.
pub(super) fn find_bad_key(statement: &Statement<'_>) -> Option<Diagnostic> {
    let key = statement.key();
    let is_odd = |c: char| !(c.is_ascii_alphanumeric() || "-_\"'".contains(c));
    let is_bad =
        |token: &&&Token| token.kind() == TokenKind::Atom && statement.text_of(token).contains(is_odd);
    if let Some(token) = key.iter().find(is_bad) {
        let (span, name) = (span_of(token), statement.text_of(token));
        // Below `settings`, keys are those of another program.
        let is_free = key.iter().any(|token| statement.text_of(token) == "settings");
        let odd = name.chars().find(|c| is_odd(*c))?;
        if !is_free && !odd.is_ascii() {
            let message = format!("`{odd}` in the name `{name}` is no ASCII character");
            let fault = Diagnostic::error("PG-A08", &span, message).about(Subject::Syntax);
            return Some(match suggest_label(name) {
                Some(label) => fault.help(format!("write a name such as `{label}`")).edit(span, label),
                None => fault.help("write letters a-z, digits and hyphens"),
            });
        }
        let fault = fault(&span, format!("`{odd}` stands in a key without quotes"));
        let quoted = format!("\"{name}\"");
        return Some(fault.help(format!("write `{quoted}`")).edit(span, quoted));
    }
    let pair = key.windows(2).find(|pair| pair.iter().all(|token| token.kind() == TokenKind::Atom))?;
    if !statement.is_header() && statement.equals().is_none() {
        return None;
    }
    let span = pair[0].span().start()..pair[1].span().end();
    let fault = fault(&span, "a space stands in a key without quotes");
    // `[node node01]`: tables have no spaces in their names.
    if statement.is_header() && key.first().is_some_and(|first| first.span() == pair[0].span()) {
        let path = pair.iter().map(|token| statement.text_of(token)).collect::<Vec<_>>().join(".");
        return Some(fault.help(format!("write `{path}`")).edit(span, path));
    }
    let quoted = format!("\"{}\"", &statement.text[span.clone()]);
    Some(fault.help(format!("write `{quoted}`")).edit(span, quoted))
}

/// Finds a key without `=` or without a value.
pub(super) fn find_bare_key(statement: &Statement<'_>) -> Option<Diagnostic> {
    if statement.is_header() {
        return None;
    }
    let tokens: Vec<&Token> = statement.tokens().collect();
    let (first, last) = (tokens.first()?, tokens.last()?);
    if let Some(at) = tokens.iter().position(|token| token.kind() == TokenKind::Equals) {
        let next = tokens.get(at + 1);
        if next.is_none() {
            let fault = fault(&(first.span().start()..last.span().end()), "this key has no value");
            return Some(fault.help("write the value after `=`, or remove the line"));
        }
        let is_extra = |token: &&&Token| token.kind() == TokenKind::Equals || statement.text_of(token) == ">";
        let extra: Vec<_> = tokens[at + 1..].iter().take_while(is_extra).collect();
        let span = extra.first()?.span().start()..extra.last()?.span().end();
        let fault = fault(&span, "one `=` stands between a key and its value");
        return Some(fault.help("remove what follows the first `=`").edit(span, ""));
    }
    let mut end = first.span().end();
    for token in &tokens[1..] {
        if token.span().start() == end && is_key_part(token) {
            end = token.span().end();
        }
    }
    let fault = fault(&(first.span().start()..end), "`=` is missing after this key");
    Some(if end < last.span().end() {
        fault.help("write `=` between key and value").edit(end..end, " =")
    } else {
        fault.help("write `=` and the value, or remove the line")
    })
}
