//! Several clusters share a web root: each publishes, rolls back and leaves by itself, and machines find the scripts of all.

use std::fs;
use std::path::{Path, PathBuf};

use plasmagen::artifact::{Artifact, ArtifactSet};
use plasmagen::model::{MacAddr, Word as _};
use plasmagen::publish::{
    ArmTarget, ClusterNames, DisarmSelection, FaultKind, PublicationTerms, PublishOutcome, PublishRequest,
    Refused, Signers, SigningKey, VerifyRequirements, WebRoot, WebRootLock, disarm, publish, remove_cluster,
    roll_back, verify,
};
use plasmagen::write::{CommitOptions, SiteLock, commit};
use tempfile::TempDir;

use test_kit::{Version, memory, tree};

use crate::publish::armed::{arm_at, node, target};
use crate::publish::forged::forge_site;
use crate::publish::kit::{MAC, MADE, NOW, faults, kinds, named, request, run_timer, snapshot, terms};
use crate::publish::signers::key;

pub(crate) const BOOT: &str = "#!ipxe\nset base http://10.0.0.1:8080/boot\nset verify none\n";
pub(crate) const ELM1: &str = "52-54-00-00-00-e1";

/// Renders a site of `cluster`, whose nodes have scripts that say `text`; returns its directory.
pub(crate) fn site(root: &Path, cluster: &str, text: &str, nodes: &[(&str, &str)]) -> PathBuf {
    site_with(root, cluster, BOOT, text, nodes)
}

pub(crate) fn site_with(
    root: &Path,
    cluster: &str,
    boot: &str,
    text: &str,
    nodes: &[(&str, &str)],
) -> PathBuf {
    let mut set = ArtifactSet::default();
    let mut add = |path: String, body: String| set.insert(Artifact::new(path, body).unwrap()).unwrap();
    add("site/inventory.json".to_owned(), format!("{{\"name\": \"{cluster}\"}}"));
    add("nodes/x/disko.nix".to_owned(), String::new());
    add("site/www/ipxe/boot.ipxe".to_owned(), boot.to_owned());
    for (node, mac) in nodes {
        let script = format!("#!ipxe\n# {text}\nset node {node}\nset profile worker\n");
        add(format!("site/www/ipxe/node/{mac}.ipxe"), script);
    }
    let lock = SiteLock::acquire(root).unwrap();
    commit(&lock, &set, CommitOptions::default(), || Ok(())).unwrap();
    root.join("site")
}

/// The terms of a cluster.
pub(crate) fn of(cluster: &str) -> PublicationTerms<'_> {
    PublicationTerms { cluster: named(cluster), ..terms(NOW) }
}

/// The terms of a cluster that comes in.
pub(crate) fn added(cluster: &str) -> PublicationTerms<'_> {
    PublicationTerms { may_add_cluster: true, ..of(cluster) }
}

pub(crate) fn put(
    root: &Path,
    bundles: &[PathBuf],
    site: Option<&Path>,
    terms: PublicationTerms<'_>,
) -> anyhow::Result<PublishOutcome> {
    let request = PublishRequest { bundles, site, terms, ..request(NOW) };
    publish(&WebRootLock::acquire(root)?, &request, &|_| {})
}

/// Publishes the site of `cluster` with one node, whose script says `text`.
pub(crate) fn put_site(
    root: &Path,
    terms: PublicationTerms<'_>,
    text: &str,
    node: (&str, &str),
) -> anyhow::Result<PublishOutcome> {
    let dir = tempfile::tempdir().unwrap();
    let site = site(dir.path(), terms.cluster.unwrap().name, text, &[node]);
    put(root, &[], Some(&site), terms)
}

pub(crate) const OAK: (&str, &str) = ("node01", MAC);
pub(crate) const ELM: (&str, &str) = ("elm1", ELM1);

/// A web root in which oak has published twice and elm has not come in.
pub(crate) fn alone() -> TempDir {
    let root = memory::tempdir();
    put_site(root.path(), of("oak"), "oak old", OAK).unwrap();
    put_site(root.path(), of("oak"), "oak new", OAK).unwrap();
    put(root.path(), &[MADE.bundle("worker", Version::Old)], None, of("oak")).unwrap();
    run_timer(root.path(), NOW);
    root
}

