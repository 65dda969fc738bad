//! A web root that somebody forged with recomputed manifests, and one that lacks what an armed node boots.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use plasmagen::artifact::{Artifact, ArtifactSet};
use plasmagen::fs::Sha256Sum;
use plasmagen::publish::FaultKind;
use serde_json::{Value, json};
use tempfile::TempDir;

use test_kit::{Version, memory};

use crate::publish::armed::{arm_at, node, target};
use crate::publish::kit::{MAC, MADE, NOW, faults, put, run_timer};

/// Renders a site whose node has an overlay, into `root`.
fn render(root: &Path) -> PathBuf {
    let overlay = "an overlay";
    let script = format!(
        "#!ipxe\nset node node01\nset profile worker\nset overlay http://192.0.2.1/boot/overlay/{MAC}.cpio.gz\n\
         set overlay-sha256 {}\n",
        Sha256Sum::of(overlay.as_bytes())
    );
    let mut set = ArtifactSet::default();
    for (path, body) in [
        ("site/www/ipxe/boot.ipxe".to_owned(), "#!ipxe\n"),
        (format!("site/www/ipxe/node/{MAC}.ipxe"), &script),
        (format!("site/www/overlay/{MAC}.cpio.gz"), overlay),
        ("nodes/x/disko.nix".to_owned(), ""),
    ] {
        set.insert(Artifact::new(path, body).unwrap()).unwrap();
    }
    let lock = plasmagen::write::SiteLock::acquire(root).unwrap();
    plasmagen::write::commit(&lock, &set, plasmagen::write::CommitOptions::default(), || Ok(())).unwrap();
    root.join("site")
}

/// A web root in which node01 is armed.
fn armed() -> TempDir {
    let (root, site) = (memory::tempdir(), tempfile::tempdir().unwrap());
    put(root.path(), &[MADE.bundle("worker", Version::Old)], Some(&render(site.path())), NOW).unwrap();
    arm_at(root.path(), &[target(&node("node01"), &[])], NOW, false).unwrap();
    run_timer(root.path(), NOW);
    root
}

