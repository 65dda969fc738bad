//! Slips of brackets and commas.

use toml_parser::lexer::TokenKind;

use crate::diag::{Diagnostic, Span};

use super::fault::fault;
use super::statement::{Statement, closing, span_of};

/// Finds a bracket of `statement` that is never closed, or that closes nothing.
pub(super) fn find_single_bracket(statement: &Statement<'_>) -> Option<Diagnostic> {
    if let Some((stray, open)) = &statement.stray {
        let (span, written) = (span_of(stray), statement.text_of(stray));
        let Some(open) = open else {
            let is_closer =
                |kind| [TokenKind::RightSquareBracket, TokenKind::RightCurlyBracket].contains(&kind);
            let behind = statement.tokens_in(&(span.start..usize::MAX));
            let end = behind
                .take_while(|token| is_closer(token.kind()))
                .last()
                .map_or(span.end, |last| last.span().end());
            let fault = fault(&span, format!("this `{written}` closes nothing"));
            return Some(fault.help("remove it").edit(span.start..end, ""));
        };
        let closer = closing(open.kind()).description().trim_matches('`');
        let opener = statement.text_of(open);
        let fault = fault(&span, format!("this `{written}` cannot close a `{opener}`"));
        let fault = fault.related(&span_of(open), "opened here");
        return Some(fault.help(format!("write `{closer}`")).edit(span, closer));
    }
    let open = statement.open.first()?;
    let closers: String = statement
        .open
        .iter()
        .rev()
        .map(|open| closing(open.kind()).description().trim_matches('`'))
        .collect();
    let end = statement.tokens().next_back()?.span().end();
    let fault = fault(&span_of(open), "this bracket is never closed");
    Some(fault.help(format!("write `{closers}` after its last item")).edit(end..end, closers))
}

/// Makes the fault of a comma that is missing before `place`, between two items of a value.
pub(super) fn refuse_missing_comma(statement: &Statement<'_>, place: &Span) -> Option<Diagnostic> {
    let (before, after) = statement.tokens_around(place.start);
    let (before, after) = (before?, after?);
    let is_comma = [before.kind(), after.kind()].contains(&TokenKind::Comma);
    let end = before.span().end();
    let fault = fault(&span_of(after), "a comma is missing before this item");
    (!is_comma).then(|| fault.help("write `,` between two items").edit(end..end, ","))
}
