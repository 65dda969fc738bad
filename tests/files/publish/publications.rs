//! Publications: what a signature of them covers, whose cluster they are of, and what they must not take away.

use std::fs;
use std::path::{Path, PathBuf};

use plasmagen::artifact::{Artifact, ArtifactSet};
use plasmagen::model::{MacAddr, Word};
use plasmagen::publish::{
    DisarmSelection, FaultKind, PublicationTerms, PublishOutcome, PublishRequest, Refused, Signers,
    SigningKey, VerifyRequirements, WebRoot, WebRootLock, disarm, publish, remove, roll_back, verify,
};
use tempfile::TempDir;

use test_kit::{Version, memory};

use crate::publish::armed::{arm_at, target};
use crate::publish::forged::forge_site;
use crate::publish::kit::{
    MAC, MADE, NOW, faults, holding, look, named, request, run_timer, snapshot, terms,
};
use crate::publish::signers::{key, unsigned};

/// Renders a site of `cluster` with the node01 of the kit's MAC address, and `more` nodes beside; returns its directory.
fn site_of(root: &Path, cluster: &str, nodes: &[(&str, &str)]) -> PathBuf {
    let mut set = ArtifactSet::default();
    set.insert(Artifact::new("site/inventory.json", format!("{{\"name\": \"{cluster}\"}}")).unwrap())
        .unwrap();
    set.insert(Artifact::new("nodes/x/disko.nix", "").unwrap()).unwrap();
    set.insert(Artifact::new("site/www/ipxe/boot.ipxe", format!("#!ipxe\n# {cluster}\n")).unwrap()).unwrap();
    for (node, mac) in nodes {
        let script = format!("#!ipxe\nset node {node}\nset profile worker\n");
        set.insert(Artifact::new(format!("site/www/ipxe/node/{mac}.ipxe"), script).unwrap()).unwrap();
    }
    let lock = plasmagen::write::SiteLock::acquire(root).unwrap();
    plasmagen::write::commit(&lock, &set, plasmagen::write::CommitOptions::default(), || Ok(())).unwrap();
    root.join("site")
}

fn put(
    root: &Path,
    bundles: &[PathBuf],
    site: Option<&Path>,
    terms: PublicationTerms<'_>,
) -> anyhow::Result<PublishOutcome> {
    let request = PublishRequest { bundles, site, terms, ..request(NOW) };
    publish(&WebRootLock::acquire(root)?, &request, &|_| {})
}

/// A key, and a web root with a bundle and a site that it has signed.
struct Signed {
    root: TempDir,
    keys: TempDir,
    key: SigningKey,
    signers: Signers,
}

impl Signed {
    fn new() -> Self {
        let (root, keys) = (memory::tempdir(), tempfile::tempdir().unwrap());
        let (private, public) = key(keys.path(), "ed25519", "");
        let signers = Signers::of_keys([public.as_str()].into_iter()).unwrap();
        let signed = Self { root, keys, key: SigningKey::open(&private).unwrap(), signers };
        signed.put(Version::Old).unwrap();
        signed
    }

    fn terms(&self) -> PublicationTerms<'_> {
        PublicationTerms { signing_key: Some(&self.key), cluster: named("oak"), ..terms(NOW) }
    }

    fn put(&self, version: Version) -> anyhow::Result<PublishOutcome> {
        put(self.root.path(), &[MADE.bundle("worker", version)], Some(&MADE.site(version)), self.terms())
    }

    fn unsigned(&self) -> Vec<String> {
        unsigned(self.root.path(), &self.signers)
    }
}

