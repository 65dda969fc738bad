//! The PKI against its real consumers: OpenSSL, pkilint, rustls' webpki, GnuTLS; and the vault against dying runs.

mod consumers;
mod issue;
mod read;
mod request;
mod support;
mod vault;
mod vault_place;
