//! Reading what `plasmagen render` wrote for the web: `site/www`, with the digests of `site/manifest.json`.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::contents::{Contents, Expected};
use super::fault::{Fault, Kind};
use super::publication::PUBLICATION;
use super::root::{ARMED, NIXOS, Root, SITE, TFTP};
use super::signatures;
use crate::artifact::ArtifactPath;
use crate::fs::{Dir, Sha256Sum};
use crate::image::MANIFEST;
use crate::write::manifest::{self as rendered, ManifestEntry, TreeManifest};

/// Where render puts what is served.
const WWW: &str = "www";

/// The script that says what machines verify.
const BOOT: &str = "ipxe/boot.ipxe";

/// A site as render wrote it.
#[derive(Debug)]
pub(super) struct Site {
    /// `site/www`.
    pub(super) dir: Dir,
    pub(super) contents: Contents,
    /// The directory of its signatures, and what is taken from there.
    pub(super) signatures: Option<(Dir, Contents)>,
    /// The list of its files.
    pub(super) manifest: Vec<u8>,
}

impl Site {
    /// Opens the directory `path`, which render has written, and that of the signatures of its files.
    pub(super) fn open(path: &Path, signatures: Option<&Path>) -> Result<Self> {
        let open =
            |path: &Path| Dir::open(path).with_context(|| format!("could not open {}", path.display()));
        let site = open(path)?;
        let text = site.read_limited(MANIFEST);
        let text = text.with_context(|| {
            format!("could not read {}: plasmagen render writes it", path.join(MANIFEST).display())
        })?;
        let all = TreeManifest::parse(&text)
            .with_context(|| format!("could not read {}", path.join(MANIFEST).display()))?;
        let own = |(path, sum): (&str, Sha256Sum)| {
            Some((path.strip_prefix(WWW)?.strip_prefix('/')?.to_owned(), sum))
        };
        let files: Vec<_> = all.files().filter_map(own).collect();
        ensure!(!files.is_empty(), "{} has nothing for the web: run plasmagen render", path.display());
        for (path, _) in &files {
            ArtifactPath::new(path.as_str())?;
            let top = path.split('/').next().unwrap_or_default();
            let taken =
                [NIXOS, SITE, ARMED, TFTP, MANIFEST, PUBLICATION].contains(&top) || top.starts_with('.');
            ensure!(!taken, "www/{path} would stand in the place of plasmagen's own {top}");
        }
        let known: BTreeSet<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
        let signatures = signatures.map(|dir| signatures::open(dir, &known)).transpose()?;
        let expected: Vec<_> =
            files.into_iter().map(|(path, sum)| Expected { path, bytes: None, sha256: sum }).collect();
        let manifest = list(expected.iter().chain(signatures.iter().flat_map(|(_, own)| own)))?;
        let id = Sha256Sum::of(&manifest);
        let contents = |expected| Contents { expected, signatures: Vec::new(), manifest: id };
        let signatures = signatures.map(|(dir, own)| (dir, contents(own)));
        Ok(Self { dir: open(&path.join(WWW))?, contents: contents(expected), signatures, manifest })
    }

    /// Everything that is published.
    pub(super) fn all(&self) -> Contents {
        let mut all = self.contents.clone();
        all.expected.extend(self.signatures.iter().flat_map(|(_, own)| own.expected.clone()));
        all
    }

    /// Whether its machines boot nothing that is not signed.
    pub(super) fn asks_for_signatures(&self) -> bool {
        asks_for_signatures(&self.dir, BOOT)
    }

    /// What is wrong where machines boot nothing that is not signed: they fetch scripts and overlays.
    pub(super) fn unsigned(&self) -> Option<Fault> {
        let signatures = self.signatures.iter().flat_map(|(_, own)| &own.expected);
        let signed: BTreeSet<&str> = signatures.filter_map(|own| own.path.strip_suffix(".sig")).collect();
        let fetched = |path: &&str| path.starts_with("ipxe/") || path.starts_with("overlay/");
        let files = self.contents.expected.iter().map(|own| own.path.as_str());
        signatures::lacking(files.filter(fetched).filter(|path| !signed.contains(path)))
    }

    /// The id of the generation: the digest of its list of files.
    pub(super) fn id(&self) -> Sha256Sum {
        self.contents.manifest
    }

    /// Its entries of the topmost level, which machines reach below the root.
    pub(super) fn names(&self) -> Vec<String> {
        names(&self.contents)
    }
}

/// The same of the site that is published.
pub(super) fn published_asks_for_signatures(root: &Root) -> Result<bool> {
    let Some(line) = super::line::Line::open(root, SITE)? else { return Ok(false) };
    // A link that leads nowhere is for verify to tell of.
    let current = line.current().ok().flatten();
    Ok(current.is_some_and(|id| asks_for_signatures(&line.dir, &format!("{id}/{BOOT}"))))
}

fn asks_for_signatures(dir: &Dir, script: &str) -> bool {
    let asks = |text: Vec<u8>| text.split(|byte| *byte == b'\n').any(|line| line == b"set verify signature");
    dir.read_limited(script).is_ok_and(asks)
}

/// The list of `files`, by path.
fn list<'a>(files: impl Iterator<Item = &'a Expected>) -> Result<Vec<u8>> {
    let mut files: Vec<_> = files.collect();
    files.sort_by_key(|own| own.path.as_str());
    rendered::print(files.into_iter().map(|own| ManifestEntry {
        path: own.path.as_str().into(),
        sha256: own.sha256,
        executable: false,
    }))
}

/// The topmost entries of a site.
pub(super) fn names(contents: &Contents) -> Vec<String> {
    let top = |own: &Expected| own.path.split('/').next().unwrap_or_default().to_owned();
    let mut names: Vec<_> = contents.expected.iter().map(top).filter(|name| name != MANIFEST).collect();
    names.dedup();
    names
}

/// Reads the list of a published site in `dir`.
pub(super) fn published(dir: &Dir, shown: &str, faults: &mut Vec<Fault>) -> Result<Option<Contents>> {
    let mut fault =
        |kind, message: String| faults.push(Fault::new(kind, format!("{shown}{MANIFEST}"), message));
    if !dir.exists(MANIFEST)? {
        fault(Kind::Missing, "without a list of its files it is no site".to_owned());
        return Ok(None);
    }
    let parse = |text: Vec<u8>| {
        let list = TreeManifest::parse(&text)?;
        let mut expected = Vec::new();
        for (path, sum) in list.files() {
            if path == MANIFEST || path == PUBLICATION {
                bail!("it lists {path}");
            }
            ArtifactPath::new(path)?;
            expected.push(Expected { path: path.to_owned(), bytes: None, sha256: sum });
        }
        let manifest = Sha256Sum::of(&text);
        expected.push(Expected { path: MANIFEST.to_owned(), bytes: None, sha256: manifest });
        anyhow::Ok(Contents { expected, signatures: Vec::new(), manifest })
    };
    match dir.read_limited(MANIFEST).and_then(parse) {
        Ok(contents) => {
            contents.extra(dir, shown, faults)?;
            Ok(Some(contents))
        }
        Err(error) => {
            fault(Kind::Changed, format!("{error:#}"));
            Ok(None)
        }
    }
}