#[test]
fn a_signed_publication_vouches_for_bundle_and_site() {
    let signed = Signed::new();
    let root = signed.root.path();
    assert_eq!((signed.unsigned(), faults(root)), (vec![], vec![]));
    // What is there already gets a new number, and so a new signature.
    signed.put(Version::Old).unwrap();
    assert_eq!((signed.unsigned(), faults(root)), (vec![], vec![]));
    signed.put(Version::New).unwrap();
    roll_back(&WebRootLock::acquire(root).unwrap(), "site", &signed.terms()).unwrap();
    assert_eq!((signed.unsigned(), faults(root)), (vec![], vec![]));
    // Without a key, no signature stays that does not fit.
    put(root, &[MADE.bundle("worker", Version::New)], None, terms(NOW)).unwrap();
    let unsigned = "its publication is not signed: publish the same bundle again with plasmagen publish BUNDLE --sign KEY";
    assert_eq!(signed.unsigned(), [unsigned]);
    assert!(!root.join("nixos/worker/current/publication.json.sig").exists());
    roll_back(&WebRootLock::acquire(root).unwrap(), "site", &terms(NOW)).unwrap();
    assert_eq!(signed.unsigned().len(), 2);
}

#[test]
fn a_site_that_was_forged_with_recomputed_manifests_is_not_signed() {
    let signed = Signed::new();
    let root = signed.root.path();
    let script = format!("ipxe/node/{MAC}.ipxe");
    forge_site(root, &|dir| {
        let text = fs::read_to_string(dir.join(&script)).unwrap();
        fs::write(dir.join(&script), text + "chain http://192.0.2.66/\n").unwrap();
    });
    assert_eq!(faults(root), [], "without signers nothing tells it from a sound one");
    let found = signed.unsigned();
    assert!(found.len() == 1 && found[0].contains("does not fit"), "{found:?}");
    fs::remove_file(root.join("site/current/publication.json.sig")).unwrap();
    assert!(signed.unsigned()[0].contains("its publication is not signed"));
}

#[test]
fn a_signature_covers_generation_dates_and_cluster() {
    for (old, new) in [
        ("\"generation\": 1", "\"generation\": 0"),
        ("\"expires\": \"2026-", "\"expires\": \"2027-"),
        ("\"published\": \"2026-01-02", "\"published\": \"2026-01-01"),
        ("\"cluster\": \"oak\"", "\"cluster\": \"elm\""),
    ] {
        let signed = Signed::new();
        let path = signed.root.path().join("site/current/publication.json");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{old}: {text}");
        fs::write(&path, text.replace(old, new)).unwrap();
        let required = VerifyRequirements {
            now: NOW,
            least: &[],
            signers: Some(&signed.signers),
            boot_signer: None,
            cluster: named("oak"),
        };
        let found = verify(signed.root.path(), &required, &|_| {}).unwrap().faults;
        let is_found = |fault: &plasmagen::publish::Fault| {
            fault.kind == FaultKind::Unsigned && fault.message.contains("does not fit")
        };
        assert_eq!(found.iter().filter(|fault| is_found(fault)).count(), 1, "{old}: {found:?}");
        let foreign = found.iter().filter(|fault| fault.kind == FaultKind::Swapped).count();
        assert_eq!(foreign, usize::from(old.contains("cluster")), "{found:?}");
    }
}

/// A run that is killed between the two files of a generation that is in its place already.
#[test]
fn a_publication_with_the_signature_of_the_one_before_is_found_and_healed() {
    let signed = Signed::new();
    let signature = signed.root.path().join("site/current/publication.json.sig");
    let old = fs::read(&signature).unwrap();
    signed.put(Version::Old).unwrap();
    assert_ne!(fs::read(&signature).unwrap(), old);
    fs::write(&signature, old).unwrap();
    let found = signed.unsigned();
    assert!(found.len() == 1 && found[0].contains("does not fit"), "{found:?}");
    signed.put(Version::Old).unwrap();
    assert_eq!((signed.unsigned(), faults(signed.root.path())), (vec![], vec![]));
}

#[test]
fn a_key_that_cannot_sign_changes_nothing() {
    let signed = Signed::new();
    let root = signed.root.path();
    // The public half asks an agent, and no agent has this key.
    let (private, _) = key(signed.keys.path(), "rsa", "3072");
    fs::remove_file(private).unwrap();
    // A signature that verify could not check.
    key(signed.keys.path(), "ecdsa", "521");
    let before = snapshot(root);
    for (name, word) in [
        ("nowhere", "No such file"),
        ("rsa-3072.pub", "ssh-keygen could not sign with"),
        ("ecdsa-521", "could not sign with"),
    ] {
        let key = SigningKey::open(&signed.keys.path().join(name)).unwrap();
        let terms = PublicationTerms { signing_key: Some(&key), ..terms(NOW) };
        let error = put(root, &[MADE.bundle("worker", Version::New)], None, terms).unwrap_err();
        assert!(format!("{error:#}").contains(word), "{error:#}");
        assert_eq!(snapshot(root), before);
    }
}