/// A web root that oak and elm share.
pub(crate) fn shared() -> TempDir {
    let root = alone();
    put_site(root.path(), added("elm"), "elm old", ELM).unwrap();
    root
}

/// The second line of the script that a machine fetches; none where it finds none.
pub(crate) fn fetch(root: &Path, mac: &str) -> Option<String> {
    let id = fs::read_link(root.join("site/current")).unwrap();
    let text = fs::read_to_string(root.join("site").join(id).join(format!("ipxe/node/{mac}.ipxe"))).ok()?;
    Some(text.lines().nth(1).unwrap().trim_start_matches("# ").to_owned())
}

/// What the machines of oak and of elm find.
pub(crate) fn found(root: &Path) -> (String, String) {
    let of = |mac| fetch(root, mac).unwrap_or_default();
    (of(MAC), of(ELM1))
}

pub(crate) fn back(root: &Path, terms: PublicationTerms<'_>) -> anyhow::Result<PublishOutcome> {
    roll_back(&WebRootLock::acquire(root)?, "site", &terms).map(|(outcome, _)| outcome)
}

pub(crate) fn is_found(root: &Path, oak: &str, elm: &str) {
    assert_eq!(found(root), (oak.to_owned(), elm.to_owned()));
    assert_eq!(faults(root), []);
    assert_eq!(fs::read_to_string(root.join("ipxe/boot.ipxe")).unwrap(), BOOT);
}

#[test]
fn a_second_cluster_comes_in_and_each_publishes_by_itself() {
    let root = alone();
    let root = root.path();
    let one = node("node01");
    arm_at(root, &[target(&one, &[])], NOW, false).unwrap();
    let before = snapshot(root);
    let error = put_site(root, of("elm"), "elm old", ELM).unwrap_err();
    assert!(error.is::<Refused>() && format!("{error:#}").contains("beside their site with --add-cluster"));
    // A bundle without a site brings no cluster in.
    let bundle = [MADE.bundle("worker", Version::Old)];
    put(root, &bundle, None, added("elm")).unwrap_err();
    assert_eq!(snapshot(root), before);
    // The machine of oak that is armed finds what it found before.
    let outcome = put_site(root, added("elm"), "elm old", ELM).unwrap();
    assert_eq!((outcome.published.len(), outcome.published[0].channel.as_str()), (1, "sites/elm"));
    assert_eq!((outcome.published[0].before, outcome.changes), (None, vec![]));
    is_found(root, "oak new", "elm old");
    // The earlier generation of oak is in its place, and the single sites are gone.
    assert_eq!(fs::read_dir(root.join("sites/oak")).unwrap().count(), 2);
    assert_eq!(fs::read_dir(root.join("site")).unwrap().count(), 2);
    put_site(root, of("elm"), "elm new", ELM).unwrap();
    is_found(root, "oak new", "elm new");
    assert!(root.join("armed").join(MAC).exists());
    let error = back(root, of("oak")).unwrap_err();
    assert!(format!("{error:#}").contains("node01 is armed, and would load another"), "{error:#}");
    let consent = PublicationTerms { may_change_armed: true, ..of("oak") };
    let outcome = back(root, consent).unwrap();
    assert_eq!(outcome.published[0].channel, "sites/oak");
    is_found(root, "oak old", "elm new");
    back(root, of("elm")).unwrap();
    is_found(root, "oak old", "elm old");
    put_site(root, consent, "oak newest", OAK).unwrap();
    is_found(root, "oak newest", "elm old");
    // The same site again only raises the number.
    let outcome = put_site(root, of("elm"), "elm old", ELM).unwrap();
    assert_eq!(outcome.published[0].before, Some(outcome.published[0].id));
    is_found(root, "oak newest", "elm old");
    // Who does not say for which cluster is asked.
    let dir = tempfile::tempdir().unwrap();
    let nameless = site(dir.path(), "elm", "elm old", &[ELM]);
    put(root, &[], Some(&nameless), terms(NOW)).unwrap();
    for error in [back(root, terms(NOW)).unwrap_err(), put(root, &bundle, None, terms(NOW)).unwrap_err()] {
        let words =
            "clusters elm, oak boot from the web root: name the inventory of one of them with --inventory";
        assert!(format!("{error:#}").contains(words), "{error:#}");
    }
    let error = put_site(root, of("ash"), "ash", ("ash1", "52-54-00-00-00-a1")).unwrap_err();
    assert!(
        format!("{error:#}").contains("the clusters elm, oak boot from it, and this is of the cluster ash")
    );
    put_site(root, added("ash"), "ash", ("ash1", "52-54-00-00-00-a1")).unwrap();
    is_found(root, "oak newest", "elm old");
    assert_eq!(fetch(root, "52-54-00-00-00-a1").as_deref(), Some("ash"));
}

