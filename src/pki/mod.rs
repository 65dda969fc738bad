//! The cluster's own certificate authority, and the certificates that it signs for the nodes.
//!
//! - [`request`]: the requests of certificates. Pure: the one place where host names and addresses become SANs.
//! - [`cluster`]: the certificates of a cluster: their requests, which are missing, and their issue.
//! - [`backup_file`]: the encrypted file of a backup; [`identity`]: the private keys that decrypt one (age).
//! - [`constraints`]: the names and addresses that a CA may vouch for. Pure.
//! - [`host_key`]: the type of SSH host keys, which can't be serialised or printed.
//! - [`issue`]: makes the CA and the nodes' certificates (rcgen, ring).
//! - [`kind`]: the kinds of certificates and of public keys. Pure.
//! - [`known`]: the vault as far as rules see it; [`known_vault`]: the public halves of what a vault holds.
//! - [`passphrase`]: the type of passphrases of encrypted disks, which can't be serialised or printed.
//! - [`read`]: reads certificates, and compares them with requests (x509-parser); `verify` says who signed them.
//! - [`recipient`]: the recipients of encrypted keys, and the encryption (age).
//! - [`revocation`]: the list of revoked certificates, and the CRLs that the CAs sign.
//! - [`status`]: how long certificates are still valid, as rows of a table. Pure.
//! - [`secret`]: the type of private keys, which can't be serialised or printed.
//! - [`trust`]: whether a CA is the cluster's, and which CA signed a certificate. Pure.
//! - [`vault`]: the directory of private keys, and the only code that writes them.
//!
//! Nothing in this room reads a clock: every function that depends on the time takes `now`.

pub mod backup_file;
pub mod cluster;
pub mod constraints;
pub mod host_key;
pub mod identity;
pub mod issue;
pub mod kind;
pub mod known;
pub mod known_vault;
pub mod passphrase;
pub mod read;
pub mod recipient;
pub mod request;
pub mod revocation;
pub mod secret;
pub mod status;
pub mod trust;
pub mod vault;
mod verify;
mod weak;

pub use host_key::HostKey;
pub use issue::{CaIssuer, IssuedCertificate};
pub use known::{VaultUse, VaultView};
pub use known_vault::KnownVault;
pub use passphrase::Passphrase;
pub use read::PublicCert;
pub use request::{CaRequest, LONGEST_CLUSTER_NAME, LeafRequest};
pub use secret::SecretKey;
pub use vault::{NewNodeKeys, Vault};

pub use crate::model::KeyAlgorithm;
