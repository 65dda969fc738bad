//! Detached signatures that iPXE asks for where `[boot] verify` is `"signature"`: those of a site lie in a directory of
//! their owner's that mirrors `site/www`, since `site/` is render's own. Who made them is for the machines to judge.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::contents::Expected;
use super::fault::{Fault, Kind, Refused};
use crate::fs::{Dir, FileType, Sha256Sum, kind};

/// How many missing signatures are named; a site has two of each node.
const FEW: usize = 5;

/// Finds the signatures in the directory `path`, sorted: each is of one of `files`. What else lies there is nobody's
/// concern, such as a copy of what was signed.
pub(super) fn open(path: &Path, files: &BTreeSet<&str>) -> Result<(Dir, Vec<Expected>)> {
    let shown = path.display();
    let dir = Dir::open(path).with_context(|| format!("could not open {shown}"))?;
    let mut names = Vec::new();
    walk(&dir, "", &mut names).with_context(|| format!("could not list {shown}"))?;
    names.sort();
    ensure!(
        !names.is_empty(),
        "{shown} holds no signature: that of ipxe/boot.ipxe is ipxe/boot.ipxe.sig there"
    );
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    for name in names {
        let mut fault =
            |kind, message| faults.push(Fault::new(kind, name.escape_debug().to_string(), message));
        if !name.strip_suffix(".sig").is_some_and(|own| files.contains(own)) {
            fault(Kind::Extra, "the site has no such file to sign");
            continue;
        }
        let body = dir
            .read_limited(&name)
            .with_context(|| format!("could not read {}", path.join(&name).display()))?;
        if body.is_empty() {
            fault(Kind::Changed, "it is empty");
        }
        found.push(Expected { path: name, bytes: Some(body.len() as u64), sha256: Sha256Sum::of(&body) });
    }
    if faults.is_empty() { Ok((dir, found)) } else { Err(Refused::new(shown.to_string(), faults).into()) }
}

fn walk(dir: &Dir, prefix: &str, names: &mut Vec<String>) -> Result<()> {
    for (name, stat) in dir.list()? {
        let path = format!("{prefix}{name}");
        if kind(&stat) == FileType::Directory {
            walk(&dir.open_dir(&name)?, &format!("{path}/"), names)?;
        } else if path.ends_with(".sig") {
            names.push(path);
        }
    }
    Ok(())
}

/// The fault of `files` without a signature, if there are any.
pub(super) fn lacking<'a>(files: impl Iterator<Item = &'a str>) -> Option<Fault> {
    let names: Vec<_> = files.map(|own| format!("{own}.sig")).collect();
    let (first, rest) = names.split_first()?;
    let mut message =
        "it is missing, and no machine boots without it where [boot] verify is \"signature\"".to_owned();
    let (few, more) = rest.split_at(rest.len().min(FEW));
    if !few.is_empty() {
        message += &format!("; so are {}", few.join(", "));
    }
    if !more.is_empty() {
        message += &format!(" and {} more", more.len());
    }
    Some(Fault::new(Kind::Unsigned, first.as_str(), message))
}
