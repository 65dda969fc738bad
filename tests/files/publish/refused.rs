//! A publication that is refused, or that fails, leaves the web root as it was.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use plasmagen::artifact::{Artifact, ArtifactSet};
use plasmagen::publish::{
    DisarmSelection, PublicationTerms, PublishRequest, SigningKey, WebRoot, WebRootLock, disarm, publish,
};
use plasmagen::write::{CommitOptions, SiteLock, commit};
use tempfile::TempDir;

use test_kit::Version;
use test_kit::strace::{inject, strace};

use crate::publish::armed::{arm_at, node, target};
use crate::publish::kit::{MADE, NOW, PLASMAGEN, faults, holding, put, request, snapshot, terms};

/// A web root of the old version, with an empty directory that has a name of the next site.
fn root() -> TempDir {
    let root = holding(Version::Old);
    fs::create_dir(root.path().join("extra")).unwrap();
    fs::set_permissions(root.path().join("extra"), fs::Permissions::from_mode(0o750)).unwrap();
    root
}

/// Renders a site into `dir` with two topmost names that the old version lacks, and with no script of a node.
fn next_site(dir: &Path) -> PathBuf {
    let mut set = ArtifactSet::default();
    for path in ["extra/file", "fresh/file", "ipxe/boot.ipxe", "index.html"] {
        set.insert(Artifact::new(format!("site/www/{path}"), "next").unwrap()).unwrap();
    }
    let lock = SiteLock::acquire(dir).unwrap();
    commit(&lock, &set, CommitOptions::default(), || Ok(())).unwrap();
    dir.join("site")
}

#[test]
fn an_armed_node_keeps_the_names_of_the_web_root_as_they_were() {
    let (root, rendered) = (root(), tempfile::tempdir().unwrap());
    let site = next_site(rendered.path());
    let served = WebRoot::open(root.path()).unwrap();
    arm_at(root.path(), &[target(&node("node01"), &[])], NOW, false).unwrap();
    let before = snapshot(root.path());
    let refusal = put(root.path(), &[], Some(&site), NOW).unwrap_err().to_string();
    assert!(
        refusal.starts_with("armed nodes would lose their scripts, and nothing was changed"),
        "{refusal}"
    );
    assert_eq!(snapshot(root.path()), before);
    disarm(&served, DisarmSelection::All).unwrap();
    put(root.path(), &[], Some(&site), NOW).unwrap();
    for name in ["extra", "fresh"] {
        let link = fs::read_link(root.path().join(name)).unwrap();
        assert_eq!(link, Path::new("site/current").join(name));
    }
    assert_eq!(fs::read_to_string(root.path().join("extra/file")).unwrap(), "next");
}

/// The links of the two names, and that of `current`.
#[test]
fn a_disk_that_refuses_a_link_takes_no_name_away() {
    let rendered = tempfile::tempdir().unwrap();
    let site = next_site(rendered.path());
    for nth in 1..=3 {
        let root = root();
        let before = snapshot(root.path());
        let mut command = Command::new(PLASMAGEN);
        command.args(["publish", "--ipxe", "nowhere", "--site"]).arg(&site).arg("--root").arg(root.path());
        let traced =
            strace(Command::new("strace"), &inject("symlinkat", "error=EIO", nth), &mut command, b"");
        assert!(traced.log.contains("(INJECTED)"), "{nth}: {}", traced.log);
        assert_eq!(traced.output.status.code(), Some(2), "{nth}: {:?}", traced.output);
        let mut after = snapshot(root.path());
        // The generation to which no link leads yet may stay: the next run replaces it.
        after.retain(|path, _| before.contains_key(path) || !path.starts_with("site"));
        assert_eq!(after, before, "{nth}");
        put(root.path(), &[], Some(&site), NOW).unwrap();
        assert_eq!(fs::read_to_string(root.path().join("fresh/file")).unwrap(), "next");
        let told = faults(root.path());
        assert!(told.iter().all(|fault| fault.message.contains("expired")), "{nth}: {told:?}");
    }
}

#[test]
fn a_key_that_does_not_sign_makes_no_channel() {
    let (root, keys) = (holding(Version::Old), tempfile::tempdir().unwrap());
    let (added, key) = (keys.path().join("bundle"), keys.path().join("key"));
    crate::publish::kit::bundle(&added, "all-in-one", "added");
    fs::write(&key, "no key\n").unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let before = snapshot(root.path());
    let signing_key = SigningKey::open(&key).unwrap();
    let terms = PublicationTerms { signing_key: Some(&signing_key), ..terms(NOW) };
    let bundles = [added, MADE.bundle("worker", Version::New)];
    let request = PublishRequest { bundles: &bundles, terms, ..request(NOW) };
    let refusal = publish(&WebRootLock::acquire(root.path()).unwrap(), &request, &|_| {}).unwrap_err();
    assert!(format!("{refusal:#}").contains("ssh-keygen could not sign with "), "{refusal:#}");
    assert_eq!(snapshot(root.path()), before);
}
