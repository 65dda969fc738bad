//! Builds of iPXE in tftp/.

use std::fs;
use std::path::Path;

use plasmagen::publish::{
    FaultKind, InstalledLoader, LoaderOutcome, LoaderSource, PublicationTerms, PublishRequest, Signers,
    SigningKey, VerifyRequirements, WebRootLock, publish, roll_back, verify,
};
use tempfile::TempDir;

use test_kit::{Version, run};

use crate::publish::kit::{MADE, NOW, faults, holding, kinds, request, terms};
use crate::publish::signers::key;

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

/// Publishes the old site with builds of iPXE.
fn install(root: &Path, loaders: LoaderSource<'_>) -> LoaderOutcome {
    let site = MADE.site(Version::Old);
    let request = PublishRequest { site: Some(&site), loaders, ..request(NOW) };
    publish(&WebRootLock::acquire(root).unwrap(), &request, &|_| {}).unwrap().loaders
}

#[test]
fn builds_are_found_by_any_name_and_kept_when_they_are_ones_own() {
    let (root, place) = (holding(Version::Old), tempfile::tempdir().unwrap());
    files(place.path(), "one");
    // A name that lies about its machine.
    fs::write(place.path().join("ipxe.efi"), pe(0xaa64, "lies")).unwrap();
    let run = || install(root.path(), LoaderSource::Dir(place.path()));
    let LoaderOutcome { installed, missing, .. } = run();
    assert_eq!(missing.iter().map(|loader| loader.file).collect::<Vec<_>>(), ["ipxe-ia32.efi"]);
    assert_eq!(installed["ipxe.efi"], InstalledLoader::Copied(place.path().join("ipxe-x86_64.efi")));
    let tftp = root.path().join("tftp");
    assert_eq!(fs::read(tftp.join("ipxe-arm64.efi")).unwrap(), pe(0xaa64, "one"));
    assert_eq!(run().installed["ipxe.efi"], InstalledLoader::Same);
    assert_eq!(faults(root.path()), []);
    // Somebody's own build, in the place of one of ours: told of, and not replaced unless a directory is named.
    fs::write(tftp.join("ipxe.efi"), pe(0x8664, "mine")).unwrap();
    assert_eq!(kinds(root.path()), [(FaultKind::Changed, "tftp/ipxe.efi".to_owned())]);
    assert_eq!(install(root.path(), LoaderSource::Packages).installed["ipxe.efi"], InstalledLoader::Kept);
    assert_eq!(fs::read(tftp.join("ipxe.efi")).unwrap(), pe(0x8664, "mine"));
    assert_eq!(faults(root.path()), []);
    run();
    assert_eq!(fs::read(tftp.join("ipxe.efi")).unwrap(), pe(0x8664, "one"));
    assert_eq!(faults(root.path()), []);
    // A directory without builds takes nothing away.
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(
        install(root.path(), LoaderSource::Dir(empty.path())).installed["ipxe.efi"],
        InstalledLoader::Same
    );
    fs::remove_file(tftp.join("ipxe.efi")).unwrap();
    assert_eq!(kinds(root.path()), [(FaultKind::Missing, "tftp/ipxe.efi".to_owned())]);
}

/// A publish that died after it had copied a build, and before the site that was to name the build.
#[test]
fn a_build_that_a_killed_run_has_copied_is_no_stranger() {
    let (root, place) = (holding(Version::Old), tempfile::tempdir().unwrap());
    files(place.path(), "one");
    install(root.path(), LoaderSource::Dir(place.path()));
    let tftp = root.path().join("tftp/ipxe.efi");
    // In the same place; and in a newer version, of which only the record knows.
    for text in ["one", "two"] {
        fs::write(&tftp, pe(0x8664, text)).unwrap();
        let record = root.path().join(".plasmagen/loaders.json");
        fs::write(
            &record,
            format!("{{\"ipxe.efi\": \"{}\"}}", plasmagen::fs::Sha256Sum::of(&pe(0x8664, text))),
        )
        .unwrap();
        let installed = install(root.path(), LoaderSource::Packages).installed;
        assert_ne!(installed["ipxe.efi"], InstalledLoader::Kept, "{text}");
        assert_eq!(faults(root.path()), []);
        install(root.path(), LoaderSource::Dir(place.path()));
    }
}

/// Of what a distribution has, the build with the firmware's own driver comes first; in a directory that somebody names,
/// the build that bears the name.
#[test]
fn the_firmware_s_own_driver_comes_first_unless_a_directory_is_named() {
    let root = holding(Version::Old);
    let installed = install(root.path(), LoaderSource::Packages).installed;
    assert_eq!(installed["ipxe.efi"], InstalledLoader::Copied("/usr/lib/ipxe/snponly.efi".into()));
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("snponly.efi"), pe(0x8664, "small")).unwrap();
    fs::write(place.path().join("ipxe.efi"), pe(0x8664, "whole")).unwrap();
    let installed = install(root.path(), LoaderSource::Dir(place.path())).installed;
    assert_eq!(installed["ipxe.efi"], InstalledLoader::Copied(place.path().join("ipxe.efi")));
}

