//! Signatures that iPXE asks for: taken along, covered by what verify compares, and never half of them.

use std::fs;
use std::path::Path;

use plasmagen::publish::{FaultKind, PublishOutcome, PublishRequest, Refused, WebRootLock, publish};
use tempfile::TempDir;

use test_kit::Version;

use crate::publish::kit::{MAC, MADE, NOW, faults, kinds, request};

/// What a machine fetches of the site.
fn fetched() -> [String; 2] {
    ["ipxe/boot.ipxe".to_owned(), format!("ipxe/node/{MAC}.ipxe")]
}

/// A directory with a signature of each of `files`, which says `text`.
fn signatures(files: &[&str], text: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for file in files {
        let path = dir.path().join(format!("{file}.sig"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{text} of {file}")).unwrap();
    }
    dir
}

fn all(text: &str) -> TempDir {
    signatures(&fetched().each_ref().map(String::as_str), text)
}

/// Publishes the site with the signatures in `dir`.
fn put(root: &Path, dir: Option<&Path>, signed: bool) -> anyhow::Result<PublishOutcome> {
    let site = MADE.site(Version::New);
    let request = PublishRequest { site: Some(&site), signatures: dir, signed, ..request(NOW) };
    publish(&WebRootLock::acquire(root)?, &request, &|_| {})
}

/// The faults for which that was refused, and that nothing shows of it.
#[track_caller]
fn refused(root: &Path, dir: Option<&Path>) -> Vec<(FaultKind, String, String)> {
    let error = put(root, dir, true).unwrap_err();
    assert!(!root.join("site").exists(), "nothing is published");
    let refused = error.downcast_ref::<Refused>().unwrap_or_else(|| panic!("{error:#}"));
    refused.faults.iter().map(|fault| (fault.kind, fault.path.clone(), fault.message.clone())).collect()
}

#[test]
fn signatures_are_published_beside_what_they_sign() {
    let (root, dir) = (tempfile::tempdir().unwrap(), all("first"));
    // What was signed may lie beside.
    fs::write(dir.path().join("ipxe/boot.ipxe"), "a copy").unwrap();
    let first = put(root.path(), Some(dir.path()), true).unwrap().published[0].id;
    for file in fetched() {
        let text = fs::read_to_string(root.path().join(format!("{file}.sig"))).unwrap();
        assert_eq!(text, format!("first of {file}"));
    }
    let script = fs::read_to_string(root.path().join("ipxe/boot.ipxe")).unwrap();
    assert_eq!(script, "#!ipxe\n# New\n", "the script of the site was replaced");
    assert_eq!(faults(root.path()), []);
    // Again it is the same; with other signatures, or none, another generation.
    assert_eq!(put(root.path(), Some(dir.path()), true).unwrap().published[0].id, first);
    let again = all("again");
    let second = put(root.path(), Some(again.path()), true).unwrap().published[0].id;
    let none = put(root.path(), None, false).unwrap().published[0].id;
    assert!(first != second && second != none && first != none);
    assert_eq!(faults(root.path()), []);
    assert!(!root.path().join("ipxe/boot.ipxe.sig").exists());
}

#[test]
fn a_signature_that_is_not_what_was_published_is_found() {
    let (root, dir) = (tempfile::tempdir().unwrap(), all("first"));
    let id = put(root.path(), Some(dir.path()), true).unwrap().published[0].id;
    let path = root.path().join("site/current/ipxe/boot.ipxe.sig");
    let whole = fs::read(&path).unwrap();
    let place = format!("site/{id}/ipxe/boot.ipxe.sig");
    fs::write(&path, "First of ipxe/boot.ipxe").unwrap();
    assert_eq!(kinds(root.path()), [(FaultKind::Changed, place.clone())]);
    fs::remove_file(&path).unwrap();
    assert_eq!(kinds(root.path()), [(FaultKind::Missing, place.clone())]);
    fs::write(&path, whole).unwrap();
    assert_eq!(faults(root.path()), []);
    fs::write(root.path().join("site/current/index.html.sig"), "x").unwrap();
    assert_eq!(kinds(root.path()), [(FaultKind::Extra, format!("site/{id}/index.html.sig"))]);
    // Published again, it is whole again.
    put(root.path(), Some(dir.path()), true).unwrap();
    assert_eq!(faults(root.path()), []);
}

#[test]
fn what_machines_fetch_must_all_be_signed() {
    let root = tempfile::tempdir().unwrap();
    let [boot, node] = fetched();
    let found = refused(root.path(), None);
    assert_eq!((found.len(), found[0].0, &found[0].1), (1, FaultKind::Unsigned, &format!("{boot}.sig")));
    assert!(found[0].2.ends_with(&format!("; so are {node}.sig")), "{}", found[0].2);
    let dir = signatures(&[&boot, "index.html"], "one");
    let found = refused(root.path(), Some(dir.path()));
    assert_eq!((found[0].0, &found[0].1), (FaultKind::Unsigned, &format!("{node}.sig")));
    assert!(!found[0].2.contains("so are"), "{}", found[0].2);
    // Without [boot] verify = "signature" that is nobody's concern.
    put(root.path(), Some(dir.path()), false).unwrap();
}

#[test]
fn a_site_that_asks_for_signatures_needs_no_inventory_to_say_so() {
    let (site, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    crate::publish::kit::site(site.path(), "x\nset verify signature");
    let error = crate::publish::kit::put(root.path(), &[], Some(&site.path().join("site")), NOW).unwrap_err();
    assert!(format!("{error:#}").contains("--signatures"), "{error:#}");
    assert!(!root.path().join("site").exists());
    // A signature must be one, also where nobody says by whom.
    let (dir, site) = (all("first"), site.path().join("site"));
    let request = PublishRequest { site: Some(&site), signatures: Some(dir.path()), ..request(NOW) };
    let error = publish(&WebRootLock::acquire(root.path()).unwrap(), &request, &|_| {}).unwrap_err();
    assert!(format!("{error:#}").contains("ipxe/boot.ipxe.sig: it is no CMS signature"), "{error:#}");
    // Nor does one that is published, of the bundles that come after it.
    put(root.path(), None, false).unwrap();
    fs::write(root.path().join("ipxe/boot.ipxe"), "#!ipxe\nset verify signature\n").unwrap();
    let bundle = MADE.bundle("worker", Version::New);
    let error = crate::publish::kit::put(root.path(), &[bundle], None, NOW).unwrap_err();
    assert!(format!("{error:#}").contains("bzImage.sig: it is missing"), "{error:#}");
    assert!(!root.path().join("nixos").exists());
}

#[test]
fn signatures_of_nothing_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let dir = all("first");
    for (name, text, kind) in [
        ("ipxe/node/52-54-00-99-99-99.ipxe.sig", "x", FaultKind::Extra),
        ("ipxe/.sig", "x", FaultKind::Extra),
        ("manifest.json.sig", "x", FaultKind::Extra),
        ("index.html.sig", "", FaultKind::Changed),
    ] {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        let found = refused(root.path(), Some(dir.path()));
        assert_eq!((found.len(), found[0].0, found[0].1.as_str()), (1, kind, name));
        fs::remove_file(path).unwrap();
    }
    let link = dir.path().join("index.html.sig");
    std::os::unix::fs::symlink("ipxe/boot.ipxe.sig", link).unwrap();
    let error = format!("{:#}", put(root.path(), Some(dir.path()), true).unwrap_err());
    assert!(error.contains("index.html.sig"), "{error}");
    let empty = tempfile::tempdir().unwrap();
    fs::write(empty.path().join("boot.ipxe"), "").unwrap();
    let error = format!("{:#}", put(root.path(), Some(empty.path()), false).unwrap_err());
    assert!(error.contains("holds no signature"), "{error}");
    assert!(put(root.path(), Some(&empty.path().join("none")), false).is_err());
    assert!(!root.path().join("site").exists());
}

#[test]
fn bundles_are_signed_too_and_new_signatures_replace_the_old() {
    let (root, dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for name in ["bzImage", "initrd", "boot.ipxe", "manifest.json", "SHA256SUMS"] {
        fs::copy(MADE.bundle("worker", Version::New).join(name), dir.path().join(name)).unwrap();
    }
    let bundles = [dir.path().to_owned()];
    let put = || {
        let request = PublishRequest { bundles: &bundles, signed: true, ..request(NOW) };
        publish(&WebRootLock::acquire(root.path()).unwrap(), &request, &|_| {})
            .map_err(|error| format!("{error:#}"))
    };
    let error = put().unwrap_err();
    assert!(
        error.contains("bzImage.sig: it is missing") && error.contains("initrd.sig, boot.ipxe.sig"),
        "{error}"
    );
    let sign = |text: &str| {
        for name in ["bzImage", "initrd", "boot.ipxe"] {
            fs::write(dir.path().join(format!("{name}.sig")), text).unwrap();
        }
    };
    sign("old");
    fs::remove_file(dir.path().join("initrd.sig")).unwrap();
    let error = put().unwrap_err();
    assert!(error.contains("initrd.sig: it is missing") && !error.contains("bzImage"), "{error}");
    // A signer's certificate ends, and the same bundle is signed by the next one.
    for text in ["old", "new"] {
        sign(text);
        put().unwrap();
        for name in ["bzImage", "initrd", "boot.ipxe"] {
            let path = root.path().join(format!("nixos/worker/current/{name}.sig"));
            assert_eq!(fs::read_to_string(path).unwrap(), text, "{name}");
        }
    }
    assert_eq!(faults(root.path()), []);
}
