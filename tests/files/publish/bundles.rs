//! What publishing leaves: generations, of which one is current, and the way back.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use plasmagen::publish::{
    FaultKind, PublishRequest, VerifyRequirements, WebRootLock, publish, roll_back, verify,
};
use time::Duration;

use test_kit::{Version, run};

use crate::publish::kit::{
    MADE, NOW, all, bundle, faults, holding, kinds, look, put, report, request, snapshot, terms,
};

fn current(root: &Path) -> String {
    fs::read_link(root.join("nixos/worker/current")).unwrap().to_str().unwrap().to_owned()
}

fn generation(root: &Path) -> u64 {
    let found = report(root).generations;
    let current = found
        .iter()
        .find(|generation| generation.is_current && generation.path.starts_with("nixos/worker/"))
        .unwrap();
    current.publication.as_ref().unwrap().generation
}

#[test]
fn everything_is_where_machines_look_for_it() {
    let root = holding(Version::Old);
    assert_eq!(look(root.path(), "at first"), (Version::Old, Version::Old));
    assert_eq!(faults(root.path()), []);
    // Links are relative, so that the root can be served from anywhere.
    assert_eq!(current(root.path()), MADE.id("worker", Version::Old));
    assert_eq!(fs::read_link(root.path().join("ipxe")).unwrap(), Path::new("site/current/ipxe"));
    let text = fs::read_to_string(root.path().join("ipxe/boot.ipxe")).unwrap();
    assert_eq!(text, "#!ipxe\n# Old\n");
    for path in ["site/current/ipxe/boot.ipxe", "nixos/control-plane/current/initrd"] {
        let meta = fs::metadata(root.path().join(path)).unwrap();
        assert_eq!(meta.permissions().mode() & 0o7777, 0o644, "{path}");
    }
}

/// I14.
#[test]
fn sha256sum_checks_what_is_published() {
    let root = holding(Version::Old);
    let dir = root.path().join("nixos/worker/current");
    let script = format!("cd {} && sha256sum --check --strict SHA256SUMS", dir.display());
    let output = run("dash", Command::new("sh").args(["-c", &script]));
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "boot.ipxe: OK\nbzImage: OK\ninitrd: OK\nmanifest.json: OK\n"
    );
    let initrd = dir.join("initrd");
    let mut bytes = fs::read(&initrd).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&initrd, bytes).unwrap();
    assert!(!run("dash", Command::new("sh").args(["-c", &script])).status.success());
}

/// I15.
#[test]
fn generations_rise_and_the_one_before_stays() {
    let root = holding(Version::Old);
    let outcome = all(root.path(), Version::New).unwrap();
    assert!(outcome.unconfirmed.is_none() && outcome.removed.is_empty(), "{outcome:?}");
    assert_eq!(look(root.path(), "after"), (Version::New, Version::New));
    assert_eq!((generation(root.path()), faults(root.path())), (2, vec![]));
    let before = root.path().join("nixos/worker").join(MADE.id("worker", Version::Old));
    assert!(before.join("initrd").exists(), "machines are halfway through it");
    // The set that a machine boots is one generation: every file of it lies in one directory.
    let script = fs::read_to_string(root.path().join("nixos/worker/current/boot.ipxe")).unwrap();
    let id = MADE.id("worker", Version::New);
    assert!(script.contains(&format!("../{id}/bzImage")) && script.contains(&format!("../{id}/initrd")));
    // A third one, and the first goes; in another root, two stay.
    let third = tempfile::tempdir().unwrap();
    let third = third.path().join("bundle");
    bundle(&third, "worker", "third");
    let outcome = put(root.path(), std::slice::from_ref(&third), None, NOW).unwrap();
    assert_eq!(outcome.removed, [format!("nixos/worker/{}", MADE.id("worker", Version::Old))]);
    assert_eq!((generation(root.path()), faults(root.path())), (3, vec![]));
    let other = holding(Version::Old);
    all(other.path(), Version::New).unwrap();
    let request = PublishRequest { bundles: &[third], keep: 2, ..request(NOW) };
    let outcome = publish(&WebRootLock::acquire(other.path()).unwrap(), &request, &|_| {}).unwrap();
    assert!(outcome.removed.is_empty());
    assert!(other.path().join("nixos/worker").join(MADE.id("worker", Version::Old)).exists());
}

#[test]
fn what_is_there_already_only_gets_a_new_number() {
    let root = holding(Version::Old);
    let before = snapshot(root.path());
    all(root.path(), Version::Old).unwrap();
    let after = snapshot(root.path());
    let changed: Vec<_> = after.iter().filter(|(path, body)| before.get(*path) != Some(body)).collect();
    assert!(changed.iter().all(|(path, _)| path.ends_with("publication.json")), "{changed:?}");
    assert_eq!((changed.len(), before.len(), generation(root.path())), (3, after.len(), 2));
    // Unless it is damaged: then it is put there anew, in one step.
    let initrd = root.path().join("nixos/worker/current/initrd");
    fs::write(&initrd, "damaged").unwrap();
    all(root.path(), Version::Old).unwrap();
    assert_eq!(faults(root.path()), []);
}

