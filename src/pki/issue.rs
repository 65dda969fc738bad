//! Makes certificates: the CA, and the certificates that it signs.

use anyhow::{Context, anyhow, ensure};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyUsagePurpose, NameConstraints, SanType, SerialNumber,
};
use ring::rand::{SecureRandom, SystemRandom};
use time::{Duration, OffsetDateTime, UtcOffset};

use super::read::PublicCert;
use super::request::{CaRequest, LeafRequest, MAX_COMMON_NAME};
use super::secret::{SecretKey, Signer};

/// The time by which certificates are backdated, for machines whose clock is a little behind.
pub(super) const BACKDATE: Duration = Duration::minutes(5);

/// The year of plasmagen's first certificate. A clock that shows an earlier year was reset.
pub(crate) const FIRST_YEAR: i32 = 2025;

/// A certificate authority: its certificate and its key. Signing needs `&self` only, so that threads may share a CA.
#[derive(Debug)]
pub struct CaIssuer {
    pub(super) issuer: Issuer<'static, Signer>,
    certificate: PublicCert,
    pem: String,
    key: SecretKey,
}

/// A certificate that was just signed, and its key.
#[derive(Debug)]
pub struct IssuedCertificate {
    /// The certificate, PEM: public.
    pub cert_pem: String,
    /// The private key, for the vault.
    pub key: SecretKey,
}

impl CaIssuer {
    /// Makes a new CA with a new key, in memory; the vault stores it.
    ///
    /// # Errors
    /// When the clock is not credible, when the CA would end after the year 9999, or when the system has no random bytes.
    pub fn create(request: &CaRequest, now: OffsetDateTime) -> anyhow::Result<Self> {
        let mut params = CertificateParams::default();
        (params.not_before, params.not_after) = validity(now, request.days)?;
        params.serial_number = Some(draw_serial_number()?);
        params.distinguished_name = common_name(&request.common_name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.use_authority_key_identifier_extension = true;
        let names = request.permitted_names.iter().cloned().map(GeneralSubtree::DnsName);
        let addresses = request.permitted_addresses.iter().map(|subnet| {
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(subnet.network(), subnet.prefix_len()))
        });
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: names.chain(addresses).collect(),
            excluded_subtrees: Vec::new(),
        });
        let (key, signer) = SecretKey::generate_pair(request.algorithm)?;
        let certificate = params.self_signed(&signer).context("could not sign the CA certificate")?;
        Self::load(certificate.pem(), key)
    }

    /// Loads a CA from its certificate, PEM, and its key.
    ///
    /// # Errors
    /// When `pem` is not one CA certificate, its key is weak, or `key` is not the certificate's key.
    pub fn load(pem: String, key: SecretKey) -> anyhow::Result<Self> {
        let certificate = PublicCert::from_pem(&pem)?;
        let name = certificate.name();
        ensure!(
            certificate.is_ca(),
            "the certificate of {name} is not that of a CA for leaves: it lacks cA with pathlen 0 or keyCertSign, so \
             no client would accept what it signs"
        );
        ensure!(
            certificate.key_type.is_accepted(),
            "the key of the CA {name} is of a kind that plasmagen does not sign with: it takes ECDSA P-256 or P-384 \
             and RSA of 3072 bits or more"
        );
        ensure!(
            key.belongs_to(&certificate)?,
            "the key is not that of the CA certificate of {name}: what it signs, no client would accept. Restore both \
             from the same backup: plasmagen vault restore FILE --vault DIR writes it into a new directory"
        );
        let issuer =
            Issuer::from_ca_cert_pem(&pem, key.signer()?).context("could not read the CA certificate")?;
        Ok(Self { issuer, certificate, pem, key })
    }

    /// Signs the certificate that `request` asks for, for `existing_key` (at a renewal, or after a run that died when it had
    /// stored the key) or for a new key. The certificate is never valid before or after the CA is.
    ///
    /// # Errors
    /// When the CA's name constraints do not permit a name or an address, when the CA is valid for less than a day or not
    /// yet, or when the clock is not credible.
    pub fn sign_leaf(
        &self,
        request: &LeafRequest,
        now: OffsetDateTime,
        existing_key: Option<&SecretKey>,
    ) -> anyhow::Result<IssuedCertificate> {
        let refused = self.certificate.constraints.refused(request);
        ensure!(
            refused.is_empty(),
            "{} may not vouch for {} in the certificate of {}: its name constraints were fixed when it was made, and \
             TLS clients refuse what lies outside. Take the change back, or replace the CA: plasmagen certs rotate begin \
             is the first step",
            self.certificate.name(),
            refused.join(", "),
            request.fqdn()
        );
        let mut params = leaf_params(request)?;
        (params.not_before, params.not_after) = self.clip(validity(now, request.days)?, now)?;
        params.serial_number = Some(draw_serial_number()?);
        let (key, signer) = match existing_key {
            Some(key) => (key.clone(), key.signer()?),
            None => SecretKey::generate_pair(request.algorithm)?,
        };
        let certificate = params
            .signed_by(&signer, &self.issuer)
            .with_context(|| format!("could not sign the certificate of {}", request.fqdn()))?;
        Ok(IssuedCertificate { cert_pem: certificate.pem(), key })
    }

    /// The certificate of the CA, PEM: public. Clients trust this certificate.
    #[must_use]
    pub fn cert_pem(&self) -> &str {
        &self.pem
    }

    /// The certificate of the CA, as read.
    #[must_use]
    pub fn certificate(&self) -> &PublicCert {
        &self.certificate
    }

    /// The private key of the CA, for the vault.
    #[must_use]
    pub fn key(&self) -> &SecretKey {
        &self.key
    }

    /// Cuts the validity of a leaf to that of the CA.
    fn clip(
        &self,
        (not_before, not_after): (OffsetDateTime, OffsetDateTime),
        now: OffsetDateTime,
    ) -> anyhow::Result<(OffsetDateTime, OffsetDateTime)> {
        let ca = &self.certificate;
        ensure!(
            ca.not_before <= now,
            "{} is valid from {}, and this machine's clock says {now}: set the clock",
            ca.name(),
            ca.not_before
        );
        ensure!(
            ca.not_after - now >= Duration::days(1),
            "{} is valid until {}, which is less than a day from now ({now}): nothing that it signs would last. Replace \
             the CA: plasmagen certs rotate status says which step is next",
            ca.name(),
            ca.not_after
        );
        Ok((not_before.max(ca.not_before), not_after.min(ca.not_after)))
    }
}

