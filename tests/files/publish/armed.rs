//! A machine boots the installer only while it is armed for it (F07).

use std::fs;
use std::path::Path;

use plasmagen::artifact::Artifact;
use plasmagen::model::{HostName, MacAddr, System, Word};
use plasmagen::publish::{
    ArmOutcome, ArmRequest, ArmTarget, ArmedFile, DisarmSelection, FaultKind, Refused, WebRoot, WebRootLock,
    arm, disarm, list_armed,
};
use time::{Duration, OffsetDateTime};

use test_kit::Version;

use crate::publish::kit::{MAC, MADE, NOW, consent, fault_kinds_at, faults, holding, kinds, put, run_timer};

/// How long nodes are armed in these tests.
pub(crate) const PERIOD: Duration = Duration::hours(4);

/// The files that the inventory renders for the machine, as in that version of the site.
pub(crate) fn rendered(version: Version) -> Vec<Artifact> {
    let read = |path: String| {
        let body = fs::read(MADE.site(version).join("www").join(&path)).unwrap();
        Artifact::new(format!("site/www/{path}"), body).unwrap()
    };
    vec![read("ipxe/boot.ipxe".to_owned()), read(format!("ipxe/node/{MAC}.ipxe"))]
}

pub(crate) fn target<'a>(node: &'a HostName, files: &'a [Artifact]) -> ArmTarget<'a> {
    let mac = MacAddr::parse(&MAC.replace('-', ":")).unwrap();
    let (system, files) = (System::X86_64, files.iter().collect());
    ArmTarget {
        node,
        macs: vec![mac],
        image: "worker".to_owned(),
        system,
        serial: Some("CN7475139H0023"),
        files,
    }
}

pub(crate) fn node(name: &str) -> HostName {
    HostName::parse(name).unwrap()
}

