//! Certificates that are revoked when a node leaves or gets a new key: the list, and the CRLs in the eyes of their readers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use plasmagen::check::check;
use plasmagen::pki::cluster::{IssueOrder, Renewals};
use plasmagen::pki::revocation::{RevocationList, RevocationReason, sign_crls};
use plasmagen::pki::{CaIssuer, CaRequest, KeyAlgorithm, PublicCert, Vault};
use plasmagen::plan::Certificates;
use plasmagen::site::{self, Rendered};
use plasmagen::write::CommitOptions;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use tempfile::TempDir;
use test_kit::process::{printed, run};
use time::{Duration, OffsetDateTime};

use crate::support::{NOW, files, openssl_verify, pkilint};

const INVENTORY: &str = include_str!("rack.toml");

/// A site with its vault.
struct Site {
    dir: TempDir,
    inventory: String,
}

impl Site {
    /// A site that was rendered at [`NOW`].
    fn rendered() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("site")).unwrap();
        let site = Self { dir, inventory: INVENTORY.to_owned() };
        site.render(NOW);
        site
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("site")
    }

    fn vault(&self) -> Vault {
        Vault::open_or_new(&self.dir.path().join("vault"), &[]).unwrap()
    }

    fn render_by(&self, order: &IssueOrder, now: OffsetDateTime) -> anyhow::Result<Rendered> {
        let cluster = check(self.inventory.as_bytes()).unwrap().cluster.unwrap();
        site::render(&self.root(), cluster, CommitOptions::default(), now, order, |_| Ok(self.vault()))
    }

    fn render(&self, now: OffsetDateTime) -> Rendered {
        self.render_by(&IssueOrder::default(), now).unwrap()
    }

    /// Takes the table of a node out of the inventory; returns the table.
    fn remove(&mut self, node: &str) -> String {
        let start = self.inventory.find(&format!("[node.{node}]")).unwrap();
        let length = self.inventory[start..].find("\n\n").map_or(self.inventory.len() - start, |end| end + 2);
        let table = self.inventory[start..start + length].to_owned();
        self.inventory.replace_range(start..start + length, "");
        table
    }

    fn leaf(&self, node: &str) -> String {
        fs::read_to_string(self.root().join(format!("nodes/{node}.fern.example.net/{node}-cert.pem")))
            .unwrap()
    }

    /// A file beside the certificate of f1.
    fn of_f1(&self, name: &str) -> String {
        fs::read_to_string(self.root().join("nodes/f1.fern.example.net").join(name)).unwrap()
    }

    /// The revoked certificates: node, serial number and reason.
    fn list(&self) -> Vec<(String, String, RevocationReason)> {
        let text = fs::read_to_string(self.root().join("nodes/revoked.json")).unwrap();
        let list = RevocationList::parse(&text).unwrap();
        list.certificates()
            .iter()
            .map(|entry| (entry.node.clone(), entry.serial.clone(), entry.reason))
            .collect()
    }
}

/// All files below `dir`.
fn snapshot(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = test_kit::tree::entries(dir).into_iter();
    files.map(|(path, entry)| (path, entry.body)).collect()
}

fn serial(pem: &str) -> String {
    PublicCert::from_pem(pem).unwrap().serial
}

/// What OpenSSL and webpki say of a certificate where the CRLs count.
fn verify(ca: &str, crl: &str, leaf: &str) -> (Result<(), String>, Result<(), webpki::Error>) {
    let (_dir, [file]) = files([crl]);
    let openssl = openssl_verify(ca, leaf, 1, &["-crl_check", "-CRLfile", file.to_str().unwrap()]);
    let crls: Vec<webpki::CertRevocationList<'_>> =
        CertificateRevocationListDer::pem_slice_iter(crl.as_bytes())
            .map(|der| webpki::OwnedCertRevocationList::from_der(&der.unwrap()).unwrap().into())
            .collect();
    let crls: Vec<_> = crls.iter().collect();
    let options = webpki::RevocationOptionsBuilder::new(&crls).unwrap().build();
    let authorities: Vec<_> = CertificateDer::pem_slice_iter(ca.as_bytes()).map(|der| der.unwrap()).collect();
    let anchors: Vec<_> =
        authorities.iter().map(|der| webpki::anchor_from_trusted_cert(der).unwrap()).collect();
    let leaf = CertificateDer::from_pem_slice(leaf.as_bytes()).unwrap();
    let leaf = webpki::EndEntityCert::try_from(&leaf).unwrap();
    let seconds = (NOW + Duration::days(1)).unix_timestamp();
    let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds.try_into().unwrap()));
    let (algorithms, usage) = (webpki::ALL_VERIFICATION_ALGS, webpki::KeyUsage::server_auth());
    let path = leaf.verify_for_usage(algorithms, &anchors, &[], time, usage, Some(options), None);
    (openssl, path.map(drop))
}

