//! Reading a bundle: what its manifest says must agree with itself, with `SHA256SUMS` and with what lies there.

use anyhow::Result;

use super::contents::{Contents, Expected};
use super::fault::{Fault, Kind};
use super::publication::PUBLICATION;
use crate::fs::{Dir, Sha256Sum};
use crate::image::{BundleManifest, INITRD, KERNEL, MANIFEST, SCRIPT, SUMS};
use crate::model::{Label, Word};

/// A bundle whose manifest can be trusted to mean what it says.
#[derive(Clone, Debug)]
pub(super) struct Bundle {
    pub(super) manifest: BundleManifest,
    pub(super) contents: Contents,
}

/// Reads the manifest in `dir`, which messages call `shown`, and compares it with all but the contents of the files.
///
/// None, and faults, where it is no manifest of a bundle.
pub(super) fn open(dir: &Dir, shown: &str, faults: &mut Vec<Fault>) -> Result<Option<Bundle>> {
    let mut fault = |kind, name: &str, message: String| {
        faults.push(Fault::new(kind, format!("{shown}{name}"), message));
    };
    if !dir.exists(MANIFEST)? {
        fault(Kind::Missing, MANIFEST, "without a manifest it is no bundle".to_owned());
        return Ok(None);
    }
    let parsed = dir.read_limited(MANIFEST).and_then(|text| Ok((BundleManifest::parse(&text)?, text)));
    let (manifest, text) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            fault(Kind::Changed, MANIFEST, format!("{error:#}"));
            return Ok(None);
        }
    };
    if let Err(message) = sound(&manifest) {
        fault(Kind::Changed, MANIFEST, message);
        return Ok(None);
    }
    let mut expected: Vec<_> = manifest
        .files
        .iter()
        .map(|(name, own)| Expected { path: name.clone(), bytes: Some(own.bytes), sha256: own.sha256 })
        .collect();
    let sums = manifest.print_sums()?;
    for (name, body) in [(MANIFEST, text.as_slice()), (SUMS, sums.as_bytes())] {
        let (bytes, sha256) = (Some(body.len() as u64), Sha256Sum::of(body));
        expected.push(Expected { path: name.to_owned(), bytes, sha256 });
    }
    // SHA256SUMS lists manifest.json as this program writes it: another spelling of the same is a change too.
    if text != manifest.print()? {
        fault(Kind::Changed, MANIFEST, "it is not as plasmagen writes it".to_owned());
    }
    let mut signatures = Vec::new();
    for own in &expected {
        let name = format!("{}.sig", own.path);
        if own.path != SUMS && dir.exists(&name)? {
            signatures.push(name);
        }
    }
    let contents = Contents { expected, signatures, manifest: Sha256Sum::of(&text) };
    contents.extra(dir, shown, faults)?;
    Ok(Some(Bundle { manifest, contents }))
}

/// Says what in a manifest nobody could have built.
fn sound(manifest: &BundleManifest) -> Result<(), String> {
    if let Err(why) = Label::parse(&manifest.base) {
        return Err(format!("its profile: {}", why.message));
    }
    for name in manifest.files.keys() {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let plain = (1..=255).contains(&name.len()) && name.bytes().all(legal) && !name.starts_with('.');
        if !plain || [MANIFEST, SUMS, PUBLICATION].contains(&name.as_str()) || name.ends_with(".sig") {
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

/// Whether the bundle in `dir` is `bundle`, which lies in `from`, with the same signatures; contents of files aside.
pub(super) fn same(dir: &Dir, from: &Dir, bundle: &Bundle) -> Result<bool> {
    let mut faults = Vec::new();
    let there = open(dir, "", &mut faults)?;
    let same = there.is_some_and(|own| {
        own.contents.manifest == bundle.contents.manifest
            && own.contents.signatures == bundle.contents.signatures
    });
    if !same || !faults.is_empty() {
        return Ok(false);
    }
    for name in &bundle.contents.signatures {
        if from.read_limited(name)? != dir.read_limited(name)? {
            return Ok(false);
        }
    }
    Ok(true)
}
