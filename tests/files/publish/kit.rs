//! What the tests share: two versions of two bundles and of a site.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use plasmagen::artifact::{Artifact, ArtifactSet};
use plasmagen::image::{BundleManifest, Codec, InitrdSource, Recipe, build_bundle};
use plasmagen::publish::{
    ClusterNames, Fault, FaultKind, LoaderSource, PublicationTerms, PublishOutcome, PublishRequest,
    VerifyReport, VerifyRequirements, WebRootLock, publish, verify,
};
use tempfile::TempDir;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use test_kit::bzimage::bzimage;
use test_kit::{Version, memory, tree};

pub(crate) const NOW: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);
pub(crate) const MAC: &str = "52-54-00-12-34-56";

/// Bundles for two profiles and a site, in the old and in the new version.
pub(crate) struct Made {
    dir: TempDir,
}

impl Made {
    pub(crate) fn bundle(&self, profile: &str, version: Version) -> PathBuf {
        self.dir.path().join(format!("{profile}-{version:?}"))
    }

    pub(crate) fn site(&self, version: Version) -> PathBuf {
        self.dir.path().join(format!("inventory-{version:?}/site"))
    }

    /// The directory of builds of iPXE.
    pub(crate) fn builds(&self, version: Version) -> PathBuf {
        self.dir.path().join(format!("ipxe-{version:?}"))
    }

    pub(crate) fn manifest(&self, profile: &str, version: Version) -> BundleManifest {
        BundleManifest::parse(&fs::read(self.bundle(profile, version).join("manifest.json")).unwrap())
            .unwrap()
    }

    pub(crate) fn id(&self, profile: &str, version: Version) -> String {
        self.manifest(profile, version).id.to_string()
    }
}

pub(crate) static MADE: LazyLock<Made> = LazyLock::new(|| {
    let made = Made { dir: tempfile::tempdir().unwrap() };
    for version in [Version::Old, Version::New] {
        for profile in ["worker", "control-plane"] {
            bundle(&made.bundle(profile, version), profile, &format!("{version:?}"));
        }
        site(made.site(version).parent().unwrap(), &format!("{version:?}"));
        fs::create_dir(made.builds(version)).unwrap();
        fs::write(made.builds(version).join("undionly.kpxe"), format!("BIOS {version:?}")).unwrap();
    }
    made
});

/// Makes a bundle in `out` whose initrd says `text`.
pub(crate) fn bundle(out: &Path, profile: &str, text: &str) -> BundleManifest {
    let inputs = tempfile::tempdir().unwrap();
    let root = inputs.path().join("root");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("init"), format!("#!/bin/sh\n# {text}\n")).unwrap();
    fs::write(inputs.path().join("kernel"), bzimage()).unwrap();
    let recipe = Recipe {
        base: profile.to_owned(),
        arch: None,
        kernel: inputs.path().join("kernel"),
        initrd: InitrdSource::Directory(root),
        overlays: Vec::new(),
        init: Some("/init".to_owned()),
        command_line: "quiet".to_owned(),
        codec: Codec::Gzip(6),
    };
    build_bundle(&recipe, out, &|_| {}).unwrap().manifest
}

/// Renders a site that says `text` into `root`.
pub(crate) fn site(root: &Path, text: &str) {
    fs::create_dir_all(root).unwrap();
    let mut set = ArtifactSet::default();
    let node = format!("#!ipxe\n# {text}\nset node node01\nset profile worker\n");
    for (path, body) in [
        ("site/pxe/dhcpd.conf".to_owned(), text.to_owned()),
        ("site/www/ipxe/boot.ipxe".to_owned(), format!("#!ipxe\n# {text}\n")),
        (format!("site/www/ipxe/node/{MAC}.ipxe"), node),
        ("site/www/index.html".to_owned(), text.to_owned()),
        ("nodes/x/disko.nix".to_owned(), text.to_owned()),
    ] {
        set.insert(Artifact::new(path, body).unwrap()).unwrap();
    }
    let lock = plasmagen::write::SiteLock::acquire(root).unwrap();
    plasmagen::write::commit(&lock, &set, plasmagen::write::CommitOptions::default(), || Ok(())).unwrap();
}

/// The names of a cluster that was never renamed.
pub(crate) fn named(name: &str) -> Option<ClusterNames<'_>> {
    Some(ClusterNames { name, former: &[] })
}

/// Terms of a publication at `now`, for no cluster in particular.
pub(crate) fn terms<'a>(now: OffsetDateTime) -> PublicationTerms<'a> {
    PublicationTerms {
        cluster: None,
        machines: &[],
        replaced_cluster: None,
        may_add_cluster: false,
        may_replace_images: false,
        may_replace_boot: false,
        signing_key: None,
        boot_signer: None,
        may_change_armed: false,
        now,
        life: Duration::days(90),
    }
}

/// Nothing, published at `now`.
pub(crate) fn request<'a>(now: OffsetDateTime) -> PublishRequest<'a> {
    let (terms, loaders) = (terms(now), LoaderSource::Unchanged);
    PublishRequest { bundles: &[], site: None, signatures: None, signed: false, loaders, keep: 1, terms }
}

/// Publishes `bundles` and a site at `now`.
pub(crate) fn put(
    root: &Path,
    bundles: &[PathBuf],
    site: Option<&Path>,
    now: OffsetDateTime,
) -> anyhow::Result<PublishOutcome> {
    let request = PublishRequest { bundles, site, ..request(now) };
    publish(&WebRootLock::acquire(root)?, &request, &|_| {})
}