fn assert_good(ca: &str, crl: &str, leaf: &str) {
    assert_eq!(verify(ca, crl, leaf), (Ok(()), Ok(())));
}

fn assert_revoked(ca: &str, crl: &str, leaf: &str) {
    let (openssl, webpki) = verify(ca, crl, leaf);
    assert!(openssl.as_ref().is_err_and(|said| said.contains("certificate revoked")), "{openssl:?}");
    assert_eq!(webpki, Err(webpki::Error::CertRevoked));
}

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
    let order = |has_new_keys| {
        let names: BTreeSet<_> = check(INVENTORY.as_bytes()).unwrap().cluster.unwrap().nodes[..1]
            .iter()
            .map(|node| node.name.clone())
            .collect();
        IssueOrder { renewals: Renewals::Nodes(names), has_new_keys, ..IssueOrder::default() }
    };
    assert!(site.render_by(&order(false), NOW + Duration::hours(1)).unwrap().revoked.is_empty());
    let renewed = site.leaf("f1");
    assert_ne!(serial(&renewed), serial(&old));
    site.inventory = site.inventory.replace("\"10.31.1.11\"", "\"10.31.1.14\"");
    assert!(site.render(NOW + Duration::hours(2)).revoked.is_empty(), "another address is no other key");
    assert!(!site.root().join("nodes/revoked.json").exists());

    let last = site.leaf("f1");
    site.render_by(&order(true), NOW + Duration::hours(3)).unwrap();
    assert_eq!(site.list(), [("f1.fern.example.net".to_owned(), serial(&last), RevocationReason::Replaced)]);
    let (ca, crl) = (site.of_f1("ca-cert.pem"), site.of_f1("ca-crl.pem"));
    assert_revoked(&ca, &crl, &last);
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
    // A certificate that has ended needs no revocation, and no vault.
    let mut site = Site::rendered();
    site.remove("w1");
    let cluster = check(site.inventory.as_bytes()).unwrap().cluster.unwrap();
    let none = |_: &_| -> anyhow::Result<Vault> { anyhow::bail!("no vault") };
    let render = |now, cluster| {
        site::render(&site.root(), cluster, CommitOptions::default(), now, &IssueOrder::default(), none)
    };
    let before = snapshot(&site.root());
    let refused = render(NOW, cluster.clone()).unwrap_err();
    assert_eq!((refused.to_string().as_str(), snapshot(&site.root())), ("no vault", before));
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
    let mut after = before.clone();
    assert_eq!(plasmagen::pki::revocation::revoke(&cluster, &before, &mut after, NOW).unwrap().len(), 1);
    sign_crls(&mut after, &vault, None, NOW).unwrap();
    let crl = after.crl.clone().unwrap();
    assert_eq!(crl.matches("BEGIN X509 CRL").count(), 2);
    assert_good(&both, &crl, &of_old);
    assert_good(&both, &crl, &of_new);
    assert_revoked(&both, &crl, &gone);
    assert!(plasmagen::pki::revocation::has_current_crls(&after).unwrap());
    // The old CA is dropped: its list goes, too.
    after.ca = Some(new.cert_pem().to_owned());
    assert!(!plasmagen::pki::revocation::has_current_crls(&after).unwrap());
    // A forged certificate in the directory of a removed node revokes nothing.
    before.former.insert("node09.example.com".to_owned(), leaf(&make_other(), "node09.example.com"));
    let mut after = before.clone();
    assert!(plasmagen::pki::revocation::revoke(&cluster, &before, &mut after, NOW).unwrap().is_empty());
}

fn make_other() -> CaIssuer {
    crate::support::ca()
}
