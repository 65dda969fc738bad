//! Forms in which values of the inventory are kept as written.

use crate::diag::Spanned;

/// A list as written, with the place of each item; in a list of `Option`s, a faulty item is `None`.
pub type List<T> = Vec<Spanned<T>>;

/// An optional value: `None` where the key is missing, `None` within where the value is faulty. Used where a rule would
/// take a faulty value for a missing one, and so report one fault twice.
pub type Maybe<T> = Option<Spanned<Option<T>>>;

/// The value, where it is written and sound.
pub fn known<T>(maybe: &Maybe<T>) -> Option<&T> {
    maybe.as_ref()?.value.as_ref()
}
