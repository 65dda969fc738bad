//! Who may write and read what is in a web root.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use plasmagen::publish::FaultKind;

use test_kit::Version;
use test_kit::process::is_root;

use crate::publish::armed::{arm_at, node, target};
use crate::publish::kit::{MAC, NOW, faults, holding};

/// Sets the mode of a file or directory.
fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A web root in which node01 is armed.
fn armed() -> tempfile::TempDir {
    let root = holding(Version::Old);
    arm_at(root.path(), &[target(&node("node01"), &[])], NOW, false).unwrap();
    fs::write(root.path().join("tftp/own.efi"), "my own").unwrap();
    root
}

#[test]
fn what_others_may_write_or_servers_cannot_read_is_told_of() {
    let root = armed();
    assert_eq!(faults(root.path()), []);
    let current = |channel: &str| {
        format!("{channel}/{}", fs::read_link(root.path().join(channel).join("current")).unwrap().display())
    };
    let (site, worker) = (current("site"), current("nixos/worker"));
    let armed = format!("armed/{MAC}");
    for (path, modes) in [
        (".".to_owned(), &[0o777, 0o775][..]),
        ("nixos".to_owned(), &[0o777, 0o700]),
        ("nixos/worker".to_owned(), &[0o775, 0o711]),
        ("site".to_owned(), &[0o757]),
        (site.clone(), &[0o777]),
        (format!("{site}/ipxe"), &[0o777, 0o750]),
        (format!("{site}/ipxe/node"), &[0o1777]),
        (format!("{site}/publication.json"), &[0o666, 0o600]),
        (format!("{worker}/initrd"), &[0o664]),
        ("armed".to_owned(), &[0o777, 0o700]),
        (armed, &[0o666, 0o600, 0o640]),
        ("tftp".to_owned(), &[0o777]),
        ("tftp/own.efi".to_owned(), &[0o666, 0o600]),
        (".plasmagen".to_owned(), &[0o777]),
        (".plasmagen/web-root.json".to_owned(), &[0o666]),
    ] {
        let place = root.path().join(&path);
        let before = fs::metadata(&place).unwrap().permissions().mode();
        for mode in modes {
            set_mode(&place, *mode);
            let found = faults(root.path());
            assert!(found.len() == 1 && found[0].kind == FaultKind::Mode, "{path} {mode:o}: {found:?}");
            assert_eq!(found[0].path, path, "{mode:o}");
        }
        set_mode(&place, before);
    }
    // Nobody but plasmagen reads its state.
    set_mode(&root.path().join(".plasmagen"), 0o700);
    assert_eq!(faults(root.path()), []);
}

#[test]
fn what_belongs_to_others_is_told_of() {
    assert!(is_root(), "only root can give files away: run the tests as root");
    let root = armed();
    for path in ["site", "nixos/worker/current/initrd", "armed", "tftp/own.efi", ".plasmagen/web-root.json"] {
        let place = root.path().join(path);
        chown(&place, Some(65534), None).unwrap();
        let found = faults(root.path());
        assert!(found.len() == 1 && found[0].kind == FaultKind::Mode, "{path}: {found:?}");
        assert!(found[0].message.starts_with("it belongs to the user 65534, who may write it"), "{found:?}");
        chown(&place, Some(0), None).unwrap();
    }
    // The owner of the web root may write everything anyway.
    chown(root.path(), Some(65534), None).unwrap();
    chown(root.path().join("site"), Some(65534), None).unwrap();
    assert_eq!(faults(root.path()), []);
}
