//! The cluster's own certificate authority, and the certificates that it signs for the nodes.
//!
//! - [`request`]: what a certificate must say. Pure: the one place where host names and addresses become SANs.
//! - [`constraints`]: what a CA may vouch for. Pure.
//! - [`issue`]: makes the CA and the nodes' certificates (rcgen, ring).
//! - [`kind`]: the kinds of certificates and keys that we tell apart. Pure.
//! - [`read`]: what a PEM certificate says, whether it says what was asked, and who signed it (x509-parser).
//! - [`status`]: how long certificates still live, as rows and as a text table. Pure.
//! - [`secret`]: the type of private keys: never serialised, never printed.
//! - [`vault`]: where private keys live, and the only code that writes them.
//!
//! The clock is the caller's: everything that depends on it takes `now`.

use std::fmt;

pub mod constraints;
pub mod issue;
pub mod kind;
pub mod read;
pub mod request;
pub mod secret;
pub mod status;
pub mod vault;

pub use issue::{CaIssuer, Issued};
pub use read::PublicCert;
pub use request::{CaRequest, LeafRequest};
pub use secret::SecretKey;
pub use vault::Vault;

/// The kind of a key pair; the CA signs with the hash of the same strength (RFC 5480 section 4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum KeyAlgorithm {
    /// ECDSA on NIST P-256 with SHA-256: 128-bit strength, understood by every TLS stack.
    #[default]
    EcdsaP256,
    /// ECDSA on NIST P-384 with SHA-384: 192-bit strength.
    EcdsaP384,
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EcdsaP256 => "ecdsa-p256",
            Self::EcdsaP384 => "ecdsa-p384",
        })
    }
}
