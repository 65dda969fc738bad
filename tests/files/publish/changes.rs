//! The changes that a publication brings to nodes that are armed.

use std::fs;
use std::path::Path;

use plasmagen::artifact::{Artifact, ArtifactSet};
use plasmagen::image::BundleManifest;
use plasmagen::model::{MacAddr, System, Word};
use plasmagen::publish::{ArmTarget, PublicationTerms, PublishOutcome, Refused, WebRootLock, roll_back};
use plasmagen::write::{CommitOptions, SiteLock, commit};
use tempfile::TempDir;

use test_kit::{Version, memory};

use crate::publish::armed::{arm_at, node, target};
use crate::publish::kit::{MAC, MADE, NOW, all, consent, faults, holding, put, snapshot, terms};

/// A web root in which the new version follows the old one, and node01 is armed for the new one.
fn armed() -> TempDir {
    let root = holding(Version::Old);
    all(root.path(), Version::New).unwrap();
    arm_at(root.path(), &[target(&node("node01"), &[])], NOW, false).unwrap();
    root
}

fn back(root: &Path, name: &str, may_change_armed: bool) -> anyhow::Result<PublishOutcome> {
    let terms = PublicationTerms { may_change_armed, ..terms(NOW) };
    roll_back(&WebRootLock::acquire(root)?, name, &terms).map(|(outcome, _)| outcome)
}

/// The sentence about the bundle that node01 boots after a change from `old` to `new`.
fn sentence(verb: &str, [old, new]: [Version; 2], now: &str) -> String {
    let [old, new] = [old, new].map(|version| MADE.id("worker", version));
    format!("node01 is armed, and {verb} the bundle {new:.12}{now} instead of {old:.12}")
}

#[test]
fn an_armed_node_gets_another_bundle_only_with_consent() {
    let root = armed();
    let before = snapshot(root.path());
    let to_old = [Version::New, Version::Old];
    for result in [
        all(root.path(), Version::Old),
        back(root.path(), "worker", false),
        put(root.path(), &[MADE.bundle("worker", Version::Old)], None, NOW),
    ] {
        let error = result.unwrap_err();
        let words = sentence("would boot", to_old, "") + ": run plasmagen disarm node01 first, or add --yes";
        assert!(error.is::<Refused>() && format!("{error:#}").contains(&words), "{error:#}");
        assert_eq!(snapshot(root.path()), before);
        assert!(!root.path().join(".plasmagen/rollback").exists());
    }
    // The same bundle again, another base, and the site are no other bundle.
    put(root.path(), &[MADE.bundle("worker", Version::New)], None, NOW).unwrap();
    assert!(back(root.path(), "control-plane", false).unwrap().changes.is_empty());
    let before = snapshot(root.path());
    let error = back(root.path(), "site", false).unwrap_err();
    let files = "another ipxe/boot.ipxe, ipxe/node/52-54-00-12-34-56.ipxe";
    let words =
        format!("node01 is armed, and would load {files}: run plasmagen disarm node01 first, or add --yes");
    assert!(error.is::<Refused>() && format!("{error:#}").contains(&words), "{error:#}");
    assert_eq!(snapshot(root.path()), before);
    let changes = back(root.path(), "site", true).unwrap().changes;
    assert_eq!(changes, [format!("node01 is armed, and loads {files} now")]);

    let changes = consent(root.path(), Version::Old).unwrap().changes;
    assert_eq!(changes, [sentence("boots", to_old, " now")]);
    let changes = back(root.path(), "worker", true).unwrap().changes;
    assert_eq!(changes, [sentence("boots", [Version::Old, Version::New], " now")]);
    assert_eq!(faults(root.path()), []);
}

/// The remedy that verify names for a channel whose `current` leads nowhere.
#[test]
fn the_bundle_that_a_node_was_armed_for_is_published_again() {
    for target in [None, Some("0".repeat(64))] {
        let root = armed();
        let current = root.path().join("nixos/worker/current");
        fs::remove_file(&current).unwrap();
        if let Some(target) = &target {
            std::os::unix::fs::symlink(target, &current).unwrap();
        }
        let error = put(root.path(), &[MADE.bundle("worker", Version::Old)], None, NOW).unwrap_err();
        let words = sentence("would boot", [Version::New, Version::Old], "");
        assert!(format!("{error:#}").contains(&words), "{target:?}: {error:#}");
        let outcome = put(root.path(), &[MADE.bundle("worker", Version::New)], None, NOW).unwrap();
        assert!(outcome.changes.is_empty(), "{target:?}: {:?}", outcome.changes);
        assert_eq!(faults(root.path()), [], "{target:?}");
    }
}

