//! The kinds of entries and of files in a vault, by their names: the one list. A vault may hold more kinds than these; a
//! backup takes them all.

use std::fmt;

use serde::Serialize;

use super::authorities::parse_generation;
use super::retired::RETIRED;
use crate::pki::request::parse_full_name;

/// The files of an entry that hold no secret: the certificate and the site of a CA, and the machine of a key.
const PUBLIC_FILES: [&str; 3] = ["ca-cert.pem", "site", "machine"];

/// The directory of BMCs: their passwords, and the fingerprints of their certificates.
pub(super) const BMCS: &str = "bmc";

/// The end of the name of a file with the fingerprint of a BMC's certificate, which is no secret.
pub(super) const BMC_CERTIFICATE: &str = ".certificate";

/// The kind of an entry of the vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// A CA: certificate and key.
    Authority,
    /// The keys of a node.
    Node,
    /// The keys of a node that has other keys now.
    Retired,
    /// The passwords of BMCs, and the fingerprints of their certificates.
    Bmc,
    /// Something that this version of plasmagen does not use.
    Other,
}

impl EntryKind {
    /// The kind of the entry `name`.
    pub(super) fn of(name: &str) -> Self {
        if name.starts_with(RETIRED) {
            Self::Retired
        } else if parse_generation(name).is_some() {
            Self::Authority
        } else if parse_full_name(name).is_ok_and(|full| full == name) {
            Self::Node
        } else if name == BMCS {
            Self::Bmc
        } else {
            Self::Other
        }
    }
}

impl fmt::Display for EntryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Authority => "CA",
            Self::Node => "node",
            Self::Retired => "retired",
            Self::Bmc => "BMCs",
            Self::Other => "other",
        })
    }
}

/// Whether the file `path` of the vault holds a secret that is lost with the file.
pub(super) fn is_secret(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    !PUBLIC_FILES.contains(&name) && !name.ends_with(BMC_CERTIFICATE)
}

/// Splits the path of a file in the vault into the name of its entry and the path of the file in the entry.
pub(super) fn split_entry(path: &str) -> (&str, &str) {
    let retired = path.strip_prefix(RETIRED).and_then(|rest| rest.strip_prefix('/'));
    let end = match retired {
        Some(rest) => rest.find('/').map(|at| RETIRED.len() + 1 + at),
        None => path.find('/'),
    };
    end.map_or((path, ""), |end| (&path[..end], &path[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_belong_to_entries_of_a_kind() {
        for (path, entry, kind, is_secret_file) in [
            ("ca-1/ca-key.pem", "ca-1", EntryKind::Authority, true),
            ("ca-1/ca-cert.pem", "ca-1", EntryKind::Authority, false),
            ("node01.example.com/machine", "node01.example.com", EntryKind::Node, false),
            ("node01.example.com/luks-passphrase", "node01.example.com", EntryKind::Node, true),
            ("node01.example.com/later/key", "node01.example.com", EntryKind::Node, true),
            (".retired/a.example.com.1/a-key.pem", ".retired/a.example.com.1", EntryKind::Retired, true),
            ("bmc/node01", "bmc", EntryKind::Bmc, true),
            ("bmc/node01.certificate", "bmc", EntryKind::Bmc, false),
            ("notes", "notes", EntryKind::Other, true),
        ] {
            assert_eq!(split_entry(path).0, entry);
            assert_eq!((EntryKind::of(entry), is_secret(path)), (kind, is_secret_file), "{path}");
        }
    }
}
