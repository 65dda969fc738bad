//! The record of issued certificates: whatever becomes of a certificate in `nodes/`, it is revoked with the node or the key.

use std::collections::BTreeSet;
use std::fs;

use plasmagen::pki::revocation::{IssueRecord, RevocationReason};
use time::Duration;

use crate::revocation::kit::{Site, assert_good, assert_revoked, serial, snapshot};
use crate::support::NOW;

const HOUR: Duration = Duration::hours(1);

/// The serial numbers in the record.
fn recorded(site: &Site) -> BTreeSet<String> {
    let text = fs::read_to_string(site.root().join("nodes/issued.json")).unwrap();
    let record = IssueRecord::parse(&text).unwrap();
    record.certificates().iter().map(|entry| entry.serial.clone()).collect()
}

fn serials<const N: usize>(leaves: [&String; N]) -> BTreeSet<String> {
    leaves.into_iter().map(|leaf| serial(leaf)).collect()
}

#[test]
fn all_certificates_of_a_removed_node_are_revoked() {
    let mut site = Site::rendered();
    let first = site.leaf("w1");
    site.renew(&["w1"], false, NOW + HOUR);
    let second = site.leaf("w1");
    site.renew(&["f1", "w1"], false, NOW + HOUR * 2);
    let third = site.leaf("w1");
    assert_eq!(recorded(&site).len(), 7);
    assert!(recorded(&site).is_superset(&serials([&first, &second, &third])));
    site.remove("w1");
    assert_eq!(site.render(NOW + HOUR * 3).revoked.len(), 3);
    assert_eq!(site.serials(), serials([&first, &second, &third]));
    assert_eq!(recorded(&site).len(), 4);
    let (ca, crl) = (site.of_f1("ca-cert.pem"), site.of_f1("ca-crl.pem"));
    for leaf in [first, second, third] {
        assert_revoked(&ca, &crl, &leaf);
    }
    assert_good(&ca, &crl, &site.leaf("f1"));
}

/// The advice for a certificate with a fault is to remove the file; and somebody may remove the whole directory.
#[test]
fn a_certificate_that_was_removed_by_hand_is_known() {
    let mut site = Site::rendered();
    let first = site.leaf("w1");
    let dir = site.root().join("nodes/w1.fern.example.net");
    fs::remove_file(dir.join("w1-cert.pem")).unwrap();
    site.render(NOW + HOUR);
    let second = site.leaf("w1");
    assert_ne!(first, second);
    fs::remove_dir_all(dir).unwrap();
    site.remove("w1");
    site.render(NOW + HOUR * 2);
    assert_eq!(site.serials(), serials([&first, &second]));
}

/// The record is in `nodes/`: a clone has it, and no vault is asked.
#[test]
fn a_site_of_an_earlier_version_gets_a_record() {
    let mut site = Site::rendered();
    let first = site.leaf("w1");
    let without = |site: &Site| {
        fs::remove_file(site.root().join("nodes/issued.json")).unwrap();
        let manifest = site.root().join("nodes/manifest.json");
        let text = fs::read_to_string(&manifest).unwrap();
        let kept: Vec<_> = text.lines().filter(|line| !line.contains("issued.json")).collect();
        fs::write(manifest, kept.join("\n")).unwrap();
    };
    without(&site);
    site.render_without_vault(NOW + HOUR).unwrap();
    assert_eq!(recorded(&site).len(), 4);
    let before = snapshot(&site.root());
    site.render_without_vault(NOW + HOUR * 2).unwrap();
    assert_eq!(snapshot(&site.root()), before, "the same bytes");
    // The record is made by the run that removes or renews as well.
    without(&site);
    site.renew(&["w1"], false, NOW + HOUR * 3);
    let second = site.leaf("w1");
    without(&site);
    site.remove("w1");
    site.render(NOW + HOUR * 4);
    assert_eq!(site.serials(), serials([&second]), "nobody knows of the first one any more");
    assert_ne!(first, second);
}

#[test]
fn what_has_ended_leaves_the_record_with_the_next_certificate() {
    let site = Site::rendered();
    site.renew(&["f1"], false, NOW + Duration::days(300));
    let later = NOW + Duration::days(400);
    site.renew(&["f1", "f2", "f3", "w1"], false, later);
    // The first certificates have ended. The second one of f1 and the four new ones have not.
    assert_eq!(recorded(&site).len(), 5);
    site.renew(&["f1"], true, later);
    assert_eq!((site.list().len(), recorded(&site).len()), (2, 4));
}

/// Another domain is another directory, and another key in the vault, of the same machine.
#[test]
fn a_certificate_for_a_former_domain_is_revoked_with_the_node() {
    let mut site = Site::rendered();
    site.inventory += "\n[tls]\npermit = [\"10.31.0.0/16\", \"fern.example.org\", \"fern.example.net\"]\n";
    let begun = site.rotate(plasmagen::site::RotationStep::Begin, NOW + HOUR).unwrap();
    assert_eq!(begun.published, ["fern CA 1", "fern CA 2"]);
    site.reissue(false, NOW + HOUR * 2);
    site.rotate(plasmagen::site::RotationStep::Finish, NOW + HOUR * 3).unwrap();
    let (of_w1, of_f1) = (site.leaf("w1"), site.leaf("f1"));
    site.inventory = site.inventory.replace("domain = \"fern.example.net\"", "domain = \"fern.example.org\"");
    assert!(site.render(NOW + HOUR * 4).revoked.is_empty(), "the machines may show these certificates");
    assert!(site.render(NOW + HOUR * 5).revoked.is_empty());
    site.remove("w1");
    site.render(NOW + HOUR * 6);
    let of_w1_only: Vec<_> = site.list().into_iter().map(|entry| (entry.0, entry.2)).collect();
    let names = ["w1.fern.example.net", "w1.fern.example.org"];
    assert_eq!(of_w1_only, names.map(|name| (name.to_owned(), RevocationReason::Removed)));
    assert!(site.serials().contains(&serial(&of_w1)));
    // A new key is ordered for a node: whatever it had before is revoked.
    site.renew(&["f1"], true, NOW + HOUR * 7);
    assert!(site.serials().contains(&serial(&of_f1)));
    assert_eq!(site.list().len(), 4);
}

#[test]
fn a_revoked_certificate_is_replaced_by_a_new_key_only() {
    let site = Site::rendered();
    let old = site.leaf("f1");
    site.renew(&["f1"], true, NOW + HOUR);
    // Somebody brings the old certificate back.
    fs::write(site.root().join("nodes/f1.fern.example.net/f1-cert.pem"), &old).unwrap();
    let refused = site.render_without_vault(NOW + HOUR).unwrap_err().to_string();
    assert!(refused.contains("plasmagen certs renew f1 --new-key"), "{refused}");
    let revoked = site.renew(&["f1"], true, NOW + HOUR * 2).revoked;
    assert_eq!(revoked.len(), 1, "the certificate that had taken its place");
    assert_good(&site.of_f1("ca-cert.pem"), &site.of_f1("ca-crl.pem"), &site.leaf("f1"));
}
