//! Slips of quotes and spaces: those of a word processor, and those of which one is missing.

use toml_parser::lexer::{Token, TokenKind};

use crate::diag::{Diagnostic, Span};

use super::fault::fault;
use super::statement::Statement;

/// The quotes of word processors, and the accents that are taken for quotes.
const TYPOGRAPHIC: [char; 13] = ['“', '”', '„', '‟', '«', '»', '‘', '’', '‚', '‹', '›', '`', '´'];

/// Finds characters in `line` that look like a quote or a space and are neither.
pub(super) fn find_lookalike(statement: &Statement<'_>, line: &Span) -> Option<Diagnostic> {
    let is_apostrophe = |at: usize, c: char| {
        let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let (before, after) = (&statement.text[..at], &statement.text[at + c.len_utf8()..]);
        c == '’' && is_letter(before.chars().next_back()) && is_letter(after.chars().next())
    };
    let bare = statement.tokens_in(line).filter(|token| !is_closed_string(statement, token));
    let characters: Vec<(usize, char)> = bare
        .flat_map(|token| {
            let start = token.span().start();
            statement.text_of(token).char_indices().map(move |(at, c)| (start + at, c))
        })
        .collect();
    let is_quote = |(at, c): &(usize, char)| TYPOGRAPHIC.contains(c) && !is_apostrophe(*at, *c);
    let is_space = |(_, c): &(usize, char)| c.is_whitespace() && !c.is_ascii();
    let span_over = |found: Vec<&(usize, char)>| {
        let (first, last) = (found.first()?, found.last()?);
        Some((first.1, first.0..last.0 + last.1.len_utf8()))
    };
    if let Some((c, span)) = span_over(characters.iter().filter(|c| is_quote(c)).collect()) {
        let mended = |(at, c): (usize, char)| if is_quote(&(span.start + at, c)) { '"' } else { c };
        let text: String = statement.text[span.clone()].char_indices().map(mended).collect();
        let fault = fault(&span, format!("`{c}` is a quote of word processors, and TOML knows `\"` and `'`"));
        return Some(fault.help("write the text between two `\"`").edit(span, text));
    }
    let (c, span) = span_over(characters.iter().filter(|c| is_space(c)).collect())?;
    let text = statement.text[span.clone()].replace(|c: char| c.is_whitespace() && !c.is_ascii(), " ");
    let fault = fault(&span, format!("U+{:04X} looks like a space and is none to TOML", u32::from(c)));
    Some(fault.help("write a space").edit(span, text))
}

/// Whether `token` is a string with both quotes.
fn is_closed_string(statement: &Statement<'_>, token: &Token) -> bool {
    use TokenKind::{BasicString, LiteralString, MlBasicString, MlLiteralString};
    match token.kind() {
        BasicString | LiteralString => unclosed_text(statement, token).is_none(),
        MlBasicString | MlLiteralString => {
            let text = statement.text_of(token);
            text.len() >= 6 && text.ends_with(&text[..3])
        }
        _ => false,
    }
}

/// The text behind the opening quote of the string `token`, if that string has no closing quote on its line.
fn unclosed_text<'i>(statement: &Statement<'i>, token: &Token) -> Option<&'i str> {
    let text = statement.text_of(token);
    let (quote, inner) = text.split_at(1);
    let Some(content) = inner.strip_suffix(quote) else { return Some(inner) };
    (quote == "\"" && ends_in_escape(content)).then_some(inner)
}

/// Whether a backslash at the end of `text` takes the meaning of the sign behind it.
fn ends_in_escape(text: &str) -> bool {
    (text.len() - text.trim_end_matches('\\').len()) % 2 == 1
}

/// Finds a quote in `line` that has no partner.
pub(super) fn find_single_quote(statement: &Statement<'_>, line: &Span) -> Option<Diagnostic> {
    let tokens: Vec<&Token> = statement.tokens_in(line).collect();
    for (index, token) in tokens.iter().enumerate() {
        match token.kind() {
            TokenKind::Atom => {
                let quote = statement.text_of(token).find(['"', '\'']);
                if let Some(at) = quote {
                    return Some(refuse_unopened(statement, &tokens[..=index], at));
                }
            }
            TokenKind::BasicString | TokenKind::LiteralString => {
                if let Some(inner) = unclosed_text(statement, token) {
                    return Some(refuse_unclosed(statement, token, inner));
                }
            }
            _ => {}
        }
    }
    None
}

