//! Certificates in nodes/ that nobody may trust: every command that uses them refuses them, with the same words.

use std::fs;
use std::path::Path;

use plasmagen::check::check;
use plasmagen::pki::cluster::leaf_request;
use plasmagen::pki::{CaIssuer, CaRequest, NewNodeKeys, PublicCert, Vault};
use rcgen::{CertificateParams, DnType, Issuer, KeyIdMethod, KeyPair};
use time::{Duration, OffsetDateTime};

use crate::kit::Site;

const LEAF: &str = "nodes/node01.cluster.example.com/node01-cert.pem";

/// Every command that uses certificates refuses them with `words`, and changes nothing.
#[track_caller]
fn refused(site: &Site, words: &[&str]) {
    let vault = site.vault();
    refused_but_by_render(site, words);
    site.untouched(|| site.run(&["render", "--vault", vault.to_str().unwrap()])).ends(1, words);
}

/// The same, but for the command that cures the fault.
#[track_caller]
fn refused_but_by_render(site: &Site, words: &[&str]) {
    let root = site.path().join("web");
    let root = root.to_str().unwrap();
    for args in [
        &["check"][..],
        &["render", "--check"],
        &["secrets", "stage", "node01", "--to", "../out"],
        &["secrets", "encrypt", "node01", "--to", "../out"],
        &["publish", "--root", root],
        &["certs", "status"],
    ] {
        let run = site.untouched(|| site.run(args));
        assert_eq!(run.code, Some(1), "{args:?}: {}", run.stderr);
        run.ends(1, words);
        assert!(!site.path().join("out").exists() && !Path::new(root).exists(), "{args:?} wrote something");
    }
}

/// Puts `pem` in the place of every ca-cert.pem in nodes/.
fn publish_ca(site: &Site, pem: &str) {
    for dir in fs::read_dir(site.root().join("nodes")).unwrap().map(|dir| dir.unwrap().path()) {
        if dir.is_dir() {
            fs::write(dir.join("ca-cert.pem"), pem).unwrap();
        }
    }
}

fn ca_pem(site: &Site) -> String {
    site.read("nodes/node01.cluster.example.com/ca-cert.pem")
}

#[test]
fn a_foreign_ca_beside_the_clusters() {
    let site = Site::rendered();
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Corporate Root");
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let foreign = params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
    publish_ca(&site, &(ca_pem(&site) + &foreign));
    refused(&site, &["error[PG-H18]", "`Corporate Root`, which is no CA of this cluster", "from git"]);
}

/// Of a cluster with the same names, networks and generation: only the vault tells it from this cluster's.
#[test]
fn a_ca_that_the_vault_does_not_hold() {
    let (site, other) = (Site::rendered(), Site::rendered());
    publish_ca(&site, &ca_pem(&other));
    refused(&site, &["error[PG-H18]", "`my-cluster CA 1`, which the vault ", " does not hold"]);
}

/// Names, addresses, dates and the identifiers of keys are those of the cluster's certificate.
#[test]
fn a_forged_certificate() {
    let site = Site::rendered();
    let ca = PublicCert::from_pem(&ca_pem(&site)).unwrap();
    let true_one = PublicCert::from_pem(&site.read(LEAF)).unwrap();
    let mut forger = CertificateParams::default();
    forger.distinguished_name = rcgen::DistinguishedName::new();
    forger.distinguished_name.push(DnType::CommonName, "my-cluster CA 1");
    forger.key_identifier_method = KeyIdMethod::PreSpecified(ca.subject_key_id.unwrap());
    let addresses = true_one.addresses.iter().map(ToString::to_string);
    let names: Vec<_> = true_one.dns_names.iter().cloned().chain(addresses).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, true_one.name());
    params.is_ca = rcgen::IsCa::ExplicitNoCa;
    params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth, rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    (params.not_before, params.not_after) = (true_one.not_before, true_one.not_after);
    let issuer = Issuer::from_params(&forger, KeyPair::generate().unwrap());
    let forged = params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap().pem();
    assert_eq!(PublicCert::from_pem(&forged).unwrap().authority_key_id, true_one.authority_key_id);
    fs::write(site.root().join(LEAF), forged).unwrap();
    refused(&site, &["error[PG-H12]", "`node01`", "altered or forged", &format!("remove {LEAF}")]);
}

