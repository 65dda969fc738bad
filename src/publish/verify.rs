//! Everything in a web root, or in a bundle, compared with what it should be; all that is wrong at once.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use time::OffsetDateTime;

use super::armed::armed;
use super::bundle;
use super::compare::{Place, compare};
use super::fault::{Fault, Kind};
use super::generations::{line, mode, signed};
use super::line::{CURRENT, Line};
use super::loaders;
use super::publication::Publication;
use super::root::{ARMED, NIXOS, Root, SITE, TFTP};
use super::signers::Signers;
use crate::fs::{Dir, FileType, STATE, Sha256Sum, kind};
use crate::image::MANIFEST;
use crate::model::{Label, MacAddr, Word};

/// What is asked beyond the bytes.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// When this is.
    pub now: OffsetDateTime,
    /// The least generation that may be current: of every line, or of the bundles of one profile.
    pub least: &'a [(Option<String>, u64)],
    /// Who must have signed every bundle.
    pub signers: Option<&'a Signers>,
}

/// Something that was verified.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// Where: `nixos/worker/<id>`; empty for a bundle that is not in a web root.
    pub path: String,
    /// Its id.
    pub id: Sha256Sum,
    /// Whether it is what machines boot.
    pub current: bool,
    /// What is said of it.
    #[serde(flatten)]
    pub publication: Option<Publication>,
}

/// What was found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// The generations, those of a line the highest first.
    pub found: Vec<Found>,
    /// All that is wrong, by path.
    pub faults: Vec<Fault>,
}

/// Verifies the web root or the bundle at `path`; `progress` is told of every so many bytes that were read.
///
/// # Errors
/// When there is neither, or a disk refuses.
pub fn verify(path: &Path, terms: &Terms<'_>, progress: &(dyn Fn(u64) + Sync)) -> Result<Report> {
    let mut report = Report::default();
    let mut places = Vec::new();
    if Root::is_at(path) {
        whole(&Root::open(path)?, terms, &mut report, &mut places)?;
    } else {
        let dir = Dir::open(path).with_context(|| format!("could not open {}", path.display()))?;
        if !dir.exists(MANIFEST)? {
            bail!("{} is neither a web root of plasmagen's nor a bundle", path.display());
        }
        ensure!(
            terms.least.is_empty(),
            "{} is a bundle, which has no generation until it is published: ask for the least one of a web root",
            path.display()
        );
        if let Some(own) = bundle::open(&dir, "", &mut report.faults)? {
            signed(&dir, "", terms, &mut report.faults)?;
            let (id, shown) = (own.manifest.id, String::new());
            report.found.push(Found { path: shown.clone(), id, current: false, publication: None });
            places.push(Place { dir, shown, contents: own.contents });
        }
    }
    report.faults.extend(compare(&places, progress)?);
    report.faults.sort();
    report.faults.dedup();
    Ok(report)
}

/// A whole web root.
fn whole(root: &Root, terms: &Terms<'_>, report: &mut Report, places: &mut Vec<Place>) -> Result<()> {
    for (name, stat) in root.dir.list().context("could not list the web root")? {
        match name.as_str() {
            STATE | ARMED | TFTP | NIXOS | SITE if kind(&stat) == FileType::Directory => {}
            "lost+found" => {}
            _ if kind(&stat) == FileType::Symlink => {
                let target = root.dir.read_link(&name)?;
                if target.to_bytes() != format!("{SITE}/{CURRENT}/{name}").as_bytes() {
                    report.faults.push(Fault::new(
                        Kind::Swapped,
                        name,
                        "it does not lead into the current site",
                    ));
                }
            }
            _ => {
                let name = name.escape_debug().to_string();
                report.faults.push(Fault::new(Kind::Extra, name, "nobody published it"));
            }
        }
    }
    let mut paths = Vec::new();
    if root.dir.exists(NIXOS)? {
        let nixos = root.dir.open_dir(NIXOS).context("could not open nixos/")?;
        for (name, stat) in nixos.list().context("could not list nixos/")? {
            let path = format!("{NIXOS}/{}", name.escape_debug());
            if kind(&stat) == FileType::Directory && Label::parse(&name).is_ok() {
                mode(&path, &stat, &mut report.faults);
                paths.push(path);
            } else {
                report.faults.push(Fault::new(Kind::Extra, path, "nobody published it"));
            }
        }
    }
    paths.sort();
    paths.push(SITE.to_owned());
    for path in paths {
        if let Some(own) = Line::open(root, &path)? {
            line(root, &own, terms, report, places)?;
        }
    }
    absent(terms, report);
    beside(root, report)
}

/// What a least generation is asked of and nobody serves: gone is as bad as rolled back, and a slip of the pen asks of
/// nothing.
fn absent(terms: &Terms<'_>, report: &mut Report) {
    for (profile, least) in terms.least {
        let line = profile.as_ref().map_or_else(String::new, |own| format!("{NIXOS}/{own}"));
        let of_line =
            |own: &&Found| profile.is_none() || own.path.rsplit_once('/').is_some_and(|(at, _)| at == line);
        if !report.found.iter().any(|own| own.current && of_line(&own)) {
            let message = format!("nothing is served, and generation {least} is the least that may be");
            let path = if line.is_empty() { NIXOS.to_owned() } else { line.escape_debug().to_string() };
            report.faults.push(Fault::new(Kind::Missing, path, message));
        }
    }
}

/// What has no generations: machines that are armed, and loaders.
fn beside(root: &Root, report: &mut Report) -> Result<()> {
    for own in armed(root)? {
        let path = format!("{ARMED}/{}", own.name.escape_debug());
        if MacAddr::parse(&own.name.replace('-', ":")).is_err() {
            report.faults.push(Fault::new(Kind::Extra, path, "it is no MAC address with hyphens"));
        } else if own.armed.is_none() {
            report.faults.push(Fault::new(Kind::Changed, path, "plasmagen arm did not write it"));
        }
    }
    let tftp = root.dir.open_dir(TFTP);
    for (file, digest) in loaders::record(root) {
        let path = format!("{TFTP}/{}", file.escape_debug());
        let body =
            tftp.as_ref().map_err(|error| anyhow::anyhow!(*error)).and_then(|dir| dir.read_limited(&file));
        match body {
            Err(_) => report.faults.push(Fault::new(Kind::Missing, path, "it can't be opened")),
            Ok(body) if Sha256Sum::of(&body) != digest => {
                report.faults.push(Fault::new(Kind::Changed, path, "it is not what was published"));
            }
            Ok(_) => {}
        }
    }
    Ok(())
}
