//! Why no connection to a BMC came about, and what the operator can do.

use std::io;
use std::net::IpAddr;

use anyhow::{Error, anyhow};
use rustls::{AlertDescription, CertificateError, Error as TlsError};

use super::tls::Verifier;

/// The words for a BMC whose TLS is too old.
const TOO_OLD: &str = "its TLS is older than what plasmagen speaks, which is TLS 1.2 with ECDHE and AES-GCM, and keys of RSA with \
                       2048 bits or ECDSA: update its firmware, or write `protocol = \"ipmi\"` in its `bmc`";

/// Explains `error` at the BMC of `node` at `address`. Also returns whether the next try may succeed.
pub(super) fn explain_fault(
    error: ureq::Error,
    address: IpAddr,
    node: &str,
    verifier: &Verifier,
) -> (Error, bool) {
    let io = match error {
        ureq::Error::Io(io) => io,
        ureq::Error::Timeout(_) => return (explain_silence(address), true),
        ureq::Error::ConnectionFailed => return (anyhow!("nothing answers HTTPS at {address}"), true),
        other => return (anyhow!("the BMC at {address} does not answer as HTTPS does: {other}"), true),
    };
    // During the handshake, ureq's errors are those of a stream.
    let wrapped = io.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>());
    let is_late = matches!(wrapped, Some(ureq::Error::Timeout(_))) || io.kind() == io::ErrorKind::TimedOut;
    match find_tls_error(&io) {
        Some(fault) => (explain_tls(fault, address, node, verifier), false),
        None if is_late => (explain_silence(address), true),
        None => (anyhow!("nothing answers HTTPS at {address}: {io}"), true),
    }
}

fn explain_silence(address: IpAddr) -> Error {
    anyhow!("the BMC at {address} does not answer in time")
}

/// The fault of TLS in `error`, which ureq may have wrapped.
fn find_tls_error(error: &io::Error) -> Option<&TlsError> {
    let mut inner: &(dyn std::error::Error + 'static) = error.get_ref()?;
    for _ in 0..8 {
        if let Some(fault) = inner.downcast_ref::<TlsError>() {
            return Some(fault);
        }
        inner = match inner.downcast_ref::<io::Error>().and_then(|io| io.get_ref()) {
            Some(wrapped) => wrapped,
            None => inner.source()?,
        };
    }
    None
}

fn explain_tls(fault: &TlsError, address: IpAddr, node: &str, verifier: &Verifier) -> Error {
    use CertificateError as Certificate;
    let shown =
        verifier.shown().map_or_else(String::new, |sum| format!("; it shows the certificate sha256:{sum}"));
    match (fault, verifier.pin()) {
        (TlsError::General(_), Some(pin)) => anyhow!(
            "the certificate of the BMC at {address} is not the recorded one, sha256:{pin}{shown}. Nothing was sent to it. Where \
             its certificate was changed on purpose, look with: plasmagen power trust {node}"
        ),
        (TlsError::InvalidCertificate(Certificate::BadSignature), _)
        | (TlsError::InvalidCertificate(Certificate::UnsupportedSignatureAlgorithmContext { .. }), _)
        | (TlsError::PeerIncompatible(_), _)
        | (
            TlsError::AlertReceived(
                AlertDescription::HandshakeFailure
                | AlertDescription::ProtocolVersion
                | AlertDescription::InsufficientSecurity,
            ),
            _,
        ) => anyhow!("the BMC at {address}: {TOO_OLD} ({fault})"),
        (TlsError::InvalidCertificate(why), None) => anyhow!(
            "the CA of the BMC's `certificate` does not vouch for the BMC at {address}: {why:?}{shown}. Nothing was sent to it. \
             The certificate itself can be recorded instead, as `certificate = \"sha256:…\"`"
        ),
        _ => anyhow!("no encrypted connection to the BMC at {address}: {fault}"),
    }
}