/// Arms `targets` in the web root at `root` at `now`; `is_hashed` as in the request.
pub(crate) fn arm_at(
    root: &Path,
    targets: &[ArmTarget<'_>],
    now: OffsetDateTime,
    is_hashed: bool,
) -> anyhow::Result<ArmOutcome> {
    arm(
        &WebRootLock::acquire(root)?,
        &ArmRequest { targets, now, duration: PERIOD, is_hashed, progress: &|_| () },
    )
}

fn disarm_one(root: &WebRoot) -> bool {
    let outcome = disarm(root, DisarmSelection::Files(&[MAC.to_owned()])).unwrap();
    outcome.disarmed.get(MAC).is_some_and(|node| node == "node01")
}

/// Firmware boots through the card that answers first.
#[test]
fn a_node_is_armed_by_each_of_its_cards() {
    let dir = holding(Version::Old);
    let (root, node) = (WebRoot::open(dir.path()).unwrap(), node("node01"));
    let names = [MAC, "52-54-00-12-34-57"].map(str::to_owned);
    let macs = names.iter().map(|name| MacAddr::parse(&name.replace('-', ":")).unwrap()).collect();
    arm_at(dir.path(), &[ArmTarget { macs, ..target(&node, &[]) }], NOW, false).unwrap();
    let listed: Vec<_> =
        list_armed(&root).unwrap().into_iter().map(|file| (file.name, file.armed.unwrap())).collect();
    assert_eq!(listed.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(), names);
    assert!(listed.iter().all(|(_, armed)| armed.node == "node01"));
    assert_eq!(disarm(&root, DisarmSelection::Files(&names)).unwrap().disarmed.len(), 2);
    assert_eq!(list_armed(&root).unwrap(), []);
}

#[test]
fn a_node_is_armed_until_it_is_disarmed() {
    let dir = holding(Version::Old);
    let (root, node, files) = (WebRoot::open(dir.path()).unwrap(), node("node01"), rendered(Version::Old));
    // A killed run of an earlier version.
    fs::create_dir(dir.path().join(".plasmagen/arm")).unwrap();
    fs::write(dir.path().join(".plasmagen/arm").join(MAC), "#!ipxe\n").unwrap();
    assert_eq!(list_armed(&root).unwrap(), []);
    assert!(!disarm_one(&root));
    arm_at(dir.path(), &[target(&node, &files)], NOW, true).unwrap();
    let found = list_armed(&root).unwrap();
    let record = found[0].armed.as_ref().unwrap();
    assert_eq!(
        (found.len(), found[0].name.as_str(), record.node.as_str(), record.armed, record.until),
        (1, MAC, "node01", NOW, NOW + PERIOD)
    );
    assert_eq!(record.bundle.to_string(), MADE.id("worker", Version::Old));
    // What boot.ipxe runs, and compares with the node that the machine takes itself for.
    let text = fs::read_to_string(dir.path().join("armed").join(MAC)).unwrap();
    assert!(text.starts_with("#!ipxe\n") && text.ends_with("\nset armed node01\n"), "{text}");
    assert!(text.lines().all(|line| line.starts_with('#') || line == "set armed node01"), "{text}");
    // What the provisioner's timer reads.
    assert_eq!(text.lines().nth(1).unwrap(), format!("# until {}", (NOW + PERIOD).unix_timestamp()));
    assert!(
        text.contains("until 2026-01-02 07:04:05 UTC. plasmagen disarm node01 ends that earlier"),
        "{text}"
    );
    assert_eq!(faults(dir.path()), []);
    // Publishing changes nothing about it, but what the node boots.
    consent(dir.path(), Version::New).unwrap();
    let found = list_armed(&root).unwrap();
    assert_eq!(found[0].boots.unwrap().to_string(), MADE.id("worker", Version::New));
    assert_eq!(found[0].armed.as_ref().unwrap().bundle.to_string(), MADE.id("worker", Version::Old));
    assert_eq!(fs::read_to_string(dir.path().join("armed").join(MAC)).unwrap(), text);
    assert!(disarm_one(&root));
    assert!(!disarm_one(&root));
    assert_eq!(list_armed(&root).unwrap(), []);
    // No file is left behind.
    assert!(!dir.path().join(".plasmagen/arm").exists());
}

#[test]
fn an_arming_ends() {
    let dir = holding(Version::Old);
    let (root, node, files) = (WebRoot::open(dir.path()).unwrap(), node("node01"), rendered(Version::Old));
    arm_at(dir.path(), &[target(&node, &files)], NOW, false).unwrap();
    let found = list_armed(&root).unwrap();
    let end = NOW + PERIOD;
    let has_ended = |file: &ArmedFile, now| file.armed.as_ref().unwrap().has_ended(now);
    assert!(!has_ended(&found[0], end - Duration::SECOND) && has_ended(&found[0], end));
    // The provisioner's timer has its 15 seconds; a file that is there for longer still arms the machine.
    assert_eq!(fault_kinds_at(dir.path(), end + Duration::seconds(59)), []);
    let late = fault_kinds_at(dir.path(), end + Duration::minutes(1));
    assert_eq!(late, [(FaultKind::Expired, format!("armed/{MAC}"))]);
    // Armed again, it has a new end.
    arm_at(dir.path(), &[target(&node, &files)], end, false).unwrap();
    assert!(!has_ended(&list_armed(&root).unwrap()[0], end + PERIOD - Duration::SECOND));
}

/// Nothing ends an arming where the provisioner's timer does not run.
#[test]
fn an_arming_without_a_timer_is_told_of() {
    let dir = holding(Version::Old);
    let (node, files, stamp) = (node("node01"), rendered(Version::Old), dir.path().join("armed/.pxe-health"));
    fs::remove_file(&stamp).unwrap();
    assert_eq!(faults(dir.path()), [], "nobody is armed");
    arm_at(dir.path(), &[target(&node, &files)], NOW, false).unwrap();
    for (text, word) in [
        (None, "pxe-health has left no stamp in this web root"),
        (
            Some((NOW - Duration::seconds(121)).unix_timestamp().to_string()),
            "ran last on 2026-01-02 at 03:02 UTC",
        ),
        // A clock that was wrong for a while.
        (Some("9999999999".to_owned()), "ran last on 2286-11-20"),
        (Some("soon".to_owned()), "has left no stamp"),
    ] {
        if let Some(text) = text {
            fs::write(&stamp, text).unwrap();
        }
        let found = faults(dir.path());
        assert!(
            found.len() == 1 && found[0].path == "armed" && found[0].kind == FaultKind::Expired,
            "{found:?}"
        );
        assert!(found[0].message.contains(word), "{found:?}");
    }
    run_timer(dir.path(), NOW - Duration::minutes(2));
    assert_eq!(faults(dir.path()), []);
}

#[test]
fn what_could_not_boot_is_not_armed() {
    let dir = holding(Version::Old);
    let (root, first, other) = (WebRoot::open(dir.path()).unwrap(), node("node01"), node("node02"));
    let (files, newer) = (rendered(Version::Old), rendered(Version::New));
    let good = || target(&first, &files);
    let refused = |target: ArmTarget<'_>, now: OffsetDateTime, words: &[&str]| {
        // One that must not be armed keeps all others from it.
        let error = arm_at(dir.path(), &[good(), target], now, false).unwrap_err();
        assert!(error.is::<Refused>(), "{error:#}");
        let error = format!("{error:#}");
        assert!(words.iter().all(|word| error.contains(word)), "{words:?}: {error}");
        assert_eq!(list_armed(&root).unwrap(), []);
    };
    let words =
        ["could not arm node01, node01", "publish a bundle for all-in-one first: plasmagen publish BUNDLE"];
    refused(ArmTarget { image: "all-in-one".to_owned(), ..good() }, NOW, &words);
    let words = ["nixos/worker/current: node01 is aarch64-linux, and the bundle is for x86_64-linux"];
    refused(ArmTarget { system: System::Aarch64, ..good() }, NOW, &words);
    // The inventory would render other files: a serial number, an address or a disk has changed, or the base.
    let script =
        format!("site/current/ipxe/node/{MAC}.ipxe: it differs from the file that the inventory renders");
    let words = [script.as_str(), "for node02 now: run plasmagen render, then plasmagen publish"];
    refused(ArmTarget { node: &other, files: newer.iter().collect(), ..good() }, NOW, &words);
    let overlay = [Artifact::new(format!("site/www/overlay/{MAC}.cpio.gz"), "").unwrap()];
    let lacks = ["overlay/52-54-00-12-34-56.cpio.gz: the published site lacks this file"];
    refused(ArmTarget { files: overlay.iter().collect(), ..good() }, NOW, &lacks);
    let late = ["nixos/worker/current: it has expired on 2026-04-02", "site/current: it has expired"];
    refused(good(), NOW + Duration::days(90), &late);
    // Without a site nothing would chain to the bundle.
    let bare = holding(Version::None);
    put(bare.path(), &[MADE.bundle("worker", Version::Old)], None, NOW).unwrap();
    let error = arm_at(bare.path(), &[good()], NOW, false).unwrap_err();
    assert!(format!("{error:#}").contains("no site is published"), "{error:#}");
    assert!(WebRoot::open(Path::new("/proc")).is_err());
}

