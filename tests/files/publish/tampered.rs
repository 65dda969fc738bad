//! Every byte counts: what differs in one of them is found, wherever it lies.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use plasmagen::publish::{FaultKind, VerifyRequirements, verify};

use test_kit::Version;

use crate::publish::kit::{MADE, NOW, all, faults, holding, kinds, put};
use test_kit::memory;

const FILES: [&str; 5] = ["bzImage", "initrd", "boot.ipxe", "manifest.json", "SHA256SUMS"];

/// Changes each `step`th byte of `path`, one at a time, and asks `found` whether that is noticed.
fn each_byte(path: &Path, step: usize, found: &dyn Fn() -> bool) {
    let original = fs::read(path).unwrap();
    let mut bytes = original.clone();
    for at in (0..bytes.len()).step_by(step) {
        bytes[at] ^= 1 << (at % 7);
        fs::write(path, &bytes).unwrap();
        assert!(found(), "byte {at} of {}", path.display());
        bytes[at] = original[at];
    }
    fs::write(path, &bytes[..bytes.len() - 1]).unwrap();
    assert!(found(), "{} without its last byte", path.display());
    fs::write(path, [&original[..], b"\n"].concat()).unwrap();
    assert!(found(), "{} with one byte more", path.display());
    fs::write(path, &original).unwrap();
}

fn copy(to: &Path) {
    for name in FILES {
        fs::copy(MADE.bundle("worker", Version::New).join(name), to.join(name)).unwrap();
    }
}

#[test]
fn a_bundle_that_differs_in_one_byte_is_rejected_by_verify() {
    let dir = memory::tempdir();
    copy(dir.path());
    assert_eq!(faults(dir.path()), []);
    for name in FILES {
        each_byte(&dir.path().join(name), 1, &|| !faults(dir.path()).is_empty());
    }
    assert_eq!(faults(dir.path()), []);
}

#[test]
fn a_bundle_that_differs_in_one_byte_is_rejected_by_publish() {
    let (dir, root) = (memory::tempdir(), holding(Version::Old));
    copy(dir.path());
    let bundle = [dir.path().to_owned()];
    for name in FILES {
        // What a manifest says is judged in many ways, a kernel by its digest.
        let step = if ["bzImage", "initrd"].contains(&name) { 61 } else { 1 };
        each_byte(&dir.path().join(name), step, &|| put(root.path(), &bundle, None, NOW).is_err());
    }
    put(root.path(), &bundle, None, NOW).unwrap();
}

#[test]
fn a_root_that_differs_in_one_byte_is_rejected() {
    let root = holding(Version::Old);
    for path in [
        "site/current/ipxe/boot.ipxe",
        "site/current/manifest.json",
        "nixos/worker/current/manifest.json",
        "nixos/control-plane/current/SHA256SUMS",
    ] {
        each_byte(&root.path().join(path), 3, &|| !faults(root.path()).is_empty());
    }
    assert_eq!(faults(root.path()), []);
}

/// What `change` does to a fresh root is exactly these faults.
#[track_caller]
fn told(change: &dyn Fn(&Path), expected: &[(FaultKind, &str)]) {
    let root = holding(Version::Old);
    all(root.path(), Version::New).unwrap();
    change(root.path());
    let (old, new) = (MADE.id("worker", Version::Old), MADE.id("worker", Version::New));
    let fill = |path: &str| path.replace("OLD", &old).replace("NEW", &new);
    let mut expected: Vec<_> = expected.iter().map(|(kind, path)| (*kind, fill(path))).collect();
    expected.sort_by(|a, b| a.1.cmp(&b.1));
    assert_eq!(kinds(root.path()), expected);
}

#[test]
fn an_armed_file_that_nobody_wrote_is_changed() {
    told(
        &|root| fs::write(root.join("armed/52-54-00-00-00-01"), "").unwrap(),
        &[(FaultKind::Changed, "armed/52-54-00-00-00-01")],
    );
}

