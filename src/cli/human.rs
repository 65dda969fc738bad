//! Diagnostics for people: where, what, why, and what to write instead.

use std::borrow::Cow;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet, normalize_untrusted_str};

use crate::diag::{Diagnostic, Related, Severity, Span};
use crate::model::is_invisible;
use crate::rules;

/// How many bytes two places may lie apart to be shown in one excerpt; what lies between is folded.
const NEAR: usize = 4096;
/// How many bytes an excerpt has at most.
const READABLE: usize = 4 * NEAR;
/// What gives away a line that holds a secret, which has no business in an inventory.
const SECRETS: [&str; 4] = ["PRIVATE KEY", "AGE-SECRET-KEY-", "password =", "password="];

/// Whether `span` is shown in one excerpt with the place of `found`.
fn near(found: &Diagnostic, span: &Span) -> bool {
    span.start.abs_diff(found.span.start) < NEAR
}

/// The place of `found` and those near it.
fn around(found: &Diagnostic) -> Span {
    let spans = found.related.iter().map(|related| &related.span).filter(|span| near(found, span));
    spans.fold(found.span.clone(), |all, span| all.start.min(span.start)..all.end.max(span.end))
}

/// `text` without characters that a terminal obeys or hides. Each is replaced by one of as many bytes, so that places
/// stay where they are; the ASCII ones are left to the renderer, which shows them as `␛` and the like.
fn visible(text: &str) -> Cow<'_, str> {
    let odd = |c: char| !c.is_ascii() && is_invisible(c);
    if !text.contains(odd) {
        return Cow::Borrowed(text);
    }
    let shown = |c: char| match c.len_utf8() {
        _ if !odd(c) => c,
        2 => '\u{bf}',
        3 => '\u{fffd}',
        _ => '\u{1f5ff}',
    };
    Cow::Owned(text.chars().map(shown).collect())
}

/// The source of diagnostics, with its line starts found once.
pub(super) struct Source<'a> {
    path: &'a str,
    text: Cow<'a, str>,
    lines: Vec<usize>,
}

impl<'a> Source<'a> {
    pub(super) fn new(path: &'a str, bytes: &'a [u8]) -> Self {
        // Text that is not UTF-8 has no places to show.
        let text = visible(std::str::from_utf8(bytes).unwrap_or_default());
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { path, text, lines }
    }

    /// The number of the line that holds `offset`, from 0.
    fn line(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// The whole lines around `span`, the number of the first, and where they begin.
    ///
    /// `None` where they are not shown: a secret, since terminals are logged; or lines that nobody could read.
    fn excerpt(&self, span: &Span) -> Option<(&str, usize, usize)> {
        let (first, last) = (self.line(span.start), self.line(span.end));
        let start = self.lines[first];
        let end = self.lines.get(last + 1).map_or(self.text.len(), |next| next - 1);
        let text = &self.text[start..end.max(start)];
        (text.len() <= READABLE && !SECRETS.iter().any(|mark| text.contains(mark))).then_some((
            text,
            first + 1,
            start,
        ))
    }

    /// The place of `span` without an excerpt.
    fn origin(&self, span: &Span) -> Origin<'_> {
        let line = self.line(span.start);
        let before = &self.text[self.lines[line]..span.start];
        Origin::path(self.path).line(line + 1).char_column(before.chars().count() + 1)
    }

    /// `found` as text, with colours if `styled`.
    pub(super) fn render(&self, found: &Diagnostic, styled: bool) -> String {
        let level = if found.severity == Severity::Error { Level::ERROR } else { Level::WARNING };
        let mut group =
            level.primary_title(visible(&found.message)).id(found.code).elements(Vec::<Origin<'_>>::new());
        if self.text.is_empty() {
            group = group.element(Origin::path(self.path));
        } else {
            group = self.places(group, found);
        }
        if let Some(rule) = rules::find(found.code) {
            group = group.element(Level::NOTE.message(format!("{}; otherwise {}", rule.title, rule.why)));
        }
        if let Some(help) = &found.help {
            group = group.element(Level::HELP.message(normalize_untrusted_str(&visible(help))));
        }
        let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }

    /// Adds excerpts of the source: one for all places near the fault, one more for each that is far away.
    fn places<'r>(&'r self, group: Group<'r>, found: &'r Diagnostic) -> Group<'r> {
        // The fault of a password: terminals are logged.
        if found.code == "PG-E03" {
            return group.element(self.origin(&found.span));
        }
        let (together, far): (Vec<_>, Vec<_>) = found.related.iter().partition(|own| near(found, &own.span));
        let group = self.place(group, &around(found), Some(&found.span), &together);
        far.into_iter().fold(group, |group, related| self.place(group, &related.span, None, &[related]))
    }

    /// Adds the excerpt that holds `span`.
    fn place<'r>(
        &'r self,
        group: Group<'r>,
        span: &Span,
        primary: Option<&Span>,
        related: &[&'r Related],
    ) -> Group<'r> {
        let Some((text, line, start)) = self.excerpt(span) else {
            return group.element(self.origin(primary.unwrap_or(span)));
        };
        let moved = |span: &Span| span.start - start..span.end - start;
        let primary = primary.map(|span| AnnotationKind::Primary.span(moved(span)));
        let related = related
            .iter()
            .map(|own| AnnotationKind::Context.span(moved(&own.span)).label(visible(&own.label)));
        let snippet = Snippet::source(text).line_start(line).path(self.path);
        group.element(snippet.annotations(primary.into_iter().chain(related)))
    }
}
