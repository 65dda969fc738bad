//! `certs renew`, what `render` renews by itself, and what `certs status` says to do.

use std::collections::BTreeMap;
use std::fs;

use plasmagen::pki::{PublicCert, Vault};

use crate::certificates::{assert_keys_belong, assert_verified, leaves};
use crate::kit::Site;

const NODES: [&str; 3] = ["node01", "node02", "node03"];

/// The serial numbers of the published certificates by node.
pub(crate) fn serials(site: &Site) -> BTreeMap<String, String> {
    let serial = |file| PublicCert::from_pem(&fs::read_to_string(file).unwrap()).unwrap().serial;
    leaves(site).into_iter().map(|(fqdn, file)| (fqdn[..6].to_owned(), serial(file))).collect()
}

/// The public keys in the vault by node.
fn keys(site: &Site) -> Vec<Vec<u8>> {
    let vault = Vault::open(&site.vault(), &[]).unwrap();
    NODES.map(|node| vault.public_key(&format!("{node}.cluster.example.com")).unwrap().unwrap()).to_vec()
}

/// The nodes whose certificate is another than in `before`.
fn renewed(site: &Site, before: &BTreeMap<String, String>) -> Vec<String> {
    serials(site)
        .into_iter()
        .filter(|(node, serial)| before.get(node) != Some(serial))
        .map(|(node, _)| node)
        .collect()
}

#[test]
fn certificates_are_renewed_in_the_last_third_of_their_life() {
    let site = Site::rendered_ago(300);
    let (before, keys_before) = (serials(&site), keys(&site));
    site.run(&["check"]).ends(0, &["warning[PG-H11]", "`plasmagen certs renew node01`"]);
    let status = site.run(&["certs", "status", "--fail-within", "60d"]);
    status.ends(0, &[]);
    assert!(status.stdout.contains("64  renew  plasmagen certs renew node02\n"), "{}", status.stdout);
    let failing = site.untouched(|| site.run(&["certs", "status", "--fail-within", "70d"]));
    failing.ends(1, &["3 certificates end within 70 days"]);
    // A render leaves to the operator when machines get other certificates.
    site.untouched(|| site.run(&["render"])).ends(0, &["PG-H11"]);

    site.untouched(|| site.run(&["certs", "renew", "--within", "60d"]))
        .ends(0, &["no certificate ends within"]);
    site.run(&["certs", "renew", "node02"])
        .ends(0, &["issued 1 certificate\n", "renewed: node02\n", "next deployment"]);
    assert_eq!(renewed(&site, &before), ["node02"]);
    let site_tree = site.read("site/manifest.json");
    site.run(&["certs", "renew"]).ends(0, &["issued 2 certificates\n", "renewed: node01, node03\n"]);
    assert_eq!(renewed(&site, &before), NODES);
    assert_eq!(site.read("site/manifest.json"), site_tree);
    assert_eq!(keys(&site), keys_before);
    assert_verified(&site, &NODES);
    site.untouched(|| site.run(&["certs", "renew"])).ends(0, &["no certificate is in the last third"]);
    site.run(&["check", "--deny-warnings"]).ends(0, &[]);
    site.run(&["certs", "status", "--fail-within", "300d"]).ends(0, &[]);

    let before = serials(&site);
    site.run(&["certs", "renew", "--all", "-q"]).ends(0, &[]);
    assert_eq!(renewed(&site, &before), NODES);
}

#[test]
fn a_new_key_takes_the_place_of_the_old_one() {
    let site = Site::rendered();
    let before = keys(&site);
    site.run(&["certs", "renew", "node02", "node03", "--new-key"]).ends(
        0,
        &[
            "issued 2 certificates\n",
            "new keys, to be staged",
            ".retired: node02.cluster.example.com, node03.",
        ],
    );
    let after = keys(&site);
    assert_eq!(after[0], before[0]);
    assert!(after[1] != before[1] && after[2] != before[2]);
    let vault = Vault::open(&site.vault(), &[]).unwrap();
    assert_eq!(vault.retired_public_key("node02.cluster.example.com", 1).unwrap(), Some(before[1].clone()));
    assert_keys_belong(&site, "after the renewal");
    assert_verified(&site, &NODES);
    site.run(&["check"]).ends(0, &["0 warnings"]);
}

