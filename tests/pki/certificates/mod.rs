//! The rules on committed certificates: each has certificates that break it, and what plasmagen issues breaks none.
//!
//! The clock is fixed and every certificate is made here, so no test turns red as time goes by.
mod authorities;
mod contents;
mod dates;
mod former;
pub(crate) mod kit;
mod revoked;
mod strangers;

use std::collections::BTreeSet;

use plasmagen::check::check_with_files;
use plasmagen::pki::cluster::leaf_request;
use plasmagen::pki::{CaIssuer, CaRequest, KeyAlgorithm};
use plasmagen::plan::Certificates;
use plasmagen::plan::former::FormerCluster;
use plasmagen::rules::{Enforcement, RULES};
use rcgen::DnType;
use time::Duration;

use kit::{Ca, Case, INVENTORY, NOW, Site, cluster};

fn cases() -> Vec<Case> {
    dates::faults()
        .into_iter()
        .chain(authorities::faults())
        .chain(strangers::faults())
        .chain(strangers::widths())
        .chain(strangers::vaults())
        .chain(contents::faults())
        .chain(former::faults())
        .chain(revoked::faults())
        .collect()
}

#[test]
fn each_fault_is_said_once_at_its_place() {
    for Case { site, said } in cases() {
        assert_eq!(site.findings(), said);
    }
}

#[test]
fn every_rule_on_certificates_has_a_fault_here() {
    let codes: BTreeSet<_> = cases().iter().flat_map(|case| case.said).map(|line| &line[2..8]).collect();
    // PG-J05 is about disks beside the certificates: `disk_names` of the program `cli`.
    let is_here = |code: &str| code != "PG-J05";
    let rules = RULES.iter().filter(|rule| matches!(rule.enforcement, Enforcement::Certificates(_)));
    assert_eq!(codes, rules.map(|rule| rule.code).filter(|code| is_here(code)).collect());
}

#[test]
fn without_a_fault_nothing_is_said() {
    assert_eq!(Ca::new(|_| {}).site().findings(), [""; 0], "the twin of every case");
    let (ca, next) = (
        Ca::new(|_| {}),
        Ca::new(|params| {
            params.distinguished_name.push(DnType::CommonName, "lab CA 2");
        }),
    );
    let overlap = ca.site().ca(format!("{}{}", ca.pem, next.pem)).leaf("node02", next.leaf("node02", |_| {}));
    assert_eq!(overlap.findings(), [""; 0], "one CA takes the place of another");
    let mut none = ca.site();
    none.certificates = Certificates::default();
    assert_eq!(none.findings(), [""; 0], "nothing is issued yet");
}

#[test]
fn what_plasmagen_issues_is_sound_for_two_thirds_of_its_life() {
    let cluster = cluster();
    let subnets: Vec<_> = ["10.0.1.0/24", "10.0.2.0/24"].map(|net| net.parse().unwrap()).to_vec();
    for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384] {
        let request = CaRequest::new("lab", 1, "lab.example.com", &subnets, algorithm, 3650).unwrap();
        let ca = CaIssuer::create(&request, NOW).unwrap();
        let nodes = cluster.nodes.iter().map(|node| {
            let issued = ca.sign_leaf(&leaf_request(&cluster, node).unwrap(), NOW, None).unwrap();
            (node.name.clone(), issued.cert_pem)
        });
        let certificates = Certificates {
            ca: Some(ca.cert_pem().to_owned()),
            nodes: nodes.collect(),
            ..Certificates::default()
        };
        let mut site = Site {
            inventory: INVENTORY.to_owned(),
            certificates,
            vault: None,
            former: FormerCluster::default(),
            now: NOW,
        };
        for days in [0, 100, 242] {
            site.now = NOW + Duration::days(days);
            assert_eq!(site.findings(), [""; 0], "{days} days later");
        }
    }
}

#[test]
fn an_inventory_with_errors_is_not_held_against_certificates() {
    let faulty = INVENTORY.replace("10.0.2.52", "10.0.9.52");
    let checked =
        check_with_files(faulty.as_bytes().into(), NOW, &[], |_, _| anyhow::bail!("nobody looks")).unwrap();
    assert!(checked.diagnostics.iter().any(|found| found.code == "PG-C01"));
}
