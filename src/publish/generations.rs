//! A line and each of its generations, compared with what they say of themselves.

use anyhow::{Context, Result};

use super::bundle;
use super::compare::Place;
use super::contents::Contents;
use super::fault::{Fault, Kind};
use super::line::{CURRENT, Generation, Line};
use super::publication::PUBLICATION;
use super::root::{NIXOS, Root, SITE};
use super::site;
use super::verify::{Found, Report, Terms};
use crate::fs::{Dir, FileType, Sha256Sum, Stat, kind, split};
use crate::image::MANIFEST;

/// A line: its generations, and which of them is current.
pub(super) fn line(
    root: &Root,
    line: &Line,
    terms: &Terms<'_>,
    report: &mut Report,
    places: &mut Vec<Place>,
) -> Result<()> {
    let generations = line.generations()?;
    for (name, stat) in line.dir.list().with_context(|| format!("could not list {}", line.path))? {
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
        if !line.dir.exists(CURRENT)? {
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
    let dir = line.dir.open_dir(&own.id.to_string()).with_context(|| format!("could not open {shown}"))?;
    let (id, contents) = if line.path == SITE {
        let Some(contents) = site::published(&dir, &shown, faults)? else { return Ok(None) };
        (contents.manifest, contents)
    } else {
        let Some(bundle) = bundle::open(&dir, &shown, faults)? else { return Ok(None) };
        if Line::of_profile(&bundle.manifest.base) != line.path {
            let message = format!("it is a bundle for {}", bundle.manifest.base);
            faults.push(Fault::new(Kind::Swapped, shown.as_str(), message));
        }
        signed(&dir, &shown, terms, faults)?;
        (bundle.manifest.id, bundle.contents)
    };
    if id != own.id {
        faults.push(Fault::new(Kind::Swapped, shown.as_str(), format!("it holds {id}")));
    }
    let publication = format!("{shown}{PUBLICATION}");
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
fn modes(dir: &Dir, shown: &str, contents: &Contents, faults: &mut Vec<Fault>) -> Result<()> {
    for own in &contents.expected {
        let (parent, name) = split(&own.path);
        let Ok(parent) = dir.open_dir(parent) else { continue };
        let stat = parent.stat(name).with_context(|| format!("could not look at {shown}{}", own.path))?;
        if let Some(stat) = stat {
            mode(&format!("{shown}{}", own.path), &stat, faults);
        }
    }
    Ok(())
}

/// Whether others may write what the web server is to read.
pub(super) fn mode(path: &str, stat: &Stat, faults: &mut Vec<Fault>) {
    let wanted = if kind(stat) == FileType::Directory { 0o755 } else { 0o644 };
    let mode = stat.st_mode & 0o7777;
    // Stricter than the web server needs is a fault as well as laxer than others should have.
    if mode & 0o022 != 0 || mode & wanted & 0o055 != wanted & 0o055 {
        faults.push(Fault::new(Kind::Mode, path, format!("its mode is {mode:04o} instead of {wanted:04o}")));
    }
}

/// Whether one of the signers has signed the manifest in `dir`.
pub(super) fn signed(dir: &Dir, shown: &str, terms: &Terms<'_>, faults: &mut Vec<Fault>) -> Result<()> {
    let Some(signers) = terms.signers else { return Ok(()) };
    let name = format!("{MANIFEST}.sig");
    let path = format!("{shown}{name}");
    if !dir.exists(&name)? {
        faults.push(Fault::new(Kind::Unsigned, path, "its manifest is not signed"));
        return Ok(());
    }
    let (message, signature) = (dir.read_limited(MANIFEST)?, dir.read_limited(&name)?);
    if let Err(error) = signers.verify(&message, &signature) {
        faults.push(Fault::new(Kind::Unsigned, path, format!("{error:#}")));
    }
    Ok(())
}