/// A site that was rendered `days` ago.
fn rendered_before(days: i64) -> Site {
    let site = Site::rendered();
    let then = OffsetDateTime::now_utc() - Duration::days(days);
    let cluster = check(&fs::read(site.inventory()).unwrap()).unwrap().cluster.unwrap();
    let subnets: Vec<_> = cluster.networks.values().flat_map(plasmagen::model::Network::subnets).collect();
    let (name, domain) = (cluster.name.as_str(), cluster.domain.as_str());
    let request = CaRequest::new(name, 1, domain, &subnets, cluster.tls.algorithm, 3650).unwrap();
    let ca = CaIssuer::create(&request, then).unwrap();
    fs::remove_dir_all(site.vault()).unwrap();
    let vault = Vault::open_or_new(&site.vault(), &[]).unwrap();
    vault.store_ca(1, &ca).unwrap();
    publish_ca(&site, ca.cert_pem());
    for node in &cluster.nodes {
        let issued = ca.sign_leaf(&leaf_request(&cluster, node).unwrap(), then, None).unwrap();
        let keys = NewNodeKeys {
            fqdn: node.fqdn.as_str(),
            key: &issued.key,
            host_key: None,
            passphrase: None,
            machine: &format!("mac {}\n", node.mac),
        };
        vault.store(&[keys]).unwrap();
        let file = format!("nodes/{}/{}-cert.pem", node.fqdn, node.name);
        fs::write(site.root().join(file), issued.cert_pem).unwrap();
    }
    site
}

#[test]
fn an_expired_certificate_and_one_that_ends_soon() {
    let words =
        ["error[PG-H11]", "the certificate of `node03` expired on ", "`plasmagen certs renew node03`"];
    refused_but_by_render(&rendered_before(370), &words);
    refused_but_by_render(&rendered_before(360), &["error[PG-H11]", "is valid until ", "for 4 more days"]);
    rendered_before(200).run(&["check", "--deny-warnings"]).ends(0, &[]);
}

#[test]
fn a_certificate_of_tomorrow() {
    refused(&rendered_before(-1), &["error[PG-H02]", "is valid only from", "set the clock"]);
}

/// After the remedy that the diagnostics name, the site is sound again, and the machines keep their keys.
#[test]
fn the_remedy_of_an_expired_certificate_cures() {
    let site = Site::rendered_ago(370);
    site.run(&["certs", "renew"]).ends(0, &["issued 3 certificates"]);
    site.run(&["check", "--deny-warnings"]).ends(0, &[]);
    crate::certificates::assert_verified(&site, &["node01", "node02", "node03"]);
    crate::certificates::assert_keys_belong(&site, "after a renewal");
}

/// A site that was copied for a second cluster gets a CA of its own, as the message says.
#[test]
fn a_copied_site_becomes_a_cluster_of_its_own() {
    let site = Site::rendered();
    let first = site.read("nodes/node01.cluster.example.com/ca-cert.pem");
    site.edit("\"my-cluster\"", "\"elm\"");
    refused(
        &site,
        &["error[PG-H18]", "copied from that cluster's, remove nodes/ and site/, and run `plasmagen render`"],
    );
    site.shell("rm -r nodes site").ends(0, &[]);
    site.run(&["render"]).ends(0, &["made a certificate authority"]);
    site.run(&["check", "--deny-warnings"]).ends(0, &["0 warnings"]);
    assert_ne!(site.read("nodes/node01.cluster.example.com/ca-cert.pem"), first);
}