#[test]
fn a_cluster_leaves_unless_one_of_its_nodes_is_armed() {
    let root = shared();
    let root = root.path();
    let one = node("node01");
    arm_at(root, &[target(&one, &[])], NOW, false).unwrap();
    let leave = |name: &str| remove_cluster(&WebRootLock::acquire(root).unwrap(), name, &terms(NOW));
    let before = snapshot(root);
    for (name, words) in [
        ("oak", "node01 is armed, and the site has no script for this address"),
        ("ash", "serves no site of the cluster ash: there are elm, oak"),
    ] {
        let error = leave(name).unwrap_err();
        assert!(format!("{error:#}").contains(words), "{error:#}");
        assert_eq!(snapshot(root), before);
    }
    leave("elm").unwrap();
    is_found(root, "oak new", "");
    assert!(!root.join("sites/elm").exists());
    let error = leave("oak").unwrap_err();
    assert!(format!("{error:#}").contains("oak is the only cluster of the web root"), "{error:#}");
    // Who is left alone goes on as before, also without an inventory.
    let consent = PublicationTerms { may_change_armed: true, ..terms(NOW) };
    back(root, consent).unwrap();
    is_found(root, "oak old", "");
    let error = leave("oak").unwrap_err();
    assert!(format!("{error:#}").contains("--replace-cluster oak puts another in its place"), "{error:#}");
}

#[test]
fn a_cluster_takes_the_place_of_one_of_several() {
    let root = shared();
    let root = root.path();
    // The name alone does not make it the same cluster.
    let other = ("oak9", "52-54-00-00-00-99");
    let error = put_site(root, added("oak"), "other", other).unwrap_err();
    let words = "none of them is in the cluster oak";
    assert!(format!("{error:#}").contains(words), "{error:#}");
    assert!(format!("{error:#}").contains("clusters that share a web root have different names"));
    let replaced = |name| PublicationTerms { replaced_cluster: Some(name), ..of("ash") };
    let error = put_site(root, replaced("birch"), "ash", other).unwrap_err();
    assert!(format!("{error:#}").contains("--replace-cluster NAME"), "{error:#}");
    put_site(root, replaced("elm"), "ash", other).unwrap();
    assert_eq!((found(root), faults(root)), (("oak new".to_owned(), String::new()), vec![]));
    assert!(!root.join("sites/elm").exists());
    // A renamed cluster keeps its place.
    let former = [plasmagen::model::Word::parse("oak").unwrap()];
    let renamed =
        PublicationTerms { cluster: Some(ClusterNames { name: "birch", former: &former }), ..terms(NOW) };
    put_site(root, renamed, "birch", OAK).unwrap();
    assert_eq!(found(root).0, "birch");
    assert!(!root.join("sites/oak").exists() && root.join("sites/birch").exists());
    // Its bundle has the name from before, until it is published again.
    assert_eq!(faults(root).len(), 1, "{:?}", faults(root));
    put(root, &[MADE.bundle("worker", Version::Old)], None, renamed).unwrap();
    assert_eq!(faults(root), []);
}

