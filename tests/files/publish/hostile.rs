//! Manifests that somebody wrote to do harm, and bundles that contradict themselves.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use plasmagen::publish::{Refused, VerifyRequirements, verify};
use serde_json::{Value, json};

use test_kit::Version;

use crate::publish::kit::{MADE, NOW, holding, look, put, site, snapshot};

/// A copy of a bundle.
fn copy(to: &Path) -> PathBuf {
    let out = to.join("bundle");
    fs::create_dir(&out).unwrap();
    for name in ["bzImage", "initrd", "boot.ipxe", "manifest.json", "SHA256SUMS"] {
        fs::copy(MADE.bundle("worker", Version::New).join(name), out.join(name)).unwrap();
    }
    out
}

/// Publishing `bundle` is refused, for a reason that has `word`, and changes nothing.
#[track_caller]
fn refused(bundle: &Path, word: &str) {
    let root = holding(Version::Old);
    let before = snapshot(root.path());
    let error = put(root.path(), &[bundle.to_owned()], None, NOW).unwrap_err();
    assert!(error.is::<Refused>(), "{error:#}");
    assert!(format!("{error:#}").contains(word), "{word}: {error:#}");
    assert_eq!(snapshot(root.path()), before);
    let terms = VerifyRequirements { now: NOW, least: &[], signers: None, boot_signer: None, cluster: None };
    let sound = verify(bundle, &terms, &|_| {}).is_ok_and(|report| report.faults.is_empty());
    assert!(!sound, "verify says so too");
}

#[test]
fn a_manifest_that_nobody_built_is_refused() {
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 12] = [
        (|manifest| manifest["profile"] = json!("../x"), "its base"),
        (|manifest| manifest["profile"] = json!("/etc"), "its base"),
        (|manifest| manifest["profile"] = json!(""), "its base"),
        (|manifest| manifest["profile"] = json!("current\u{0}"), "its base"),
        (
            |manifest| manifest["files"]["../../armed/x"] = manifest["files"]["initrd"].clone(),
            "no name of a file",
        ),
        (|manifest| manifest["files"]["a/b"] = manifest["files"]["initrd"].clone(), "no name of a file"),
        (|manifest| manifest["files"][".hidden"] = manifest["files"]["initrd"].clone(), "no name of a file"),
        (
            |manifest| manifest["files"]["publication.json"] = manifest["files"]["initrd"].clone(),
            "no name of a file",
        ),
        (
            |manifest| manifest["files"]["initrd"]["bytes"] = json!(u64::MAX),
            "instead of 18446744073709551615",
        ),
        (|manifest| manifest["id"] = json!("0".repeat(64)), "its id is not that"),
        (|manifest| manifest["schema"] = json!(2), "has the format version 2"),
        (|manifest| manifest["more"] = json!(true), "unknown field"),
    ];
    for (change, word) in cases {
        let dir = tempfile::tempdir().unwrap();
        let bundle = copy(dir.path());
        let path = bundle.join("manifest.json");
        let mut manifest: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut manifest);
        fs::write(&path, serde_json::to_string_pretty(&manifest).unwrap() + "\n").unwrap();
        refused(&bundle, word);
    }
    for text in ["", "{}", "null", "[[[[", "{\"schema\":1e999}"] {
        let dir = tempfile::tempdir().unwrap();
        let bundle = copy(dir.path());
        fs::write(bundle.join("manifest.json"), text).unwrap();
        refused(&bundle, "manifest");
    }
}

#[test]
fn what_lies_beside_and_what_is_missing_is_refused() {
    let with = |change: &dyn Fn(&Path), word: &str| {
        let dir = tempfile::tempdir().unwrap();
        let bundle = copy(dir.path());
        change(&bundle);
        refused(&bundle, word);
    };
    with(&|bundle| fs::write(bundle.join("extra"), "").unwrap(), "extra: nobody published it");
    with(&|bundle| fs::create_dir(bundle.join("dir")).unwrap(), "dir: nobody published it");
    with(&|bundle| fs::remove_file(bundle.join("initrd")).unwrap(), "initrd: it can't be opened");
    with(&|bundle| fs::remove_file(bundle.join("SHA256SUMS")).unwrap(), "SHA256SUMS: it can't be opened");
    with(&|bundle| fs::remove_file(bundle.join("manifest.json")).unwrap(), "no bundle");
    let outside = |bundle: &Path| {
        fs::rename(bundle.join("initrd"), bundle.parent().unwrap().join("initrd")).unwrap();
        symlink("../initrd", bundle.join("initrd")).unwrap();
    };
    with(&outside, "initrd: it is no regular file");
    // One of another bundle: whole in itself, and wrong here.
    let other = |bundle: &Path| {
        fs::copy(MADE.bundle("worker", Version::Old).join("initrd"), bundle.join("initrd")).unwrap();
    };
    with(&other, "initrd: its SHA-256 is");
    let pipe = |bundle: &Path| {
        fs::remove_file(bundle.join("initrd")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            bundle.join("initrd"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o644),
            0,
        )
        .unwrap();
    };
    with(&pipe, "initrd: it is no regular file");
}

#[test]
fn two_bundles_for_one_profile_are_refused() {
    let root = holding(Version::Old);
    let both = [Version::Old, Version::New].map(|version| MADE.bundle("worker", version));
    let error = put(root.path(), &both, None, NOW).unwrap_err();
    assert!(format!("{error:#}").contains("two bundles are for nixos/worker"), "{error:#}");
    assert_eq!(look(root.path(), "after"), (Version::Old, Version::Old));
}

#[test]
fn a_site_that_was_edited_is_refused() {
    let root = holding(Version::Old);
    let edit = |change: &dyn Fn(&Path), word: &str| {
        let dir = tempfile::tempdir().unwrap();
        site(dir.path(), "New");
        change(&dir.path().join("site/www"));
        let error =
            put(root.path(), &[MADE.bundle("worker", Version::New)], Some(&dir.path().join("site")), NOW);
        let error = format!("{:#}", error.unwrap_err());
        assert!(error.contains(word), "{word}: {error}");
        assert_eq!(look(root.path(), "after"), (Version::Old, Version::Old));
    };
    edit(&|www| fs::write(www.join("ipxe/boot.ipxe"), "#!ipxe\n").unwrap(), "boot.ipxe: its SHA-256");
    edit(&|www| fs::write(www.join("key.pem"), "").unwrap(), "key.pem: nobody published it");
    edit(&|www| fs::remove_file(www.join("index.html")).unwrap(), "index.html: it can't be opened");
    edit(
        &|www| fs::remove_file(www.parent().unwrap().join("manifest.json")).unwrap(),
        "plasmagen render writes it",
    );
}