/// A web root whose site was published with builds of iPXE and signed.
struct Signed {
    root: TempDir,
    key: SigningKey,
    signers: Signers,
    _keys: TempDir,
}

impl Signed {
    fn new() -> Self {
        let (root, keys, place) =
            (holding(Version::None), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        files(place.path(), "one");
        let (private, public) = key(keys.path(), "ed25519", "");
        let signers = Signers::of_keys([public.as_str()].into_iter()).unwrap();
        let signed = Self { root, key: SigningKey::open(&private).unwrap(), signers, _keys: keys };
        for version in [Version::Old, Version::New] {
            signed.publish(version, LoaderSource::Dir(place.path()));
        }
        assert_eq!(signed.kinds(), []);
        signed
    }

    fn terms(&self) -> PublicationTerms<'_> {
        PublicationTerms { signing_key: Some(&self.key), ..terms(NOW) }
    }

    fn publish(&self, version: Version, loaders: LoaderSource<'_>) {
        let site = MADE.site(version);
        let request = PublishRequest { site: Some(&site), loaders, terms: self.terms(), ..request(NOW) };
        publish(&WebRootLock::acquire(self.root.path()).unwrap(), &request, &|_| {}).unwrap();
    }

    /// The faults of which verify tells where signatures are asked for.
    fn kinds(&self) -> Vec<(FaultKind, String)> {
        let required = VerifyRequirements {
            now: NOW,
            least: &[],
            signers: Some(&self.signers),
            boot_signer: None,
            cluster: None,
        };
        let found = verify(self.root.path(), &required, &|_| {}).unwrap().faults;
        found.into_iter().map(|fault| (fault.kind, fault.path)).collect()
    }
}

#[test]
fn a_signature_covers_the_builds_that_machines_load() {
    let changed = vec![(FaultKind::Changed, "tftp/ipxe.efi".to_owned())];
    let signed = Signed::new();
    let (tftp, state) = (signed.root.path().join("tftp"), signed.root.path().join(".plasmagen"));
    fs::write(tftp.join("ipxe.efi"), pe(0x8664, "forged")).unwrap();
    assert_eq!(signed.kinds(), changed);
    // Whatever stands in plasmagen's record.
    fs::remove_file(state.join("loaders.json")).unwrap();
    assert_eq!(signed.kinds(), changed);
    fs::write(state.join("loaders.json"), "{}").unwrap();
    assert_eq!(signed.kinds(), changed);
    // The publication is what is signed.
    let path = signed.root.path().join("site/current/publication.json");
    let text = fs::read_to_string(&path).unwrap();
    let [old, new] =
        [pe(0x8664, "one"), pe(0x8664, "forged")].map(|body| plasmagen::fs::Sha256Sum::of(&body).to_string());
    assert!(text.contains(&old), "{text}");
    fs::write(&path, text.replace(&old, &new)).unwrap();
    let found = signed.kinds();
    assert!(found.len() == 1 && found[0].0 == FaultKind::Unsigned, "{found:?}");
    // A roll back keeps the builds that are there.
    let signed = Signed::new();
    roll_back(&WebRootLock::acquire(signed.root.path()).unwrap(), "site", &signed.terms()).unwrap();
    assert_eq!(signed.kinds(), []);
    fs::remove_file(signed.root.path().join("tftp/undionly.kpxe")).unwrap();
    assert_eq!(signed.kinds(), [(FaultKind::Missing, "tftp/undionly.kpxe".to_owned())]);
}

#[test]
fn a_build_of_which_no_publication_knows_is_unsigned() {
    let signed = Signed::new();
    let tftp = signed.root.path().join("tftp");
    fs::write(tftp.join("snp.efi"), "my own").unwrap();
    std::os::unix::fs::symlink("/etc/loader", tftp.join("link")).unwrap();
    fs::create_dir(tftp.join("pxelinux.cfg")).unwrap();
    assert_eq!(faults(signed.root.path()), []);
    let unsigned =
        ["link", "pxelinux.cfg", "snp.efi"].map(|name| (FaultKind::Unsigned, format!("tftp/{name}")));
    assert_eq!(signed.kinds(), unsigned);
    // A pipe has no content to serve, with signatures or without.
    let signed = Signed::new();
    let tftp = signed.root.path().join("tftp");
    fs::remove_file(tftp.join("ipxe.efi")).unwrap();
    for name in ["ipxe.efi", "pipe"] {
        let path = tftp.join(name);
        let mut mkfifo = std::process::Command::new("mkfifo");
        assert!(run("coreutils", mkfifo.args(["-m", "644"]).arg(path)).status.success());
    }
    let expected =
        [(FaultKind::Changed, "tftp/ipxe.efi".to_owned()), (FaultKind::Extra, "tftp/pipe".to_owned())];
    assert_eq!((signed.kinds(), kinds(signed.root.path())), (expected.to_vec(), expected.to_vec()));
}
