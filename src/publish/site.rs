//! Reading what `plasmagen render` wrote for the web: `site/www`, with the digests of `site/manifest.json`.

use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use rustix::fs::{Mode, OFlags};

use super::contents::{Contents, Expected, read, sum};
use super::fault::{Fault, Kind};
use super::publication::PUBLICATION;
use super::root::{ARMED, NIXOS, SITE, TFTP, exists};
use crate::artifact::ArtifactPath;
use crate::image::{MANIFEST, Sha256Sum};
use crate::write::manifest::{self as rendered, Digest, Line};

/// Where render puts what is served.
const WWW: &str = "www";

/// A site as render wrote it.
#[derive(Debug)]
pub(super) struct Site {
    /// `site/www`.
    pub(super) dir: OwnedFd,
    pub(super) contents: Contents,
    /// The list of its files.
    pub(super) manifest: Vec<u8>,
}

impl Site {
    /// Opens the directory `path`, which render has written.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let open = |path: &Path| {
            rustix::fs::open(path, flags, Mode::empty())
                .with_context(|| format!("could not open {}", path.display()))
        };
        let site = open(path)?;
        let text = read(&site, MANIFEST);
        let text = text.with_context(|| {
            format!("could not read {}: plasmagen render writes it", path.join(MANIFEST).display())
        })?;
        let all = rendered::Manifest::parse(&text)
            .with_context(|| format!("could not read {}", path.join(MANIFEST).display()))?;
        let own =
            |(path, sum): (&str, Digest)| Some((path.strip_prefix(WWW)?.strip_prefix('/')?.to_owned(), sum));
        let files: Vec<_> = all.files().filter_map(own).collect();
        ensure!(!files.is_empty(), "{} has nothing for the web: run plasmagen render", path.display());
        for (path, _) in &files {
            ArtifactPath::new(path.as_str())?;
            let top = path.split('/').next().unwrap_or_default();
            let taken =
                [NIXOS, SITE, ARMED, TFTP, MANIFEST, PUBLICATION].contains(&top) || top.starts_with('.');
            ensure!(!taken, "www/{path} would stand in the place of plasmagen's own {top}");
        }
        let lines = files.iter().map(|(path, sum)| Line {
            path: path.as_str().into(),
            sha256: *sum,
            executable: false,
        });
        let manifest = rendered::print(lines)?;
        let expected = files
            .into_iter()
            .map(|(path, sum)| Expected { path, bytes: None, sha256: Sha256Sum(sum.0) })
            .collect();
        let contents = Contents { expected, signatures: Vec::new(), manifest: sum(&manifest) };
        Ok(Self { dir: open(&path.join(WWW))?, contents, manifest })
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

/// The topmost entries of a site.
pub(super) fn names(contents: &Contents) -> Vec<String> {
    let top = |own: &Expected| own.path.split('/').next().unwrap_or_default().to_owned();
    let mut names: Vec<_> = contents.expected.iter().map(top).filter(|name| name != MANIFEST).collect();
    names.dedup();
    names
}

/// Reads the list of a published site in `dir`.
pub(super) fn published(dir: &OwnedFd, shown: &str, faults: &mut Vec<Fault>) -> Result<Option<Contents>> {
    let mut fault =
        |kind, message: String| faults.push(Fault::new(kind, format!("{shown}{MANIFEST}"), message));
    if !exists(dir, MANIFEST)? {
        fault(Kind::Missing, "without a list of its files it is no site".to_owned());
        return Ok(None);
    }
    let parse = |text: Vec<u8>| {
        let list = rendered::Manifest::parse(&text)?;
        let mut expected = Vec::new();
        for (path, sum) in list.files() {
            if path == MANIFEST || path == PUBLICATION {
                bail!("it lists {path}");
            }
            ArtifactPath::new(path)?;
            expected.push(Expected { path: path.to_owned(), bytes: None, sha256: Sha256Sum(sum.0) });
        }
        let manifest = sum(&text);
        expected.push(Expected { path: MANIFEST.to_owned(), bytes: None, sha256: manifest });
        anyhow::Ok(Contents { expected, signatures: Vec::new(), manifest })
    };
    match read(dir, MANIFEST).and_then(parse) {
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
