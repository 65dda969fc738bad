//! Ten years of one cluster, at given times: renewals, two rotations, another algorithm, a replaced node, a lost laptop, a node
//! that leaves and a name that comes back. At every stop the readers of certificates, the rules and `render --check` are
//! content.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use plasmagen::check::check_with_files;
use plasmagen::pki::cluster::{IssueOrder, Renewals};
use plasmagen::pki::identity::Identities;
use plasmagen::pki::kind::KeyType;
use plasmagen::pki::recipient::Recipient;
use plasmagen::pki::revocation::Crl;
use plasmagen::pki::vault::{BackupRequest, PublishedKeys, RestoreRequest, back_up, restore};
use plasmagen::pki::{KeyAlgorithm, PublicCert, VaultUse, VaultView};
use plasmagen::plan::Certificates;
use plasmagen::plan::former::FormerCluster;
use plasmagen::rules::CommittedFiles;
use plasmagen::site::{self, RotationStep};
use test_kit::process::{printed, run};
use time::{Duration, OffsetDateTime};

use crate::revocation::kit::{Site, verify};
use crate::support::{NOW, openssl_verify, pkilint};

/// Days from renewal to renewal: certificates of a year are in the last third of their life by then.
const STEP: i64 = 250;

/// A second worker, since a profile without nodes is a finding.
const W2: &str = r#"
[node.w2]
profile = "worker"
mac = "3c:ec:ef:31:00:0c"
address.boot = "10.31.0.22"
address.core = "10.31.1.22"
disks = ["/dev/disk/by-id/wwn-0x5000c5003100000c"]
serial = "FN012"

"#;

