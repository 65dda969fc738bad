//! Layers: a profile, and a node laid over it. The one place that decides which of them counts.

use std::collections::HashMap;
use std::ops::Deref;

use crate::diag::Spanned;
use crate::inventory::{Common, Entry, NodeTable, ProfileTable};
use crate::model::{HostName, Label};

use super::origin::{Origin, Sourced};

/// A profile as written, with its name.
pub(super) type ProfileEntry = Entry<Label, ProfileTable>;

/// The profiles of the inventory by name.
pub(super) type Profiles<'a> = HashMap<&'a str, &'a ProfileEntry>;

/// A node as written, with its name.
pub(super) type NodeEntry = Entry<HostName, NodeTable>;

/// A table that speaks of a node: that of its profile, or the node's.
#[derive(Clone, Copy, Debug)]
pub enum Layer<'a> {
    /// The profile of the node.
    Profile(&'a ProfileEntry),
    /// The node itself, which is laid over its profile.
    Node(&'a NodeEntry),
}

impl<'a> Layer<'a> {
    /// The keys that profiles and nodes have in common.
    #[must_use]
    pub fn common(self) -> &'a Common {
        match self {
            Self::Profile(entry) => &entry.value.common,
            Self::Node(entry) => &entry.value.common,
        }
    }

    /// The origin of the layer's values.
    pub(super) fn origin(self) -> Origin<'a> {
        match self {
            Self::Profile(entry) => Origin::Named("profile", &entry.key),
            Self::Node(entry) => Origin::Named("node", &entry.key),
        }
    }
}

/// The word that counts for a key, as written, and the layer that says it.
#[derive(Debug)]
pub struct Said<'a, T> {
    /// The value, as written.
    pub written: &'a T,
    /// The layer that it is written in.
    pub layer: Layer<'a>,
}

impl<T> Clone for Said<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Said<'_, T> {}

impl<T> Deref for Said<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.written
    }
}

impl<'a, T> Said<'a, T> {
    /// A part of what is written.
    pub(super) fn part<U>(self, part: impl FnOnce(&'a T) -> Option<&'a U>) -> Option<Said<'a, U>> {
        Some(Said { written: part(self.written)?, layer: self.layer })
    }
}

impl<'a, T: Clone> Said<'a, Spanned<T>> {
    /// The value with its origin, without its place.
    pub(super) fn sourced(self) -> Sourced<'a, T> {
        self.layer.origin().gives(self.written.value.clone())
    }
}

/// Lays what `layer` says over what is said so far, if the layer says anything.
pub(super) fn lay<'a, T>(said: &mut Option<Said<'a, T>>, written: Option<&'a T>, layer: Layer<'a>) {
    if let Some(written) = written {
        *said = Some(Said { written, layer });
    }
}

/// The word of the last of `layers` that says something for `key`.
pub(super) fn said<'a, T>(
    layers: impl Iterator<Item = Layer<'a>>,
    key: impl Fn(&'a Common) -> Option<&'a T>,
) -> Option<Said<'a, T>> {
    let mut said = None;
    layers.for_each(|layer| lay(&mut said, key(layer.common()), layer));
    said
}
