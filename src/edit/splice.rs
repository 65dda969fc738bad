//! Texts put into the places of a text.

use crate::diag::Span;

/// A text in the place of another.
#[derive(Debug)]
pub(super) struct Splice {
    /// The place that is replaced; empty where text is inserted.
    pub(super) span: Span,
    /// The text to write there.
    pub(super) text: String,
}

impl Splice {
    /// Puts `text` into the place `span`.
    pub(super) fn new(span: Span, text: impl Into<String>) -> Self {
        Self { span, text: text.into() }
    }
}

/// Applies `splices`, whose places share no byte. Insertions at one place keep their order.
pub(super) fn apply(text: &str, mut splices: Vec<Splice>) -> String {
    splices.sort_by_key(|splice| (splice.span.start, splice.span.end));
    let mut edited = String::with_capacity(text.len());
    let mut copied = 0;
    for splice in splices {
        edited += &text[copied..splice.span.start.max(copied)];
        edited += &splice.text;
        copied = copied.max(splice.span.end);
    }
    edited + &text[copied..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splices_apply_to_the_places_of_the_old_text() {
        let splices = vec![
            Splice::new(4..5, "E"),
            Splice::new(1..1, "x"),
            Splice::new(1..1, "y"),
            Splice::new(2..4, ""),
        ];
        assert_eq!(apply("abcde", splices), "axybE");
    }
}
