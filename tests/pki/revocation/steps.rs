//! A list of revoked certificates goes through a rotation: machines that look at CRLs accept each other between two
//! neighbouring steps. And the vault is asked for what must be signed only.

use std::fs;

use plasmagen::pki::revocation::Crl;
use plasmagen::pki::{CaIssuer, CaRequest, KeyAlgorithm, PublicCert};
use plasmagen::site::RotationStep::{self, Begin, Cancel, Finish};
use time::Duration;

use crate::revocation::kit::{Site, assert_good, assert_revoked, serial, snapshot, verify};
use crate::support::NOW;

const HOUR: Duration = Duration::hours(1);
const NODES: [&str; 3] = ["f1", "f2", "f3"];

/// What the machines run with after a step.
struct Deployed {
    ca: String,
    crl: String,
    leaves: [String; 3],
}

impl Deployed {
    fn of(site: &Site) -> Self {
        let leaves = NODES.map(|node| site.leaf(node));
        Self { ca: site.of_f1("ca-cert.pem"), crl: site.of_f1("ca-crl.pem"), leaves }
    }

    /// Every machine with the files of this step accepts every machine with those of `other`, by OpenSSL and webpki.
    fn assert_accepts(&self, other: &Self) {
        for leaf in &other.leaves {
            assert_good(&self.ca, &self.crl, leaf);
        }
    }
}

/// A site that has revoked the certificate of w1, which is returned.
fn revoking() -> (Site, String) {
    let mut site = Site::rendered();
    let gone = site.leaf("w1");
    site.remove("w1");
    site.render(NOW + HOUR);
    (site, gone)
}

#[test]
fn neighbouring_steps_accept_each_other_with_their_crls() {
    for has_new_keys in [false, true] {
        let (site, gone) = revoking();
        let mut steps = vec![Deployed::of(&site)];
        let step = |step: RotationStep| {
            assert!(site.rotate(step, NOW + HOUR * 2).unwrap().has_new_crls);
            assert!(site.render_without_vault(NOW + HOUR * 2).unwrap().outcome.is_unchanged());
            Deployed::of(&site)
        };
        steps.push(step(Begin));
        assert!(site.reissue(has_new_keys, NOW + HOUR * 3).revoked.is_empty(), "machines still show these");
        assert!(site.render_without_vault(NOW + HOUR * 3).unwrap().outcome.is_unchanged());
        steps.push(Deployed::of(&site));
        steps.push(step(Finish));
        for deployed in &steps {
            deployed.assert_accepts(deployed);
        }
        for pair in steps.windows(2) {
            pair[0].assert_accepts(&pair[1]);
            pair[1].assert_accepts(&pair[0]);
        }
        for Deployed { ca, crl, .. } in &steps[..3] {
            assert_revoked(ca, crl, &gone);
        }
        assert_eq!(site.serials(), [serial(&gone)].into());
        assert_eq!(Crl::list_from_pem(&steps[3].crl).unwrap().len(), 1);
        // The list goes on under the new CA.
        let old = site.leaf("f2");
        site.renew(&["f2"], true, NOW + HOUR * 4);
        let last = Deployed::of(&site);
        assert_revoked(&last.ca, &last.crl, &old);
        last.assert_accepts(&last);
    }
}

#[test]
fn a_cancelled_rotation_leaves_the_crl_as_it_was() {
    let (site, _) = revoking();
    let before = snapshot(&site.root());
    site.rotate(Begin, NOW + HOUR * 2).unwrap();
    let cluster = site.cluster();
    let no_vault = |_: &_| anyhow::bail!("no vault");
    plasmagen::site::rotate(&site.root(), &cluster, Cancel, NOW + HOUR * 2, no_vault).unwrap();
    let mut after = snapshot(&site.root());
    after.retain(|path, _| before.contains_key(path) && !path.ends_with("stat-cache"));
    let changed: Vec<_> =
        after.iter().filter(|(path, body)| before[*path] != **body).map(|(path, _)| path).collect();
    assert!(changed.is_empty(), "{changed:?}");
}

/// In the middle of a rotation, too, an ordered new key and a removed node are revoked at once: somebody may have the key.
#[test]
fn an_ordered_key_and_a_removed_node_are_revoked_within_a_rotation() {
    let mut site = Site::rendered();
    site.rotate(Begin, NOW + HOUR).unwrap();
    let (of_f1, of_w1) = (site.leaf("f1"), site.leaf("w1"));
    site.renew(&["f1"], true, NOW + HOUR * 2);
    assert_eq!(site.serials(), [serial(&of_f1)].into());
    site.reissue(true, NOW + HOUR * 3);
    assert_eq!(site.serials(), [serial(&of_f1)].into());
    let second = site.leaf("w1");
    site.remove("w1");
    site.render(NOW + HOUR * 4);
    assert_eq!(site.serials(), [serial(&of_f1), serial(&of_w1), serial(&second)].into());
    let machine = Deployed::of(&site);
    assert_revoked(&machine.ca, &machine.crl, &of_w1);
    assert_revoked(&machine.ca, &machine.crl, &second);
    machine.assert_accepts(&machine);
    site.rotate(Finish, NOW + HOUR * 5).unwrap();
    assert!(site.render_without_vault(NOW + HOUR * 5).unwrap().outcome.is_unchanged());
}

