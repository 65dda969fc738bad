//! The message of a detached signature: DER of a CMS ContentInfo (RFC 5652 section 3) with one signer.

use anyhow::{Context, Result, ensure};
use cms::cert::x509::Certificate;
use cms::cert::x509::der::asn1::{Null, ObjectIdentifier, OctetString, SetOfVec};
use cms::cert::x509::der::{Any, Decode, Encode};
use cms::cert::x509::spki::AlgorithmIdentifierOwned;
use cms::cert::{CertificateChoices, IssuerAndSerialNumber};
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{
    CertificateSet, EncapsulatedContentInfo, SignedData, SignerIdentifier, SignerInfo, SignerInfos,
};

use super::public_key::{RSA, SignerPublicKey};
use crate::fs::Sha256Sum;

const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");

/// The largest message, in bytes: a message with a chain of RSA certificates has less than a tenth of that.
pub(super) const LARGEST: usize = 64 << 10;

/// The way out of a message that iPXE does not accept.
pub(super) const SIGN_AGAIN: &str = "sign with plasmagen sign";

/// A message as read. Nothing is verified.
#[derive(Debug)]
pub(super) struct Message {
    /// Issuer and serial number of the signer's certificate, as DER.
    pub(super) signer: Vec<u8>,
    /// The certificates in the message, as DER.
    pub(super) certificates: Vec<Vec<u8>>,
    /// The algorithm of the signature.
    pub(super) algorithm: ObjectIdentifier,
    /// The signature: DER for ECDSA.
    pub(super) signature: Vec<u8>,
}

/// Writes the message of a `signature`, made with `algorithm` by the owner of the first of `certificates`, which are DER.
pub(super) fn write(
    certificates: &[&[u8]],
    algorithm: ObjectIdentifier,
    signature: Vec<u8>,
) -> Result<Vec<u8>> {
    let parsed = certificates.iter().map(|der| parse_certificate(der)).collect::<Result<Vec<_>>>()?;
    let signer = parsed.first().context("there is no signer")?;
    // RFC 3370 section 3.2 and RFC 5754 sections 2 and 3.2.
    let parameters = (algorithm == RSA).then(|| Any::encode_from(&Null)).transpose()?;
    let digest = || AlgorithmIdentifierOwned { oid: SHA256, parameters: None };
    let info = SignerInfo {
        version: CmsVersion::V1,
        sid: SignerIdentifier::IssuerAndSerialNumber(name_signer(signer)),
        digest_alg: digest(),
        signed_attrs: None,
        signature_algorithm: AlgorithmIdentifierOwned { oid: algorithm, parameters },
        signature: OctetString::new(signature)?,
        unsigned_attrs: None,
    };
    let certificates = parsed.into_iter().map(CertificateChoices::Certificate).collect::<Vec<_>>();
    let data = SignedData {
        version: CmsVersion::V1,
        digest_algorithms: SetOfVec::try_from(vec![digest()])?,
        encap_content_info: EncapsulatedContentInfo { econtent_type: DATA, econtent: None },
        certificates: Some(CertificateSet(SetOfVec::try_from(certificates)?)),
        crls: None,
        signer_infos: SignerInfos(SetOfVec::try_from(vec![info])?),
    };
    let message = ContentInfo { content_type: SIGNED_DATA, content: Any::encode_from(&data)? };
    Ok(message.to_der()?)
}