/// PG-H11 is an error by then, and no obstacle.
#[test]
fn an_expired_certificate_is_never_kept() {
    let site = Site::rendered_ago(400);
    let before = serials(&site);
    site.run(&["check"]).ends(1, &["error[PG-H11]", "expired on", "`plasmagen certs renew node03`"]);
    site.run(&["secrets", "stage", "node01", "--to", "../out"]).ends(1, &["error[PG-H11]"]);
    site.run(&["render", "--check"]).ends(1, &["error[PG-H11]"]);
    let other = site.copy();

    let run = site.run(&["render"]);
    run.ends(0, &["issued 3 certificates\n", "the old certificate had expired: node01, node02, node03\n"]);
    assert!(!run.stderr.contains("PG-H11"), "{}", run.stderr);
    assert_eq!(renewed(&site, &before), NODES);
    site.run(&["check", "--deny-warnings"]).ends(0, &[]);
    site.untouched(|| site.run(&["render"])).ends(0, &["up to date"]);

    other.run(&["certs", "renew", "node01"]).ends(0, &["renewed: node01\n", "had expired: node02, node03\n"]);
    assert_eq!(renewed(&other, &before), NODES);
}

#[test]
fn an_urgent_certificate_is_renewed_and_other_faults_still_refuse() {
    let site = Site::rendered_ago(355);
    let before = serials(&site);
    let leaf = "nodes/node02.cluster.example.com/node02-cert.pem";
    let text = site.read(leaf);
    fs::write(site.root().join(leaf), "<<<<<<< HEAD\n").unwrap();
    for args in [&["render"][..], &["certs", "renew"]] {
        let run = site.untouched(|| site.run(args));
        run.ends(1, &["error[PG-H04]"]);
        assert!(!run.stderr.contains("PG-H11"), "{}", run.stderr);
    }
    fs::write(site.root().join(leaf), text).unwrap();
    let other = site.copy();
    site.run(&["render"]).ends(0, &["the old certificate was about to expire: node01, node02, node03\n"]);
    assert_eq!(renewed(&site, &before), NODES);
    other.run(&["certs", "renew"]).ends(0, &["renewed: node01, node02, node03\n"]);
    other.run(&["check", "--deny-warnings"]).ends(0, &[]);
}

#[test]
fn without_the_key_there_is_no_renewal() {
    let site = Site::rendered();
    fs::rename(site.vault().join("node02.cluster.example.com"), site.path().join("lost")).unwrap();
    let refused = ["has no key for node02.cluster.example.com", "plasmagen certs renew node02 --new-key"];
    site.untouched(|| site.run(&["certs", "renew", "--all"])).ends(2, &refused);
    site.edit("\"10.0.200.11\"", "\"10.0.200.15\"");
    site.untouched(|| site.run(&["render"])).ends(2, &refused);
    site.run(&["certs", "renew", "node02", "--new-key"]).ends(0, &["issued 1 certificate\n"]);
    assert_keys_belong(&site, "after a renewal with a new key");

    fs::rename(site.vault(), site.path().join("lost-vault")).unwrap();
    site.untouched(|| site.run(&["certs", "renew"])).ends(0, &["no certificate is in the last third"]);
    site.untouched(|| site.run(&["certs", "renew", "--all"])).ends(2, &["its key is not in the vault"]);
    site.run(&["certs", "renew", "node09"]).ends(2, &["there is no node `node09`"]);
    site.run(&["certs", "renew", "node01", "--all"]).ends(2, &["cannot be used with"]);
}