#[test]
fn each_fault_has_its_name() {
    let worker = |root: &Path, version| root.join("nixos/worker").join(MADE.id("worker", version));
    told(&|_| {}, &[]);
    told(
        &|root| fs::remove_file(worker(root, Version::New).join("initrd")).unwrap(),
        &[(FaultKind::Missing, "nixos/worker/NEW/initrd")],
    );
    told(
        &|root| fs::write(worker(root, Version::Old).join("extra"), "").unwrap(),
        &[(FaultKind::Extra, "nixos/worker/OLD/extra")],
    );
    told(&|root| fs::write(root.join("nixos/x"), "").unwrap(), &[(FaultKind::Extra, "nixos/x")]);
    told(&|root| fs::write(root.join("x"), "").unwrap(), &[(FaultKind::Extra, "x")]);
    told(&|root| fs::create_dir(root.join("site/x")).unwrap(), &[(FaultKind::Extra, "site/x")]);
    // A file of another bundle.
    told(
        &|root| {
            let (from, to) = (worker(root, Version::Old), worker(root, Version::New));
            fs::copy(from.join("initrd"), to.join("initrd")).unwrap();
        },
        &[(FaultKind::Swapped, "nixos/worker/NEW/initrd")],
    );
    // Two bundles in each other's place: each is whole, and neither is where it belongs.
    told(
        &|root| {
            let (old, new, aside) =
                (worker(root, Version::Old), worker(root, Version::New), root.join("aside"));
            fs::rename(&old, &aside).unwrap();
            fs::rename(&new, &old).unwrap();
            fs::rename(&aside, &new).unwrap();
        },
        &[
            (FaultKind::Swapped, "nixos/worker/OLD/"),
            (FaultKind::Swapped, "nixos/worker/NEW/"),
            (FaultKind::RolledBack, "nixos/worker/current"),
        ],
    );
    told(
        &|root| {
            fs::remove_file(root.join("nixos/worker/current")).unwrap();
            symlink("../../site", root.join("nixos/worker/current")).unwrap();
        },
        &[(FaultKind::Swapped, "nixos/worker/current")],
    );
    told(
        &|root| {
            fs::remove_file(root.join("ipxe")).unwrap();
            symlink("/tmp", root.join("ipxe")).unwrap();
        },
        &[(FaultKind::Swapped, "ipxe")],
    );
    told(
        &|root| {
            let path = worker(root, Version::New).join("initrd");
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        },
        &[(FaultKind::Mode, "nixos/worker/NEW/initrd")],
    );
    told(
        &|root| fs::remove_file(root.join("nixos/worker/current")).unwrap(),
        &[(FaultKind::Missing, "nixos/worker/current")],
    );
}

/// For servers that know no generations.
#[test]
fn a_link_into_the_site_is_missed() {
    told(&|root| fs::remove_file(root.join("ipxe")).unwrap(), &[(FaultKind::Missing, "ipxe")]);
    told(&|root| fs::remove_file(root.join("index.html")).unwrap(), &[(FaultKind::Missing, "index.html")]);
}

#[test]
fn a_bundle_of_another_profile_is_out_of_place() {
    let root = holding(Version::Old);
    let nixos = root.path().join("nixos");
    fs::remove_dir_all(nixos.join("worker")).unwrap();
    fs::rename(nixos.join("control-plane"), nixos.join("worker")).unwrap();
    let kinds = kinds(root.path());
    assert_eq!(kinds.len(), 1, "{kinds:?}");
    assert_eq!(kinds[0].0, FaultKind::Swapped);
}

#[test]
fn what_is_neither_a_root_nor_a_bundle_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let terms = VerifyRequirements { now: NOW, least: &[], signers: None, boot_signer: None, cluster: None };
    let error = verify(dir.path(), &terms, &|_| {}).unwrap_err();
    assert!(format!("{error:#}").contains("neither a web root"), "{error:#}");
}
