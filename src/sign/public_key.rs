//! Public keys of signers: RSA, and ECDSA on the curves that iPXE knows.

use anyhow::{Context, Result, bail, ensure};
use cms::cert::x509::der::asn1::ObjectIdentifier;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, Pkcs1v15Sign, RsaPublicKey};
use x509_parser::oid_registry::{OID_EC_P256, OID_NIST_EC_P384};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::fs::Sha256Sum;

/// The algorithm of RSA signatures with the padding of PKCS #1 v1.5, whose digest stands elsewhere (rsaEncryption).
pub(super) const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// The same algorithm with its digest (sha256WithRSAEncryption).
const RSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");

/// The algorithm of ECDSA signatures of a SHA-256 digest (ecdsa-with-SHA256).
pub(super) const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");

/// The lengths of RSA keys, in bits: a shorter key can be factored, and the rsa crate takes no longer one.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// The way out of a key that does not sign.
pub(super) const MAKE_KEY: &str =
    "make a key for the signer with: openssl ecparam -name prime256v1 -genkey -noout -out signer.key";

/// A public key that signs what machines boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SignerPublicKey {
    EcdsaP256(p256::ecdsa::VerifyingKey),
    EcdsaP384(p384::ecdsa::VerifyingKey),
    Rsa(RsaPublicKey),
}

impl SignerPublicKey {
    /// Takes the key of a certificate.
    ///
    /// # Errors
    /// When iPXE can't verify signatures by such a key.
    pub(super) fn of(info: &SubjectPublicKeyInfo<'_>) -> Result<Self> {
        match info.parsed().ok().context("its public key can't be read")? {
            PublicKey::RSA(rsa) => {
                let (n, e) = (BigUint::from_bytes_be(rsa.modulus), BigUint::from_bytes_be(rsa.exponent));
                check_length(n.bits())?;
                Ok(Self::Rsa(RsaPublicKey::new(n, e).ok().context("its RSA key is not sound")?))
            }
            PublicKey::EC(point) => {
                let curve = info.algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok());
                let unsound = "its ECDSA key is not sound";
                if curve == Some(OID_EC_P256) {
                    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point.data());
                    Ok(Self::EcdsaP256(key.ok().context(unsound)?))
                } else if curve == Some(OID_NIST_EC_P384) {
                    let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(point.data());
                    Ok(Self::EcdsaP384(key.ok().context(unsound)?))
                } else {
                    bail!("its ECDSA key is on a curve that iPXE does not know: {MAKE_KEY}")
                }
            }
            _ => bail!("its key is neither RSA nor ECDSA, and iPXE knows no other (not Ed25519): {MAKE_KEY}"),
        }
    }

    /// Whether signatures by this key may be marked with `algorithm`.
    pub(super) fn signs_with(&self, algorithm: ObjectIdentifier) -> bool {
        match self {
            Self::EcdsaP256(_) | Self::EcdsaP384(_) => algorithm == ECDSA_WITH_SHA256,
            Self::Rsa(_) => [RSA, RSA_WITH_SHA256].contains(&algorithm),
        }
    }

    /// Whether `signature` was made over the content with the digest `sha256` by this key.
    pub(super) fn verifies(&self, sha256: Sha256Sum, signature: &[u8]) -> bool {
        let digest = &sha256.0;
        match self {
            Self::EcdsaP256(key) => p256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok()),
            Self::EcdsaP384(key) => p384::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok()),
            Self::Rsa(key) => key.verify(Pkcs1v15Sign::new::<rsa::sha2::Sha256>(), digest, signature).is_ok(),
        }
    }

    /// Refuses a key that is too weak, or too long to be verified here.
    pub(super) fn check(&self) -> Result<()> {
        match self {
            Self::EcdsaP256(_) | Self::EcdsaP384(_) => Ok(()),
            Self::Rsa(key) => check_length(key.n().bits()),
        }
    }
}

fn check_length(bits: usize) -> Result<()> {
    ensure!(
        RSA_BITS.contains(&bits),
        "its RSA key has {bits} bits: {} to {} are possible",
        RSA_BITS.start(),
        RSA_BITS.end()
    );
    Ok(())
}
