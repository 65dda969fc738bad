//! Everything in a web root, or in a bundle, compared with what it should be; all that is wrong at once.

use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::{Context, Result, bail};
use rustix::fs::{FileType, Mode, OFlags, Stat, readlinkat};
use serde::Serialize;
use time::OffsetDateTime;

use super::armed::armed;
use super::bundle;
use super::compare::{Place, compare};
use super::contents::{Contents, read, sum};
use super::fault::{Fault, Kind};
use super::line::{CURRENT, Generation, Line};
use super::loaders;
use super::publication::Publication;
use super::root::{ARMED, NIXOS, Root, SITE, STATE, TFTP, exists};
use super::signers::Signers;
use super::site;
use crate::image::{MANIFEST, Sha256Sum};
use crate::model::{Label, MacAddr, Word};
use crate::write::disk;

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
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::open(path, flags, Mode::empty())
            .with_context(|| format!("could not open {}", path.display()))?;
        if !exists(&dir, MANIFEST)? {
            bail!("{} is neither a web root of plasmagen's nor a bundle", path.display());
        }
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
    for (name, stat) in disk::list(&root.dir).context("could not list the web root")? {
        match name.as_str() {
            STATE | ARMED | TFTP | NIXOS | SITE if disk::kind(&stat) == FileType::Directory => {}
            "lost+found" => {}
            _ if disk::kind(&stat) == FileType::Symlink => {
                let target = readlinkat(&root.dir, name.as_str(), Vec::new())?;
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
    if exists(&root.dir, NIXOS)? {
        let nixos = disk::open_dir(&root.dir, NIXOS).context("could not open nixos/")?;
        for (name, stat) in disk::list(&nixos).context("could not list nixos/")? {
            let path = format!("{NIXOS}/{}", name.escape_debug());
            if disk::kind(&stat) == FileType::Directory && Label::parse(&name).is_ok() {
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
    beside(root, report)
}

/// A line: its generations, and which of them is current.
fn line(
    root: &Root,
    line: &Line,
    terms: &Terms<'_>,
    report: &mut Report,
    places: &mut Vec<Place>,
) -> Result<()> {
    let generations = line.generations()?;
    for (name, stat) in disk::list(&line.dir).with_context(|| format!("could not list {}", line.path))? {
        let path = format!("{}/{}", line.path, name.escape_debug());
        let known = generations.iter().any(|own| own.id.to_string() == name) || name == CURRENT;
        if !known {
            report.faults.push(Fault::new(Kind::Extra, path, "nobody published it"));
        } else if name != CURRENT {
            mode(&path, &stat, &mut report.faults);
        }
    }
    let current = match line.current() {
        Ok(current) => current,
        Err(error) => {
            let path = format!("{}/{CURRENT}", line.path);
            report.faults.push(Fault::new(Kind::Swapped, path, format!("{error:#}")));
            None
        }
    };
    judge(root, line, &generations, current, terms, &mut report.faults)?;
    for own in generations {
        let path = format!("{}/{}", line.path, own.id);
        if let Some(place) = generation(line, &own, terms, &mut report.faults)? {
            places.push(place);
        }
        let current = current == Some(own.id);
        report.found.push(Found { path, id: own.id, current, publication: own.publication });
    }
    Ok(())
}

/// Whether `current` is what it should be.
fn judge(
    root: &Root,
    line: &Line,
    generations: &[Generation],
    current: Option<Sha256Sum>,
    terms: &Terms<'_>,
    faults: &mut Vec<Fault>,
) -> Result<()> {
    let path = format!("{}/{CURRENT}", line.path);
    let mut fault = |kind, message: String| faults.push(Fault::new(kind, path.as_str(), message));
    let Some(highest) = generations.first() else {
        if current.is_some() {
            fault(Kind::Missing, "it leads to nothing".to_owned());
        }
        return Ok(());
    };
    let given = root.generation()?;
    if highest.number() > given {
        let number = highest.number();
        fault(Kind::Changed, format!("generation {number} was never given: the last one was {given}"));
    }
    let Some(id) = current else {
        if !exists(&line.dir, CURRENT)? {
            fault(Kind::Missing, "no generation is current".to_owned());
        }
        return Ok(());
    };
    let Some(own) = generations.iter().find(|own| own.id == id) else {
        fault(Kind::Swapped, format!("it leads to {id}, which is not there"));
        return Ok(());
    };
    let (number, top) = (own.number(), highest.number());
    if number < top {
        fault(
            Kind::RolledBack,
            format!(
                "generation {number} is served, and {top} was published after it. If a publish died, run it again; \
                 plasmagen publish --rollback goes back for good"
            ),
        );
    }
    let profile = line.path.strip_prefix(NIXOS).and_then(|rest| rest.strip_prefix('/'));
    let least = terms.least.iter().filter(|(own, _)| own.is_none() || own.as_deref() == profile);
    if let Some(least) = least.map(|(_, least)| *least).max().filter(|least| number < *least) {
        fault(
            Kind::RolledBack,
            format!("generation {number} is served, and {least} is the least that may be"),
        );
    }
    if let Some(publication) = own.publication.filter(|own| own.is_expired(terms.now)) {
        fault(Kind::Expired, format!("it has expired on {}: publish it again", publication.expires.date()));
    }
    Ok(())
}

/// What a generation says of itself; its files are compared later, all together.
fn generation(
    line: &Line,
    own: &Generation,
    terms: &Terms<'_>,
    faults: &mut Vec<Fault>,
) -> Result<Option<Place>> {
    let shown = format!("{}/{}/", line.path, own.id);
    let dir =
        disk::open_dir(&line.dir, &own.id.to_string()).with_context(|| format!("could not open {shown}"))?;
    let (id, contents) = if line.path == SITE {
        let Some(contents) = site::published(&dir, &shown, faults)? else { return Ok(None) };
        (contents.manifest, contents)
    } else {
        let Some(bundle) = bundle::open(&dir, &shown, faults)? else { return Ok(None) };
        if Line::of_profile(&bundle.manifest.profile) != line.path {
            let message = format!("it is a bundle for {}", bundle.manifest.profile);
            faults.push(Fault::new(Kind::Swapped, shown.as_str(), message));
        }
        signed(&dir, &shown, terms, faults)?;
        (bundle.manifest.id, bundle.contents)
    };
    if id != own.id {
        faults.push(Fault::new(Kind::Swapped, shown.as_str(), format!("it holds {id}")));
    }
    let publication = format!("{shown}{}", super::publication::PUBLICATION);
    match own.publication {
        None => faults.push(Fault::new(Kind::Missing, publication, "it has none that can be read")),
        Some(own) if own.manifest != contents.manifest => {
            faults.push(Fault::new(Kind::Swapped, publication, "it is of another manifest"));
        }
        Some(_) => {}
    }
    modes(&dir, &shown, &contents, faults)?;
    Ok(Some(Place { dir, shown, contents }))
}

/// Whether the web server can read every file.
fn modes(dir: &OwnedFd, shown: &str, contents: &Contents, faults: &mut Vec<Fault>) -> Result<()> {
    for own in &contents.expected {
        let (parent, name) = disk::split(&own.path);
        let Ok(parent) = disk::open_dir(dir, parent) else { continue };
        let stat =
            disk::stat(&parent, name).with_context(|| format!("could not look at {shown}{}", own.path))?;
        if let Some(stat) = stat {
            mode(&format!("{shown}{}", own.path), &stat, faults);
        }
    }
    Ok(())
}

fn mode(path: &str, stat: &Stat, faults: &mut Vec<Fault>) {
    let wanted = if disk::kind(stat) == FileType::Directory { 0o755 } else { 0o644 };
    let mode = stat.st_mode & 0o7777;
    // Stricter than the web server needs is a fault as well as laxer than others should have.
    if mode & 0o022 != 0 || mode & wanted & 0o055 != wanted & 0o055 {
        faults.push(Fault::new(Kind::Mode, path, format!("its mode is {mode:04o} instead of {wanted:04o}")));
    }
}

/// Whether one of the signers has signed the manifest in `dir`.
fn signed(dir: &OwnedFd, shown: &str, terms: &Terms<'_>, faults: &mut Vec<Fault>) -> Result<()> {
    let Some(signers) = terms.signers else { return Ok(()) };
    let name = format!("{MANIFEST}.sig");
    let path = format!("{shown}{name}");
    if !exists(dir, &name)? {
        faults.push(Fault::new(Kind::Unsigned, path, "its manifest is not signed"));
        return Ok(());
    }
    let (message, signature) = (read(dir, MANIFEST)?, read(dir, &name)?);
    if let Err(error) = signers.verify(&message, &signature) {
        faults.push(Fault::new(Kind::Unsigned, path, format!("{error:#}")));
    }
    Ok(())
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
    let tftp = disk::open_dir(&root.dir, TFTP);
    for (file, digest) in loaders::record(root) {
        let path = format!("{TFTP}/{}", file.escape_debug());
        let body = tftp.as_ref().map_err(|error| anyhow::anyhow!(*error)).and_then(|dir| read(dir, &file));
        match body {
            Err(_) => report.faults.push(Fault::new(Kind::Missing, path, "it can't be opened")),
            Ok(body) if sum(&body) != digest => {
                report.faults.push(Fault::new(Kind::Changed, path, "it is not what was published"));
            }
            Ok(_) => {}
        }
    }
    Ok(())
}
