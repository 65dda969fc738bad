//! What the certificates say, down to bits and seconds, and what the CA refuses to sign.

use std::collections::BTreeSet;
use std::process::Command;

use plasmagen::pki::kind::{CertificateUse, KeyType};
use plasmagen::pki::{CaIssuer, CaRequest, KeyAlgorithm, LeafRequest, PublicCert, SecretKey};
use test_kit::process::{printed, run};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use crate::support::{FQDN, NOW, addresses, ca, ca_request, files, node, node_request};

fn read(pem: &str) -> PublicCert {
    PublicCert::from_pem(pem).unwrap()
}

#[test]
fn the_ca_says_what_it_may_do() {
    let ca = ca();
    let cert = ca.certificate();
    assert_eq!(
        (cert.subject.as_str(), cert.issuer.as_str()),
        ("CN=prod-cluster CA 1", "CN=prod-cluster CA 1")
    );
    assert!(cert.is_ca());
    assert_eq!(cert.key_type, KeyType::Ecdsa(KeyAlgorithm::EcdsaP256));
    assert_eq!(cert.authority_key_id, cert.subject_key_id);
    assert_eq!(cert.constraints.permitted.domains, ["example.com", "localhost"]);
    let subnets: Vec<_> = cert.constraints.permitted.subnets.iter().map(ToString::to_string).collect();
    assert_eq!(subnets, ["10.0.100.0/24", "10.0.200.0/24", "127.0.0.0/8", "::1/128", "fd00:200::/64"]);
    let shown = openssl_text(ca.cert_pem());
    for line in [
        "X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:0\n",
        "X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign\n",
        "X509v3 Name Constraints: critical\n",
    ] {
        assert!(shown.contains(line), "{line}\nis not in\n{shown}");
    }
}

#[test]
fn a_leaf_says_what_it_may_do() {
    let ca = ca();
    let pem = node(&ca).cert_pem;
    let cert = read(&pem);
    assert_eq!((cert.subject.as_str(), cert.usage), ("CN=node01.example.com", CertificateUse::Node));
    assert_eq!(cert.issuer, ca.certificate().subject);
    assert_eq!(cert.authority_key_id, ca.certificate().subject_key_id);
    assert!(cert.subject_key_id.is_some() && cert.subject_key_id != cert.authority_key_id);
    assert!(cert.covers(&node_request(FQDN)));
    let shown = openssl_text(&pem);
    for line in [
        "X509v3 Basic Constraints: critical\n                CA:FALSE\n",
        "X509v3 Key Usage: critical\n                Digital Signature\n",
        "TLS Web Server Authentication, TLS Web Client Authentication\n",
        "X509v3 Subject Alternative Name: \n",
    ] {
        assert!(shown.contains(line), "{line}\nis not in\n{shown}");
    }
}

#[test]
fn a_name_too_long_for_a_subject_leaves_it_empty_and_the_sans_critical() {
    let fits = format!("{}.example.com", "n".repeat(52));
    let too_long = format!("{}.example.com", "n".repeat(53));
    let ca = ca();
    let pem = |fqdn: &str| ca.sign_leaf(&node_request(fqdn), NOW, None).unwrap().cert_pem;
    assert_eq!(read(&pem(&fits)).common_name, Some(fits.clone()));
    let cert = read(&pem(&too_long));
    assert_eq!((cert.subject.as_str(), cert.name()), ("", too_long.as_str()));
    assert!(openssl_text(&pem(&too_long)).contains("X509v3 Subject Alternative Name: critical"));
}

fn openssl_text(pem: &str) -> String {
    let (_dir, [file]) = files([pem]);
    let args = ["x509", "-noout", "-text", "-in", file.to_str().unwrap()];
    printed(&run("openssl", Command::new("openssl").args(args)))
}

#[test]
fn both_dates_belong_to_the_life_and_a_leaf_never_outlives_its_ca() {
    let ca = ca();
    let cert = read(&node(&ca).cert_pem);
    assert_eq!(cert.not_before, datetime!(2026-03-01 11:55:00 UTC));
    assert_eq!(cert.not_after, datetime!(2027-03-01 11:54:59 UTC));
    assert_eq!(ca.certificate().not_before, cert.not_before);

    let elsewhere = NOW.to_offset(time::UtcOffset::from_hms(9, 0, 0).unwrap());
    assert_eq!(
        read(&ca.sign_leaf(&node_request(FQDN), elsewhere, None).unwrap().cert_pem).not_before,
        cert.not_before
    );

    let end = ca.certificate().not_after;
    let at = |now: OffsetDateTime| ca.sign_leaf(&node_request(FQDN), now, None);
    assert_eq!(read(&at(end - Duration::days(30)).unwrap().cert_pem).not_after, end);
    at(end - Duration::days(1)).unwrap();
    for (now, why) in [
        (end - Duration::days(1) + Duration::SECOND, "less than a day"),
        (end + Duration::days(9), "plasmagen certs rotate status"),
        (NOW - Duration::days(1), "set the clock"),
        (datetime!(1970-01-01 00:00 UTC), "clock of this machine says 1970"),
    ] {
        let message = at(now).unwrap_err().to_string();
        assert!(message.contains(why), "{now}: {message}");
    }
    // Made just after the CA: not before it.
    assert_eq!(
        read(&at(NOW + Duration::minutes(1)).unwrap().cert_pem).not_before,
        NOW.truncate_to_second() - Duration::minutes(4)
    );
    assert_eq!(
        read(&at(NOW - Duration::minutes(1)).unwrap().cert_pem).not_before,
        ca.certificate().not_before
    );

    let forever =
        CaRequest::new("prod-cluster", 1, "example.com", &[], KeyAlgorithm::EcdsaP256, u32::MAX).unwrap();
    assert!(CaIssuer::create(&forever, NOW).unwrap_err().to_string().contains("year 9999"));
}