#[test]
fn the_way_back_is_a_new_generation() {
    let root = holding(Version::Old);
    let back = |root: &Path| {
        roll_back(&WebRootLock::acquire(root).unwrap(), "worker", &terms(NOW))
            .map_err(|error| format!("{error:#}"))
    };
    assert!(back(root.path()).unwrap_err().contains("no generation before"));
    assert!(roll_back(&WebRootLock::acquire(root.path()).unwrap(), "../site", &terms(NOW)).is_err());
    all(root.path(), Version::New).unwrap();
    back(root.path()).unwrap();
    assert_eq!(look(root.path(), "after"), (Version::Old, Version::New));
    assert_eq!((generation(root.path()), faults(root.path())), (3, vec![]));
    back(root.path()).unwrap();
    assert_eq!(look(root.path(), "again"), (Version::New, Version::New));
    assert_eq!((generation(root.path()), faults(root.path())), (4, vec![]));
    // Never to something damaged.
    let old = root.path().join("nixos/worker").join(MADE.id("worker", Version::Old)).join("initrd");
    fs::write(&old, "damaged").unwrap();
    assert!(back(root.path()).unwrap_err().contains("is damaged"));
    assert_eq!(look(root.path(), "still"), (Version::New, Version::New));
}

#[test]
fn the_site_has_a_way_back_too() {
    let root = holding(Version::Old);
    let back = |root: &Path| roll_back(&WebRootLock::acquire(root).unwrap(), "site", &terms(NOW));
    let error = format!("{:#}", back(root.path()).unwrap_err());
    assert!(error.contains("site has no generation before the current one"), "{error}");
    all(root.path(), Version::New).unwrap();
    let (outcome, finished) = back(root.path()).unwrap();
    assert_eq!(finished, None);
    assert_eq!((outcome.published[0].channel.as_str(), outcome.published.len()), ("site", 1));
    assert_eq!(look(root.path(), "after"), (Version::New, Version::Old));
    assert_eq!(faults(root.path()), []);
    let script = root.path().join("site/current/ipxe/boot.ipxe");
    back(root.path()).unwrap();
    back(root.path()).unwrap();
    assert_eq!(look(root.path(), "again"), (Version::New, Version::Old));
    all(root.path(), Version::New).unwrap();
    fs::write(root.path().join("site").join(outcome.published[0].id.to_string()).join("index.html"), "x")
        .unwrap();
    let error = format!("{:#}", back(root.path()).unwrap_err());
    assert!(error.contains("is damaged") && script.exists(), "{error}");
    assert_eq!(look(root.path(), "still"), (Version::New, Version::New));
}

/// A run that was killed before its switch has given the older generation the highest number.
#[test]
fn a_way_back_that_was_killed_is_finished_by_the_next_run() {
    let root = holding(Version::Old);
    all(root.path(), Version::New).unwrap();
    let old = root.path().join("nixos/worker").join(MADE.id("worker", Version::Old)).join("publication.json");
    let text = fs::read_to_string(&old).unwrap();
    fs::write(&old, text.replace("\"generation\": 1", "\"generation\": 3")).unwrap();
    let marker = root.path().join(".plasmagen/web-root.json");
    let text = fs::read_to_string(&marker).unwrap();
    fs::write(&marker, text.replace("\"generation\":2", "\"generation\":3")).unwrap();
    assert_eq!(kinds(root.path()), [(FaultKind::RolledBack, "nixos/worker/current".to_owned())]);
    roll_back(&WebRootLock::acquire(root.path()).unwrap(), "worker", &terms(NOW)).unwrap();
    assert_eq!(look(root.path(), "after"), (Version::Old, Version::New));
    assert_eq!((generation(root.path()), faults(root.path())), (4, vec![]));
}

#[test]
fn an_older_generation_and_an_expired_one_are_told_of() {
    let root = holding(Version::Old);
    all(root.path(), Version::New).unwrap();
    let link = root.path().join("nixos/worker/current");
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(MADE.id("worker", Version::Old), &link).unwrap();
    assert_eq!(kinds(root.path()), [(FaultKind::RolledBack, "nixos/worker/current".to_owned())]);
    // Whoever removes what was published since, too.
    fs::remove_dir_all(root.path().join("nixos/worker").join(MADE.id("worker", Version::New))).unwrap();
    assert_eq!(faults(root.path()), []);
    for (least, count) in
        [((None, 2), 1), ((Some("worker".to_owned()), 2), 1), ((Some("worker".to_owned()), 1), 0)]
    {
        let terms =
            VerifyRequirements { now: NOW, least: &[least], signers: None, boot_signer: None, cluster: None };
        let faults = verify(root.path(), &terms, &|_| {}).unwrap().faults;
        assert_eq!(faults.iter().filter(|fault| fault.kind == FaultKind::RolledBack).count(), count);
    }
    let terms = VerifyRequirements {
        now: NOW + Duration::days(90),
        least: &[],
        signers: None,
        boot_signer: None,
        cluster: None,
    };
    let faults = verify(root.path(), &terms, &|_| {}).unwrap().faults;
    // Three lines, each with a current generation.
    assert_eq!(faults.iter().filter(|fault| fault.kind == FaultKind::Expired).count(), 3, "{faults:?}");
    // And numbers that were never given.
    let path = root.path().join("site/current/publication.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"generation\": 2", "\"generation\": 20")).unwrap();
    assert_eq!(kinds(root.path()), [(FaultKind::Changed, "site/current".to_owned())]);
}
