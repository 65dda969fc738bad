//! A step of a procedure.

use serde::Serialize;

/// A step of the procedure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The task in words.
    pub title: String,
    /// The command lines, in their order.
    pub commands: Vec<String>,
}

impl Step {
    pub(super) fn new(title: impl Into<String>, commands: impl IntoIterator<Item = String>) -> Self {
        Self { title: title.into(), commands: commands.into_iter().collect() }
    }
}
