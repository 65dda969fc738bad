//! Reads certificates, and compares them with requests.

use std::collections::HashSet;
use std::net::IpAddr;

use anyhow::{Context, bail, ensure};
use time::OffsetDateTime;
use x509_parser::extensions::{GeneralName, NameConstraints as ParsedConstraints, ParsedExtension};
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::constraints::NameConstraints;
use super::kind::{CertificateUse, KeyType};
use super::request::LeafRequest;
use crate::model::escape_line;

/// A certificate, as read. To read a certificate verifies nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicCert {
    /// The distinguished name of the owner, such as `CN=node01.example.com`; may be empty.
    pub subject: String,
    /// The distinguished name of the CA that signed the certificate.
    pub issuer: String,
    /// The subject's common name.
    pub common_name: Option<String>,
    /// The SANs of type dNSName, in lower case, in the order of the certificate.
    pub dns_names: Vec<String>,
    /// The SANs of type iPAddress, in the order of the certificate.
    pub addresses: Vec<IpAddr>,
    /// The first second in which the certificate is valid.
    pub not_before: OffsetDateTime,
    /// The last second in which the certificate is valid.
    pub not_after: OffsetDateTime,
    /// The serial number, hexadecimal without separators.
    pub serial: String,
    /// The use of the certificate.
    pub usage: CertificateUse,
    /// The kind of the public key.
    pub key_type: KeyType,
    /// The identifier of the public key (SKI, RFC 5280 section 4.2.1.2).
    pub subject_key_id: Option<Vec<u8>>,
    /// The identifier of the key that signed the certificate (AKI, RFC 5280 section 4.2.1.1).
    pub authority_key_id: Option<Vec<u8>>,
    /// The names and addresses that a CA may vouch for.
    pub constraints: NameConstraints,
    /// Whether there are SANs that are neither a dNSName nor an iPAddress.
    has_other_names: bool,
    /// The DER of the SubjectPublicKeyInfo.
    pub(super) public_key: Vec<u8>,
    pub(super) der: Vec<u8>,
}

/// How the SANs of a certificate differ from those that a request asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SanDifference {
    /// Names and addresses that are requested and not in the certificate.
    pub missing: Vec<String>,
    /// Names and addresses that are in the certificate, and neither requested nor tolerated.
    pub extra: Vec<String>,
}

impl PublicCert {
    /// Reads the one certificate in `pem`; text around it is ignored.
    ///
    /// # Errors
    /// When there is none, more than one, or one that does not parse.
    pub fn from_pem(pem: &str) -> anyhow::Result<Self> {
        let mut all = Self::list_from_pem(pem)?;
        ensure!(
            all.len() == 1,
            "expected one certificate (-----BEGIN CERTIFICATE-----), found {}",
            all.len()
        );
        Ok(all.remove(0))
    }

    /// Reads every certificate in `pem`, in order: during a rotation there are two trusted CAs.
    ///
    /// # Errors
    /// When a PEM block is broken, or is no certificate. The message quotes nothing of a private key.
    pub fn list_from_pem(pem: &str) -> anyhow::Result<Vec<Self>> {
        let read = |block: Result<Pem, _>| {
            let block =
                block.context("broken PEM: a certificate file that was cut short or edited by hand")?;
            ensure!(
                block.label == "CERTIFICATE",
                "found a PEM block {:?} where only certificates may stand: certificate files are public",
                block.label
            );
            Self::from_der(&block.contents)
        };
        Pem::iter_from_buffer(pem.as_bytes()).map(read).collect()
    }

    /// Reads a certificate from DER.
    ///
    /// # Errors
    /// When the bytes are not a certificate, or more bytes follow.
    pub fn from_der(der: &[u8]) -> anyhow::Result<Self> {
        let x509 = parse(der)?;
        let mut cert = Self {
            subject: escape_line(&x509.subject().to_string()).into_owned(),
            issuer: escape_line(&x509.issuer().to_string()).into_owned(),
            common_name: x509
                .subject()
                .iter_common_name()
                .find_map(|cn| Some(escape_line(cn.as_str().ok()?).into_owned())),
            dns_names: Vec::new(),
            addresses: Vec::new(),
            not_before: x509.validity().not_before.to_datetime(),
            not_after: x509.validity().not_after.to_datetime(),
            serial: x509.raw_serial().iter().map(|byte| format!("{byte:02x}")).collect(),
            usage: CertificateUse::of(&x509)?,
            key_type: KeyType::of(x509.public_key()),
            subject_key_id: None,
            authority_key_id: None,
            constraints: NameConstraints::default(),
            has_other_names: false,
            public_key: x509.public_key().raw.to_vec(),
            der: der.to_vec(),
        };
        let mut seen = HashSet::new();
        for extension in x509.extensions() {
            // RFC 5280 section 4.2. Of two, each client would read another.
            ensure!(seen.insert(&extension.oid), "the certificate has the extension {} twice", extension.oid);
            match extension.parsed_extension() {
                ParsedExtension::SubjectAlternativeName(sans) => cert.add_sans(&sans.general_names)?,
                ParsedExtension::SubjectKeyIdentifier(id) => cert.subject_key_id = Some(id.0.to_vec()),
                ParsedExtension::AuthorityKeyIdentifier(aki) => {
                    cert.authority_key_id = aki.key_identifier.as_ref().map(|id| id.0.to_vec());
                }
                ParsedExtension::NameConstraints(ParsedConstraints {
                    permitted_subtrees,
                    excluded_subtrees,
                }) => {
                    let (permitted, excluded) = (permitted_subtrees.as_deref(), excluded_subtrees.as_deref());
                    cert.constraints = NameConstraints::read(permitted, excluded, extension.critical)?;
                }
                ParsedExtension::ParseError { error } => {
                    bail!("the extension {} of the certificate is malformed: {error}", extension.oid);
                }
                _ => {}
            }
        }
        Ok(cert)
    }