/// Somebody has removed `sites/`: neither cluster can publish beside the other, whose site is gone, too.
#[test]
fn one_cluster_publishes_where_the_sites_of_all_are_damaged() {
    let root = shared();
    let root = root.path();
    fs::remove_dir_all(root.join("sites")).unwrap();
    assert_eq!(found(root), ("oak new".to_owned(), "elm old".to_owned()));
    let error = format!("{:#}", put_site(root, of("oak"), "oak new", OAK).unwrap_err());
    assert!(
        error.contains("the site of the cluster elm") && error.contains("--replace-cluster elm"),
        "{error}"
    );
    let replaced = |cluster| PublicationTerms { replaced_cluster: Some("elm"), ..of(cluster) };
    // An armed node of the other cluster keeps its script.
    let (one, macs) = (node("elm1"), vec![MacAddr::parse(&ELM1.replace('-', ":")).unwrap()]);
    arm_at(root, &[ArmTarget { macs, ..target(&one, &[]) }], NOW, false).unwrap();
    let error = put_site(root, replaced("oak"), "oak new", OAK).unwrap_err();
    assert!(format!("{error:#}").contains("elm1 is armed, and the site has no script"), "{error:#}");
    disarm(&WebRoot::open(root).unwrap(), DisarmSelection::All).unwrap();
    put_site(root, replaced("oak"), "oak new", OAK).unwrap();
    is_found(root, "oak new", "");
    put_site(root, added("elm"), "elm old", ELM).unwrap();
    is_found(root, "oak new", "elm old");
}

/// A cluster whose roll back was killed leaves nothing of that behind.
#[test]
fn a_cluster_leaves_with_its_interrupted_roll_back() {
    let root = shared();
    let root = root.path();
    put_site(root, of("elm"), "elm new", ELM).unwrap();
    let ids = fs::read_dir(root.join("sites/elm")).unwrap();
    let id = ids.map(|id| id.unwrap().file_name().into_string().unwrap()).next().unwrap();
    fs::write(root.join(".plasmagen/rollback"), format!("sites/elm {id}\n")).unwrap();
    remove_cluster(&WebRootLock::acquire(root).unwrap(), "elm", &of("elm")).unwrap();
    assert!(!root.join(".plasmagen/rollback").exists());
    is_found(root, "oak new", "");
}

#[test]
fn an_image_of_another_cluster_is_replaced_only_with_consent() {
    let root = shared();
    let root = root.path();
    let new = [MADE.bundle("worker", Version::New)];
    let before = snapshot(root);
    let error = put(root, &new, None, of("elm")).unwrap_err();
    let words = "node01 of the cluster oak boots the bundle";
    assert!(error.is::<Refused>() && format!("{error:#}").contains(words), "{error:#}");
    assert!(format!("{error:#}").contains("add --replace-image"), "{error:#}");
    assert_eq!(snapshot(root), before);
    // Who has published it asks as well, since a node of elm boots it; another image is free.
    let consent = |cluster| PublicationTerms { may_replace_images: true, ..of(cluster) };
    put(root, &new, None, consent("oak")).unwrap();
    put(root, &[MADE.bundle("control-plane", Version::Old)], None, of("elm")).unwrap();
    let image = |terms| roll_back(&WebRootLock::acquire(root).unwrap(), "worker", &terms);
    let error = image(of("elm")).unwrap_err();
    assert!(format!("{error:#}").contains(words), "{error:#}");
    image(consent("oak")).unwrap();
    put(root, &new, None, consent("elm")).unwrap();
    assert_eq!(faults(root), []);
    let text = fs::read_to_string(root.join("nixos/worker/current/publication.json")).unwrap();
    assert!(text.contains("\"cluster\": \"elm\""), "{text}");
    // The image of a cluster that has left is out of place.
    remove_cluster(&WebRootLock::acquire(root).unwrap(), "elm", &terms(NOW)).unwrap();
    let found = faults(root);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|fault| fault.message.contains("for the cluster elm, and not for oak")));
}

