//! Faults of the list of revoked certificates, and of the CRLs beside it.

use plasmagen::pki::PublicCert;
use rcgen::{CertificateRevocationListParams, Issuer, KeyIdMethod, RevokedCertParams, SerialNumber};
use time::Duration;

use crate::certificates::kit::{Ca, Case, NOW, Site, case};

const SERIAL: &str = "4142434445464748494a4b4c4d4e4f5051525354";

/// A list with the certificate `serial` of a removed node, which `ca` has signed.
fn list(ca: &Ca, serial: &str) -> String {
    let ca: String = ca.key_id().iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        r#"{{ "certificates": [{{
            "node": "node09.lab.example.com", "serial": "{serial}", "not_after": "2026-12-01T00:00:00Z",
            "reason": "removed", "revoked": "2026-02-01T00:00:00Z", "authority_key_id": "{ca}", "key_sha256": "00"
        }}] }}"#
    )
}

/// A CRL that `ca` has signed of the certificates `serials`.
fn crl(ca: &Ca, serials: &[&[u8]]) -> String {
    let revoked = |serial: &&[u8]| RevokedCertParams {
        serial_number: SerialNumber::from_slice(serial),
        revocation_time: NOW,
        reason_code: None,
        invalidity_date: None,
    };
    let params = CertificateRevocationListParams {
        this_update: NOW,
        next_update: NOW + Duration::days(30),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: serials.iter().map(revoked).collect(),
        key_identifier_method: KeyIdMethod::PreSpecified(ca.key_id()),
    };
    params.signed_by(&Issuer::from_params(&ca.params, &ca.key)).unwrap().pem().unwrap()
}

#[rustfmt::skip]
pub(crate) fn faults() -> Vec<Case> {
    let (ca, other) = (Ca::new(|_| {}), Ca::new(|_| {}));
    let published = |list: Option<&str>, crl: Option<&str>| {
        let mut site: Site = ca.site();
        (site.certificates.revoked, site.certificates.crl) = (list.map(str::to_owned), crl.map(str::to_owned));
        site
    };
    let raw: Vec<u8> = (0x41..=0x54).collect();
    let (listed, signed, empty) = (list(&ca, SERIAL), crl(&ca, &[&raw]), crl(&ca, &[]));
    let used = ca.leaf("node02", |_| {});
    let serial = PublicCert::from_pem(&used).unwrap().serial;
    let of_used = list(&ca, &serial);
    let bytes: Vec<u8> = (0..serial.len()).step_by(2).map(|at| u8::from_str_radix(&serial[at..at + 2], 16).unwrap()).collect();
    let stale = &["W PG-J03 \"lab\": ca-crl.pem in nodes/ is not what the cluster's CAs would sign of nodes/revoked.json"];
    let dropped = &["E PG-J03 \"lab\": nodes/revoked.json lacks certificates that ca-crl.pem revokes, with the serial numbers 4142434445464748494a4b4c4d4e4f5051525354"];
    vec![
        case(published(Some(&listed), Some(&signed)), &[]),
        // An entry was taken out by hand, and then the whole list.
        case(published(Some(r#"{ "certificates": [] }"#), Some(&signed)), dropped),
        case(published(None, Some(&signed)), dropped),
        case(published(Some("{"), None), &["E PG-J03 \"lab\": could not use nodes/revoked.json: not a list of revoked certificates: EOF while parsing an object at line 1 column 1"]),
        case(published(Some(&list(&ca, "0x41")), None), &["E PG-J03 \"lab\": could not use nodes/revoked.json: the entry of \"node09.lab.example.com\" has no serial number, or no identifier of a key: these are hexadecimal in lower case"]),
        case(published(Some(&listed), Some("-----BEGIN X509 CRL-----\nMIIB")), &["E PG-J03 \"lab\": ca-crl.pem in nodes/ cannot be read: broken PEM: a file that was cut short or edited by hand: incomplete PEM"]),
        case(published(Some(&of_used), Some(&crl(&ca, &[&bytes]))).leaf("node02", used), &["E PG-J03 node02: the certificate of `node02` is in nodes/revoked.json: services that look at ca-crl.pem refuse the node"]),
        // Nobody has signed the list; an earlier list; another CA; the CA and another one.
        case(published(Some(&listed), None), stale),
        case(published(Some(&listed), Some(&empty)), stale),
        case(published(Some(&listed), Some(&crl(&other, &[&raw]))), stale),
        case(published(Some(&listed), Some(&(signed + &crl(&other, &[])))), stale),
    ]
}
