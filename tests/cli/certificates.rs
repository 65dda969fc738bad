//! The certificates of a rendered site in the eyes of openssl; `certs status`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use plasmagen::pki::{PublicCert, Vault};

use crate::kit::{NODE04, Site};

/// Paths of the nodes' certificates in nodes/, by full name.
pub(crate) fn leaves(site: &Site) -> BTreeMap<String, PathBuf> {
    let nodes = fs::read_dir(site.root().join("nodes")).unwrap().map(|entry| entry.unwrap().path());
    let leaf = |dir: PathBuf| {
        let name = dir.file_name()?.to_str()?.to_owned();
        let file = dir.join(format!("{}-cert.pem", name.split('.').next()?));
        file.exists().then_some((name, file))
    };
    nodes.filter(|path| path.is_dir()).filter_map(leaf).collect()
}

/// The key in the vault belongs to each published certificate.
pub(crate) fn assert_keys_belong(site: &Site, when: &str) {
    for (fqdn, file) in leaves(site) {
        let certificate = PublicCert::from_pem(&fs::read_to_string(file).unwrap()).unwrap();
        let vault = Vault::open(&site.vault(), &[]).unwrap_or_else(|error| panic!("{when}: {error:#}"));
        let key = vault.key(&fqdn).unwrap().unwrap_or_else(|| panic!("the key of {fqdn} is lost {when}"));
        assert!(key.belongs_to(&certificate).unwrap(), "the key of {fqdn} is another {when}");
    }
}

/// The vault has the host key of each node, whose public half is in nodes/.
pub(crate) fn assert_host_keys_belong(site: &Site, when: &str) {
    for (fqdn, file) in leaves(site) {
        let public = fs::read_to_string(file.with_file_name("ssh_host_ed25519_key.pub")).unwrap();
        let vault = Vault::open(&site.vault(), &[]).unwrap_or_else(|error| panic!("{when}: {error:#}"));
        let key = vault.host_key(&fqdn).unwrap().unwrap_or_else(|| panic!("no host key of {fqdn} {when}"));
        assert_eq!(public, format!("{} {fqdn}\n", key.public()), "another host key {when}");
    }
}

/// openssl verifies `names` against the CA that nodes/ publishes, which is the one of the vault.
pub(crate) fn assert_verified(site: &Site, names: &[&str]) {
    let leaves = leaves(site);
    let found: Vec<_> = leaves.keys().map(|name| name.split('.').next().unwrap()).collect();
    assert_eq!(found, names);
    let ca = leaves.values().next().unwrap().with_file_name("ca-cert.pem");
    let mut args =
        vec!["verify", "-x509_strict", "-no-CApath", "-no-CAstore", "-purpose", "sslserver", "-CAfile"];
    args.push(ca.to_str().unwrap());
    args.extend(leaves.values().map(|leaf| leaf.to_str().unwrap()));
    site.tool("openssl", "openssl", &args).ends(0, &[]);
    let published = fs::read(&ca).unwrap();
    for leaf in leaves.values() {
        assert_eq!(fs::read(leaf.with_file_name("ca-cert.pem")).unwrap(), published);
    }
    assert_eq!(fs::read(site.vault().join("ca-1/ca-cert.pem")).unwrap(), published);
}

#[test]
fn openssl_accepts_every_certificate_and_key() {
    let site = Site::rendered();
    assert_verified(&site, &["node01", "node02", "node03"]);
    let public = |args: &[&str]| {
        let run = site.tool("openssl", "openssl", args);
        run.ends(0, &[]);
        run.stdout
    };
    for (fqdn, leaf) in leaves(&site) {
        let key = site.vault().join(&fqdn).join(format!("{}-key.pem", fqdn.split('.').next().unwrap()));
        assert_eq!(
            public(&["x509", "-noout", "-pubkey", "-in", leaf.to_str().unwrap()]),
            public(&["pkey", "-pubout", "-in", key.to_str().unwrap()])
        );
        let text = public(&["x509", "-noout", "-text", "-in", leaf.to_str().unwrap()]);
        for word in [&format!("DNS:{fqdn}"), "DNS:chainfire.cluster.example.com", "IP Address:10.0.200.100"] {
            assert!(text.contains(word), "{word}: {text}");
        }
    }
}