fn oak(root: &Path, nodes: &[(&str, &str)]) -> anyhow::Result<PublishOutcome> {
    let dir = tempfile::tempdir().unwrap();
    let site = site_of(dir.path(), "oak", nodes);
    let terms = PublicationTerms { cluster: named("oak"), ..terms(NOW) };
    let outcome = put(root, &[MADE.bundle("worker", Version::Old)], Some(&site), terms)?;
    run_timer(root, NOW);
    Ok(outcome)
}

const OTHER: &str = "52-54-00-00-00-02";

#[test]
fn a_second_cluster_does_not_take_the_first_off_the_air() {
    let (root, dir) = (memory::tempdir(), tempfile::tempdir().unwrap());
    oak(root.path(), &[("oak1", OTHER), ("node01", MAC)]).unwrap();
    let publication = fs::read_to_string(root.path().join("nixos/worker/current/publication.json")).unwrap();
    assert!(publication.contains("\"cluster\": \"oak\""), "{publication}");
    let node = crate::publish::armed::node("node01");
    let open = WebRoot::open(root.path()).unwrap();
    arm_at(root.path(), &[target(&node, &[])], NOW, false).unwrap();
    let before = snapshot(root.path());
    let elm = site_of(dir.path(), "elm", &[("elm1", "52-54-00-00-00-03")]);
    let bundle = [MADE.bundle("worker", Version::New)];
    let of_elm = PublicationTerms { cluster: named("elm"), ..terms(NOW) };
    let all_words =
        ["oak boot from it", "this is of the cluster elm", "oak1", "armed: node01", "--replace-cluster oak"];
    // Its site, without an inventory too; and its bundle alone.
    for (bundles, site, terms, words) in [
        (&[][..], Some(elm.as_path()), of_elm, &all_words[..]),
        (&[][..], Some(elm.as_path()), terms(NOW), &all_words[..]),
        (&bundle[..], None, of_elm, &all_words[..]),
        (
            &[][..],
            Some(elm.as_path()),
            PublicationTerms { replaced_cluster: Some("ash"), ..of_elm },
            &all_words[..],
        ),
        (
            &[][..],
            Some(elm.as_path()),
            PublicationTerms { cluster: named("oak"), ..of_elm },
            &["name the inventory of"],
        ),
        // With consent, the armed node is still in the way.
        (
            &[][..],
            Some(elm.as_path()),
            PublicationTerms { replaced_cluster: Some("oak"), ..of_elm },
            &[
                "node01 is armed, and the site has no script for this address: run plasmagen disarm node01 first",
            ],
        ),
    ] {
        let error = format!("{:#}", put(root.path(), bundles, site, terms).unwrap_err());
        assert!(words.iter().all(|word| error.contains(word)), "{words:?}: {error}");
        assert_eq!(snapshot(root.path()), before);
    }
    assert_eq!(faults(root.path()), []);

    disarm(&open, DisarmSelection::All).unwrap();
    let consent = PublicationTerms { replaced_cluster: Some("oak"), ..of_elm };
    put(root.path(), &[], Some(&elm), consent).unwrap();
    // The other's bundle is out of place now.
    let found = faults(root.path());
    assert_eq!((found.len(), found[0].kind), (1, FaultKind::Swapped), "{found:?}");
    assert!(
        found[0].message.contains("cluster oak, and not for elm")
            && found[0].message.ends_with("--remove worker")
    );
    put(root.path(), &bundle, None, of_elm).unwrap();
    assert_eq!(faults(root.path()), []);
    // The way back would lead to oak again.
    let back = |terms| roll_back(&WebRootLock::acquire(root.path()).unwrap(), "site", terms);
    assert!(format!("{:#}", back(&of_elm).unwrap_err()).contains("--replace-cluster elm"));
    back(&PublicationTerms { replaced_cluster: Some("elm"), ..terms(NOW) }).unwrap();
}

