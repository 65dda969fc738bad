//! CMS messages of any bytes, and sound ones with changes, are refused or verified: none fits another file. Certificates and keys
//! of any text are refused or read.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use plasmagen::fs::Sha256Sum;
use plasmagen::sign::{CmsSigner, SignerCertificate, SignerKey, verify_by_any_ca};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use time::OffsetDateTime;

/// A sound message over [`SIGNED`], with the signer's certificate.
static SOUND: LazyLock<(SignerCertificate, Vec<u8>)> = LazyLock::new(make_message);

const SIGNED: &[u8] = b"a file";

/// Issues the certificate of a signer, and signs.
fn make_message() -> (SignerCertificate, Vec<u8>) {
    let make_key = || KeyPair::generate().expect("there is randomness");
    let (mut ca, ca_key) = (CertificateParams::default(), make_key());
    ca.distinguished_name.push(DnType::CommonName, "CA");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_pem = ca.self_signed(&ca_key).expect("the CA is sound").pem();
    let (mut signer, key) = (CertificateParams::default(), make_key());
    signer.distinguished_name.push(DnType::CommonName, "signer");
    signer.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    signer.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
    let pem = signer.signed_by(&key, &Issuer::new(ca, ca_key)).expect("the signer is sound").pem();
    let certificate = SignerCertificate::from_pem(&pem, Some(&ca_pem)).expect("iPXE accepts the certificates");
    let key = SignerKey::from_pem(&key.serialize_pem()).expect("the key is sound");
    let signer = CmsSigner::new(certificate.clone(), key).expect("the key is the signer's");
    (certificate, signer.sign(Sha256Sum::of(SIGNED)).expect("it is signed"))
}

/// The time at which messages are verified, within the lifetime of rcgen's certificates.
const NOW: i64 = 1_800_000_000;

fuzz_target!(|input: (&[u8], &str, u16, u8, &[u8])| {
    let (any, text, at, removed, inserted) = input;
    let now = OffsetDateTime::from_unix_timestamp(NOW).expect("it is a time");
    let (certificate, sound) = &*SOUND;
    let other = Sha256Sum::of(b"another file");
    // A part of a sound message is replaced.
    let start = usize::from(at) % sound.len();
    let end = sound.len().min(start + usize::from(removed));
    let changed = [&sound[..start], inserted, &sound[end..]].concat();
    assert!(verify_by_any_ca(other, &changed, now).is_err());
    assert!(certificate.verify_as_ipxe(other, &changed, now).is_err());
    let _ = certificate.verify_as_ipxe(Sha256Sum::of(SIGNED), &changed, now);
    assert!(certificate.verify_as_ipxe(other, any, now).is_err());
    let _ = verify_by_any_ca(other, any, now);
    let _ = SignerCertificate::from_pem(text, None);
    let _ = SignerKey::from_pem(text);
});
