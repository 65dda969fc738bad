//! Builds of iPXE in tftp/.

use std::fs;
use std::path::Path;

use plasmagen::publish::{FaultKind, InstalledLoader, WebRootLock, install_loaders};

use test_kit::Version;

use crate::publish::kit::{faults, holding, kinds};

/// A PE image for that machine, see the PE format's "Machine Types".
fn pe(machine: u16, text: &str) -> Vec<u8> {
    let mut image = vec![0; 0x80];
    image[..2].copy_from_slice(b"MZ");
    image[0x3c] = 0x40;
    image[0x40..0x44].copy_from_slice(b"PE\0\0");
    image[0x44..0x46].copy_from_slice(&machine.to_le_bytes());
    image.extend_from_slice(text.as_bytes());
    image
}

fn files(dir: &Path, text: &str) {
    fs::create_dir_all(dir.join("arm64-efi")).unwrap();
    fs::write(dir.join("undionly.kpxe"), format!("BIOS {text}")).unwrap();
    fs::write(dir.join("ipxe-x86_64.efi"), pe(0x8664, text)).unwrap();
    fs::write(dir.join("arm64-efi/snponly.efi"), pe(0xaa64, text)).unwrap();
}

#[test]
fn builds_are_found_by_any_name_and_kept_when_they_are_ones_own() {
    let (root, place) = (holding(Version::Old), tempfile::tempdir().unwrap());
    files(place.path(), "one");
    // A name that lies about its machine.
    fs::write(place.path().join("ipxe.efi"), pe(0xaa64, "lies")).unwrap();
    let run = || {
        let (done, lacking) =
            install_loaders(&WebRootLock::acquire(root.path()).unwrap(), Some(place.path())).unwrap();
        (done, lacking.into_iter().map(|loader| loader.file).collect::<Vec<_>>())
    };
    let (done, lacking) = run();
    assert_eq!(lacking, ["ipxe-ia32.efi"]);
    assert_eq!(done["ipxe.efi"], InstalledLoader::Copied(place.path().join("ipxe-x86_64.efi")));
    let tftp = root.path().join("tftp");
    assert_eq!(fs::read(tftp.join("ipxe-arm64.efi")).unwrap(), pe(0xaa64, "one"));
    assert_eq!(run().0["ipxe.efi"], InstalledLoader::Same);
    assert_eq!(faults(root.path()), []);
    // Somebody's own build, in the place of one of ours: told of, and not replaced unless a directory is named.
    fs::write(tftp.join("ipxe.efi"), pe(0x8664, "mine")).unwrap();
    assert_eq!(kinds(root.path()), [(FaultKind::Changed, "tftp/ipxe.efi".to_owned())]);
    let (done, _) = install_loaders(&WebRootLock::acquire(root.path()).unwrap(), None).unwrap();
    assert_eq!(done["ipxe.efi"], InstalledLoader::Kept);
    assert_eq!(fs::read(tftp.join("ipxe.efi")).unwrap(), pe(0x8664, "mine"));
    run();
    assert_eq!(fs::read(tftp.join("ipxe.efi")).unwrap(), pe(0x8664, "one"));
    assert_eq!(faults(root.path()), []);
}

/// Of what a distribution has, the build with the firmware's own driver comes first; in a directory that somebody names,
/// the build that bears the name.
#[test]
fn the_firmware_s_own_driver_comes_first_unless_a_directory_is_named() {
    let root = holding(Version::Old);
    let (done, _) = install_loaders(&WebRootLock::acquire(root.path()).unwrap(), None).unwrap();
    assert_eq!(done["ipxe.efi"], InstalledLoader::Copied("/usr/lib/ipxe/snponly.efi".into()));
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("snponly.efi"), pe(0x8664, "small")).unwrap();
    fs::write(place.path().join("ipxe.efi"), pe(0x8664, "whole")).unwrap();
    let (done, _) = install_loaders(&WebRootLock::acquire(root.path()).unwrap(), Some(place.path())).unwrap();
    assert_eq!(done["ipxe.efi"], InstalledLoader::Copied(place.path().join("ipxe.efi")));
}
