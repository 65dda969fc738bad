//! Faults of the CA.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyIdMethod, KeyPair, PKCS_ED25519};
use time::Duration;

use crate::certificates::kit::{Ca, Case, NOW, case, subnet};

#[rustfmt::skip]
pub(crate) fn faults() -> Vec<Case> {
    let ca = Ca::new(|_| {});
    let (twin, other) = (
        Ca::new(|_| {}),
        Ca::new(|params| {
            params.distinguished_name.push(DnType::CommonName, "lab CA 2");
        }),
    );
    let key = KeyPair::from_pem(&ca.key.serialize_pem()).unwrap();
    let renamed = Ca::with_key(key, |params| params.distinguished_name.push(DnType::CommonName, "lab CA 7"));
    let short = Ca::new(|params| {
        (params.not_before, params.not_after) = (NOW - Duration::days(100), NOW + Duration::days(10));
    });
    let ends = |params: &mut CertificateParams| params.not_after = NOW + Duration::days(10);
    let v4 = Ca::new(|params| {
        let constraints = params.name_constraints.as_mut().unwrap();
        constraints.permitted_subtrees.retain(|subtree| *subtree != subnet("::1", 128));
    });
    let weak = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    // A key that is not the CA's, under the CA's name and key identifier.
    let forger = Ca::new(|params| params.key_identifier_method = KeyIdMethod::PreSpecified(ca.key_id()));
    let mut without = ca.site();
    without.certificates.ca = None;
    vec![
        case(without, &["E PG-H03 \"lab\": nodes/ holds certificates but no ca-cert.pem"]),
        case(ca.site().ca(""), &["E PG-H04 \"lab\": the cluster's CA cannot be read: the file holds no certificate"]),
        case(ca.site().ca(format!("{}{}", ca.pem, twin.pem)), &["E PG-H08 \"lab\": the cluster's CA has two certificates with one name, CN=lab CA 1: clients try the wrong one"]),
        case(ca.site().leaf("node02", renamed.leaf("node02", |_| {})), &["E PG-H08 node02: the certificate of `node02` names CN=lab CA 7 as its issuer, but has the key identifier of CN=lab CA 1"]),
        case(Ca::new(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)).site(), &["E PG-H07 \"lab\": the cluster's CA may not sign certificates of nodes: its certificate lacks cA with pathlen 0, or keyCertSign"]),
        case(v4.site(), &["E PG-H09 \"lab\": the cluster's CA states subnets of one address family only, and some clients accept every address of the other"]),
        case(ca.site().edit("10.0.2.", "10.0.3."), &["E PG-H09 \"10.0.3.0/24\": the cluster's CA may not vouch for addresses in 10.0.3.0/24"]),
        case(ca.site().edit("lab.example.com", "lab.example.org"), &["E PG-H18 \"lab\": ca-cert.pem in nodes/ holds `lab CA 1`, which may vouch for `lab.example.com`: neither the cluster's domain, nor its networks, nor private addresses"]),
        case(ca.site().vault(&[&ca]).edit("lab.example.com", "lab.example.org"), &["E PG-H09 \"lab.example.org\": the cluster's CA may not vouch for names below lab.example.org"]),
        case(Ca::with_key(weak, |_| {}).site(), &["E PG-H10 \"lab\": the cluster's CA has a weak or unknown kind of key: accepted are ECDSA P-256 and P-384, and RSA of 3072 bits or more"]),
        case(short .site().leaf("node01", short.leaf("node01", ends)).leaf("node02", short.leaf("node02", ends)), &["E PG-H11 \"lab\": the cluster's CA is valid until 2026-03-11, for 10 more days"]),
        case(short.both(&other, &["node01", "node02"]), &[]),
        case(short.both(&other, &["node01"]), &["E PG-H11 \"lab\": the cluster's CA is valid until 2026-03-11, for 10 more days"]),
        case(short.both(&other, &[]), &["E PG-H11 \"lab\": the cluster's CA is valid until 2026-03-11, for 10 more days"]),
        case(ca.site().leaf("node02", other.leaf("node02", |_| {})), &["E PG-H12 node02: the certificate of `node02` is not from a CA in ca-cert.pem, so that nobody who trusts that file accepts it"]),
        case(ca.site().leaf("node02", forger.leaf("node02", |_| {})), &["E PG-H12 node02: the certificate of `node02` names CN=lab CA 1 as its CA, but the signature is not by that CA's key: the certificate was altered or forged"]),
        // Whoever looks by the identifier alone finds the forger's CA first.
        case(ca.site().ca(format!("{}{}", forger.pem, ca.pem)), &["E PG-H08 \"lab\": the cluster's CA has two certificates with one name, CN=lab CA 1: clients try the wrong one"]),
    ]
}
