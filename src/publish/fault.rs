//! The faults of what is published or about to be published.

use serde::Serialize;

/// The kind of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The content is not the published one.
    Changed,
    /// The file is not there.
    Missing,
    /// Nobody published this file.
    Extra,
    /// The file is another published one, in the wrong place.
    Swapped,
    /// An older generation is served than before.
    RolledBack,
    /// The generation may no longer be booted.
    Expired,
    /// No key that should vouch for the file does.
    Unsigned,
    /// The web server can't read the file, or others may write it.
    Mode,
}

impl FaultKind {
    /// The name of the kind in a table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::Swapped => "swapped",
            Self::RolledBack => "rolled back",
            Self::Expired => "expired",
            Self::Unsigned => "unsigned",
            Self::Mode => "mode",
        }
    }
}

/// A fault of one path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    /// Path below the directory that was verified.
    pub path: String,
    /// Kind of the fault.
    pub kind: FaultKind,
    /// The fault in words, to be read after the path.
    pub message: String,
}

impl Fault {
    pub(super) fn new(kind: FaultKind, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), kind, message: message.into() }
    }
}

/// The error when something is refused for its faults; found with [`anyhow::Error::downcast_ref`].
#[derive(Clone, Debug)]
pub struct Refused {
    message: String,
    /// All faults, sorted.
    pub faults: Vec<Fault>,
}

impl Refused {
    pub(super) fn new(message: impl Into<String>, mut faults: Vec<Fault>) -> Self {
        faults.sort();
        faults.dedup();
        Self { message: message.into(), faults }
    }
}

impl std::error::Error for Refused {}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:", self.message)?;
        self.faults.iter().try_for_each(|fault| write!(f, "\n  {}: {}", fault.path, fault.message))
    }
}
