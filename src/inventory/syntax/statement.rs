//! The statements of an inventory: each header, and each key with its value. A fault in one of them is no fault of the
//! next, which the parser of a whole document cannot know after a bracket that is never closed.

use toml_parser::Source;
use toml_parser::lexer::{Lexer, Token, TokenKind};

use crate::diag::Span;

use super::steps::count_step;

/// A header, or a key with its value, as tokens without white space and comments.
pub(super) struct Statement<'i> {
    /// The text of the whole inventory.
    pub(super) text: &'i str,
    /// The place of the statement, with the white space before its first token.
    span: Span,
    /// The tokens, in order. A statement has one at least.
    tokens: Vec<Token>,
    /// The number of brackets that are open before each of the tokens.
    depths: Vec<usize>,
    /// The number of the first `=` among the tokens.
    equals: Option<usize>,
    /// The brackets that are open at the end, the outermost first.
    pub(super) open: Vec<Token>,
    /// The first bracket that closes another kind of bracket, or none; and the bracket that is open there.
    pub(super) stray: Option<(Token, Option<Token>)>,
}

impl<'i> Statement<'i> {
    fn new(text: &'i str) -> Self {
        Self {
            text,
            span: 0..0,
            tokens: Vec::new(),
            depths: Vec::new(),
            equals: None,
            open: Vec::new(),
            stray: None,
        }
    }

    /// Adds the next token of the text.
    fn push(&mut self, token: Token) {
        if self.span.is_empty() {
            self.span.start = token.span().start();
        }
        self.span.end = token.span().end();
        if !is_meaningful(token.kind()) {
            return;
        }
        let (before, last) = (self.depths.last().copied(), self.tokens.last().map(Token::kind));
        let depth = before.unwrap_or_default();
        self.depths.push(match last {
            Some(TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket) => depth + 1,
            Some(TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket) => depth.saturating_sub(1),
            _ => depth,
        });
        if token.kind() == TokenKind::Equals && self.equals.is_none() {
            self.equals = Some(self.tokens.len());
        }
        self.tokens.push(token);
    }

    /// The place of the statement.
    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    /// The lines of the statement.
    pub(super) fn lines(&self) -> Vec<Span> {
        let mut start = self.span.start;
        let lines = self.text[self.span()].split_inclusive('\n').map(|line| {
            let line_start = start;
            start += line.len();
            line_start..start
        });
        lines.collect()
    }

    /// The text of `token`.
    pub(super) fn text_of(&self, token: &Token) -> &'i str {
        &self.text[span_of(token)]
    }

    /// The tokens that lie within the place `span` of the inventory's text. Only these are looked at: a slip in each line
    /// of a long list must not take the square of the list.
    pub(super) fn tokens_in(&self, span: &Span) -> impl DoubleEndedIterator<Item = &Token> + use<'_, 'i> {
        let first = self.find_number(span.start);
        let behind = self.tokens.partition_point(|token| token.span().end() <= span.end);
        self.tokens[first..behind.max(first)].iter().inspect(|_| count_step())
    }

    /// The tokens.
    pub(super) fn tokens(&self) -> impl DoubleEndedIterator<Item = &Token> + use<'_, 'i> {
        self.tokens.iter().inspect(|_| count_step())
    }

    /// The tokens before and at the place `at` of the inventory's text.
    pub(super) fn tokens_around(&self, at: usize) -> (Option<&Token>, Option<&Token>) {
        let number = self.find_number(at);
        (number.checked_sub(1).map(|before| &self.tokens[before]), self.tokens.get(number))
    }

    /// The number of brackets that are open at the place `at` of the inventory's text.
    pub(super) fn depth_at(&self, at: usize) -> usize {
        self.depths.get(self.find_number(at)).or(self.depths.last()).copied().unwrap_or_default()
    }

    /// The number of the first token that begins at the place `at` or behind.
    fn find_number(&self, at: usize) -> usize {
        self.tokens.partition_point(|token| token.span().start() < at)
    }

    /// Whether the statement is a header.
    pub(super) fn is_header(&self) -> bool {
        self.tokens.first().is_some_and(|token| token.kind() == TokenKind::LeftSquareBracket)
    }

    /// The place of the first `=`, which ends the key.
    pub(super) fn equals(&self) -> Option<&Token> {
        self.equals.map(|number| &self.tokens[number]).filter(|_| !self.is_header())
    }

    /// The tokens of the key: those in a header's brackets, or before the `=`.
    pub(super) fn key(&self) -> Vec<&Token> {
        let end = self.equals().map_or(usize::MAX, |equals| equals.span().start());
        let is_bracket = |kind| [TokenKind::LeftSquareBracket, TokenKind::RightSquareBracket].contains(&kind);
        let before = self.tokens().take_while(|token| token.span().start() < end);
        before.filter(|token| !is_bracket(token.kind())).collect()
    }
}

