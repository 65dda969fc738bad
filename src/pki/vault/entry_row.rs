//! The entries of a vault as rows of a table.

use std::fmt;

use serde::Serialize;

use super::entry_kind::EntryKind;

/// How an entry of the vault is related to `nodes/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryState {
    /// `nodes/` publishes the CA, or the certificate of the node is for this key.
    Published,
    /// `nodes/` publishes no such CA, or no certificate of the node yet.
    NotPublished,
    /// A newer CA has taken the place of this one.
    Replaced,
    /// The inventory has no such node.
    NotInInventory,
    /// Commands use the entry, which has nothing to do with `nodes/`.
    InUse,
    /// The entry is kept and not used.
    Unused,
    /// The entry has a fault.
    Faulty,
}

impl fmt::Display for EntryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Published => "matches nodes/",
            Self::NotPublished => "not in nodes/ yet",
            Self::Replaced => "no longer in nodes/",
            Self::NotInInventory => "no node of the inventory",
            Self::InUse => "used by plasmagen power",
            Self::Unused => "kept, not used",
            Self::Faulty => "has a fault",
        })
    }
}

/// An entry of the vault, as a row of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EntryRow {
    /// The name of the entry's directory in the vault.
    pub entry: String,
    /// The kind of the entry.
    pub kind: EntryKind,
    /// The number of files that hold a secret.
    pub keys: usize,
    /// How the entry is related to `nodes/`.
    pub state: EntryState,
}
