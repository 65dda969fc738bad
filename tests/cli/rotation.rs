//! `certs rotate`: the steps in their order and out of it, and what the other commands do between them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use plasmagen::pki::PublicCert;
use test_kit::tree;

use crate::certificates::{assert_keys_belong, leaves};
use crate::kit::{NODE04, Run, Site};
use crate::renewal::serials;

fn rotate(site: &Site, args: &[&str]) -> Run {
    site.run(&[&["certs", "rotate"], args].concat())
}

/// The names of the published CAs, in the order of the file.
fn published(site: &Site) -> Vec<String> {
    let pem = site.read("nodes/node01.cluster.example.com/ca-cert.pem");
    let authorities = PublicCert::list_from_pem(&pem).unwrap();
    authorities.iter().map(|ca| ca.name().to_owned()).collect()
}

/// The CA of each node's certificate, without the cluster's name.
fn issuers(site: &Site) -> Vec<String> {
    let issuer = |file| PublicCert::from_pem(&fs::read_to_string(file).unwrap()).unwrap().issuer;
    leaves(site).into_values().map(|file| issuer(file).replace("CN=my-cluster ", "")).collect()
}

fn trees(site: &Site) -> BTreeMap<PathBuf, String> {
    ["nodes", "site"]
        .iter()
        .flat_map(|name| {
            tree::contents(&site.root().join(name))
                .into_iter()
                .map(move |(path, text)| (PathBuf::from(name).join(path), text))
        })
        .collect()
}

/// `act` changes the files ca-cert.pem and the manifest that lists them, and nothing else.
#[track_caller]
fn changes_only_the_ca(site: &Site, act: impl FnOnce()) {
    let before = trees(site);
    act();
    let after = trees(site);
    assert!(after.keys().eq(before.keys()));
    let changed = after.iter().filter(|(path, text)| before[*path] != **text);
    let names: Vec<_> = changed.map(|(path, _)| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["manifest.json", "ca-cert.pem", "ca-cert.pem", "ca-cert.pem"]);
}

/// Every command that looks at the certificates is content, with the vault and without.
#[track_caller]
fn assert_content(site: &Site) {
    site.run(&["check", "--deny-warnings"]).ends(0, &[]);
    site.untouched(|| site.run(&["render"])).ends(0, &["up to date"]);
    site.run(&["render", "--check"]).ends(0, &[]);
    site.run(&["secrets", "stage", "node01", "--to", "../out"]).ends(0, &[]);
    fs::remove_dir_all(site.path().join("out")).unwrap();
    site.run(&["vault", "verify"]).ends(0, &[]);
    let hidden = site.path().join("hidden");
    fs::rename(site.home(), &hidden).unwrap();
    site.run(&["check"]).ends(0, &["1 warning"]);
    site.run(&["certs", "status"]).ends(0, &[]);
    fs::rename(&hidden, site.home()).unwrap();
}

