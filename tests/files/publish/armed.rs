//! A machine is erased only when it was armed for it (F07).

use std::fs;
use std::path::Path;

use plasmagen::model::{HostName, MacAddr, System, Word};
use plasmagen::publish::{ArmTarget, FaultKind, WebRoot, arm, disarm, list_armed};
use time::Duration;

use test_kit::Version;

use crate::publish::kit::{MAC, MADE, NOW, all, faults, holding, kinds, put};

pub(crate) fn target(node: &HostName) -> ArmTarget<'_> {
    let mac = MacAddr::parse(&MAC.replace('-', ":")).unwrap();
    ArmTarget { node, mac, base: "worker", system: System::X86_64, serial: Some("CN7475139H0023") }
}

pub(crate) fn node() -> HostName {
    HostName::parse("node01").unwrap()
}

#[test]
fn a_node_is_armed_until_it_is_disarmed() {
    let dir = holding(Version::Old);
    let (root, node) = (WebRoot::open(dir.path()).unwrap(), node());
    assert_eq!(list_armed(&root).unwrap(), []);
    arm(&root, &[target(&node)], NOW).unwrap();
    let found = list_armed(&root).unwrap();
    let record = found[0].armed.as_ref().unwrap();
    assert_eq!(
        (found.len(), found[0].name.as_str(), record.node.as_str(), record.armed),
        (1, MAC, "node01", NOW)
    );
    assert_eq!(record.bundle.to_string(), MADE.id("worker", Version::Old));
    // What boot.ipxe runs, and compares with the node that the machine takes itself for.
    let text = fs::read_to_string(dir.path().join("armed").join(MAC)).unwrap();
    assert!(text.starts_with("#!ipxe\n") && text.ends_with("\nset armed node01\n"), "{text}");
    assert!(text.lines().all(|line| line.starts_with('#') || line == "set armed node01"), "{text}");
    assert_eq!(faults(dir.path()), []);
    // Publishing changes nothing about it.
    all(dir.path(), Version::New).unwrap();
    assert_eq!(fs::read_to_string(dir.path().join("armed").join(MAC)).unwrap(), text);
    assert_eq!(disarm(&root, &[MAC.to_owned()]).unwrap(), [true]);
    assert_eq!(disarm(&root, &[MAC.to_owned()]).unwrap(), [false]);
    assert_eq!(list_armed(&root).unwrap(), []);
}

#[test]
fn what_could_not_boot_is_not_armed() {
    let dir = holding(Version::Old);
    let (root, node, other) =
        (WebRoot::open(dir.path()).unwrap(), node(), HostName::parse("node02").unwrap());
    let good = target(&node);
    let refused = |target: ArmTarget<'_>, word: &str| {
        // One that must not be armed keeps all others from it.
        let error = format!("{:#}", arm(&root, &[good, target], NOW).unwrap_err());
        assert!(error.contains(word), "{word}: {error}");
        assert_eq!(list_armed(&root).unwrap(), []);
    };
    refused(ArmTarget { base: "all-in-one", ..good }, "plasmagen publish a bundle for all-in-one first");
    refused(ArmTarget { system: System::Aarch64, ..good }, "its bundle is for x86_64-linux");
    refused(ArmTarget { node: &other, ..good }, "says something else of 52:54:00:12:34:56");
    refused(ArmTarget { base: "control-plane", ..good }, "says something else");
    let mac = MacAddr::parse("52:54:00:12:34:57").unwrap();
    refused(ArmTarget { mac, ..good }, "knows no 52:54:00:12:34:57");
    let late = format!("{:#}", arm(&root, &[good], NOW + Duration::days(90)).unwrap_err());
    assert!(late.contains("has expired on 2026-04-02"), "{late}");
    // Without a site nothing would chain to the bundle.
    let bare = holding(Version::None);
    put(bare.path(), &[MADE.bundle("worker", Version::Old)], None, NOW).unwrap();
    let error = format!("{:#}", arm(&WebRoot::open(bare.path()).unwrap(), &[good], NOW).unwrap_err());
    assert!(error.contains("no site is published"), "{error}");
    assert!(WebRoot::open(Path::new("/proc")).is_err());
}

#[test]
fn a_file_that_arm_did_not_write_is_told_of() {
    let dir = holding(Version::Old);
    let (root, node) = (WebRoot::open(dir.path()).unwrap(), node());
    arm(&root, &[target(&node)], NOW).unwrap();
    let path = dir.path().join("armed").join(MAC);
    let text = fs::read_to_string(&path).unwrap();
    // Of another machine, and with another command in it.
    fs::copy(&path, dir.path().join("armed/52-54-00-00-00-01")).unwrap();
    fs::write(&path, text.replace("set armed", "chain http://elsewhere/ && set armed")).unwrap();
    fs::write(dir.path().join("armed/x"), "").unwrap();
    assert_eq!(
        kinds(dir.path()),
        [
            (FaultKind::Changed, "armed/52-54-00-00-00-01".to_owned()),
            (FaultKind::Changed, format!("armed/{MAC}")),
            (FaultKind::Extra, "armed/x".to_owned()),
        ]
    );
}
