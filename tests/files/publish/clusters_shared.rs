//! What clusters that share a web root have in common: bundles, builds of iPXE and the state directory; and what other people keep
//! there.

use std::fs;
use std::path::PathBuf;

use plasmagen::publish::{
    FaultKind, InstalledLoader, LoaderOutcome, LoaderSource, PublicationTerms, PublishRequest, Refused,
    VerifyRequirements, WebRootLock, publish, remove_cluster, roll_back, verify,
};

use test_kit::{Version, tree};

use crate::publish::clusters::{
    BOOT, ELM, ELM1, OAK, added, alone, of, put, put_site, shared, site, site_with,
};
use crate::publish::kit::{MAC, MADE, NOW, faults, kinds, named, request, snapshot, terms};

/// The bundle that machines of both boot: nobody changes another cluster's machines without a question.
#[test]
fn a_bundle_that_nodes_of_others_boot_is_replaced_only_with_consent() {
    let root = shared();
    let root = root.path();
    let (old, new) = ([MADE.bundle("worker", Version::Old)], [MADE.bundle("worker", Version::New)]);
    let before = snapshot(root);
    let refused = |terms: PublicationTerms<'_>| {
        let error = put(root, &new, None, terms).unwrap_err();
        assert!(error.is::<Refused>() && format!("{error:#}").contains("add --replace-image"), "{error:#}");
        format!("{error:#}")
    };
    // Oak has published the bundle, and elm1 boots it.
    assert!(refused(of("oak")).contains("elm1 of the cluster elm boots the bundle"));
    assert_eq!(snapshot(root), before);
    // The name of who published the same bundle last changes nothing.
    put(root, &old, None, of("elm")).unwrap();
    assert!(refused(of("elm")).contains("node01 of the cluster oak boots the bundle"));
    let dir = root.join("nixos/worker").join(MADE.id("worker", Version::Old));
    let text = fs::read_to_string(dir.join("publication.json")).unwrap();
    assert!(text.contains("  \"cluster\": \"elm\",\n"), "{text}");
    fs::write(dir.join("publication.json"), text.replace("  \"cluster\": \"elm\",\n", "")).unwrap();
    refused(of("elm"));
    put(root, &new, None, PublicationTerms { may_replace_images: true, ..of("elm") }).unwrap();
}

/// Builds of iPXE that one cluster chose with --ipxe.
#[test]
fn the_builds_of_ipxe_of_another_cluster_stay() {
    let (root, dir) = (alone(), tempfile::tempdir().unwrap());
    let root = root.path();
    let install = |terms: PublicationTerms<'_>, text: &str, loaders: LoaderSource<'_>| -> LoaderOutcome {
        let (cluster, node) = if terms.cluster.unwrap().name == "oak" { ("oak", OAK) } else { ("elm", ELM) };
        let dir = tempfile::tempdir().unwrap();
        let site = site(dir.path(), cluster, text, &[node]);
        let request = PublishRequest { site: Some(&site), loaders, terms, ..request(NOW) };
        publish(&WebRootLock::acquire(root).unwrap(), &request, &|_| {}).unwrap().loaders
    };
    let builds = |name: &str| -> PathBuf {
        let builds = dir.path().join(name);
        fs::create_dir_all(&builds).unwrap();
        fs::write(builds.join("undionly.kpxe"), format!("BIOS {name}")).unwrap();
        builds
    };
    let present = || fs::read_to_string(root.join("tftp/undionly.kpxe")).unwrap();
    install(of("oak"), "oak new", LoaderSource::Dir(&builds("oak")));
    // Elm comes in, and publishes again, with the builds of the distribution.
    for terms in [added("elm"), of("elm")] {
        let outcome = install(terms, "elm", LoaderSource::Packages);
        assert_eq!(outcome.installed["undionly.kpxe"], InstalledLoader::OfCluster("oak".to_owned()));
        assert_eq!(present(), "BIOS oak");
    }
    for name in ["oak", "elm"] {
        let required = VerifyRequirements {
            now: NOW,
            least: &[],
            signers: None,
            cluster: named(name),
            boot_signer: None,
        };
        assert_eq!(verify(root, &required, &|_| {}).unwrap().faults, []);
    }
    let outcome = install(of("elm"), "elm", LoaderSource::Dir(&builds("elm")));
    assert!(matches!(outcome.installed["undionly.kpxe"], InstalledLoader::Copied(_)));
    assert_eq!(outcome.replaced.get("undionly.kpxe").map(String::as_str), Some("oak"));
    assert_eq!(present(), "BIOS elm");
}

