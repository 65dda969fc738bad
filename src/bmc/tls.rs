//! TLS to a BMC, over ureq and rustls: a certificate that is pinned, or signed by a CA that the user names. There is no
//! way to accept any certificate and to send something: [`Trust::Nothing`] ends every handshake after the certificate.
//!
//! ureq's transport is outside of semantic versioning, so that `Cargo.toml` says `~3.5`, and nothing of it is named elsewhere.

use std::fmt;
use std::io::Write;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, anyhow, ensure};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme, StreamOwned,
};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

use crate::fs::Sha256Sum;

/// The certificate that a BMC must show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The certificate with this SHA-256 of its DER.
    Pin(Sha256Sum),
    /// A certificate that one of these CAs has signed, for the address or the name of the BMC.
    Authorities {
        /// The certificates of the CAs, PEM.
        pem: String,
        /// The name of the BMC in DNS.
        name: String,
    },
    /// None: to look at the certificate.
    Nothing,
}

/// Verifies the certificate of a BMC, and keeps it.
pub(super) struct Verifier {
    rule: Rule,
    provider: Arc<CryptoProvider>,
    shown: Mutex<Option<Sha256Sum>>,
}

/// [`Trust`] as rustls wants it.
enum Rule {
    Pin(Sha256Sum),
    Authorities { verifier: Arc<WebPkiServerVerifier>, name: Option<ServerName<'static>> },
    Nothing,
}

impl Verifier {
    /// Makes the verifier of `trust`.
    ///
    /// # Errors
    /// When the CA's PEM holds no certificate, or one that can't be read.
    pub(super) fn new(trust: &Trust) -> Result<Arc<Self>> {
        let provider = Arc::new(ring::default_provider());
        let rule = match trust {
            Trust::Pin(pin) => Rule::Pin(*pin),
            Trust::Nothing => Rule::Nothing,
            Trust::Authorities { pem, name } => {
                let mut roots = RootCertStore::empty();
                for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                    let certificate =
                        certificate.map_err(|why| anyhow!("a certificate can't be read: {why}"))?;
                    roots.add(certificate).context("a certificate can't be used as a CA")?;
                }
                ensure!(!roots.is_empty(), "there is no certificate (PEM) in the file");
                let builder =
                    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
                let name = ServerName::try_from(name.clone()).ok();
                Rule::Authorities { verifier: builder.build()?, name }
            }
        };
        Ok(Arc::new(Self { rule, provider, shown: Mutex::new(None) }))
    }

    /// The SHA-256 of the certificate that the BMC must show, if it is known.
    pub(super) fn pin(&self) -> Option<Sha256Sum> {
        if let Rule::Pin(pin) = self.rule { Some(pin) } else { None }
    }

    /// The SHA-256 of the certificate that the BMC has shown last, if it has shown one.
    pub(super) fn shown(&self) -> Option<Sha256Sum> {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        address: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let shown = Sha256Sum::of(leaf);
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        match &self.rule {
            Rule::Pin(pin) if *pin == shown => Ok(ServerCertVerified::assertion()),
            Rule::Pin(_) => Err(rustls::Error::General("the certificate is not the recorded one".into())),
            Rule::Nothing => Err(rustls::Error::General("no certificate is trusted yet".into())),
            Rule::Authorities { verifier, name } => {
                let verify = |name| verifier.verify_server_cert(leaf, others, name, ocsp, now);
                // Few BMCs have a certificate for their address.
                name.as_ref().and_then(|name| verify(name).ok()).map_or_else(|| verify(address), Ok)
            }
        }
    }

    // A certificate is no secret: the signature of the handshake shows that the BMC has the key.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, leaf, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, leaf, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The TLS of a BMC, in ureq's chain of connectors.
#[derive(Debug)]
pub(super) struct Tls {
    config: Arc<ClientConfig>,
    address: ServerName<'static>,
}

impl Tls {
    /// TLS 1.2 and 1.3 to the BMC at `address`, whose certificate `verifier` verifies.
    ///
    /// # Errors
    /// When rustls refuses the configuration.
    pub(super) fn new(address: IpAddr, verifier: Arc<Verifier>) -> Result<Self> {
        let config = ClientConfig::builder_with_provider(Arc::clone(&verifier.provider))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        Ok(Self { config: Arc::new(config), address: ServerName::IpAddress(address.into()) })
    }
}

impl<In: Transport> Connector<In> for Tls {
    type Out = Encrypted;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Encrypted>, ureq::Error> {
        let conn = ClientConnection::new(Arc::clone(&self.config), self.address.clone())
            .map_err(|error| ureq::Error::Other(error.into()))?;
        let tcp = chained.ok_or(ureq::Error::ConnectionFailed)?.boxed();
        let mut sock = TransportAdapter::new(tcp, Arc::clone(&details.current_time));
        sock.set_timeout(details.timeout);
        let mut stream = StreamOwned { conn, sock };
        stream.conn.complete_io(&mut stream.sock).map_err(ureq::Error::Io)?;
        let (input, output) = (details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Encrypted { buffers: LazyBuffers::new(input, output), stream }))
    }
}

/// An encrypted connection.
pub(super) struct Encrypted {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl fmt::Debug for Encrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encrypted").finish_non_exhaustive()
    }
}

impl Transport for Encrypted {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let output = &self.buffers.output()[..amount];
        Ok(self.stream.write_all(output)?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let input = self.buffers.input_append_buf();
        let amount = std::io::Read::read(&mut self.stream, input)?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}
