//! What a committed certificate tells: whether it still says what is asked, who signed it, how long it lives.

use plasmagen::pki::kind::CertificateUse;
use plasmagen::pki::status::{StatusRow, Validity};
use plasmagen::pki::{KeyAlgorithm, LeafRequest, PublicCert};
use rcgen::{CertificateParams, KeyPair, SanType};
use time::Duration;

use crate::support::{ADDRESSES, FQDN, NOW, VIPS, addresses, ca, node, node_request};

fn read(pem: &str) -> PublicCert {
    PublicCert::from_pem(pem).unwrap()
}

#[test]
fn a_certificate_covers_exactly_what_was_asked() {
    let cert = read(&node(&ca()).cert_pem);
    let asked = |vips: &[&str], other: &[&str]| {
        LeafRequest::new(FQDN, vips, addresses(other), KeyAlgorithm::EcdsaP256, 365).unwrap()
    };
    assert!(cert.covers(&asked(&VIPS, &ADDRESSES)));
    assert!(cert.covers(&asked(&["chainfire.example.com", "IAM.example.com"], &ADDRESSES)));

    let moved = asked(&VIPS, &["10.0.200.11", "10.0.100.50", "fd00:200::10"]);
    assert!(!cert.covers(&moved));
    let difference = cert.difference(&moved);
    assert_eq!(
        (difference.missing, difference.extra),
        (vec!["10.0.200.11".into()], vec!["10.0.200.10".into()])
    );
    let fewer = cert.difference(&asked(&["iam.example.com"], &ADDRESSES));
    assert_eq!((fewer.missing, fewer.extra), (vec![], vec!["chainfire.example.com".into()]));
    assert!(!cert.covers(&node_request("node02.example.com")));
}

#[test]
fn a_san_of_another_kind_is_not_covered() {
    let request = node_request(FQDN);
    let names: Vec<String> = request
        .dns_names()
        .iter()
        .cloned()
        .chain(request.addresses().iter().map(ToString::to_string))
        .collect();
    let mut params = CertificateParams::new(names).unwrap();
    let key = KeyPair::generate().unwrap();
    let cert = read(&params.self_signed(&key).unwrap().pem());
    assert!(cert.covers(&request));
    assert_eq!(cert.usage, CertificateUse::Other);
    params.subject_alt_names.push(SanType::URI("spiffe://example.com/node01".try_into().unwrap()));
    assert!(!read(&params.self_signed(&key).unwrap().pem()).covers(&request));
}

#[test]
fn who_signed_it_is_known_by_name_key_id_and_signature() {
    let (ca, other) = (ca(), ca());
    let leaf = node(&ca);
    let cert = read(&leaf.cert_pem);
    cert.verify_signed_by(ca.certificate()).unwrap();
    ca.certificate().verify_signed_by(ca.certificate()).unwrap();

    let why = |cert: &PublicCert, ca: &PublicCert| cert.verify_signed_by(ca).unwrap_err().to_string();
    assert!(why(&cert, other.certificate()).contains("another CA of the same name"));
    assert!(why(&cert, &cert).contains("is not a CA"));
    let self_signed =
        CertificateParams::new([FQDN.to_owned()]).unwrap().self_signed(&KeyPair::generate().unwrap());
    assert!(why(&read(&self_signed.unwrap().pem()), ca.certificate()).contains("was issued by"));

    // One bit of the address 10.0.200.10, still a well-formed certificate.
    let mut der = pem_bytes(&leaf.cert_pem);
    let at = der.windows(4).position(|window| window == [10, 0, 200, 10]).unwrap();
    der[at + 3] ^= 1;
    let altered = PublicCert::from_der(&der).unwrap();
    assert_eq!(altered.difference(&node_request(FQDN)).extra, ["10.0.200.11"]);
    assert!(why(&altered, ca.certificate()).contains("it was altered"));
}

fn pem_bytes(pem: &str) -> Vec<u8> {
    use rustls_pki_types::pem::PemObject;
    rustls_pki_types::CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec()
}

