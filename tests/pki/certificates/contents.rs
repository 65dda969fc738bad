//! Faults of what a certificate says.

use rcgen::{
    BasicConstraints, CertificateParams, IsCa, KeyPair, KeyUsagePurpose, PKCS_ED25519, SanType, SerialNumber,
};

use crate::certificates::kit::{Ca, Case, case, leaf_params};

#[rustfmt::skip]
pub(crate) fn faults() -> Vec<Case> {
    let ca = Ca::new(|_| {});
    let one = |change: &dyn Fn(&mut CertificateParams)| ca.site().leaf("node02", ca.leaf("node02", change));
    let serial = |serial: u64| {
        move |params: &mut CertificateParams| params.serial_number = Some(SerialNumber::from(serial))
    };
    let same =
        |node| ca.leaf(node, |params| params.serial_number = Some(SerialNumber::from_slice(&[0x41; 20])));
    let dns = |name: &str| SanType::DnsName(name.try_into().unwrap());
    let san = |san: SanType| one(&|params| params.subject_alt_names.push(san.clone()));
    let key = KeyPair::generate().unwrap();
    let of_itself = leaf_params("node02", |_| {}).self_signed(&key).unwrap().pem();
    let ed25519 = ca.leaf_for("node02", &KeyPair::generate_for(&PKCS_ED25519).unwrap(), |_| {});
    let is_ca = |params: &mut CertificateParams| {
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages.push(KeyUsagePurpose::KeyCertSign);
    };
    vec![
        case(ca.site().leaf("node02", "-----BEGIN CERTIFICATE-----\nMIIB".to_owned()), &["E PG-H04 node02: the certificate of `node02` cannot be read: broken PEM: a certificate file that was cut short or edited by hand: incomplete PEM"]),
        case(one(&serial(7)), &["E PG-H05 node02: the certificate of `node02` has the serial number 07, which is not a positive random number of 8 to 20 octets"]),
        case(ca.site().leaf("node01", same("node01")).leaf("node02", same("node02")), &["E PG-H05 node02: the certificate of `node02` has the same serial number as that of `node01`"]),
        case(ca.site().edit("\"10.0.2.52\"", "\"10.0.2.53\""), &["W PG-H06 node02: the certificate of `node02` lacks 10.0.2.53 and still has 10.0.2.52"]),
        case(san(dns("*.lab.example.com")), &["E PG-H06 node02: the certificate of `node02` holds `*.lab.example.com`, which is not a host name"]),
        case(san(dns("10.0.2.52")), &["E PG-H06 node02: the certificate of `node02` holds `10.0.2.52`, which is not a host name"]),
        case(san(dns("iam.lab.example.com")), &["W PG-H06 node02: the certificate of `node02` still has iam.lab.example.com"]),
        case(san(SanType::URI("spiffe://lab/node02".try_into().unwrap())), &["E PG-H06 node02: the certificate of `node02` holds more than host names and addresses"]),
        case(one(&is_ca), &["E PG-H07 node02: the certificate of `node02` is that of a CA: with the node's key, anybody can sign certificates for the cluster"]),
        case(one(&|params| params.extended_key_usages.truncate(1)), &["E PG-H07 node02: the certificate of `node02` is not valid for both ends of TLS: it lacks digitalSignature, serverAuth or clientAuth"]),
        case(one(&|params| params.use_authority_key_identifier_extension = false), &["E PG-H08 node02: the certificate of `node02` lacks the identifier of its key or of the CA's key"]),
        case(ca.site().leaf("node02", of_itself), &["E PG-H08 node02: the certificate of `node02` is signed by itself"]),
        case(ca.site().leaf("node02", ed25519), &["E PG-H10 node02: the certificate of `node02` has a weak or unknown kind of key: accepted are ECDSA P-256 and P-384, and RSA of 3072 bits or more"]),
    ]
}
