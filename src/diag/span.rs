//! Places in the text of an inventory.

use std::ops::Range;

/// A place in the inventory: byte offsets from the beginning of the file.
pub type Span = Range<usize>;

/// A value together with the place where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// The place of the value in the inventory.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// Joins `value` with the `span` where it is written.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}