#[test]
fn a_bundle_is_several_and_anything_else_is_refused() {
    let (ca, other) = (ca(), ca());
    let both = format!("# old\n{}# new\n{}", ca.cert_pem(), other.cert_pem());
    let bundle = PublicCert::list_from_pem(&both).unwrap();
    assert_eq!(bundle, [ca.certificate().clone(), other.certificate().clone()]);

    let cut = &ca.cert_pem()[..ca.cert_pem().len() / 2];
    let key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
    let junk = "-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----\n";
    for (pem, why) in [
        (both.as_str(), "found 2"),
        ("", "found 0"),
        (cut, "broken PEM"),
        (key, "only certificates may stand"),
        (junk, "not an X.509 certificate"),
    ] {
        let message = format!("{:#}", PublicCert::from_pem(pem).unwrap_err());
        assert!(message.contains(why) && !message.contains("c2VjcmV0"), "{message}");
    }
    let mut trailing = pem_bytes(ca.cert_pem());
    trailing.push(0);
    assert!(PublicCert::from_der(&trailing).unwrap_err().to_string().contains("1 bytes follow"));
}

#[test]
fn reading_never_panics() {
    let der = pem_bytes(ca().cert_pem());
    for at in 0..der.len() {
        let mut bent = der.clone();
        bent[at] = bent[at].wrapping_add(1);
        let _ = PublicCert::from_der(&bent);
        let _ = PublicCert::from_der(&der[..at]);
    }
}

#[test]
fn the_state_follows_the_certificates_life() {
    let cert = read(&node(&ca()).cert_pem);
    let third = (cert.not_after - cert.not_before) / 3;
    for (at, state) in [
        (cert.not_before - Duration::SECOND, Validity::NotYetValid),
        (cert.not_before, Validity::Ok),
        (cert.not_after - third - Duration::SECOND, Validity::Ok),
        (cert.not_after - third + Duration::SECOND, Validity::Renew),
        (cert.not_after - Duration::days(14), Validity::Renew),
        (cert.not_after - Duration::days(14) + Duration::SECOND, Validity::Urgent),
        (cert.not_after, Validity::Urgent),
        (cert.not_after + Duration::SECOND, Validity::Expired),
    ] {
        assert_eq!(Validity::of(&cert, at), state, "{at}");
    }
}

#[test]
fn a_row_counts_whole_days_until_the_end() {
    let ca = ca();
    let cert = read(&node(&ca).cert_pem);
    let print = |row: StatusRow| {
        let StatusRow { node, subject, issuer, not_before, not_after, days_left, state, next, .. } = row;
        let next = next.unwrap_or_default();
        format!("{node}, {subject}, {issuer}, {not_before}, {not_after}, {days_left}, {state}, {next}")
    };
    let at = |days: i64| NOW + Duration::days(days);
    let of_ca = |days| print(StatusRow::of_ca(ca.certificate(), at(days)));
    let of_node = |days| {
        let authorities = [ca.certificate().clone()];
        print(StatusRow::of_node("node01", &cert, &authorities, at(days)))
    };
    let ca_row = "(CA), prod-cluster CA 1, prod-cluster CA 1, 2026-03-01, 2036-02-27";
    assert_eq!(of_ca(0), format!("{ca_row}, 3649, ok, "));
    assert!(of_ca(3000).contains("649, renew, plasmagen "), "{}", of_ca(3000));
    let node_row = "node01, node01.example.com, prod-cluster CA 1, 2026-03-01, 2027-03-01";
    assert_eq!(of_node(100), format!("{node_row}, 264, ok, "));
    assert_eq!(of_node(300), format!("{node_row}, 64, renew, plasmagen certs renew node01"));
    assert_eq!(of_node(400), format!("{node_row}, -35, expired, plasmagen certs renew node01"));
    // A certificate that ends with its CA waits for another CA.
    let late = read(&ca.sign_leaf(&node_request(FQDN), at(3400), None).unwrap().cert_pem);
    assert_eq!(late.not_after, ca.certificate().not_after);
    let bound = StatusRow::of_node("node01", &late, &[ca.certificate().clone()], at(3600));
    assert_eq!((bound.state, bound.next), (Validity::Renew, None));
}