/// The place of `token`.
pub(super) fn span_of(token: &Token) -> Span {
    token.span().start()..token.span().end()
}

fn is_meaningful(kind: TokenKind) -> bool {
    use TokenKind::{Comment, Eof, Newline, Whitespace};
    ![Comment, Eof, Newline, Whitespace].contains(&kind)
}

/// The statements of `text`, in order.
pub(super) struct Statements<'i> {
    text: &'i str,
    tokens: Lexer<'i>,
}

impl<'i> Statements<'i> {
    pub(super) fn of(text: &'i str) -> Self {
        Self { text, tokens: Source::new(text).lex() }
    }
}

impl<'i> Iterator for Statements<'i> {
    type Item = Statement<'i>;

    fn next(&mut self) -> Option<Statement<'i>> {
        let mut statement = Statement::new(self.text);
        // Outside of values, brackets are those of headers.
        let mut in_value = false;
        for token in self.tokens.by_ref() {
            match token.kind() {
                TokenKind::Eof => break,
                TokenKind::Newline => {
                    let rest = &self.text[token.span().end()..];
                    let goes_on = statement.open.last().is_some_and(|open| !begins(rest, open.kind()));
                    if !goes_on {
                        if !statement.tokens.is_empty() {
                            return Some(statement);
                        }
                        statement = Statement::new(self.text);
                        continue;
                    }
                }
                TokenKind::Equals => in_value = true,
                TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket if in_value => {
                    statement.open.push(token);
                }
                TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket if in_value => {
                    let fits = statement.open.last().is_some_and(|open| closing(open.kind()) == token.kind());
                    if fits {
                        statement.open.pop();
                    } else {
                        let open = statement.open.last().copied();
                        statement.stray.get_or_insert((token, open));
                    }
                }
                _ => {}
            }
            statement.push(token);
        }
        Some(statement).filter(|statement| !statement.tokens.is_empty())
    }
}

/// The bracket that closes `opening`.
pub(super) fn closing(opening: TokenKind) -> TokenKind {
    match opening {
        TokenKind::LeftSquareBracket => TokenKind::RightSquareBracket,
        _ => TokenKind::RightCurlyBracket,
    }
}

/// Whether the line that `rest` begins with cannot be a part of a value within the bracket `open`: it is a header, or,
/// where no keys belong, a key with its value.
fn begins(rest: &str, open: TokenKind) -> bool {
    let line = rest.lines().next().unwrap_or_default().trim();
    let is_name = |text: &str| {
        text.starts_with(|c: char| c.is_alphabetic())
            && text.chars().all(|c| c.is_alphanumeric() || "-_.\"' ".contains(c))
    };
    let header = line.split('#').next().unwrap_or_default().trim_end();
    let header = header.strip_prefix('[').and_then(|line| line.strip_suffix(']'));
    if header.is_some_and(|name| is_name(name) && !["true", "false", "inf", "nan"].contains(&name)) {
        return true;
    }
    open == TokenKind::LeftSquareBracket
        && line.split_once('=').is_some_and(|(key, _)| is_name(key.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_ends_where_the_next_begins() {
        for (text, statements) in [
            ("a = 1\n\n# x\n[t] # y\nb = [\n1,\n[2],\n]\n", &["a = 1", "[t] # y", "b = [\n1,\n[2],\n]"][..]),
            ("a = [1,\nb = [2]\n[t]\n", &["a = [1,", "b = [2]", "[t]"]),
            ("a = { b = 1,\nc = [1] }\n", &["a = { b = 1,\nc = [1] }"]),
            ("a = { b = 1\n[t]\n", &["a = { b = 1", "[t]"]),
            ("a = [\n[true]\n]\n", &["a = [\n[true]\n]"]),
        ] {
            let found: Vec<_> = Statements::of(text).map(|statement| &text[statement.span()]).collect();
            assert_eq!(found, statements, "{text}");
        }
    }
}