#[test]
fn clusters_in_conflict_do_not_share_a_web_root() {
    let (root, dir) = (shared(), tempfile::tempdir().unwrap());
    let root = root.path();
    let before = snapshot(root);
    for (index, (boot, nodes, words)) in [
        (
            BOOT,
            &[ELM, ("elm2", MAC)][..],
            "the same network cards: 52-54-00-12-34-56 (elm2 of elm, node01 of oak)",
        ),
        (
            BOOT,
            &[ELM, ("node01", "52-54-00-00-00-e2")],
            "the same names of nodes: node01 (node01 of elm, node01 of oak)",
        ),
        (
            "#!ipxe\nset base http://10.0.0.2:8080/boot\nset verify none\n",
            &[ELM],
            "the same address, interfaces and http_port in [provisioner]",
        ),
        (
            "#!ipxe\nset base http://10.0.0.1:8080/boot\nset verify digest\n",
            &[ELM],
            "let both inventories have the same verify in [boot]",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let dir = dir.path().join(index.to_string());
        fs::create_dir(&dir).unwrap();
        let rendered = site_with(&dir, "elm", boot, "elm", nodes);
        let error = put(root, &[], Some(&rendered), of("elm")).unwrap_err();
        assert!(error.is::<Refused>() && format!("{error:#}").contains(words), "{error:#}");
        assert_eq!(snapshot(root), before);
    }
}

#[test]
fn verify_finds_a_change_in_any_part() {
    let template = shared();
    let copy = || {
        let to = memory::tempdir();
        tree::copy(template.path(), to.path());
        to
    };
    let current = |root: &Path| root.join("site").join(fs::read_link(root.join("site/current")).unwrap());
    let site_of = |root: &Path, cluster: &str| {
        let text = fs::read_to_string(current(root).join("clusters.json")).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        root.join("sites").join(cluster).join(value["sites"][cluster].as_str().unwrap())
    };
    for (mac, cluster) in [(MAC, "oak"), (ELM1, "elm")] {
        for is_joint in [false, true] {
            let root = copy();
            let root = root.path();
            let dir = if is_joint { current(root) } else { site_of(root, cluster) };
            let script = dir.join(format!("ipxe/node/{mac}.ipxe"));
            fs::write(&script, "#!ipxe\nchain http://192.0.2.66/\n").unwrap();
            let path = script.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            assert_eq!(kinds(root), [(FaultKind::Changed, path)]);
        }
        let root = copy();
        fs::remove_dir_all(site_of(root.path(), cluster)).unwrap();
        let found = kinds(root.path());
        assert!(found.contains(&(FaultKind::Missing, format!("sites/{cluster}"))), "{found:?}");
        // To publish that site again heals it.
        let (text, node) = if cluster == "oak" { ("oak new", OAK) } else { ("elm old", ELM) };
        put_site(root.path(), of(cluster), text, node).unwrap();
        is_found(root.path(), "oak new", "elm old");
    }
    // A joint site that lacks a cluster's part, or has an earlier one, with right manifests.
    let root = copy();
    let root = root.path();
    let link = fs::read_link(root.join("site/current")).unwrap();
    put_site(root, of("elm"), "elm new", ELM).unwrap();
    tree::copy(&template.path().join("site").join(&link), &root.join("site").join(&link));
    fs::remove_file(root.join("site/current")).unwrap();
    std::os::unix::fs::symlink(&link, root.join("site/current")).unwrap();
    let found = kinds(root);
    assert!(found.contains(&(FaultKind::RolledBack, "site/current".to_owned())), "{found:?}");
    assert!(found.contains(&(FaultKind::RolledBack, "sites/elm".to_owned())), "{found:?}");
    // The link that says which sites are served.
    fs::remove_file(root.join("site/current")).unwrap();
    let before = snapshot(root);
    let error = put_site(root, of("elm"), "elm new", ELM).unwrap_err();
    assert!(format!("{error:#}").contains("let that link lead to the joint site again"), "{error:#}");
    assert_eq!(snapshot(root), before);
    assert!(kinds(root).contains(&(FaultKind::Changed, "site/current".to_owned())));
}

/// Each cluster signs with a key of its own: its inventory asks for signatures of its own site, and not of the others'.
#[test]
fn each_cluster_signs_its_own_site() {
    let (root, keys) = (memory::tempdir(), tempfile::tempdir().unwrap());
    let root = root.path();
    let (oak, oak_public) = key(keys.path(), "ed25519", "");
    let (elm, elm_public) = key(keys.path(), "ecdsa", "256");
    let (oak, elm) = (SigningKey::open(&oak).unwrap(), SigningKey::open(&elm).unwrap());
    let signed = |cluster, key| PublicationTerms { signing_key: Some(key), ..added(cluster) };
    put_site(root, signed("oak", &oak), "oak old", OAK).unwrap();
    put_site(root, signed("elm", &elm), "elm old", ELM).unwrap();
    put_site(root, signed("oak", &oak), "oak new", OAK).unwrap();
    let unsigned = |keys: &[&str], cluster: Option<&'static str>| {
        let signers = Signers::of_keys(keys.iter().copied()).unwrap();
        let cluster = cluster.and_then(named);
        let required =
            VerifyRequirements { now: NOW, least: &[], signers: Some(&signers), boot_signer: None, cluster };
        let faults = verify(root, &required, &|_| {}).unwrap().faults;
        faults.into_iter().map(|fault| (fault.kind, fault.path)).collect::<Vec<_>>()
    };
    let both = [oak_public.as_str(), elm_public.as_str()];
    assert_eq!(unsigned(&both, None), []);
    assert_eq!(unsigned(&both[..1], Some("oak")), []);
    assert_eq!(unsigned(&both[1..], Some("elm")), []);
    // Without an inventory all sites count; oak has two generations.
    assert_eq!(unsigned(&both[1..], None).len(), 2);
    let found = unsigned(&both[..1], Some("ash"));
    assert_eq!(found, [(FaultKind::Missing, "sites".to_owned())]);
    // An image that both boot has the signature of one.
    let bundle = [MADE.bundle("worker", Version::Old)];
    put(root, &bundle, None, signed("oak", &oak)).unwrap();
    assert_eq!(unsigned(&both[..1], Some("oak")), []);
    assert_eq!(unsigned(&both[1..], Some("elm"))[0].0, FaultKind::Unsigned);
}

