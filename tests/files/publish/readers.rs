//! Machines that boot while somebody publishes, over and over.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use test_kit::Version;

use crate::publish::kit::{MADE, all, holding, look};

/// As a machine does: `current` once, for the script, which then names everything by the bundle's id.
fn boots(root: &Path) -> String {
    let script = fs::read_to_string(root.join("nixos/worker/current/boot.ipxe")).unwrap();
    let id = script.split("../").nth(1).and_then(|rest| rest.split('/').next()).unwrap().to_owned();
    for name in ["bzImage", "initrd"] {
        let found = fs::read(root.join("nixos/worker").join(&id).join(name)).unwrap();
        let version = if id == MADE.id("worker", Version::Old) { Version::Old } else { Version::New };
        assert!(found == fs::read(MADE.bundle("worker", version).join(name)).unwrap(), "{name} of {id}");
    }
    id
}

#[test]
fn a_machine_finds_all_of_a_bundle_and_all_of_a_site_at_any_moment() {
    let root = holding(Version::Old);
    let (done, looks) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    boots(root.path());
                    assert_ne!(look(root.path(), "while publishing").1, Version::None);
                    // By the links, which never change.
                    assert!(
                        fs::read_to_string(root.path().join("ipxe/boot.ipxe")).unwrap().starts_with("#!ipxe")
                    );
                    looks.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let publisher = scope.spawn(|| {
            for round in 0..40 {
                all(root.path(), if round % 2 == 0 { Version::New } else { Version::Old }).unwrap();
            }
        });
        let published = publisher.join();
        done.store(true, Ordering::Relaxed);
        published.unwrap();
    });
    assert!(looks.into_inner() > 40);
}