/// A web root whose publications name no cluster, as plasmagen wrote them at first, and two clusters that have the name
/// that `init` writes: their machines tell them apart.
#[test]
fn a_cluster_is_known_by_its_machines_too() {
    let ours = [("node01", MAC), ("node02", OTHER)];
    let theirs = [("node01", "52-54-00-00-00-03"), ("node02", "52-54-00-00-00-04")];
    for (name, consent) in [(None, "unnamed"), (Some("oak"), "oak")] {
        let (root, dir) = (memory::tempdir(), tempfile::tempdir().unwrap());
        let site = site_of(dir.path(), "oak", &ours);
        put(root.path(), &[MADE.bundle("worker", Version::Old)], Some(&site), terms(NOW)).unwrap();
        if name.is_none() {
            for channel in ["site", "nixos/worker"] {
                let path = root.path().join(channel).join("current/publication.json");
                let text = fs::read_to_string(&path).unwrap();
                assert!(text.contains("  \"cluster\": \"oak\",\n"), "{text}");
                fs::write(path, text.replace("  \"cluster\": \"oak\",\n", "")).unwrap();
            }
        }
        let before = snapshot(root.path());
        let dir = tempfile::tempdir().unwrap();
        let elm = site_of(dir.path(), "oak", &theirs);
        let machines = theirs.map(|(_, mac)| MacAddr::parse(&mac.replace('-', ":")).unwrap());
        let of_elm = PublicationTerms { cluster: named("oak"), machines: &machines, ..terms(NOW) };
        let bundle = [MADE.bundle("worker", Version::New)];
        for (bundles, site) in [(&[][..], Some(elm.as_path())), (&bundle[..], None)] {
            let error = put(root.path(), bundles, site, of_elm).unwrap_err();
            let text = format!("{error:#}");
            let words =
                ["boot from it, and none of them is in the cluster oak", "node01, node02 could boot nothing"];
            assert!(error.is::<Refused>() && words.iter().all(|word| text.contains(word)), "{text}");
            assert!(text.ends_with(&format!("add --replace-cluster {consent}")), "{text}");
            assert_eq!(snapshot(root.path()), before);
        }
        // One machine in common is enough.
        let dir = tempfile::tempdir().unwrap();
        let grown = site_of(dir.path(), "oak", &[("cp1", OTHER), theirs[0]]);
        put(root.path(), &[], Some(&grown), terms(NOW)).unwrap();
        let consent = PublicationTerms { replaced_cluster: Some("oak"), ..of_elm };
        put(root.path(), &[], Some(&site_of(tempfile::tempdir().unwrap().path(), "oak", &ours)), terms(NOW))
            .unwrap();
        put(root.path(), &[], Some(&elm), consent).unwrap();
        // The way back leads to the others' site.
        let lock = WebRootLock::acquire(root.path()).unwrap();
        let error = format!("{:#}", roll_back(&lock, "site", &of_elm).unwrap_err());
        assert!(error.contains("and none of them is in the cluster oak"), "{error}");
    }
}

#[test]
fn an_armed_node_does_not_vanish_from_the_site() {
    let root = memory::tempdir();
    oak(root.path(), &[("node01", MAC), ("node02", OTHER)]).unwrap();
    let node = crate::publish::armed::node("node01");
    arm_at(root.path(), &[target(&node, &[])], NOW, false).unwrap();
    let before = snapshot(root.path());
    for (nodes, word) in [
        (&[("node02", OTHER)][..], "has no script for this address"),
        (&[("node02", MAC)], "the script of another node or image"),
    ] {
        let error = oak(root.path(), nodes).unwrap_err();
        assert!(error.is::<Refused>() && format!("{error:#}").contains(word), "{error:#}");
        assert_eq!(snapshot(root.path()), before);
    }
    oak(root.path(), &[("node01", MAC)]).unwrap();
    // The way back to the site with node02 takes nothing from node01.
    roll_back(&WebRootLock::acquire(root.path()).unwrap(), "site", &terms(NOW)).unwrap();
    assert_eq!(faults(root.path()), []);
}