/// A cluster over the years.
struct Years {
    site: Site,
    /// The certificates that were revoked.
    revoked: Vec<String>,
    /// What linters are to read, by its text: the linter and its options.
    lints: BTreeMap<String, (&'static str, &'static [&'static str])>,
}

impl Years {
    /// Renews what is in the last third of its life; returns the number of certificates.
    fn renew(&self, now: OffsetDateTime) -> usize {
        let order = IssueOrder { renewals: Renewals::LastThird, ..IssueOrder::default() };
        let rendered = self.site.render_by(&order, now).unwrap();
        assert!(rendered.held_back.is_empty() && rendered.revoked.is_empty());
        rendered.issued.map_or(0, |issued| issued.certificates.len())
    }

    /// Everybody is content at `now`.
    fn stop(&mut self, now: OffsetDateTime) {
        let (root, vault) = (self.site.root(), self.site.vault().dir().to_owned());
        let checked = check_with_files(self.site.inventory.as_bytes().into(), now, &[], |cluster, _| {
            Ok(CommittedFiles {
                certificates: Certificates::gather(&root, cluster)?,
                vault: Some(VaultView::look(&vault, &[], cluster, VaultUse::Comparison)?),
                former: FormerCluster::gather(&root, cluster),
                ..CommittedFiles::default()
            })
        });
        let found = checked.unwrap().diagnostics;
        assert!(found.is_empty(), "at {now}: {found:#?}");
        let comparison = site::compare(&root, self.site.cluster(), now).unwrap();
        assert!(comparison.is_current(), "at {now}: {comparison:#?}");

        let days = (now - NOW).whole_days();
        let ca = self.site.of_f1("ca-cert.pem");
        let crl = fs::read_to_string(root.join("nodes/f1.fern.example.net/ca-crl.pem")).ok();
        for node in self.site.cluster().nodes {
            let leaf = self.site.leaf(node.name.as_str());
            match &crl {
                Some(crl) => assert_eq!(verify(&ca, crl, &leaf, days), (Ok(()), Ok(())), "{now}"),
                None => openssl_verify(&ca, &leaf, days, &[]).unwrap(),
            }
            if node.name.as_str() == "w1" {
                self.lints.insert(leaf, ("lint_pkix_cert", &[]));
            }
        }
        for block in ca.split_inclusive("-----END CERTIFICATE-----\n") {
            self.lints.insert(block.to_owned(), ("lint_pkix_cert", &[]));
        }
        let Some(crl) = crl else { return };
        for crl in crl.split_inclusive("-----END X509 CRL-----\n") {
            self.lints.insert(crl.to_owned(), ("lint_crl", &["--type", "CRL", "--profile", "PKIX"]));
        }
        self.assert_revoked(&ca, &crl, now);
    }

    /// Whoever looks at the CRL refuses what was revoked, as long as somebody could accept it.
    fn assert_revoked(&self, ca: &str, crl: &str, now: OffsetDateTime) {
        let authorities = PublicCert::list_from_pem(ca).unwrap();
        for leaf in &self.revoked {
            let read = PublicCert::from_pem(leaf).unwrap();
            let is_trusted =
                authorities.iter().any(|authority| authority.subject_key_id == read.authority_key_id);
            if read.not_after > now && is_trusted {
                let by_webpki = verify(ca, crl, leaf, (now - NOW).whole_days()).1;
                assert_eq!(by_webpki, Err(webpki::Error::CertRevoked), "at {now}");
            }
        }
    }

    /// The laptop with the vault is lost. A backup brings the keys to another directory.
    fn lose_the_vault(&mut self, now: OffsetDateTime) {
        let keygen = printed(&run("age", &mut Command::new("age-keygen")));
        let public = keygen.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap();
        let (recipients, identities) =
            ([Recipient::parse(public).unwrap()], Identities::parse(&private(&keygen)).unwrap());
        let (cluster, root) = (self.site.cluster(), self.site.root());
        let keys = PublishedKeys::gather(&root, &cluster);
        let (old, to): (PathBuf, PathBuf) = (self.site.vault().dir().to_owned(), root.join("vault.age"));
        let wish = BackupRequest {
            to: &to,
            forbidden: &[],
            cluster: &cluster,
            keys: &keys,
            recipients: &recipients,
            identities: Some(&identities),
            now,
            force: false,
        };
        back_up(&old, &wish).unwrap();
        fs::remove_dir_all(&old).unwrap();
        self.site.vault_name = "restored";
        let backup = fs::read(&to).unwrap();
        let wish = RestoreRequest {
            backup: &backup,
            name: "vault.age",
            identities: Some(&identities),
            cluster: &cluster,
            keys: &keys,
        };
        assert!(restore(self.site.vault().dir(), &wish).unwrap().faults.is_empty());
    }

    /// Replaces the CA, a day for each step.
    fn rotate(&mut self, has_new_keys: bool, now: OffsetDateTime) {
        let day = |number| now + Duration::days(number);
        self.site.rotate(RotationStep::Begin, day(1)).unwrap();
        self.stop(day(1));
        let issued = self.site.reissue(has_new_keys, day(2));
        assert!(issued.revoked.is_empty());
        self.stop(day(2));
        self.site.rotate(RotationStep::Finish, day(3)).unwrap();
        self.stop(day(3));
    }

    /// Renders without a node, or gives a node another key; remembers `leaves`, which are good for nothing any more.
    fn revoke(&mut self, leaves: Vec<String>, act: impl FnOnce(&mut Site) -> usize) {
        assert_eq!(act(&mut self.site), leaves.len());
        self.revoked.extend(leaves);
    }

    /// pkilint reads everything that was published. It knows no host name without a dot.
    fn lint(&self) {
        thread::scope(|scope| {
            for (text, (linter, options)) in &self.lints {
                scope.spawn(move || {
                    let found = pkilint(linter, options, text);
                    assert!(found.iter().all(|finding| finding.contains("\"localhost\"")), "{found:?}");
                });
            }
        });
    }
}

/// The line of `keygen`, what age-keygen prints, with the private key.
fn private(keygen: &str) -> String {
    keygen.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).unwrap().to_owned()
}

#[test]
fn ten_years_of_a_cluster() {
    let mut years = Years { site: Site::rendered(), revoked: Vec::new(), lints: BTreeMap::new() };
    let at = |day: i64| NOW + Duration::days(day);
    years.site.inventory += W2;
    years.site.render(NOW);
    years.stop(NOW);
    let mut table = String::new();
    for day in (STEP..=3750).step_by(250) {
        let nodes = years.site.cluster().nodes;
        // What is renewed now is good for some months more.
        let earlier: BTreeMap<_, _> =
            nodes.iter().map(|node| (node.name.as_str(), years.site.leaf(node.name.as_str()))).collect();
        let now = at(day);
        assert_eq!(years.renew(now), nodes.len(), "on day {day}");
        years.stop(now);
        match day {
            250 => {
                let leaves = vec![earlier["w1"].clone(), years.site.leaf("w1")];
                years.revoke(leaves, |site| {
                    table = site.remove("w1");
                    site.render(now).revoked.len()
                });
            }
            500 => {
                years.site.inventory += &format!("\n{table}");
                let rendered = years.site.render(now);
                assert_eq!(rendered.issued.unwrap().returned, ["w1.fern.example.net"]);
            }
            750 => years.lose_the_vault(now),
            1000 => {
                let machine = years.site.inventory.replace("3c:ec:ef:31:00:02", "3c:ec:ef:31:00:22");
                years.site.inventory = machine.replace("FN002", "FN022");
                let leaves = vec![earlier["f2"].clone(), years.site.leaf("f2")];
                years.revoke(leaves, |site| site.renew(&["f2"], true, now).revoked.len());
            }
            1250 => years.rotate(false, now),
            2500 => {
                years.site.inventory += "\n[tls]\nalgorithm = \"ecdsa-p384\"\n";
                years.site.render(now);
                years.rotate(true, now);
            }
            _ => {}
        }
        years.stop(at(day + 10));
    }
    let ca = PublicCert::from_pem(&years.site.of_f1("ca-cert.pem")).unwrap();
    assert_eq!((ca.name(), ca.key_type), ("fern CA 3", KeyType::Ecdsa(KeyAlgorithm::EcdsaP384)));
    let leaf = PublicCert::from_pem(&years.site.leaf("f3")).unwrap();
    assert_eq!(leaf.key_type, KeyType::Ecdsa(KeyAlgorithm::EcdsaP384));
    assert_eq!(Crl::list_from_pem(&years.site.of_f1("ca-crl.pem")).unwrap().len(), 1);
    assert!(years.lints.len() > 20, "{}", years.lints.len());
    years.lint();
}
