//! What tests that interrupt a run find afterwards.

/// The version of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// There is no tree.
    None,
    /// The tree from before the run.
    Old,
    /// The tree that the run makes.
    New,
}