/// A file in `armed/` that this version can't read, as an earlier version wrote it: iPXE runs it all the same.
#[test]
fn a_file_of_another_version_arms_a_machine_too() {
    let root = memory::tempdir();
    oak(root.path(), &[("node01", MAC), ("node02", OTHER)]).unwrap();
    fs::create_dir_all(root.path().join("armed")).unwrap();
    let file = root.path().join("armed").join(MAC);
    fs::write(&file, "#!ipxe\nset armed node01\n").unwrap();
    let before = snapshot(root.path());
    let word = "it may arm a machine, and this version of plasmagen did not write it";
    let error = oak(root.path(), &[("node02", OTHER)]).unwrap_err();
    assert!(error.is::<Refused>() && format!("{error:#}").contains(word), "{error:#}");
    assert_eq!(snapshot(root.path()), before);
    fs::remove_file(&file).unwrap();
    put(root.path(), &[MADE.bundle("worker", Version::Old)], None, terms(NOW)).unwrap();
    fs::write(&file, "#!ipxe\nset armed node01\n").unwrap();
    let lock = WebRootLock::acquire(root.path()).unwrap();
    let error = format!("{:#}", remove(&lock, "worker", &terms(NOW)).unwrap_err());
    assert!(error.contains(word) && root.path().join("nixos/worker").exists(), "{error}");
    drop(lock);
    disarm(&WebRoot::open(root.path()).unwrap(), DisarmSelection::All).unwrap();
    remove(&WebRootLock::acquire(root.path()).unwrap(), "worker", &terms(NOW)).unwrap();
}

#[test]
fn a_base_that_nothing_needs_is_removed() {
    let root = holding(Version::Old);
    let lock = || WebRootLock::acquire(root.path()).unwrap();
    let node = crate::publish::armed::node("node01");
    let open = WebRoot::open(root.path()).unwrap();
    arm_at(root.path(), &[target(&node, &[])], NOW, false).unwrap();
    let before = snapshot(root.path());
    let refused = |base: &str, word: &str| {
        let error = format!("{:#}", remove(&lock(), base, &terms(NOW)).unwrap_err());
        assert!(error.contains(word), "{base}: {error}");
        assert_eq!(snapshot(root.path()), before);
    };
    refused("worker", "node01 is armed and boots it: run plasmagen disarm node01 first");
    for base in ["all-in-one", "../site", ""] {
        refused(base, ": there are control-plane, worker, site");
    }
    refused(
        "site",
        "the site is not removed, since no machine boots without one: plasmagen publish replaces it",
    );
    let outcome = remove(&lock(), "control-plane", &terms(NOW)).unwrap();
    assert_eq!((outcome.channel.as_str(), outcome.generations), ("nixos/control-plane", 1));
    assert!(outcome.nodes.is_empty() && outcome.unconfirmed.is_none());
    assert!(
        !root.path().join("nixos/control-plane").exists() && !root.path().join(".plasmagen/stage").exists()
    );
    assert_eq!(faults(root.path()), []);
    disarm(&open, DisarmSelection::All).unwrap();
    // Somebody's file goes nowhere.
    let notes = root.path().join("nixos/worker/notes.txt");
    fs::write(&notes, "").unwrap();
    let error = format!("{:#}", remove(&lock(), "worker", &terms(NOW)).unwrap_err());
    assert!(error.contains("holds notes.txt, which nobody published") && notes.exists(), "{error}");
    fs::remove_file(notes).unwrap();
    assert_eq!(remove(&lock(), "worker", &terms(NOW)).unwrap().nodes, ["node01"]);
    assert_eq!(faults(root.path()), []);
    // Numbers rise on.
    let outcome = put(root.path(), &[MADE.bundle("worker", Version::Old)], None, terms(NOW)).unwrap();
    assert_eq!(outcome.published[0].publication.generation, 2);
    assert_eq!(look(root.path(), "after"), (Version::Old, Version::Old));
}