/// Changes the current site as an intruder would who knows this program: `change` gets the directory of the site, and
/// everything that is derived from its files is computed again.
pub(crate) fn forge_site(root: &Path, change: &dyn Fn(&Path)) {
    let channel = root.join("site");
    let dir = channel.join(fs::read_link(channel.join("current")).unwrap());
    change(&dir);
    for parent in ["ipxe/node", "overlay"] {
        // An empty directory would be a fault of its own.
        let _ = fs::remove_dir(dir.join(parent));
    }
    let manifest: Value = serde_json::from_slice(&fs::read(dir.join("manifest.json")).unwrap()).unwrap();
    let schema = &manifest["schema"];
    let mut text = format!("{{\n\"generator\": \"plasmagen\",\n\"schema\": {schema},\n\"files\": [");
    let paths = manifest["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap());
    let mut separator = "\n";
    for path in paths {
        let Ok(body) = fs::read(dir.join(path)) else { continue };
        text += &format!("{separator}{{\"path\":\"{path}\",\"sha256\":\"{}\"}}", Sha256Sum::of(&body));
        separator = ",\n";
    }
    text += "\n]\n}\n";
    let id = Sha256Sum::of(text.as_bytes()).to_string();
    fs::write(dir.join("manifest.json"), text).unwrap();
    let path = dir.join("publication.json");
    let mut publication: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    publication["manifest"] = json!(id);
    fs::write(path, serde_json::to_string_pretty(&publication).unwrap() + "\n").unwrap();
    fs::rename(&dir, channel.join(&id)).unwrap();
    fs::remove_file(channel.join("current")).unwrap();
    symlink(&id, channel.join("current")).unwrap();
}

/// After `change`, verify finds exactly these faults, each with its path below the current generation, and names node01
/// and the way out.
#[track_caller]
fn found(change: &dyn Fn(&Path), expected: &[(FaultKind, &str)]) {
    let root = armed();
    assert_eq!(faults(root.path()), []);
    change(root.path());
    let faults = faults(root.path());
    let kinds: Vec<_> = faults
        .iter()
        .map(|fault| {
            let path = match fault.path.strip_prefix("site/").and_then(|rest| rest.split_once('/')) {
                Some((_, rest)) => rest,
                None => &fault.path,
            };
            (fault.kind, path)
        })
        .collect();
    assert_eq!(kinds, expected);
    for fault in faults {
        assert!(fault.message.contains("node01 is armed"), "{fault:?}");
    }
}

#[test]
fn an_armed_node_needs_its_bundle() {
    found(
        &|root| fs::remove_dir_all(root.join("nixos/worker")).unwrap(),
        &[(FaultKind::Missing, "nixos/worker/current")],
    );
    found(
        &|root| fs::remove_dir_all(root.join("nixos")).unwrap(),
        &[(FaultKind::Missing, "nixos/worker/current")],
    );
}

#[test]
fn an_armed_node_needs_its_site() {
    found(
        &|root| {
            fs::remove_dir_all(root.join("site")).unwrap();
        },
        &[(FaultKind::Missing, "site/current")],
    );
    let (script, overlay) = (format!("ipxe/node/{MAC}.ipxe"), format!("overlay/{MAC}.cpio.gz"));
    for (lacking, kind) in [
        ("ipxe/boot.ipxe", FaultKind::Missing),
        (&script, FaultKind::Missing),
        (&overlay, FaultKind::Missing),
    ] {
        let change = |dir: &Path| fs::remove_file(dir.join(lacking)).unwrap();
        found(&|root| forge_site(root, &change), &[(kind, lacking)]);
    }
    for (old, new) in
        [("set node node01", "set node node02"), ("set profile worker", "set profile all-in-one")]
    {
        let change = |dir: &Path| {
            let text = fs::read_to_string(dir.join(&script)).unwrap();
            fs::write(dir.join(&script), text.replace(old, new)).unwrap();
        };
        found(&|root| forge_site(root, &change), &[(FaultKind::Swapped, &script)]);
    }
    let change = |dir: &Path| fs::write(dir.join(&overlay), "another overlay").unwrap();
    found(&|root| forge_site(root, &change), &[(FaultKind::Swapped, &overlay)]);
}

/// Changes the record of node01, and everything that is derived from it.
fn forge_arming(root: &Path, old: &str, new: &str) {
    let path = root.join("armed").join(MAC);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(old), "{text}");
    let mut text = text.replace(old, new);
    let until = text.split("\"until\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let rfc3339 = &time::format_description::well_known::Rfc3339;
    let seconds = time::OffsetDateTime::parse(&until, rfc3339).unwrap().unix_timestamp();
    let shown = until.replace('T', " ").replace('Z', " UTC");
    let lines: Vec<_> = text
        .lines()
        .map(|line| match line.split_once(" until ") {
            _ if line.starts_with("# until ") => format!("# until {seconds}"),
            Some((before, _)) => {
                format!("{before} until {shown}. plasmagen disarm node01 ends that earlier.")
            }
            None => line.to_owned(),
        })
        .collect();
    text = lines.join("\n") + "\n";
    fs::write(path, text).unwrap();
}

#[test]
fn an_arming_that_arm_could_not_have_made_is_told_of() {
    for (old, new, word) in [
        ("\"until\":\"2026-01-02T07", "\"until\":\"2099-01-02T07", "node01 is armed for longer than 7 days"),
        ("\"until\":\"2026-01-02T07:04:05", "\"until\":\"2026-01-09T03:04:06", "for longer than 7 days"),
        (
            "\"armed\":\"2026-01-02T03:04:05",
            "\"armed\":\"2026-01-02T03:06:05",
            "begins on 2026-01-02, which is in the",
        ),
        (
            "\"profile\":\"worker\"",
            "\"profile\":\"wrker\"",
            "armed for the image wrker, which does not exist",
        ),
    ] {
        let root = armed();
        forge_arming(root.path(), old, new);
        let found = faults(root.path());
        let is_told = |fault: &plasmagen::publish::Fault| {
            fault.kind == FaultKind::Changed
                && fault.path == format!("armed/{MAC}")
                && fault.message.starts_with("plasmagen arm did not write it: ")
                && fault.message.contains(word)
                && fault.message.ends_with("Run plasmagen disarm node01")
        };
        assert!(found.iter().any(is_told), "{word}: {found:?}");
    }
    // The longest arming, and a clock that is a little late.
    let root = armed();
    forge_arming(root.path(), "\"until\":\"2026-01-02T07:04:05", "\"until\":\"2026-01-09T03:05:05");
    forge_arming(root.path(), "\"armed\":\"2026-01-02T03:04:05", "\"armed\":\"2026-01-02T03:05:05");
    assert_eq!(faults(root.path()), []);
}

#[test]
fn a_base_that_no_node_can_have_is_told_of() {
    let root = armed();
    let nixos = root.path().join("nixos");
    fs::rename(nixos.join("worker"), nixos.join("gpu")).unwrap();
    let found = faults(root.path());
    let message = "no node boots this image: run plasmagen publish --remove gpu";
    assert!(found.iter().any(|fault| fault.path == "nixos/gpu" && fault.message == message), "{found:?}");
}