/// Publishes everything in that version.
pub(crate) fn all(root: &Path, version: Version) -> anyhow::Result<PublishOutcome> {
    let bundles = ["worker", "control-plane"].map(|profile| MADE.bundle(profile, version));
    let (site, builds) = (MADE.site(version), MADE.builds(version));
    let loaders = LoaderSource::Dir(&builds);
    let request = PublishRequest { bundles: &bundles, site: Some(&site), loaders, ..request(NOW) };
    publish(&WebRootLock::acquire(root)?, &request, &|_| {})
}

/// Publishes everything in that version, also where an armed node boots another bundle then.
pub(crate) fn consent(root: &Path, version: Version) -> anyhow::Result<PublishOutcome> {
    let bundles = ["worker", "control-plane"].map(|profile| MADE.bundle(profile, version));
    let site = MADE.site(version);
    let terms = PublicationTerms { may_change_armed: true, ..terms(NOW) };
    let request = PublishRequest { bundles: &bundles, site: Some(&site), terms, ..request(NOW) };
    publish(&WebRootLock::acquire(root)?, &request, &|_| {})
}

/// A root that holds everything in that version, and in which the provisioner's timer runs.
pub(crate) fn holding(version: Version) -> TempDir {
    let root = memory::tempdir();
    if version != Version::None {
        all(root.path(), version).unwrap();
        run_timer(root.path(), NOW);
    }
    root
}

/// Leaves the stamp of the provisioner's timer at `now`.
pub(crate) fn run_timer(root: &Path, now: OffsetDateTime) {
    fs::create_dir_all(root.join("armed")).unwrap();
    fs::write(root.join("armed/.pxe-health"), format!("{}\n", now.unix_timestamp())).unwrap();
}

pub(crate) fn report(root: &Path) -> VerifyReport {
    verify(
        root,
        &VerifyRequirements { now: NOW, least: &[], signers: None, boot_signer: None, cluster: None },
        &|_| {},
    )
    .unwrap()
}

pub(crate) fn faults(root: &Path) -> Vec<Fault> {
    report(root).faults
}

/// The kinds of what is wrong, and where.
pub(crate) fn kinds(root: &Path) -> Vec<(FaultKind, String)> {
    faults(root).into_iter().map(|fault| (fault.kind, fault.path)).collect()
}

/// The kinds of what is wrong at `now`, when the provisioner's timer has just run, and where.
pub(crate) fn fault_kinds_at(root: &Path, now: OffsetDateTime) -> Vec<(FaultKind, String)> {
    if root.join("armed").exists() {
        run_timer(root, now);
    }
    let report = verify(
        root,
        &VerifyRequirements { now, least: &[], signers: None, boot_signer: None, cluster: None },
        &|_| {},
    )
    .unwrap();
    report.faults.into_iter().map(|fault| (fault.kind, fault.path)).collect()
}

/// What a machine finds that follows `current` of the worker's bundle, and one that asks for boot.ipxe: each is whole, or
/// this panics.
pub(crate) fn look(root: &Path, when: &str) -> (Version, Version) {
    let line = root.join("nixos/worker");
    let bundle = match fs::read_link(line.join("current")) {
        Err(_) => Version::None,
        Ok(id) => {
            let of = |version| Path::new(&MADE.id("worker", version)) == id;
            let version = [Version::Old, Version::New].into_iter().find(|version| of(*version));
            let version = version.unwrap_or_else(|| panic!("current is {id:?} {when}"));
            for name in ["bzImage", "initrd", "boot.ipxe", "manifest.json", "SHA256SUMS"] {
                let found = fs::read(line.join(&id).join(name));
                let found = found.unwrap_or_else(|error| panic!("{name} {when}: {error}"));
                let same = found == fs::read(MADE.bundle("worker", version).join(name)).unwrap();
                assert!(same, "{name} is torn {when}");
            }
            version
        }
    };
    let Ok(id) = fs::read_link(root.join("site/current")) else { return (bundle, Version::None) };
    let mut versions = Vec::new();
    for path in ["ipxe/boot.ipxe", &format!("ipxe/node/{MAC}.ipxe"), "index.html"] {
        let found = fs::read(root.join("site").join(&id).join(path));
        let found = found.unwrap_or_else(|error| panic!("{path} {when}: {error}"));
        let same = |version: &Version| found == fs::read(MADE.site(*version).join("www").join(path)).unwrap();
        let version = [Version::Old, Version::New].into_iter().find(same);
        versions.push(version.unwrap_or_else(|| panic!("{path} is torn {when}")));
        assert!(root.join(path).exists(), "{path} {when}");
    }
    versions.dedup();
    assert_eq!(versions.len(), 1, "half of a site {when}");
    (bundle, versions[0])
}

/// Modes and contents of everything in `root` but our state, by path.
pub(crate) fn snapshot(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut contents = tree::contents(root);
    contents.retain(|path, _| !path.starts_with(".plasmagen"));
    contents
}

/// The program.
pub(crate) const PLASMAGEN: &str = env!("CARGO_BIN_EXE_plasmagen");

/// The arguments that publish everything in that version into `root`.
pub(crate) fn arguments(root: &Path, version: Version) -> Vec<String> {
    let text = |path: PathBuf| path.to_str().unwrap().to_owned();
    let mut arguments = vec!["publish".to_owned()];
    arguments.extend(["worker", "control-plane"].map(|profile| text(MADE.bundle(profile, version))));
    arguments.extend(["--site".to_owned(), text(MADE.site(version))]);
    arguments.extend(["--ipxe".to_owned(), text(MADE.builds(version))]);
    arguments.extend(["--root".to_owned(), text(root.to_owned())]);
    arguments
}