/// A joint site in which a cluster that nobody vouches for comes first, and has a script for a machine of oak.
#[test]
fn no_other_cluster_claims_a_machine_of_a_signed_site() {
    let (root, forged, keys) = (memory::tempdir(), memory::tempdir(), tempfile::tempdir().unwrap());
    let (oak, public) = key(keys.path(), "ed25519", "");
    let oak = SigningKey::open(&oak).unwrap();
    put_site(root.path(), PublicationTerms { signing_key: Some(&oak), ..of("oak") }, "oak", OAK).unwrap();
    put_site(root.path(), added("elm"), "elm", ELM).unwrap();
    let forged = forged.path();
    put_site(forged, of("ash"), "forged", ("ash1", MAC)).unwrap();
    put_site(forged, added("elm"), "elm", ELM).unwrap();
    let sites = |root: &Path| {
        let list = fs::read(root.join("site/current/clusters.json")).unwrap();
        serde_json::from_slice::<serde_json::Value>(&list).unwrap()["sites"].clone()
    };
    let id = sites(root.path())["oak"].clone();
    tree::copy(&root.path().join("sites/oak"), &forged.join("sites/oak"));
    let mut all = sites(forged);
    all["oak"] = id;
    forge_site(forged, &|dir| {
        let list = serde_json::json!({ "schema": 1, "sites": all });
        fs::write(dir.join("clusters.json"), serde_json::to_string_pretty(&list).unwrap() + "\n").unwrap();
    });
    assert_eq!(fetch(forged, MAC).as_deref(), Some("forged"));
    let signers = Signers::of_keys([public.as_str()].into_iter()).unwrap();
    let required = VerifyRequirements {
        now: NOW,
        least: &[],
        signers: Some(&signers),
        boot_signer: None,
        cluster: named("oak"),
    };
    let faults = |root: &Path| verify(root, &required, &|_| {}).unwrap().faults;
    assert_eq!(faults(root.path()), []);
    let found = faults(forged);
    assert_eq!((found.len(), found[0].kind), (1, FaultKind::Swapped), "{found:?}");
    let words = "the clusters ash and oak claim the same network cards: 52-54-00-12-34-56 (ash1 of ash, node01 of oak)";
    assert!(found[0].message.starts_with(words), "{found:?}");
}
