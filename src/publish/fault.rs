//! What is wrong with what is published.

use serde::Serialize;

/// What kind of fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It is not what it was published as.
    Changed,
    /// It should be there.
    Missing,
    /// It should not be there.
    Extra,
    /// It is something else that was published, in the wrong place.
    Swapped,
    /// An older generation is served than was.
    RolledBack,
    /// Its time is over.
    Expired,
    /// No key vouches for it that should.
    Unsigned,
    /// The web server can't read it, or others may write it.
    Mode,
}

impl Kind {
    /// As people read it.
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

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    /// Where, below the directory that was verified.
    pub path: String,
    /// Of what kind.
    pub kind: Kind,
    /// What is wrong, in words.
    pub message: String,
}

impl Fault {
    pub(super) fn new(kind: Kind, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), kind, message: message.into() }
    }
}

/// The error of what is refused for its contents; found with [`anyhow::Error::downcast_ref`].
#[derive(Clone, Debug)]
pub struct Refused {
    what: String,
    /// All that is wrong.
    pub faults: Vec<Fault>,
}

impl Refused {
    pub(super) fn new(what: impl Into<String>, mut faults: Vec<Fault>) -> Self {
        faults.sort();
        faults.dedup();
        Self { what: what.into(), faults }
    }
}

impl std::error::Error for Refused {}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:", self.what)?;
        self.faults.iter().try_for_each(|own| write!(f, "\n  {}: {}", own.path, own.message))
    }
}