    fn add_sans(&mut self, names: &[GeneralName<'_>]) -> anyhow::Result<()> {
        for name in names {
            match name {
                GeneralName::DNSName(name) => {
                    self.dns_names.push(escape_line(&name.to_ascii_lowercase()).into_owned());
                }
                GeneralName::IPAddress(octets) => self.addresses.push(address(octets)?),
                _ => self.has_other_names = true,
            }
        }
        Ok(())
    }

    /// The name of the owner: the common name, else the first SAN of type dNSName, else the whole subject.
    #[must_use]
    pub fn name(&self) -> &str {
        self.common_name.as_ref().or(self.dns_names.first()).unwrap_or(&self.subject)
    }

    /// The cluster in the name of a CA that plasmagen made, `CLUSTER CA GENERATION`; none for other names.
    #[must_use]
    pub fn cluster_name(&self) -> Option<&str> {
        self.split_ca_name().map(|(cluster, _)| cluster)
    }

    /// The generation in the name of a CA that plasmagen made, `CLUSTER CA GENERATION`; none for other names.
    #[must_use]
    pub fn generation(&self) -> Option<u32> {
        self.split_ca_name().map(|(_, generation)| generation)
    }

    fn split_ca_name(&self) -> Option<(&str, u32)> {
        let (cluster, generation) = self.common_name.as_deref()?.rsplit_once(" CA ")?;
        Some((cluster, generation.parse().ok()?))
    }

    /// Whether this is a CA that signs leaves, as `CaIssuer` makes.
    #[must_use]
    pub fn is_ca(&self) -> bool {
        self.usage == CertificateUse::Ca
    }

    /// Whether this certificate is for both ends of TLS, as a `CaIssuer` signs.
    #[must_use]
    pub fn is_node(&self) -> bool {
        self.usage == CertificateUse::Node
    }

    /// The certificate as DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether the public key is `key`, the DER of a SubjectPublicKeyInfo.
    #[must_use]
    pub fn has_key(&self, key: &[u8]) -> bool {
        self.public_key == key
    }

    /// Whether the SANs are those that `request` asks for, in any order, and further ones only where the request tolerates
    /// them.
    #[must_use]
    pub fn covers(&self, request: &LeafRequest) -> bool {
        !self.has_other_names && self.difference(request) == SanDifference::default()
    }

    /// Compares the SANs with those that `request` asks for.
    #[must_use]
    pub fn difference(&self, request: &LeafRequest) -> SanDifference {
        SanDifference {
            missing: list_sans(
                request.dns_names().iter().filter(|name| !self.dns_names.contains(name)),
                request.addresses().iter().filter(|address| !self.addresses.contains(address)),
            ),
            extra: list_sans(
                self.dns_names.iter().filter(|name| !request.accepts_name(name)),
                self.addresses.iter().filter(|address| !request.accepts_address(address)),
            ),
        }
    }
}

/// Splits `pem` behind each block with the label `label`. Text in front of a block stays with that block.
pub(super) fn split_pem<'a>(pem: &'a str, label: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let mark = format!("-----END {label}-----");
    let mut rest = pem;
    std::iter::from_fn(move || {
        let end = rest.find(&mark)? + mark.len();
        let line_end = rest[end..].find('\n').map_or(rest.len(), |at| end + at + 1);
        let (block, behind) = rest.split_at(line_end);
        rest = behind;
        Some(block)
    })
}

/// Reads the fields of the certificate `der`.
pub(super) fn parse(der: &[u8]) -> anyhow::Result<X509Certificate<'_>> {
    let (rest, x509) = X509Certificate::from_der(der).context("not an X.509 certificate")?;
    ensure!(rest.is_empty(), "{} bytes follow the end of the certificate", rest.len());
    Ok(x509)
}

fn address(octets: &[u8]) -> anyhow::Result<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).with_context(|| {
        format!("the certificate has an address of {} bytes: 4 and 16 are possible", octets.len())
    })
}

/// Lists names and addresses as text.
fn list_sans<'a>(
    names: impl Iterator<Item = &'a String>,
    addresses: impl Iterator<Item = &'a IpAddr>,
) -> Vec<String> {
    names.cloned().chain(addresses.map(ToString::to_string)).collect()
}