/// A change of `boot.ipxe`, which all machines run: one cluster makes it with consent, and the others follow.
#[test]
fn boot_ipxe_changes_with_consent_and_the_other_clusters_follow() {
    let (root, dir) = (shared(), tempfile::tempdir().unwrap());
    let root = root.path();
    let other = BOOT.replace("none", "digest");
    let rendered = |name: &str, cluster: &str, boot: &str, node| {
        let dir = dir.path().join(name);
        fs::create_dir(&dir).unwrap();
        site_with(&dir, cluster, boot, name, &[node])
    };
    let served = || fs::read_to_string(root.join("ipxe/boot.ipxe")).unwrap();
    let elm = rendered("elm one", "elm", &other, ELM);
    let error = put(root, &[], Some(&elm), of("elm")).unwrap_err();
    assert!(format!("{error:#}").contains("the same verify in [boot]. To change"), "{error:#}");
    assert!(format!("{error:#}").contains("add --replace-boot"), "{error:#}");
    assert_eq!(served(), BOOT);
    let consent = |cluster| PublicationTerms { may_replace_boot: true, ..of(cluster) };
    put(root, &[], Some(&elm), consent("elm")).unwrap();
    assert_eq!(served(), other);
    let lagging = || {
        let found = faults(root);
        assert_eq!((found.len(), found[0].path.as_str()), (1, "ipxe/boot.ipxe"), "{found:?}");
        assert!(found[0].message.contains("publish the site of oak again"), "{found:?}");
    };
    lagging();
    // Elm publishes again with that boot.ipxe; oak does not bring the old one back without a question.
    put(root, &[], Some(&rendered("elm two", "elm", &other, ELM)), of("elm")).unwrap();
    lagging();
    let error = put_site(root, of("oak"), "oak newest", OAK).unwrap_err();
    assert!(format!("{error:#}").contains("the clusters elm and oak have it"), "{error:#}");
    put(root, &[], Some(&rendered("oak two", "oak", &other, OAK)), of("oak")).unwrap();
    assert_eq!((served(), faults(root)), (other.clone(), vec![]));
    // The way back has the same question.
    let go_back = |terms| roll_back(&WebRootLock::acquire(root).unwrap(), "site", &terms);
    assert!(format!("{:#}", go_back(of("oak")).unwrap_err()).contains("add --replace-boot"));
    go_back(consent("oak")).unwrap();
    assert_eq!(served(), BOOT);
    // Who leaves takes the file along.
    remove_cluster(&WebRootLock::acquire(root).unwrap(), "oak", &of("oak")).unwrap();
    assert_eq!(served(), other);
    // Nobody asks for signatures that the files of another cluster lack.
    let signed = rendered("oak three", "oak", &BOOT.replace("none", "signature"), OAK);
    let signatures = dir.path().join("signatures");
    fs::create_dir_all(signatures.join("ipxe/node")).unwrap();
    for path in ["ipxe/boot.ipxe".to_owned(), format!("ipxe/node/{MAC}.ipxe")] {
        fs::write(signatures.join(path + ".sig"), "a signature").unwrap();
    }
    let terms = PublicationTerms { may_add_cluster: true, ..consent("oak") };
    let request =
        PublishRequest { signatures: Some(&signatures), site: Some(&signed), terms, ..request(NOW) };
    let error = publish(&WebRootLock::acquire(root).unwrap(), &request, &|_| {}).unwrap_err();
    let signature = format!("so are ipxe/node/{ELM1}.ipxe.sig");
    for words in ["sites/elm/", "ipxe/boot.ipxe.sig: it is missing", &signature] {
        assert!(format!("{error:#}").contains(words), "{error:#}");
    }
}