/// A CA that has ended can't sign, and nobody accepts what it signed: a rotation that was left alone for too long goes on.
#[test]
fn a_ca_that_has_ended_blocks_nothing() {
    let (mut site, _) = revoking();
    let end = PublicCert::from_pem(&site.of_f1("ca-cert.pem")).unwrap().not_after;
    let before = end - Duration::days(200);
    site.rotate(Begin, before).unwrap();
    site.reissue(false, before);
    let now = end + Duration::days(30);
    assert!(site.render_without_vault(now).unwrap().outcome.is_unchanged(), "no change by the clock alone");
    site.renew(&["f1"], true, now);
    assert_eq!(site.list().len(), 1);
    let crls = |site: &Site| Crl::list_from_pem(&site.of_f1("ca-crl.pem")).unwrap().len();
    assert_eq!(crls(&site), 1);
    assert!(site.render_without_vault(now).unwrap().outcome.is_unchanged());
    let days = (now - NOW).whole_days() + 1;
    let Deployed { ca, crl, leaves } = Deployed::of(&site);
    for leaf in leaves {
        assert_eq!(verify(&ca, &crl, &leaf, days), (Ok(()), Ok(())));
    }
    site.rotate(Finish, now).unwrap();
    assert_eq!(crls(&site), 1);
    // Without any rotation: what is left to do is to begin one.
    site = revoking().0;
    assert!(site.render_without_vault(now).unwrap_err().to_string().contains("no vault"), "new certificates");
    site.rotate(Begin, now).unwrap();
    site.reissue(false, now);
    let Deployed { ca, crl, leaves } = Deployed::of(&site);
    assert_eq!(verify(&ca, &crl, &leaves[0], days), (Ok(()), Ok(())));
}

#[test]
fn the_vault_is_opened_only_where_a_ca_must_sign() {
    let (site, _) = revoking();
    assert!(site.render_without_vault(NOW + HOUR * 2).unwrap().outcome.is_unchanged());
    // Of a rotation that an earlier version finished, the CRL of the old CA is left: it is dropped.
    let crl = site.of_f1("ca-crl.pem");
    let stranger =
        stranger().sign_crl(&plasmagen::pki::revocation::RevocationList::default(), 7, NOW).unwrap();
    let write = |text: &str| {
        for node in NODES {
            fs::write(site.root().join(format!("nodes/{node}.fern.example.net/ca-crl.pem")), text).unwrap();
        }
    };
    write(&format!("{stranger}{crl}"));
    site.render_without_vault(NOW + HOUR * 3).unwrap();
    assert_eq!(site.of_f1("ca-crl.pem"), crl);
    // A list without a CRL must be signed.
    write("");
    assert_eq!(site.render_without_vault(NOW + HOUR * 4).unwrap_err().to_string(), "no vault");
    // Nothing is revoked that has ended, and nothing must be signed.
    let mut site = Site::rendered();
    site.remove("w1");
    let before = snapshot(&site.root());
    assert_eq!(site.render_without_vault(NOW).unwrap_err().to_string(), "no vault");
    assert_eq!(snapshot(&site.root()), before);
}

/// A CA of the cluster's name that the cluster never had.
fn stranger() -> CaIssuer {
    let subnets = ["10.0.0.0/8".parse().unwrap()];
    let request =
        CaRequest::new("fern", 2, "fern.example.net", &subnets, KeyAlgorithm::EcdsaP256, 3650).unwrap();
    CaIssuer::create(&request, NOW).unwrap()
}

/// A clone brings a directory with a stranger's CA beside the cluster's, and no other node: the CAs of that directory would
/// be those of the new nodes, and certificates of both would be revoked.
#[test]
fn a_ca_that_the_vault_does_not_hold_is_no_ca_of_new_nodes() {
    let site = Site::rendered();
    let ca = site.of_f1("ca-cert.pem");
    let stranger = stranger();
    let leaf = stranger.sign_leaf(&crate::support::short_request("x1.fern.example.net"), NOW, None).unwrap();
    fs::remove_dir_all(site.root().join("nodes")).unwrap();
    let dir = site.root().join("nodes/x1.fern.example.net");
    fs::create_dir_all(&dir).unwrap();
    for (name, text) in [
        ("ca-cert.pem", &format!("{ca}{}", stranger.cert_pem())),
        ("x1-cert.pem", &leaf.cert_pem),
        ("ca-crl.pem", &String::new()),
    ] {
        fs::write(dir.join(name), text).unwrap();
    }
    let before = snapshot(&site.root());
    let refused = site.render_by(&Default::default(), NOW + HOUR).unwrap_err().to_string();
    assert!(refused.contains("does not hold fern CA 2, which nodes/ publishes"), "{refused}");
    assert_eq!(snapshot(&site.root()), before);
}
