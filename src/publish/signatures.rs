//! Detached signatures, which iPXE asks for where `[boot] verify` is `"signature"`. Those of a site are in a directory of
//! the user's that mirrors `site/www`, since `site/` is replaced by every render. Machines verify them; with `[boot] signer`, plasmagen does
//! too (`boot_signatures`).

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::contents::ExpectedFile;
use super::fault::{Fault, FaultKind, Refused};
use super::root::open_named;
use crate::fs::{Dir, FileType, Sha256Sum, TEXT_LIMIT, kind_of};
use crate::image::{INITRD, KERNEL, SCRIPT};
use crate::model::list_few;

/// Finds the signatures in the directory `path`, sorted. Each must belong to one of `files`. Files without `.sig` are
/// ignored, such as copies of the signed files.
pub(super) fn find_signatures(path: &Path, files: &BTreeSet<&str>) -> Result<(Dir, Vec<ExpectedFile>)> {
    let shown = path.display();
    let dir = open_named(path)?;
    let mut names = Vec::new();
    list_signatures(&dir, "", &mut names).with_context(|| format!("could not list {shown}"))?;
    names.sort();
    ensure!(
        !names.is_empty(),
        "{shown} holds no signature: the signature of ipxe/boot.ipxe must be ipxe/boot.ipxe.sig there"
    );
    let (mut signatures, mut faults) = (Vec::new(), Vec::new());
    for name in names {
        let mut fault =
            |kind, message| faults.push(Fault::new(kind, name.escape_debug().to_string(), message));
        if !name.strip_suffix(".sig").is_some_and(|file| files.contains(file)) {
            fault(FaultKind::Extra, "the site has no such file to sign");
            continue;
        }
        let body = dir
            .read_limited(&name, TEXT_LIMIT)
            .with_context(|| format!("could not read {}", path.join(&name).display()))?;
        if body.is_empty() {
            fault(FaultKind::Changed, "it is empty");
        }
        let bytes = Some(body.len() as u64);
        signatures.push(ExpectedFile { path: name, bytes, sha256: Sha256Sum::of(&body) });
    }
    if faults.is_empty() {
        Ok((dir, signatures))
    } else {
        Err(Refused::new(shown.to_string(), faults).into())
    }
}

fn list_signatures(dir: &Dir, prefix: &str, names: &mut Vec<String>) -> Result<()> {
    for (name, stat) in dir.list()? {
        let path = format!("{prefix}{name}");
        if kind_of(&stat) == FileType::Directory {
            list_signatures(&dir.open_dir(&name)?, &format!("{path}/"), names)?;
        } else if path.ends_with(".sig") {
            names.push(path);
        }
    }
    Ok(())
}

/// Whether machines fetch the file `path` of a bundle or a site, and verify the signature: kernel, initrd and scripts, and the
/// overlays.
pub(super) fn is_fetched(path: &str) -> bool {
    let is_of_bundle = [KERNEL, INITRD, SCRIPT].contains(&path);
    (is_of_bundle || path.starts_with("ipxe/") || path.starts_with("overlay/")) && !path.ends_with(".sig")
}

/// The fault of `files` without a signature; none where there are no such files.
pub(super) fn unsigned_fault<'a>(files: impl Iterator<Item = &'a str>) -> Option<Fault> {
    let names: Vec<_> = files.map(|file| format!("{file}.sig")).collect();
    let (first, rest) = names.split_first()?;
    let mut message =
        "it is missing, and no machine boots without it where [boot] verify is \"signature\"".to_owned();
    if !rest.is_empty() {
        message += &format!("; so are {}", list_few(rest));
    }
    Some(Fault::new(FaultKind::Unsigned, first.as_str(), message))
}
