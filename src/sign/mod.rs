//! CMS signatures (RFC 5652) of the files that machines load, which iPXE verifies with `imgverify`.
//!
//! ```text
//! public_key   ECDSA and RSA keys, and whether a signature of a digest fits
//! private_key  the private key of the signer, from a PEM file that only its owner can read
//! message      the DER of a detached signature: written and read
//! acceptance   whether iPXE accepts the certificates of signers and CAs
//! certificate  the certificates of the signer and of the CA, and who may sign
//! verify       verifies signatures as iPXE does
//! signer       the certificates together with the key
//! files        the files of a signer
//! ```
//!
//! **What iPXE accepts** (`src/crypto/cms.c`, `x509.c`, `rsa.c`, `ecdsa.c` of iPXE 2): one DER message of the type
//! signedData. iPXE skips the content and the signed attributes in the message, so the signature must be over the file
//! itself: detached, without signed attributes. Each signer is named by issuer and serial number, and the certificate of each
//! must be in the message, with a chain up to a certificate whose fingerprint iPXE was built with (`TRUST=`). Each signer's
//! certificate needs the key usage digitalSignature and the extended key usage codeSigning; the CA needs cA and, where it has
//! a key usage, keyCertSign. Of the critical extensions, iPXE knows basicConstraints, keyUsage, extKeyUsage, authorityInfoAccess
//! and subjectAltName. Digests are SHA-1, SHA-224, SHA-256, SHA-384 and SHA-512; algorithms are RSA with the padding of
//! PKCS #1 v1.5, and from iPXE 2.0.0 on ECDSA on P-256 and P-384: iPXE can't even read a certificate that is signed with
//! another one. Dates may be 12.5 hours off.
//!
//! plasmagen writes and accepts SHA-256 only. A signature without signed attributes is over nothing but the digest of the
//! file, which the manifests have already: to verify a signature needs no second look at the file.
//!
//! Nothing in this room reads a clock.

mod acceptance;
mod certificate;
mod files;
mod message;
mod private_key;
mod public_key;
mod signer;
mod verify;

pub(crate) use acceptance::NotValidNow;
pub use certificate::SignerCertificate;
pub use files::{SignerFiles, SignerTexts};
pub use private_key::SignerKey;
pub use signer::CmsSigner;
pub use verify::verify_by_any_ca;