#[test]
fn three_steps_replace_the_ca() {
    let site = Site::rendered();
    let serials_before = serials(&site);
    let status = rotate(&site, &["status"]);
    assert!(status.ends(0, &[]).stdout.contains("no rotation is going on"), "{}", status.stdout);
    for (args, words) in [
        (&["issue"][..], "no rotation has begun: plasmagen certs rotate begin"),
        (&["finish", "--deployed"], "no rotation has begun: plasmagen certs rotate begin"),
        (&["finish"], "--deployed"),
    ] {
        site.untouched(|| rotate(&site, args)).ends(2, &[words]);
    }
    site.untouched(|| rotate(&site, &["cancel"])).ends(0, &["nothing to do"]);

    changes_only_the_ca(&site, || {
        rotate(&site, &["begin"])
            .ends(0, &["holds my-cluster CA 1 and my-cluster CA 2 now", "certs rotate issue"]);
    });
    assert_eq!(published(&site), ["my-cluster CA 1", "my-cluster CA 2"]);
    assert_content(&site);
    site.untouched(|| rotate(&site, &["begin"])).ends(0, &["nothing to do"]);
    let status = rotate(&site, &["status", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!(
        (&report["stage"], &report["next"]),
        (&"begun".into(), &"plasmagen certs rotate issue".into())
    );
    assert_eq!(report["authorities"][0]["nodes"], serde_json::json!(["node01", "node02", "node03"]));
    site.untouched(|| rotate(&site, &["finish", "--deployed"]))
        .ends(2, &["3 of the certificates", "certs rotate issue"]);
    // A node that is added, and a renewal, go on with the old CA.
    site.append(NODE04);
    site.run(&["render"]).ends(0, &["issued 1 certificate\n"]);
    site.run(&["certs", "renew", "node02"]).ends(0, &[]);
    assert_eq!(issuers(&site), ["CA 1"; 4]);

    rotate(&site, &["issue"]).ends(0, &["issued 4 certificates\n", "certs rotate finish --deployed"]);
    assert_eq!((published(&site).len(), issuers(&site)), (2, vec!["CA 2".to_owned(); 4]));
    assert!(serials(&site).iter().all(|(node, serial)| serials_before.get(node) != Some(serial)));
    assert_keys_belong(&site, "after the new CA has signed everything");
    assert_content(&site);
    site.untouched(|| rotate(&site, &["issue"])).ends(0, &["nothing was touched"]);
    site.untouched(|| rotate(&site, &["begin"]))
        .ends(2, &["the last rotation is not finished", "rotate finish"]);
    site.untouched(|| rotate(&site, &["cancel"])).ends(2, &["has signed certificates already"]);
    site.untouched(|| rotate(&site, &["finish"])).ends(2, &["say so with --deployed"]);

    rotate(&site, &["finish", "--deployed"]).ends(0, &["holds my-cluster CA 2 now"]);
    assert_eq!(
        site.read("nodes/node01.cluster.example.com/ca-cert.pem"),
        fs::read_to_string(site.vault().join("ca-2/ca-cert.pem")).unwrap()
    );
    assert_content(&site);
    site.untouched(|| rotate(&site, &["finish", "--deployed"])).ends(0, &["nothing to do"]);
    site.run(&["certs", "renew", "--all"]).ends(0, &["issued 4 certificates\n"]);
    assert_eq!(issuers(&site), ["CA 2"; 4]);
    site.shell("openssl verify -x509_strict -CAfile nodes/node01*/ca-cert.pem nodes/*/node0?-cert.pem")
        .ends(0, &[]);
}

#[test]
fn a_rotation_is_taken_back_before_the_new_ca_has_signed() {
    let site = Site::rendered();
    let before = trees(&site);
    rotate(&site, &["begin"]).ends(0, &[]);
    let begun = trees(&site);
    changes_only_the_ca(&site, || {
        rotate(&site, &["cancel"]).ends(0, &["holds my-cluster CA 1 now"]);
    });
    assert_eq!(trees(&site), before);
    // The CA that the vault holds is taken again, as long as it is what the inventory asks for.
    rotate(&site, &["begin"]).ends(0, &["my-cluster CA 2"]);
    assert_eq!(trees(&site), begun);
    rotate(&site, &["cancel"]).ends(0, &[]);
    site.append("\n[tls]\nalgorithm = \"ecdsa-p384\"\n");
    rotate(&site, &["begin"]).ends(0, &["my-cluster CA 1 and my-cluster CA 3"]);
    rotate(&site, &["issue"]).ends(0, &["issued 3 certificates\n"]);
    rotate(&site, &["finish", "--deployed"]).ends(0, &["my-cluster CA 3"]);
    assert_content(&site);
    let status = site.run(&["vault", "status"]).ends(0, &[]).stdout.clone();
    for (ca, state) in [("ca-1", "no longer in nodes/"), ("ca-3", "matches nodes/")] {
        assert!(status.lines().any(|row| row.starts_with(ca) && row.ends_with(state)), "{status}");
    }

    let edited = site.root().join("nodes/node02.cluster.example.com/disko.nix");
    fs::write(edited, "# by hand\n").unwrap();
    site.untouched(|| rotate(&site, &["begin"])).ends(2, &["was edited by hand", "render --discard-edits"]);
}

/// PG-H09 is an error until another CA has taken the place of the old one, and no obstacle for that.
#[test]
fn a_new_domain_gets_a_new_ca() {
    let site = Site::rendered();
    site.edit("cluster.example.com", "cluster.example.org");
    site.run(&["check"]).ends(1, &["error[PG-H09]"]);
    site.run(&["render"]).ends(1, &["error[PG-H09]"]);
    rotate(&site, &["begin"]).ends(0, &["my-cluster CA 2"]);
    assert!(site.root().join("nodes/node01.cluster.example.com").exists());
    site.run(&["check"]).ends(0, &[]);
    site.untouched(|| site.run(&["render"]))
        .ends(2, &["my-cluster CA 2, which takes its place", "certs rotate issue"]);
    rotate(&site, &["issue"]).ends(0, &["issued 3 certificates\n"]);
    rotate(&site, &["finish", "--deployed"]).ends(0, &[]);
    site.run(&["check", "--deny-warnings"]).ends(0, &[]);
    site.shell(
        "openssl verify -x509_strict -CAfile nodes/node01*.org/ca-cert.pem nodes/*.org/node0?-cert.pem",
    )
    .ends(0, &[]);
}

#[test]
fn a_rotation_needs_the_vault_and_a_ca() {
    let site = Site::new();
    rotate(&site, &["begin"]).ends(2, &["publishes no CA", "plasmagen render makes one"]);
    let site = Site::rendered();
    fs::rename(site.vault(), site.path().join("lost")).unwrap();
    site.untouched(|| rotate(&site, &["begin"])).ends(2, &["does not hold my-cluster CA 1", "--vault"]);
    rotate(&site, &["status"]).ends(0, &[]);
}
