//! Certificates that are revoked when a node leaves or gets a new key: the list, and the CRLs in the eyes of their readers.

pub(crate) mod kit;
mod record;
mod steps;

use std::collections::BTreeSet;
use std::process::Command;

use plasmagen::check::check;
use plasmagen::pki::revocation::{RevocationReason, has_current_crls, revoke, sign_crls};
use plasmagen::pki::{CaIssuer, CaRequest, KeyAlgorithm, PublicCert, Vault};
use plasmagen::plan::Certificates;
use test_kit::process::{printed, run};
use time::Duration;

use crate::support::{NOW, files, pkilint};
use kit::{INVENTORY, Site, assert_good, assert_revoked, serial, snapshot};

#[test]
fn the_certificate_of_a_removed_node_is_refused_by_those_who_look_at_the_crl() {
    let mut site = Site::rendered();
    assert!(!site.root().join("nodes/revoked.json").exists(), "nothing is revoked yet");
    let removed = site.leaf("w1");
    let table = site.remove("w1");
    let revoked = site.render(NOW + Duration::hours(1)).revoked;
    assert_eq!(revoked.iter().map(|entry| entry.node.as_str()).collect::<Vec<_>>(), ["w1.fern.example.net"]);
    let entry = ("w1.fern.example.net".to_owned(), serial(&removed), RevocationReason::Removed);
    assert_eq!(site.list(), std::slice::from_ref(&entry));

    let (ca, crl) = (site.of_f1("ca-cert.pem"), site.of_f1("ca-crl.pem"));
    for node in ["f1", "f2", "f3"] {
        assert_good(&ca, &crl, &site.leaf(node));
    }
    assert_revoked(&ca, &crl, &removed);
    assert!(site.of_f1("configuration.nix").contains("\"nixos/secrets/ca-crl.pem\".source = ./ca-crl.pem;"));
    let (_dir, [file, ca_file]) = files([&crl, &ca]);
    let args =
        ["crl", "-noout", "-text", "-in", file.to_str().unwrap(), "-CAfile", ca_file.to_str().unwrap()];
    let text = printed(&run("openssl", Command::new("openssl").args(args)));
    for line in [
        "verify OK",
        "Next Update: Feb 27 11:54:59 2036 GMT",
        "Cessation Of Operation",
        "X509v3 CRL Number: \n                1\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let args = [
        "--verify-crl",
        "--load-ca-certificate",
        ca_file.to_str().unwrap(),
        "--infile",
        file.to_str().unwrap(),
    ];
    let gnutls = run("gnutls-bin", Command::new("certtool").args(args));
    assert!(printed(&gnutls).contains("Verification output: Verified."), "{}", printed(&gnutls));
    assert_eq!(pkilint("lint_crl", &["--type", "CRL", "--profile", "PKIX"], &crl), [""; 0]);

    // The same state gives the same bytes, later as well.
    let before = snapshot(&site.root());
    assert!(site.render(NOW + Duration::days(2)).revoked.is_empty());
    assert_eq!(snapshot(&site.root()), before);

    // The same machine comes back: with a new key, and no revoked certificate is good again.
    site.inventory += &format!("\n{table}");
    let rendered = site.render(NOW + Duration::days(3));
    assert_eq!(rendered.issued.unwrap().returned, ["w1.fern.example.net"]);
    let back = PublicCert::from_pem(&site.leaf("w1")).unwrap();
    assert_ne!(back.subject_key_id, PublicCert::from_pem(&removed).unwrap().subject_key_id);
    assert!(site.vault().key("w1.fern.example.net").unwrap().unwrap().belongs_to(&back).unwrap());
    assert_eq!((site.list(), site.of_f1("ca-crl.pem")), (vec![entry], crl));
}

