//! The bracket that is never closed: the parser stumbles over every line behind it, and only the bracket is the fault.

use toml_parser::Source;
use toml_parser::lexer::TokenKind;

/// Where the outermost array or inline table of `text` begins that is never closed.
pub(super) fn unclosed(text: &str) -> Option<usize> {
    let mut open: Vec<(TokenKind, usize)> = Vec::new();
    // Outside of values, brackets are those of headers.
    let mut in_value = false;
    for token in Source::new(text).lex() {
        match token.kind() {
            TokenKind::Equals => in_value = true,
            TokenKind::Newline if open.is_empty() => in_value = false,
            kind @ (TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket) if in_value => {
                open.push((closing(kind), token.span().start()));
            }
            kind if open.last().is_some_and(|(closing, _)| *closing == kind) => {
                open.pop();
            }
            _ => {}
        }
    }
    open.first().map(|(_, start)| *start)
}

fn closing(opening: TokenKind) -> TokenKind {
    match opening {
        TokenKind::LeftSquareBracket => TokenKind::RightSquareBracket,
        _ => TokenKind::RightCurlyBracket,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outermost_bracket_without_an_end() {
        for (text, found) in [
            ("a = [1, [2]]\n[t]\nb = { c = [1] } # [\nd = \"[\"\n", None),
            ("[t\na = 1\n", None),
            ("a = [1,\nb = [2]\n[t]\n", Some(4)),
            ("[t]\na = { b = [1 }\nc = 2\n", Some(8)),
            ("a = [1]\nb = [\n", Some(12)),
        ] {
            assert_eq!(unclosed(text), found, "{text}");
        }
    }
}
