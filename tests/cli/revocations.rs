//! Revoked certificates in the commands: what PG-J03 says leads out, and what the operator is told to do.

use std::fs;

use plasmagen::fs::Sha256Sum;

use crate::kit::Site;
use crate::renewal::serials;

const LEAF: &str = "nodes/node01.cluster.example.com/node01-cert.pem";

/// Makes the manifest of nodes/ list the files as they are: as after a merge in git that took them from several branches.
fn list_as_merged(site: &Site) {
    let path = site.root().join("nodes/manifest.json");
    let mut manifest: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for file in manifest["files"].as_array_mut().unwrap() {
        let body = fs::read(site.root().join("nodes").join(file["path"].as_str().unwrap())).unwrap();
        file["sha256"] = Sha256Sum::of(&body).to_string().into();
    }
    fs::write(path, serde_json::to_vec_pretty(&manifest).unwrap()).unwrap();
}

/// The certificate that a node uses is revoked: each command refuses, but for the one that the help names.
#[test]
fn a_revoked_certificate_in_use_is_replaced_by_the_command_that_the_help_names() {
    let site = Site::rendered();
    let old = site.read(LEAF);
    site.run(&["certs", "renew", "node01", "--new-key"])
        .ends(0, &["revoked 1 certificate, ", "deploy the nodes with new keys first", "node01.cluster"]);
    site.run(&["check", "--deny-warnings"]).ends(0, &[]);
    // As if the vault had never had another key, too.
    site.run(&["certs", "renew", "node01", "--new-key"]).ends(0, &[]);
    let vault = site.vault();
    let (entry, retired) =
        (vault.join("node01.cluster.example.com"), vault.join(".retired/node01.cluster.example.com.1"));
    let lists = ["issued", "revoked"].map(|name| fs::read(site.root().join(format!("nodes/{name}.json"))));
    let crl = site.read("nodes/node01.cluster.example.com/ca-crl.pem");
    fs::remove_dir_all(&entry).unwrap();
    fs::rename(retired, &entry).unwrap();
    fs::remove_dir_all(vault.join(".retired")).unwrap();
    fs::write(site.root().join(LEAF), old).unwrap();
    list_as_merged(&site);
    let help = "`plasmagen certs renew node01 --new-key`";
    site.run(&["check"]).ends(1, &["error[PG-J03]", "is in nodes/revoked.json", help]);
    for args in [&["render"][..], &["certs", "renew", "--all"], &["certs", "rotate", "begin"]] {
        site.untouched(|| site.run(args)).ends(1, &["error[PG-J03]", help]);
    }
    // A new key for another node is no cure.
    site.untouched(|| site.run(&["certs", "renew", "node02", "--new-key"]))
        .ends(2, &["the certificate of node01 is in nodes/revoked.json", "certs renew node01 --new-key"]);
    site.run(&["certs", "renew", "node01", "--new-key"]).ends(0, &["issued 1 certificate\n"]);
    site.run(&["check", "--deny-warnings"]).ends(0, &[]);
    site.untouched(|| site.run(&["render"])).ends(0, &["up to date"]);
    assert!(lists.iter().all(Result::is_ok) && crl.contains("X509 CRL"));
}

/// The advice for a certificate with a fault is to remove it. The run that issues another knows the one that was removed.
#[test]
fn a_certificate_that_was_removed_is_revoked_with_the_node() {
    let site = Site::rendered();
    let removed = serials(&site)["node01"].clone();
    fs::write(site.root().join(LEAF), "").unwrap();
    site.run(&["check"])
        .ends(1, &["error[PG-H04]", "remove nodes/node01.cluster.example.com/node01-cert.pem"]);
    fs::remove_file(site.root().join(LEAF)).unwrap();
    site.run(&["render"]).ends(0, &["issued 1 certificate\n"]);
    let second = serials(&site)["node01"].clone();
    site.run(&["certs", "renew", "node01", "--new-key"]).ends(0, &["revoked 2 certificates, "]);
    let printed = site.run(&["certs", "revoked"]).ends(0, &[]).stdout.clone();
    assert!(printed.contains(&removed) && printed.contains(&second), "{printed}");
    // A record that cannot be read is told where it is, and nothing is written over it.
    fs::write(site.root().join("nodes/issued.json"), "{").unwrap();
    let words = ["error[PG-J03]", "could not use nodes/issued.json: not a record", "restore nodes/ from git"];
    site.untouched(|| site.run(&["render"])).ends(1, &words);
}

/// The steps of a rotation change the CRLs together with the CAs; and the vault is asked by the first step only.
#[test]
fn a_rotation_signs_and_drops_crls() {
    let site = Site::rendered();
    site.run(&["certs", "renew", "node01", "--new-key"]).ends(0, &[]);
    let verify = "openssl verify -x509_strict -crl_check -CAfile nodes/node01*/ca-cert.pem \
                  -CRLfile nodes/node01*/ca-crl.pem nodes/*/node0?-cert.pem";
    let content = |site: &Site| {
        site.shell(verify).ends(0, &[]);
        site.run(&["check", "--deny-warnings"]).ends(0, &[]);
        site.untouched(|| site.run(&["render"])).ends(0, &["up to date"]);
    };
    content(&site);
    let crls = "now, every ca-crl.pem the CRL of each, and nothing else was changed";
    site.run(&["certs", "rotate", "begin"]).ends(0, &[crls]);
    content(&site);
    let before = site.read("nodes/revoked.json");
    site.run(&["certs", "rotate", "issue", "--new-key"])
        .ends(0, &["the certificates of the old keys are good until the old CA goes"]);
    assert_eq!(site.read("nodes/revoked.json"), before);
    content(&site);
    let hidden = site.path().join("hidden");
    fs::rename(site.home(), &hidden).unwrap();
    site.run(&["certs", "rotate", "finish", "--deployed"]).ends(0, &["PG-H19", crls]);
    fs::rename(&hidden, site.home()).unwrap();
    content(&site);
}