/// `boot.ipxe` is the same for all machines: a change of that file alone needs no consent.
#[test]
fn another_boot_script_of_all_machines_is_told_of() {
    let (root, dir) = (armed(), tempfile::tempdir().unwrap());
    let mut set = ArtifactSet::default();
    let script = format!("site/www/ipxe/node/{MAC}.ipxe");
    let body = fs::read(MADE.site(Version::New).parent().unwrap().join(&script)).unwrap();
    set.insert(Artifact::new(script, body).unwrap()).unwrap();
    set.insert(Artifact::new("site/www/ipxe/boot.ipxe", "#!ipxe\n# another\n").unwrap()).unwrap();
    set.insert(Artifact::new("nodes/x/disko.nix", "").unwrap()).unwrap();
    let lock = SiteLock::acquire(dir.path()).unwrap();
    commit(&lock, &set, CommitOptions::default(), || Ok(())).unwrap();
    let outcome = put(root.path(), &[], Some(&dir.path().join("site")), NOW).unwrap();
    assert_eq!(outcome.changes, ["node01 is armed, and loads another ipxe/boot.ipxe now"]);
}

/// The worker's bundle of the old version, as if it were for 64-bit ARM.
fn bundle_for_arm() -> TempDir {
    let dir = memory::tempdir();
    for name in ["bzImage", "initrd", "boot.ipxe"] {
        fs::copy(MADE.bundle("worker", Version::Old).join(name), dir.path().join(name)).unwrap();
    }
    let manifest = BundleManifest { arch: System::Aarch64, ..MADE.manifest("worker", Version::Old) };
    fs::write(dir.path().join("manifest.json"), manifest.print().unwrap()).unwrap();
    fs::write(dir.path().join("SHA256SUMS"), manifest.print_sums().unwrap()).unwrap();
    dir
}

/// FAULTS 28: the bundles of one base for two systems lie side by side, and each node is armed for its own.
#[test]
fn each_system_has_a_bundle_of_its_own() {
    let (root, arm) = (armed(), bundle_for_arm());
    let served = |channel: &str| fs::read_link(root.path().join("nixos").join(channel).join("current"));
    let worker = served("worker").unwrap();
    put(root.path(), &[arm.path().to_owned()], None, NOW).unwrap();
    assert_eq!(served("worker").unwrap(), worker);
    // Both at once, and the one for the other system in the place of neither.
    let both = [arm.path().to_owned(), MADE.bundle("worker", Version::New)];
    put(root.path(), &both, None, NOW).unwrap();
    assert_eq!((served("worker").unwrap(), faults(root.path())), (worker, vec![]));
    let second = node("node02");
    let mac = MacAddr::parse("52:54:00:12:34:57").unwrap();
    let of_arm = |image: &str| ArmTarget {
        system: System::Aarch64,
        image: image.to_owned(),
        macs: vec![mac],
        ..target(&second, &[])
    };
    let outcome = arm_at(root.path(), &[of_arm("worker-aarch64")], NOW, false).unwrap();
    assert_eq!(Path::new(&outcome.armed[0].bundle.to_string()), served("worker-aarch64").unwrap());
    let error = arm_at(root.path(), &[of_arm("worker")], NOW, false).unwrap_err();
    assert!(format!("{error:#}").contains("node02 is aarch64-linux, and the bundle is for x86_64-linux"));
}

/// A web root of an earlier version has the bundle for ARM in the channel of the base.
#[test]
fn an_armed_node_never_gets_a_bundle_for_another_architecture() {
    let (root, arm) = (holding(Version::New), bundle_for_arm());
    put(root.path(), &[arm.path().to_owned()], None, NOW).unwrap();
    let nixos = root.path().join("nixos");
    fs::remove_dir_all(nixos.join("worker")).unwrap();
    fs::rename(nixos.join("worker-aarch64"), nixos.join("worker")).unwrap();
    let node = node("node01");
    let earlier = ArmTarget { system: System::Aarch64, ..target(&node, &[]) };
    arm_at(root.path(), &[earlier], NOW, false).unwrap();
    let told =
        "it is a bundle for worker-aarch64: publish it again, then run plasmagen publish --remove worker";
    assert!(faults(root.path()).iter().any(|fault| fault.message == told));

    let before = snapshot(root.path());
    let error = consent(root.path(), Version::New).unwrap_err();
    let words = "node01 is armed, and can't boot a bundle for x86_64-linux instead of aarch64-linux: run plasmagen disarm";
    assert!(format!("{error:#}").contains(words), "{error:#}");
    assert_eq!(snapshot(root.path()), before);
}