impl Message {
    /// Reads the message `der`.
    ///
    /// # Errors
    /// When the bytes are no message, when more bytes follow, or when iPXE would not verify such a message.
    pub(super) fn parse(der: &[u8]) -> Result<Self> {
        ensure!(der.len() <= LARGEST, "it has {} bytes, more than any signature: {SIGN_AGAIN}", der.len());
        let unreadable = || format!("it is no CMS signature in DER: {SIGN_AGAIN}");
        let message = ContentInfo::from_der(der).ok().with_context(unreadable)?;
        ensure!(message.content_type == SIGNED_DATA, "it is a CMS message, and no signature: {SIGN_AGAIN}");
        let data: SignedData = message.content.decode_as().ok().with_context(unreadable)?;
        ensure!(
            data.encap_content_info.econtent.is_none(),
            "it contains a file of its own instead of the signature alone (detached): {SIGN_AGAIN}"
        );
        let signers = data.signer_infos.0.into_vec();
        let count = signers.len();
        let [info] = <[_; 1]>::try_from(signers)
            .ok()
            .with_context(|| format!("it has {count} signers instead of one: {SIGN_AGAIN}"))?;
        // iPXE skips the attributes, and takes a signature of them for one of the file.
        ensure!(
            info.signed_attrs.is_none(),
            "it has signed attributes, which iPXE does not read: {SIGN_AGAIN}, or with openssl cms -noattr"
        );
        ensure!(
            info.digest_alg.oid == SHA256,
            "its digest is not SHA-256, which is all that plasmagen verifies: {SIGN_AGAIN}"
        );
        let SignerIdentifier::IssuerAndSerialNumber(signer) = info.sid else {
            anyhow::bail!(
                "it names the signer by a key id, and iPXE asks for issuer and serial number: {SIGN_AGAIN}"
            )
        };
        // iPXE passes over these; openssl and plasmagen write no others, so that others mean damage.
        let has_sha256 = data.digest_algorithms.iter().any(|digest| digest.oid == SHA256);
        ensure!(
            data.version == CmsVersion::V1
                && info.version == CmsVersion::V1
                && data.encap_content_info.econtent_type == DATA
                && has_sha256,
            "it contradicts itself: {SIGN_AGAIN}"
        );
        let certificates = data.certificates.into_iter().flat_map(|set| set.0.into_vec());
        let certificates = certificates.map(|certificate| match certificate {
            CertificateChoices::Certificate(certificate) => Ok(certificate.to_der()?),
            CertificateChoices::Other(_) => {
                anyhow::bail!("it contains something else than X.509 certificates: {SIGN_AGAIN}")
            }
        });
        Ok(Self {
            signer: signer.to_der()?,
            certificates: certificates.collect::<Result<_>>()?,
            algorithm: info.signature_algorithm.oid,
            signature: info.signature.as_bytes().to_vec(),
        })
    }

    /// Verifies that `key` made the signature over the content with the digest `sha256`.
    ///
    /// # Errors
    /// When the key did not, or when iPXE does not verify the algorithm.
    pub(super) fn check_signature(&self, key: &SignerPublicKey, sha256: Sha256Sum) -> Result<()> {
        ensure!(
            key.signs_with(self.algorithm),
            "its algorithm ({}) is none that iPXE verifies with the key of its signer: {SIGN_AGAIN}",
            self.algorithm
        );
        ensure!(
            key.verifies(sha256, &self.signature),
            "it does not fit the file, which has changed since, or the signature has: {SIGN_AGAIN}"
        );
        Ok(())
    }

    /// The certificate in the message that the signer is named by, as DER.
    pub(super) fn find_signer(&self) -> Option<&[u8]> {
        let is_signer = |der: &&Vec<u8>| identify(der).is_ok_and(|signer| signer == self.signer);
        self.certificates.iter().find(is_signer).map(Vec::as_slice)
    }
}

/// Issuer and serial number of the certificate `der`, as DER.
fn identify(der: &[u8]) -> Result<Vec<u8>> {
    Ok(name_signer(&parse_certificate(der)?).to_der()?)
}

fn name_signer(certificate: &Certificate) -> IssuerAndSerialNumber {
    let fields = &certificate.tbs_certificate;
    IssuerAndSerialNumber { issuer: fields.issuer.clone(), serial_number: fields.serial_number.clone() }
}

/// Parses a certificate that is written again as the same bytes, since its signature is over them.
fn parse_certificate(der: &[u8]) -> Result<Certificate> {
    let certificate =
        Certificate::from_der(der).ok().filter(|read| read.to_der().is_ok_and(|again| again == der));
    certificate.context("a certificate is not strict DER, as openssl writes certificates")
}
