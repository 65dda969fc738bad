//! CRLs: signing them, and reading them back.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use rcgen::{CertificateRevocationListParams, KeyIdMethod, RevokedCertParams, SerialNumber};
use time::{OffsetDateTime, UtcOffset};
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;

use super::list::{RevocationList, RevocationReason};
use crate::pki::issue::{BACKDATE, CaIssuer};
use crate::pki::read::{PublicCert, parse, split_pem};

/// A CRL, as read. To read a CRL verifies nothing.
#[derive(Clone, Debug)]
pub struct Crl {
    /// The number, which rises from CRL to CRL.
    pub number: u64,
    /// The last second in which the CRL is good: clients refuse every certificate after that.
    pub next_update: Option<OffsetDateTime>,
    /// The serial numbers of the revoked certificates, hexadecimal without separators.
    pub serials: BTreeSet<String>,
    /// The text that the CRL was read from, PEM.
    pub(super) pem: String,
    der: Vec<u8>,
}

impl Crl {
    /// Reads every CRL in `pem`, in order: one of each CA.
    ///
    /// # Errors
    /// When a PEM block is broken, or is no CRL.
    pub fn list_from_pem(pem: &str) -> anyhow::Result<Vec<Self>> {
        let read = |(block, text): (Result<Pem, _>, &str)| {
            let block = block.context("broken PEM: a file that was cut short or edited by hand")?;
            ensure!(
                block.label == "X509 CRL",
                "found a PEM block {:?} where only CRLs may stand",
                block.label
            );
            Self::from_der(block.contents, text)
        };
        let texts = split_pem(pem, "X509 CRL").chain(std::iter::repeat(""));
        Pem::iter_from_buffer(pem.as_bytes()).zip(texts).map(read).collect()
    }

    fn from_der(der: Vec<u8>, pem: &str) -> anyhow::Result<Self> {
        let crl = parse_crl(&der)?;
        let number = crl.crl_number().and_then(|number| u64::try_from(number).ok());
        let serial = |raw: &[u8]| raw.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self {
            number: number.context("the CRL has no number, or one that is too large")?,
            next_update: crl.next_update().map(|moment| moment.to_datetime()),
            serials: crl.iter_revoked_certificates().map(|entry| serial(entry.raw_serial())).collect(),
            pem: pem.to_owned(),
            der,
        })
    }

    /// Whether the CRL names `ca` as its issuer, and the signature is by the key of `ca`.
    #[must_use]
    pub fn is_signed_by(&self, ca: &PublicCert) -> bool {
        let (Ok(crl), Ok(issuer)) = (parse_crl(&self.der), parse(&ca.der)) else { return false };
        crl.issuer().as_raw() == issuer.subject().as_raw()
            && crl.verify_signature(issuer.public_key()).is_ok()
    }
}

impl CaIssuer {
    /// Signs the certificates of this CA in `list`. The CRL is good as long as the CA is, since nobody fetches it: it comes
    /// with the configuration of a node, and clients refuse every certificate once it has ended.
    ///
    /// # Errors
    /// When the CA has ended, or may not sign CRLs.
    pub fn sign_crl(
        &self,
        list: &RevocationList,
        number: u64,
        now: OffsetDateTime,
    ) -> anyhow::Result<String> {
        let ca = self.certificate();
        let mut revoked_certs = Vec::new();
        for entry in list.issued_by(ca) {
            revoked_certs.push(RevokedCertParams {
                serial_number: SerialNumber::from_slice(&entry.serial_bytes()?),
                revocation_time: entry.revoked,
                reason_code: Some(match entry.reason {
                    RevocationReason::Removed => rcgen::RevocationReason::CessationOfOperation,
                    RevocationReason::Replaced => rcgen::RevocationReason::Superseded,
                }),
                invalidity_date: None,
            });
        }
        let started = now.to_offset(UtcOffset::UTC).truncate_to_second() - BACKDATE;
        let params = CertificateRevocationListParams {
            this_update: started.max(ca.not_before),
            next_update: ca.not_after,
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: KeyIdMethod::PreSpecified(ca.subject_key_id.clone().unwrap_or_default()),
        };
        let signed = params.signed_by(&self.issuer).and_then(|crl| crl.pem());
        signed.with_context(|| {
            format!("could not sign the list of the certificates of {} that are revoked", ca.name())
        })
    }
}

/// Reads the fields of the CRL `der`.
fn parse_crl(der: &[u8]) -> anyhow::Result<CertificateRevocationList<'_>> {
    let (rest, crl) = CertificateRevocationList::from_der(der).context("not an X.509 CRL")?;
    ensure!(rest.is_empty(), "{} bytes follow the end of the CRL", rest.len());
    Ok(crl)
}
