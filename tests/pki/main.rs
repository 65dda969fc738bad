//! The PKI against its real consumers: OpenSSL, pkilint, rustls' webpki, GnuTLS; and the vault against dying runs.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod certificates;
mod cms;
mod consumers;
mod encrypted;
mod growth;
mod issue;
mod read;
mod request;
mod revocation;
mod rotation;
mod support;
mod vault;
mod vault_place;
mod years;