#[test]
fn serials_are_random_positive_and_twenty_octets_long() {
    let ca = ca();
    let key = SecretKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let serials: BTreeSet<String> = (0..64)
        .map(|_| read(&ca.sign_leaf(&node_request(FQDN), NOW, Some(&key)).unwrap().cert_pem).serial)
        .collect();
    assert_eq!(serials.len(), 64);
    for serial in &serials {
        assert_eq!(serial.len(), 40, "{serial}");
        assert!(("40".."80").contains(&&serial[..2]), "{serial}");
    }
    for digit in 2..40 {
        let seen: BTreeSet<&str> = serials.iter().map(|serial| &serial[digit..=digit]).collect();
        assert!(seen.len() > 1, "digit {digit} is constant");
    }
}

#[test]
fn the_ca_signs_nothing_that_clients_would_refuse() {
    let ca = ca();
    let sign = |fqdn: &str, vips: &[&str], other: &[&str]| {
        let request = LeafRequest::new(fqdn, vips, addresses(other), KeyAlgorithm::EcdsaP256, 365).unwrap();
        ca.sign_leaf(&request, NOW, None).map(drop).map_err(|error| error.to_string())
    };
    for (fqdn, vips, other, named) in [
        ("node01.example.org", &[][..], &[][..], "node01.example.org"),
        ("node01.notexample.com", &[], &[], "node01.notexample.com"),
        (FQDN, &["iam.example.net"], &[], "iam.example.net"),
        (FQDN, &[], &["10.0.99.1"], "10.0.99.1"),
        (FQDN, &[], &["fd00:201::1", "10.9.0.1"], "10.9.0.1, fd00:201::1"),
    ] {
        let message = sign(fqdn, vips, other).unwrap_err();
        assert!(message.contains(named) && message.contains("plasmagen certs rotate begin"), "{message}");
    }
    sign("a.b.c.example.com", &["example.com"], &["10.0.100.255", "fd00:200::ffff"]).unwrap();
}

#[test]
fn a_ca_is_loaded_only_with_its_own_key_and_a_key_is_kept_at_renewal() {
    let (ca, other) = (ca(), ca());
    let again = CaIssuer::load(ca.cert_pem().to_owned(), ca.key().clone()).unwrap();
    let first = node(&ca);
    let renewed = again.sign_leaf(&node_request(FQDN), NOW + Duration::days(9), Some(&first.key)).unwrap();
    assert!(first.key.belongs_to(&read(&renewed.cert_pem)).unwrap());
    read(&renewed.cert_pem).verify_signed_by(ca.certificate()).unwrap();

    let mismatch = CaIssuer::load(ca.cert_pem().to_owned(), other.key().clone()).unwrap_err().to_string();
    assert!(mismatch.contains("not that of the CA certificate of prod-cluster CA 1"), "{mismatch}");
    let no_ca = CaIssuer::load(first.cert_pem.clone(), first.key.clone()).unwrap_err().to_string();
    assert!(no_ca.contains("not that of a CA"), "{no_ca}");
    assert!(!first.key.belongs_to(ca.certificate()).unwrap());
}

#[test]
fn p384_signs_with_its_own_hash() {
    let ca = CaIssuer::create(&ca_request("example.com", &[], KeyAlgorithm::EcdsaP384), NOW).unwrap();
    let request = LeafRequest::new(FQDN, [""; 0], [], KeyAlgorithm::EcdsaP384, 30).unwrap();
    let leaf = ca.sign_leaf(&request, NOW, None).unwrap();
    assert_eq!(read(&leaf.cert_pem).key_type, KeyType::Ecdsa(KeyAlgorithm::EcdsaP384));
    assert!(openssl_text(&leaf.cert_pem).contains("ecdsa-with-SHA384"));
}

#[test]
fn nothing_prints_a_key() {
    let ca = ca();
    let leaf = node(&ca);
    for shown in [format!("{ca:?}"), format!("{leaf:?}"), format!("{:#?}", leaf.key)] {
        assert!(shown.contains("SecretKey(redacted)") && !shown.contains("PRIVATE KEY"), "{shown}");
    }
    let junk = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0LXNlY3JldA==\n-----END PRIVATE KEY-----\n";
    for junk in [junk, "c2VjcmV0LXNlY3JldA==", &junk.replace("c2V", "c\u{7}V")] {
        let message = format!("{:#}", SecretKey::from_pem(junk.to_owned().into()).unwrap_err());
        assert!(message.contains("openssl pkcs8 -topk8") && !message.contains("c2V"), "{message}");
    }
}

/// Threads share an issuer, so that the caller may sign for many nodes at once.
#[test]
fn an_issuer_is_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&ca());
}
