//! What these tests share: a site with its vault, and what readers of CRLs say.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use plasmagen::check::check;
use plasmagen::model::Cluster;
use plasmagen::pki::cluster::{IssueOrder, Renewals};
use plasmagen::pki::revocation::{RevocationList, RevocationReason};
use plasmagen::pki::{PublicCert, Vault};
use plasmagen::site::{self, Rendered, Rotated, RotationStep};
use plasmagen::write::CommitOptions;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

use crate::support::{NOW, files, openssl_verify};

pub(crate) const INVENTORY: &str = include_str!("../rack.toml");

/// Some tests edit files in `nodes/`.
const OPTIONS: CommitOptions = CommitOptions { discard_edits: true };

/// A site with its vault.
pub(crate) struct Site {
    dir: TempDir,
    pub(crate) inventory: String,
    /// The name of the directory of the vault.
    pub(crate) vault_name: &'static str,
}

impl Site {
    /// A site that was rendered at [`NOW`].
    pub(crate) fn rendered() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("site")).unwrap();
        let site = Self { dir, inventory: INVENTORY.to_owned(), vault_name: "vault" };
        site.render(NOW);
        site
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.dir.path().join("site")
    }

    pub(crate) fn vault(&self) -> Vault {
        Vault::open_or_new(&self.dir.path().join(self.vault_name), &[]).unwrap()
    }

    pub(crate) fn render_by(&self, order: &IssueOrder, now: OffsetDateTime) -> anyhow::Result<Rendered> {
        site::render(&self.root(), self.cluster(), OPTIONS, now, order, |_| Ok(self.vault()))
    }

    pub(crate) fn cluster(&self) -> Cluster {
        let checked = check(self.inventory.as_bytes()).unwrap();
        checked.cluster.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
    }

    /// Renders where no vault is at hand.
    pub(crate) fn render_without_vault(&self, now: OffsetDateTime) -> anyhow::Result<Rendered> {
        let (order, none) = (IssueOrder::default(), |_: &_| anyhow::bail!("no vault"));
        site::render(&self.root(), self.cluster(), OPTIONS, now, &order, none)
    }

    pub(crate) fn renew(&self, nodes: &[&str], has_new_keys: bool, now: OffsetDateTime) -> Rendered {
        let all = self.cluster().nodes;
        let names: BTreeSet<_> = all.into_iter().map(|node| node.name).collect();
        let names = names.into_iter().filter(|name| nodes.contains(&name.as_str())).collect();
        let order = IssueOrder { renewals: Renewals::Nodes(names), has_new_keys, ..IssueOrder::default() };
        self.render_by(&order, now).unwrap()
    }

    /// Lets the new CA of a rotation sign all certificates.
    pub(crate) fn reissue(&self, has_new_keys: bool, now: OffsetDateTime) -> Rendered {
        let order = IssueOrder { renewals: Renewals::NewCa, has_new_keys, ..IssueOrder::default() };
        self.render_by(&order, now).unwrap()
    }

    pub(crate) fn rotate(&self, step: RotationStep, now: OffsetDateTime) -> anyhow::Result<Rotated> {
        site::rotate(&self.root(), &self.cluster(), step, now, |_| Ok(self.vault()))
    }

    pub(crate) fn render(&self, now: OffsetDateTime) -> Rendered {
        self.render_by(&IssueOrder::default(), now).unwrap()
    }

    /// Takes the table of a node out of the inventory; returns the table.
    pub(crate) fn remove(&mut self, node: &str) -> String {
        let start = self.inventory.find(&format!("[node.{node}]")).unwrap();
        let length = self.inventory[start..].find("\n\n").map_or(self.inventory.len() - start, |end| end + 2);
        let table = self.inventory[start..start + length].to_owned();
        self.inventory.replace_range(start..start + length, "");
        table
    }

    pub(crate) fn leaf(&self, node: &str) -> String {
        fs::read_to_string(self.root().join(format!("nodes/{node}.fern.example.net/{node}-cert.pem")))
            .unwrap()
    }

    /// A file beside the certificate of f1.
    pub(crate) fn of_f1(&self, name: &str) -> String {
        fs::read_to_string(self.root().join("nodes/f1.fern.example.net").join(name)).unwrap()
    }

    /// The serial numbers of the revoked certificates.
    pub(crate) fn serials(&self) -> BTreeSet<String> {
        self.list().into_iter().map(|(_, serial, _)| serial).collect()
    }

    /// The revoked certificates: node, serial number and reason; none where there is no list.
    pub(crate) fn list(&self) -> Vec<(String, String, RevocationReason)> {
        let Ok(text) = fs::read_to_string(self.root().join("nodes/revoked.json")) else { return Vec::new() };
        let list = RevocationList::parse(&text).unwrap();
        list.certificates()
            .iter()
            .map(|entry| (entry.node.clone(), entry.serial.clone(), entry.reason))
            .collect()
    }
}

/// All files below `dir`.
pub(crate) fn snapshot(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = test_kit::tree::entries(dir).into_iter();
    files.map(|(path, entry)| (path, entry.body)).collect()
}

pub(crate) fn serial(pem: &str) -> String {
    PublicCert::from_pem(pem).unwrap().serial
}

/// What OpenSSL and webpki say of a certificate where the CRLs count, some days after [`NOW`].
pub(crate) fn verify(
    ca: &str,
    crl: &str,
    leaf: &str,
    days: i64,
) -> (Result<(), String>, Result<(), webpki::Error>) {
    let (_dir, [file]) = files([crl]);
    let openssl = openssl_verify(ca, leaf, days, &["-crl_check", "-CRLfile", file.to_str().unwrap()]);
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
    let seconds = (NOW + Duration::days(days)).unix_timestamp();
    let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds.try_into().unwrap()));
    let (algorithms, usage) = (webpki::ALL_VERIFICATION_ALGS, webpki::KeyUsage::server_auth());
    let path = leaf.verify_for_usage(algorithms, &anchors, &[], time, usage, Some(options), None);
    (openssl, path.map(drop))
}

#[track_caller]
pub(crate) fn assert_good(ca: &str, crl: &str, leaf: &str) {
    assert_eq!(verify(ca, crl, leaf, 1), (Ok(()), Ok(())));
}

#[track_caller]
pub(crate) fn assert_revoked(ca: &str, crl: &str, leaf: &str) {
    let (openssl, webpki) = verify(ca, crl, leaf, 1);
    assert!(openssl.as_ref().is_err_and(|said| said.contains("certificate revoked")), "{openssl:?}");
    assert_eq!(webpki, Err(webpki::Error::CertRevoked));
}