#[test]
fn status_is_a_table_of_what_is_published() {
    let site = Site::rendered();
    let run = site.untouched(|| site.run(&["certs", "status"]));
    run.ends(0, &[]);
    assert_eq!(run.stderr, "");
    let cells = |line: &'_ str| {
        line.split("  ").map(|cell| cell.trim().to_owned()).filter(|cell| !cell.is_empty()).collect()
    };
    let rows: Vec<Vec<String>> = run.stdout.lines().map(cells).collect();
    assert_eq!(rows.len(), 5, "{}", run.stdout);
    assert!(run.stdout.starts_with("node    subject"), "{}", run.stdout);
    assert_eq!(rows[1][..3], ["(CA)", "my-cluster CA 1", "my-cluster CA 1"]);
    assert_eq!(rows[2][..3], ["node01", "node01.cluster.example.com", "my-cluster CA 1"]);
    assert!(run.stdout.lines().skip(1).all(|line| line.ends_with(" ok")), "{}", run.stdout);
    // Columns are aligned.
    let at = run.stdout.find("not after").unwrap();
    assert!(run.stdout.lines().skip(1).all(|line| line[at..].starts_with("20")), "{}", run.stdout);
}

#[test]
fn status_is_json_for_programs() {
    let site = Site::rendered();
    let run = site.run(&["certs", "status", "--format", "json"]);
    let rows: serde_json::Value = serde_json::from_str(&run.ends(0, &[]).stdout).unwrap();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[3]["node"], "node03");
    assert_eq!(rows[3]["subject"], "node03.cluster.example.com");
    assert_eq!((&rows[3]["state"], &rows[3]["days_left"]), (&"ok".into(), &364.into()));
    assert_eq!((&rows[3]["issuer"], &rows[3]["next"]), (&"my-cluster CA 1".into(), &serde_json::Value::Null));
    let date =
        site.shell("openssl x509 -noout -enddate -dateopt iso_8601 -in nodes/node03*/node03-cert.pem").stdout;
    assert!(date.contains(rows[3]["not_after"].as_str().unwrap()), "{date} {rows:?}");
}

#[test]
fn status_needs_no_vault_and_tells_who_has_none() {
    let site = Site::new();
    let run = site.run(&["certs", "status"]);
    run.ends(0, &["node01 has no certificate yet: plasmagen render issues one", "node03 has no"]);
    assert_eq!(run.stdout.lines().count(), 1);
    assert_eq!(site.run(&["certs", "status", "--format", "json"]).stdout.trim(), "[]");

    let site = Site::rendered();
    fs::remove_dir_all(site.home()).unwrap();
    site.append(NODE04);
    let run = site.within(site.path(), &["certs", "status", "-i", "site/inventory.toml"]);
    run.ends(0, &["node04 has no certificate yet"]);
    assert_eq!(run.stdout.lines().count(), 5);
    assert_eq!(site.run(&["certs", "status", "-q"]).stderr, "");

    crate::check::refuse(&site);
    site.run(&["certs", "status"]).ends(1, &["is refused"]);
    fs::write(site.inventory(), "").unwrap();
    site.run(&["certs", "status"]).ends(1, &["is refused"]);
}

#[test]
fn check_judges_what_is_committed_and_needs_no_vault() {
    let site = Site::rendered();
    fs::remove_dir_all(site.home()).unwrap();
    site.edit("state_version", "allow = [\"PG-H19\"]\nstate_version");
    site.run(&["check", "--deny-warnings"]).ends(0, &["is sound: 3 nodes, 0 warnings"]);
    site.within(site.path(), &["check", "site/inventory.toml", "--deny-warnings"]).ends(0, &[]);

    site.edit("\"10.0.200.11\"", "\"10.0.200.14\"");
    let ahead = ["warning[PG-H06]", "lacks 10.0.200.14 and still has 10.0.200.11", "`plasmagen render`"];
    site.run(&["check"]).ends(0, &ahead);
    site.within(site.path(), &["check", "site/inventory.toml", "--deny-warnings"]).ends(1, &ahead);
    site.edit("cluster.example.com", "cluster.example.org");
    site.run(&["check"]).ends(1, &["error[PG-H18]", "may vouch for `cluster.example.com`", "replace the CA"]);
    let site = Site::rendered();
    site.edit("cluster.example.com", "cluster.example.org");
    site.run(&["check"]).ends(1, &["error[PG-H09]", "names below cluster.example.org", "replace the CA"]);
}

#[test]
fn what_check_warns_of_render_cures() {
    let site = Site::rendered();
    site.edit("\"10.0.200.11\"", "\"10.0.200.14\"");
    site.run(&["check", "--deny-warnings"]).ends(1, &["PG-H06"]);
    site.run(&["render"]).ends(0, &["issued 1 certificate\n"]);
    site.run(&["check", "--deny-warnings"]).ends(0, &[]);
    let leaf = site.root().join("nodes/node01.cluster.example.com/node01-cert.pem");
    fs::write(&leaf, "<<<<<<< HEAD\n-----BEGIN CERTIFICATE-----\n").unwrap();
    site.run(&["check"]).ends(1, &["error[PG-H04]", "cannot be read", "remove nodes/node01.cluster"]);
    fs::remove_file(&leaf).unwrap();
    site.run(&["check"]).ends(0, &[]);
    site.run(&["render"]).ends(0, &["issued 1 certificate\n"]);
}