/// The cluster whose `boot.ipxe` counts leaves two others that do not agree.
#[test]
fn a_cluster_leaves_after_the_others_have_agreed_on_boot_ipxe() {
    let (root, dir) = (shared(), tempfile::tempdir().unwrap());
    let root = root.path();
    let replace = |cluster: &'static str, verify: &str, node, terms| {
        let dir = dir.path().join(format!("{cluster}-{verify}"));
        fs::create_dir(&dir).unwrap();
        let site = site_with(&dir, cluster, &BOOT.replace("none", verify), "x", &[node]);
        put(root, &[], Some(&site), PublicationTerms { may_replace_boot: true, ..terms }).unwrap();
    };
    let leave = || remove_cluster(&WebRootLock::acquire(root).unwrap(), "ash", &of("ash"));
    replace("elm", "digest", ELM, of("elm"));
    replace("ash", "other", ("ash1", "52-54-00-00-00-a1"), added("ash"));
    let before = snapshot(root);
    let error = format!("{:#}", leave().unwrap_err());
    assert!(error.contains("first publish the site of a cluster that stays with --replace-boot"), "{error}");
    assert_eq!(snapshot(root), before);
    replace("elm", "none", ELM, of("elm"));
    leave().unwrap();
    assert_eq!(
        (fs::read_to_string(root.join("ipxe/boot.ipxe")).unwrap(), faults(root)),
        (BOOT.to_owned(), vec![])
    );
}

/// The bundles that nodes of another cluster boot once they are armed.
#[test]
fn an_image_that_nodes_of_others_boot_is_removed_only_with_consent() {
    let root = shared();
    let root = root.path();
    let remove = |terms: PublicationTerms<'_>| {
        plasmagen::publish::remove(&WebRootLock::acquire(root).unwrap(), "worker", &terms)
    };
    let before = snapshot(root);
    for (terms, words) in [
        (of("elm"), "node01 of the cluster oak boots this image once armed"),
        (of("oak"), "elm1 of the cluster elm boots this image once armed"),
        // Nobody says whose command this is.
        (terms(NOW), "elm1 of the cluster elm boots this image once armed"),
    ] {
        let error = remove(terms).unwrap_err();
        assert!(error.is::<Refused>() && format!("{error:#}").contains(words), "{error:#}");
        assert!(format!("{error:#}").contains("add --replace-image"), "{error:#}");
        assert_eq!(snapshot(root), before);
    }
    remove(PublicationTerms { may_replace_images: true, ..of("elm") }).unwrap();
    // An image that only one of them boots is that one's.
    put(root, &[MADE.bundle("worker", Version::Old)], None, of("elm")).unwrap();
    remove_cluster(&WebRootLock::acquire(root).unwrap(), "elm", &of("elm")).unwrap();
    remove(of("oak")).unwrap();
    assert_eq!(faults(root), []);
}

/// Directories in `sites/` that plasmagen did not write.
#[test]
fn directories_of_other_people_stay() {
    for root in [shared(), alone()] {
        let root = root.path();
        let is_shared = root.join("sites").exists();
        fs::create_dir_all(root.join("sites/berlin")).unwrap();
        fs::write(root.join("sites/berlin/notes"), "").unwrap();
        let mut found = vec![(FaultKind::Extra, "sites/berlin".to_owned())];
        if is_shared {
            tree::copy(&root.join("sites/oak"), &root.join("sites/oak-backup"));
            tree::copy(&root.join("sites/oak"), &root.join("sites/Not a name"));
            found = ["Not a name", "berlin", "oak-backup"]
                .map(|name| (FaultKind::Extra, format!("sites/{name}")))
                .to_vec();
        }
        let before = snapshot(root);
        assert_eq!(kinds(root), found);
        assert!(faults(root).iter().all(|fault| fault.message.contains("nobody published it")));
        put_site(root, of("oak"), "oak new", OAK).unwrap();
        let after = snapshot(root);
        for (_, path) in &found {
            let is_there = |file: &&PathBuf| file.starts_with(path);
            assert_eq!(
                before.keys().filter(is_there).count(),
                after.keys().filter(is_there).count(),
                "{path}"
            );
        }
    }
}

/// The version before, which knows one site, would switch all machines to that of one cluster.
#[test]
fn the_marker_says_that_several_clusters_share_the_web_root() {
    let root = alone();
    let root = root.path();
    let schema = || {
        let text = fs::read(root.join(".plasmagen/web-root.json")).unwrap();
        serde_json::from_slice::<serde_json::Value>(&text).unwrap()["schema"].as_u64().unwrap()
    };
    assert_eq!(schema(), 1);
    put_site(root, added("elm"), "elm", ELM).unwrap();
    assert_eq!(schema(), 2);
    put(root, &[MADE.bundle("worker", Version::Old)], None, of("oak")).unwrap();
    assert_eq!(schema(), 2);
    assert_eq!(faults(root), []);
}