/// Finds a text of several lines that never ends.
pub(super) fn find_endless_text(statement: &Statement<'_>) -> Option<Diagnostic> {
    let is_long = |kind| [TokenKind::MlBasicString, TokenKind::MlLiteralString].contains(&kind);
    let is_endless = |token: &&Token| is_long(token.kind()) && !is_closed_string(statement, token);
    let start = statement.tokens().find(is_endless)?.span().start();
    let quotes = &statement.text[start..start + 3];
    let fault = fault(&(start..start + 3), format!("the text after `{quotes}` never ends"));
    Some(fault.help(format!("write one quote, `{}`, on either side of the text", &quotes[..1])))
}

/// Makes the fault of the last of `tokens`, a word that holds a quote at `at`, and no string begins there.
fn refuse_unopened(statement: &Statement<'_>, tokens: &[&Token], at: usize) -> Diagnostic {
    let Some((word, before)) = tokens.split_last() else {
        return fault(&statement.span(), "a quote is missing");
    };
    let word_start = word.span().start();
    let quote = &statement.text[word_start + at..=word_start + at];
    // In `["a, "b"]` the first string ends at the quote that was to begin the second one.
    if let Some(string) = before.last().filter(|string| string.span().end() == word_start) {
        let text = statement.text_of(string);
        let content = text.trim_end_matches(quote);
        let kept = content.trim_end().trim_end_matches(',').trim_end();
        if kept.len() > 1 && kept.len() < content.len() {
            let end = string.span().start() + kept.len();
            let fault = fault(&(string.span().start()..end), "this text has no closing quote");
            return help_to_close(fault, kept, end..end, quote);
        }
    }
    let mut start = word_start;
    for token in before.iter().rev() {
        if ![TokenKind::Atom, TokenKind::Dot].contains(&token.kind()) || token.span().end() != start {
            break;
        }
        start = token.span().start();
    }
    let fault = fault(&(start..word_start + at + 1), "this text has no opening quote");
    fault.help(format!("write `{quote}` where it begins")).edit(start..start, quote)
}

/// Adds to the `fault` of a text without a closing `quote` that the quote belongs to `place`, behind `text`. A backslash
/// there would make the quote a part of the text.
fn help_to_close(fault: Diagnostic, text: &str, place: Span, quote: &str) -> Diagnostic {
    if quote == "\"" && ends_in_escape(text) {
        return fault.help("write `\\\\` for a backslash in double quotes, and `\"` where the text ends");
    }
    fault.help(format!("write `{quote}` where it ends")).edit(place, quote)
}

/// Makes the fault of the string `token`, whose text `inner` goes on to the end of the line.
fn refuse_unclosed(statement: &Statement<'_>, token: &Token, inner: &str) -> Diagnostic {
    let start = token.span().start();
    let quote = &statement.text[start..=start];
    if inner.trim_end().ends_with("\\\"") {
        let at = start + 1 + inner.trim_end().len() - 2;
        let fault =
            fault(&(at..at + 2), "this backslash makes the quote a part of the text, which then never ends");
        return fault.help("write `\\\\` for a backslash in double quotes").edit(at..at + 1, "\\\\");
    }
    let text = inner.split(" #").next().unwrap_or_default().trim_end();
    let closers = |c: char| [']', '}', ','].contains(&c) || c.is_whitespace();
    let kept = if statement.depth_at(start) > 0 { text.trim_end_matches(closers) } else { text };
    let end = start + 1 + kept.len();
    let fault = fault(&(start..end), "this text has no closing quote");
    // `'text"`: the other kind of quote is no part of the text.
    let is_other = kept.len() > 1 && kept.ends_with(['"', '\'']) && kept.matches(['"', '\'']).count() == 1;
    let closing = if is_other { end - 1..end } else { end..end };
    help_to_close(fault, &statement.text[start + 1..closing.start], closing.clone(), quote)
}