#[test]
fn a_new_key_revokes_the_old_certificate_and_a_new_certificate_does_not() {
    let mut site = Site::rendered();
    let old = site.leaf("f1");
    assert!(site.renew(&["f1"], false, NOW + Duration::hours(1)).revoked.is_empty());
    let renewed = site.leaf("f1");
    assert_ne!(serial(&renewed), serial(&old));
    site.inventory = site.inventory.replace("\"10.31.1.11\"", "\"10.31.1.14\"");
    assert!(site.render(NOW + Duration::hours(2)).revoked.is_empty(), "another address is no other key");
    assert!(!site.root().join("nodes/revoked.json").exists());

    let last = site.leaf("f1");
    assert_eq!(site.renew(&["f1"], true, NOW + Duration::hours(3)).revoked.len(), 3);
    assert!(site.list().iter().all(|entry| entry.2 == RevocationReason::Replaced));
    let (ca, crl) = (site.of_f1("ca-cert.pem"), site.of_f1("ca-crl.pem"));
    for unused in [old, renewed, last] {
        assert_revoked(&ca, &crl, &unused);
    }
    assert_good(&ca, &crl, &site.leaf("f1"));
}

#[test]
fn an_entry_that_has_ended_leaves_with_the_next_change() {
    let mut site = Site::rendered();
    site.remove("w1");
    site.render(NOW + Duration::days(1));
    let (list, crl) = (site.list(), site.of_f1("ca-crl.pem"));
    let later = NOW + Duration::days(400);
    assert!(site.render(later).revoked.is_empty());
    assert_eq!((site.list(), site.of_f1("ca-crl.pem")), (list, crl), "nothing is written for that alone");
    site.remove("f3");
    site.inventory = site.inventory.replace("\"f1\", \"f2\", \"f3\"]", "\"f1\"]\nsingle = true");
    assert_eq!(site.render(later).revoked.len(), 1);
    assert_eq!(site.list().iter().map(|entry| entry.0.as_str()).collect::<Vec<_>>(), ["f3.fern.example.net"]);
}

/// While one CA takes the place of another, each signs a list of its certificates: OpenSSL and webpki refuse a certificate of
/// a CA whose CRL they do not have.
#[test]
fn each_published_ca_signs_its_list() {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::open_or_new(&dir.path().join("vault"), &[]).unwrap();
    let make = |generation| {
        let subnets = ["10.0.0.0/8".parse().unwrap()];
        let request =
            CaRequest::new("fern", generation, "example.com", &subnets, KeyAlgorithm::EcdsaP256, 3650)
                .unwrap();
        let ca = CaIssuer::create(&request, NOW).unwrap();
        vault.store_ca(generation, &ca).unwrap();
        ca
    };
    let (old, new) = (make(1), make(2));
    let leaf = |ca: &CaIssuer, node: &str| {
        ca.sign_leaf(&crate::support::short_request(node), NOW, None).unwrap().cert_pem
    };
    let (gone, of_old, of_new) = (
        leaf(&old, "node09.example.com"),
        leaf(&old, "node01.example.com"),
        leaf(&new, "node02.example.com"),
    );
    let both = format!("{}{}", old.cert_pem(), new.cert_pem());
    let mut before = Certificates { ca: Some(both.clone()), ..Certificates::default() };
    before.former.insert("node09.example.com".to_owned(), gone.clone());
    let cluster = check(INVENTORY.as_bytes()).unwrap().cluster.unwrap();
    let (mut after, none) = (before.clone(), BTreeSet::new());
    assert_eq!(revoke(&cluster, &before, &mut after, &none, NOW).unwrap().len(), 1);
    sign_crls(&mut after, || Ok(vault), None, NOW).unwrap();
    let crl = after.crl.clone().unwrap();
    assert_eq!(crl.matches("BEGIN X509 CRL").count(), 2);
    assert_good(&both, &crl, &of_old);
    assert_good(&both, &crl, &of_new);
    assert_revoked(&both, &crl, &gone);
    assert!(has_current_crls(&after, NOW).unwrap());
    // The old CA is dropped: its list goes, too.
    after.ca = Some(new.cert_pem().to_owned());
    assert!(!has_current_crls(&after, NOW).unwrap());
    // A forged certificate in the directory of a removed node revokes nothing.
    before.former.insert("node09.example.com".to_owned(), leaf(&make_other(), "node09.example.com"));
    let mut after = before.clone();
    assert!(revoke(&cluster, &before, &mut after, &none, NOW).unwrap().is_empty());
}

fn make_other() -> CaIssuer {
    crate::support::ca()
}
