//! The directories of a site that plasmagen owns.

/// The trees, in the order in which they are exchanged.
pub(super) const TREES: [&str; 2] = ["nodes", "site"];
