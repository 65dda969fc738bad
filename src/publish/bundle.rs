//! Reads a bundle: its manifest must agree with itself, with `SHA256SUMS` and with the files in the directory.

use anyhow::Result;

use super::contents::{Contents, ExpectedFile};
use super::fault::{Fault, FaultKind};
use super::publication::PUBLICATION;
use crate::artifact::ArtifactPath;
use crate::fs::{Dir, Sha256Sum, TEXT_LIMIT};
use crate::image::{BundleManifest, INITRD, KERNEL, MANIFEST, SCRIPT, SUMS};
use crate::model::{Label, Word};

/// A bundle with a sound manifest.
#[derive(Clone, Debug)]
pub(super) struct Bundle {
    pub(super) manifest: BundleManifest,
    pub(super) contents: Contents,
}

/// Reads the manifest in `dir` and compares it with everything but the contents of the files. Messages have `prefix` before
/// each path.
///
/// Returns none, and faults, where there is no sound manifest of a bundle.
pub(super) fn read_bundle(dir: &Dir, prefix: &str, faults: &mut Vec<Fault>) -> Result<Option<Bundle>> {
    let mut fault = |kind, name: &str, message: String| {
        faults.push(Fault::new(kind, format!("{prefix}{name}"), message));
    };
    if !dir.exists(MANIFEST)? {
        fault(FaultKind::Missing, MANIFEST, "without a manifest it is no bundle".to_owned());
        return Ok(None);
    }
    let read = || {
        let text = dir.read_limited(MANIFEST, TEXT_LIMIT)?;
        anyhow::Ok((BundleManifest::parse(&text)?, text))
    };
    let (manifest, text) = match read() {
        Ok(parsed) => parsed,
        Err(error) => {
            fault(FaultKind::Changed, MANIFEST, format!("{error:#}"));
            return Ok(None);
        }
    };
    if let Err(message) = check_manifest(&manifest) {
        fault(FaultKind::Changed, MANIFEST, message);
        return Ok(None);
    }
    // SHA256SUMS has the digest of manifest.json as this program prints it: another spelling is a change, too.
    if text != manifest.print()? {
        fault(FaultKind::Changed, MANIFEST, "it is not as plasmagen writes it".to_owned());
    }
    let contents = list_contents(dir, &manifest, &text)?;
    contents.report_extra(dir, prefix, faults)?;
    Ok(Some(Bundle { manifest, contents }))
}

/// Lists the files of a bundle, whose manifest has that `text`, and the signatures that are in `dir`.
fn list_contents(dir: &Dir, manifest: &BundleManifest, text: &[u8]) -> Result<Contents> {
    let listed = manifest.files.iter();
    let mut expected: Vec<_> = listed
        .map(|(name, facts)| ExpectedFile {
            path: name.clone(),
            bytes: Some(facts.bytes),
            sha256: facts.sha256,
        })
        .collect();
    let sums = manifest.print_sums()?;
    for (name, body) in [(MANIFEST, text), (SUMS, sums.as_bytes())] {
        let (bytes, sha256) = (Some(body.len() as u64), Sha256Sum::of(body));
        expected.push(ExpectedFile { path: name.to_owned(), bytes, sha256 });
    }
    let mut signatures = Vec::new();
    for file in &expected {
        let name = format!("{}.sig", file.path);
        if file.path != SUMS && dir.exists(&name)? {
            signatures.push(name);
        }
    }
    Ok(Contents { expected, signatures, manifest: Sha256Sum::of(text) })
}

/// Refuses a manifest that no build of a bundle writes.
fn check_manifest(manifest: &BundleManifest) -> Result<(), String> {
    if let Err(why) = Label::parse(&manifest.base) {
        return Err(format!("its base: {}", why.message));
    }
    for name in manifest.files.keys() {
        let is_plain =
            ArtifactPath::new(name.as_str()).is_ok() && !name.contains('/') && !name.starts_with('.');
        if !is_plain || [MANIFEST, SUMS, PUBLICATION].contains(&name.as_str()) || name.ends_with(".sig") {
            return Err(format!("it lists {name:?}, which is no name of a file in a bundle"));
        }
    }
    if let Some(lacking) =
        [KERNEL, INITRD, SCRIPT].into_iter().find(|name| !manifest.files.contains_key(*name))
    {
        return Err(format!("it lists no {lacking}"));
    }
    if manifest.compute_id() != Some(manifest.id) {
        return Err(
            "its id is not that of the kernel, the initrd and the command line that it lists".to_owned()
        );
    }
    Ok(())
}

/// Whether `dir` holds the bundle `bundle`, which was read from `from`, with equal signatures. Contents of files are not
/// compared.
pub(super) fn is_same_bundle(dir: &Dir, from: &Dir, bundle: &Bundle) -> Result<bool> {
    let mut faults = Vec::new();
    let found = read_bundle(dir, "", &mut faults)?;
    let is_same = found.is_some_and(|found| {
        found.contents.manifest == bundle.contents.manifest
            && found.contents.signatures == bundle.contents.signatures
    });
    if !is_same || !faults.is_empty() {
        return Ok(false);
    }
    for name in &bundle.contents.signatures {
        if from.read_limited(name, TEXT_LIMIT)? != dir.read_limited(name, TEXT_LIMIT)? {
            return Ok(false);
        }
    }
    Ok(true)
}