/// The parameters of a leaf that do not depend on clock, CA or random bytes.
fn leaf_params(request: &LeafRequest) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::default();
    // A longer name does not fit a common name; then the subject is empty and rcgen marks the SANs critical
    // (RFC 5280 section 4.1.2.6). Nobody looks for host names in the common name any more (RFC 9525).
    params.distinguished_name = match request.fqdn() {
        fqdn if fqdn.len() <= MAX_COMMON_NAME => common_name(fqdn),
        _ => DistinguishedName::new(),
    };
    for name in request.dns_names() {
        let name = name.as_str().try_into().map_err(|_| anyhow!("{name:?} is no IA5String"))?;
        params.subject_alt_names.push(SanType::DnsName(name));
    }
    params.subject_alt_names.extend(request.addresses().iter().copied().map(SanType::IpAddress));
    // ExplicitNoCa, unlike NoCa, also writes the subject key identifier.
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn common_name(name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    subject
}

/// Computes the first and the last second of a validity of `days` days; both seconds belong to it (RFC 5280 section
/// 4.1.2.5).
fn validity(now: OffsetDateTime, days: u32) -> anyhow::Result<(OffsetDateTime, OffsetDateTime)> {
    let now = now.to_offset(UtcOffset::UTC);
    ensure!(
        now.year() >= FIRST_YEAR,
        "the clock of this machine says {now}: a certificate dated by it would be expired or not yet valid everywhere \
         else. Set the clock"
    );
    let not_before = now.truncate_to_second() - BACKDATE;
    let life = Duration::days(days.into()) - Duration::SECOND;
    let not_after = not_before.checked_add(life).with_context(|| {
        format!("a certificate of {days} days would end after the year 9999, the last that X.509 can write")
    })?;
    Ok((not_before, not_after))
}

/// Draws a serial number: 158 random bits after a leading `01`, which is positive and 20 octets long, the most that is
/// allowed (RFC 5280 section 4.1.2.2). rcgen's default, a digest of the key, would repeat when a key is kept at renewal.
fn draw_serial_number() -> anyhow::Result<SerialNumber> {
    let mut bytes = [0; 20];
    SystemRandom::new().fill(&mut bytes).map_err(|_| anyhow!("the system has no randomness to give"))?;
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}
