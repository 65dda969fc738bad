//! Written values, cloned and without their places.

use crate::diag::Spanned;
use crate::inventory::{Maybe, known};

/// The value.
pub(super) fn value<T: Clone>(written: Option<&Spanned<T>>) -> Option<T> {
    written.map(|written| written.value.clone())
}

/// The value, where it is sound.
pub(super) fn sound<T: Clone>(written: &Maybe<T>) -> Option<T> {
    known(written).cloned()
}

/// The items of a list.
pub(super) fn items<T: Clone>(list: Option<&Spanned<Vec<Spanned<T>>>>) -> Option<Vec<T>> {
    list.map(|list| list.value.iter().map(|item| item.value.clone()).collect())
}
