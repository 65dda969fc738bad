//! The origins of resolved values.

use std::fmt;

/// The place that a resolved value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin<'a> {
    /// A table that exists once, such as `cluster`.
    Table(&'static str),
    /// A table with a name, such as `profile.worker`.
    Named(&'static str, &'a str),
    /// A built-in service or hardware model, such as `hardware.generic`.
    BuiltIn(&'static str, &'a str),
    /// The files that were rendered last, whose value stays while the inventory has none.
    Rendered,
    /// The default of the key, which is written nowhere.
    Default,
}

impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(table) => f.write_str(table),
            Self::Named(table, name) => write!(f, "{table}.{name}"),
            Self::BuiltIn(table, name) => write!(f, "built-in {table}.{name}"),
            Self::Rendered => f.write_str("as rendered last"),
            Self::Default => f.write_str("default"),
        }
    }
}

impl<'a> Origin<'a> {
    /// `value`, which comes from here.
    pub(super) fn gives<T>(self, value: T) -> Sourced<'a, T> {
        Sourced { value, origin: self }
    }

    /// `written`, which comes from here if it is written at all.
    pub(super) fn says<T>(self, written: Option<T>) -> Option<Sourced<'a, T>> {
        written.map(|value| self.gives(value))
    }
}

/// A value together with its origin. Only a [`Recorder`](super::recorder::Recorder) takes the value out, so that no value
/// gets into a cluster without an origin.
#[derive(Debug)]
pub(super) struct Sourced<'a, T> {
    pub(super) value: T,
    pub(super) origin: Origin<'a>,
}

/// The written value, else the default.
pub(super) fn or_default<T>(written: Option<Sourced<'_, T>>, default: T) -> Sourced<'_, T> {
    written.unwrap_or_else(|| Origin::Default.gives(default))
}