#[test]
fn what_verify_would_call_changed_is_not_armed() {
    let (node, files) = (node("node01"), rendered(Version::Old));
    for (name, body, is_hashed, words) in [
        ("initrd", "torn", false, "initrd: it has 4 bytes instead of"),
        ("boot.ipxe", "", false, "boot.ipxe: it has 0 bytes instead of"),
        ("manifest.json", "{}", false, "manifest.json: it is not the manifest of a bundle"),
        ("extra", "", false, "extra: nobody published it"),
        // Only the digest shows the change.
        ("initrd", "flip", true, "initrd: its SHA-256 is"),
    ] {
        let dir = holding(Version::Old);
        let root = WebRoot::open(dir.path()).unwrap();
        let path = dir.path().join("nixos/worker").join(MADE.id("worker", Version::Old)).join(name);
        let mut bytes = body.as_bytes().to_vec();
        if body == "flip" {
            bytes = fs::read(&path).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
        }
        fs::write(&path, bytes).unwrap();
        if is_hashed {
            arm_at(dir.path(), &[target(&node, &files)], NOW, false).unwrap();
            disarm(&root, DisarmSelection::All).unwrap();
        }
        let error = arm_at(dir.path(), &[target(&node, &files)], NOW, is_hashed).unwrap_err();
        assert!(format!("{error:#}").contains(words), "{name}: {error:#}");
        assert_eq!(list_armed(&root).unwrap(), []);
        assert_ne!(faults(dir.path()), [], "{name}");
    }
}

#[test]
fn a_file_that_arm_did_not_write_is_told_of() {
    let dir = holding(Version::Old);
    let (root, node, files) = (WebRoot::open(dir.path()).unwrap(), node("node01"), rendered(Version::Old));
    arm_at(dir.path(), &[target(&node, &files)], NOW, false).unwrap();
    let path = dir.path().join("armed").join(MAC);
    let text = fs::read_to_string(&path).unwrap();
    // Of another machine, with another command in it, and with a later end for the timer alone.
    fs::copy(&path, dir.path().join("armed/52-54-00-00-00-01")).unwrap();
    fs::write(&path, text.replace("set armed", "chain http://elsewhere/ && set armed")).unwrap();
    let end = (NOW + PERIOD).unix_timestamp().to_string();
    let later = dir.path().join("armed/52-54-00-00-00-02");
    fs::write(later, text.replace(&end, "9999999999").replace("12:34:56", "00:00:02")).unwrap();
    fs::write(dir.path().join("armed/x"), "").unwrap();
    assert_eq!(
        kinds(dir.path()),
        [
            (FaultKind::Changed, "armed/52-54-00-00-00-01".to_owned()),
            (FaultKind::Changed, "armed/52-54-00-00-00-02".to_owned()),
            (FaultKind::Changed, format!("armed/{MAC}")),
            (FaultKind::Extra, "armed/x".to_owned()),
        ]
    );
    // Whatever is called like a machine arms it, and goes.
    let outcome = disarm(&root, DisarmSelection::All).unwrap();
    assert_eq!(outcome.disarmed.len(), 3);
    assert_eq!(kinds(dir.path()), [(FaultKind::Extra, "armed/x".to_owned())]);
}
