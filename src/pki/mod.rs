//! The cluster's own certificate authority, and the certificates that it signs for the nodes.
//!
//! - [`request`]: what a certificate must say. Pure: the one place where host names and addresses become SANs.
//! - [`cluster`]: what the certificates of a cluster must say, which are missing, and their issue.
//! - [`constraints`]: what a CA may vouch for. Pure.
//! - [`issue`]: makes the CA and the nodes' certificates (rcgen, ring).
//! - [`kind`]: the kinds of certificates and keys that we tell apart. Pure.
//! - [`read`]: what a PEM certificate says, whether it says what was asked, and who signed it (x509-parser).
//! - [`recipient`]: whom secrets are encrypted to, and the encryption (age).
//! - [`status`]: how long certificates still live, as rows of a table. Pure.
//! - [`secret`]: the type of private keys: never serialised, never printed.
//! - [`vault`]: where private keys live, and the only code that writes them.
//!
//! The clock is the caller's: everything that depends on it takes `now`.

pub mod cluster;
pub mod constraints;
pub mod issue;
pub mod kind;
pub mod read;
pub mod recipient;
pub mod request;
pub mod secret;
pub mod status;
pub mod vault;

pub use issue::{CaIssuer, Issued};
pub use read::PublicCert;
pub use request::{CaRequest, LeafRequest};
pub use secret::SecretKey;
pub use vault::Vault;

pub use crate::model::KeyAlgorithm;
