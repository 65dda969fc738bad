//! Signs what machines boot: the files of a bundle, with signatures in the bundle, and those of a site, with signatures in a
//! directory that mirrors `site/www`, since `plasmagen render` replaces all of `site/`.
//!
//! A signature that verifies stays as it is. The others are written under temporary names, made durable, and renamed, so that
//! each file has its old signature or its new one. A killed run leaves temporary files at most; the next run removes them.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::bundle::{Bundle, read_bundle};
use super::contents::{ExpectedFile, INTERRUPTED};
use super::copy::copy_expected;
use super::fault::{Fault, Refused};
use super::root::open_named;
use super::sign_target::{check_bundle_place, check_target};
use super::signatures::is_fetched;
use super::signers::check_signature;
use super::signing_key::SigningKey;
use super::site::RenderedSite;
use crate::fs::{
    Dir, Errno, FileType, Held, Progress, TEXT_LIMIT, file_mode, kind_of, make_dirs, parents, split,
};
use crate::image::MANIFEST;
use crate::sign::CmsSigner;

/// The directories of a site whose files machines fetch, and below which a directory of signatures holds nothing else.
const SIGNED: [&str; 2] = ["ipxe", "overlay"];

/// The end of the temporary name of a signature.
const FRESH: &str = ".new";

/// The outcome of signing: numbers of signatures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignOutcome {
    /// Signatures that were made.
    pub signed: usize,
    /// Signatures that were there and verify.
    pub kept: usize,
    /// Signatures of files that are gone, which were removed.
    pub removed: usize,
}

/// A new signature: the path in the directory of signatures, and the content.
type NewSignature = (String, Vec<u8>);

/// Signs kernel, initrd and script of the bundle at `path`; `progress` is called with the number of bytes of each read.
///
/// # Errors
/// When the bundle is not what its manifest says, is in the Nix store, or can't be written.
pub fn sign_bundle(path: &Path, signer: &CmsSigner, progress: Progress<'_>) -> Result<SignOutcome> {
    let run = || {
        let (dir, bundle) = open_bundle(path)?;
        let files: Vec<_> = bundle.contents.expected.iter().filter(|file| is_fetched(&file.path)).collect();
        sign_files(&dir, &files, &dir, signer, progress)
    };
    run().with_context(|| format!("could not sign the bundle {}", path.display()))
}

/// Signs the manifest of the bundle at `path` with an SSH key. A signature by this key that fits is kept.
///
/// # Errors
/// As for [`sign_bundle`], and when ssh-keygen refuses.
pub fn sign_manifest(path: &Path, key: &SigningKey) -> Result<SignOutcome> {
    let run = || {
        let (dir, _) = open_bundle(path)?;
        let text = dir.read_limited(MANIFEST, TEXT_LIMIT)?;
        let name = name_signature(MANIFEST);
        // Whose key it is, only a signature tells: ssh-keygen finds the key in a file or in an agent.
        let signature = key.sign(&text)?;
        let signer = check_signature(&text, &signature)?;
        let present = dir.read_limited(&name, TEXT_LIMIT);
        if present.is_ok_and(|present| check_signature(&text, &present).is_ok_and(|key| key == signer)) {
            return Ok(SignOutcome { kept: 1, ..SignOutcome::default() });
        }
        replace_signatures(&dir, &[(name, signature)])?;
        anyhow::Ok(SignOutcome { signed: 1, ..SignOutcome::default() })
    };
    run().with_context(|| format!("could not sign the manifest of the bundle {}", path.display()))
}

/// Signs what machines fetch of the site at `site`, which render has written, into the directory `to`, and removes
/// signatures of files that are gone.
///
/// # Errors
/// When a file is not as render left it, when `to` is inside the site, or when `to` can't be written.
pub fn sign_site(site: &Path, to: &Path, signer: &CmsSigner, progress: Progress<'_>) -> Result<SignOutcome> {
    let run = || {
        let rendered = RenderedSite::open(site, None)?;
        check_target(site, to)?;
        make_dirs(to)?;
        let target = open_named(to)?;
        lock(&target, to)?;
        let files: Vec<_> = rendered.contents.expected.iter().filter(|file| is_fetched(&file.path)).collect();
        let mut outcome = sign_files(&rendered.dir, &files, &target, signer, progress)?;
        let wanted = files.iter().map(|file| name_signature(&file.path)).collect();
        outcome.removed = remove_stale(&target, &wanted)?;
        anyhow::Ok(outcome)
    };
    run().with_context(|| format!("could not sign the site {} into {}", site.display(), to.display()))
}

/// The name of the signature of a file.
fn name_signature(file: &str) -> String {
    format!("{file}.sig")
}

/// Opens a bundle that can be signed, and locks it until the directory is closed.
fn open_bundle(path: &Path) -> Result<(Dir, Bundle)> {
    let dir = open_named(path)?;
    check_bundle_place(path)?;
    lock(&dir, path)?;
    for (name, _) in dir.list().with_context(|| format!("could not list {}", path.display()))? {
        if name.ends_with(INTERRUPTED) {
            dir.remove_file(&name)?;
        }
    }
    let mut faults = Vec::new();
    match read_bundle(&dir, "", &mut faults)? {
        Some(bundle) if faults.is_empty() => Ok((dir, bundle)),
        _ => Err(Refused::new("it is not what it says", faults).into()),
    }
}

fn lock(dir: &Dir, path: &Path) -> Result<()> {
    match dir.wait_for_lock() {
        Err(Errno::WOULDBLOCK) => Err(Held { pid: None, doing: "signing there" }.into()),
        locked => locked.with_context(|| format!("could not lock {}", path.display())),
    }
}

/// Signs `files` of the directory `dir` whose signatures in `to` do not verify.
fn sign_files(
    dir: &Dir,
    files: &[&ExpectedFile],
    to: &Dir,
    signer: &CmsSigner,
    progress: Progress<'_>,
) -> Result<SignOutcome> {
    let sign = |file: &&ExpectedFile| {
        let name = name_signature(&file.path);
        let present = to.read_limited(&name, TEXT_LIMIT);
        if present.is_ok_and(|signature| signer.certificate().verify(file.sha256, &signature).is_ok()) {
            return Ok(None);
        }
        if let Some(fault) = copy_expected(dir, file, None, progress)? {
            return Ok(Some(Err(fault)));
        }
        let signature = signer.sign(file.sha256).with_context(|| format!("could not sign {}", file.path))?;
        anyhow::Ok(Some(Ok((name, signature))))
    };
    let signed: Vec<Option<Result<NewSignature, Fault>>> =
        files.par_iter().map(sign).collect::<Result<_>>()?;
    let kept = signed.iter().filter(|signed| signed.is_none()).count();
    let (mut new, mut faults) = (Vec::new(), Vec::new());
    for signed in signed.into_iter().flatten() {
        match signed {
            Ok(signature) => new.push(signature),
            Err(fault) => faults.push(fault),
        }
    }
    if !faults.is_empty() {
        return Err(Refused::new("these files are not what their manifest says", faults).into());
    }
    replace_signatures(to, &new)?;
    Ok(SignOutcome { signed: new.len(), kept, removed: 0 })
}

/// Writes `signatures` into the directory `to`, durably; a failure leaves each file as it was or new.
fn replace_signatures(to: &Dir, signatures: &[NewSignature]) -> Result<()> {
    if signatures.is_empty() {
        return Ok(());
    }
    let names: BTreeSet<&str> = signatures.iter().flat_map(|(path, _)| parents(path)).collect();
    // Sorted, so that each directory comes after the one above.
    for path in names {
        let (above, name) = split(path);
        to.open_dir(above)?.ensure_dir(name)?;
    }
    let staged = stage_signatures(to, signatures).and_then(|()| rename_signatures(to, signatures));
    staged.inspect_err(|_| {
        for (path, _) in signatures {
            let (above, name) = split(path);
            // What can't be removed, the next run removes.
            let _ = to.open_dir(above).map(|dir| dir.remove_file(&format!("{name}{FRESH}")));
        }
    })
}

/// Writes the signatures under their temporary names, and makes all of them durable by one call.
fn stage_signatures(to: &Dir, signatures: &[NewSignature]) -> Result<()> {
    for (path, body) in signatures {
        let (above, name) = split(path);
        let fresh = format!("{name}{FRESH}");
        let write = || {
            let dir = to.open_dir(above)?;
            dir.remove_file(&fresh)?;
            dir.write_new(&fresh, file_mode(false), body)
        };
        write().with_context(|| format!("could not write {path}{FRESH}"))?;
    }
    to.sync_file_system().context("could not make the signatures durable")
}

fn rename_signatures(to: &Dir, signatures: &[NewSignature]) -> Result<()> {
    for (path, _) in signatures {
        let (above, name) = split(path);
        let dir = to.open_dir(above)?;
        dir.rename(&format!("{name}{FRESH}"), &dir, name)
            .with_context(|| format!("could not rename {path}{FRESH}"))?;
    }
    sync_dirs(to, signatures.iter().map(|(path, _)| split(path).0))
}

/// Makes the names in directories below `to` durable.
fn sync_dirs<'a>(to: &Dir, dirs: impl Iterator<Item = &'a str>) -> Result<()> {
    for dir in dirs.collect::<BTreeSet<_>>() {
        to.open_dir(dir)?.sync().context("could not make the names of the signatures durable")?;
    }
    Ok(())
}

/// Removes from the directory of signatures `to` those that are not `wanted`, and temporary files; returns the number of
/// the former.
fn remove_stale(to: &Dir, wanted: &BTreeSet<String>) -> Result<usize> {
    let mut names = Vec::new();
    for top in SIGNED {
        if to.exists(top)? {
            list_files(&to.open_dir(top)?, &format!("{top}/"), &mut names)?;
        }
    }
    let is_fresh = |name: &str| name.ends_with(INTERRUPTED);
    let is_stale = |name: &str| name.ends_with(".sig") && !wanted.contains(name);
    let stale: Vec<_> = names.iter().filter(|name| is_stale(name) || is_fresh(name)).collect();
    for name in &stale {
        to.open_dir(split(name).0)?.remove_file(split(name).1)?;
    }
    sync_dirs(to, stale.iter().map(|name| split(name).0))?;
    Ok(stale.iter().filter(|name| is_stale(name)).count())
}

fn list_files(dir: &Dir, prefix: &str, names: &mut Vec<String>) -> Result<()> {
    for (name, stat) in dir.list()? {
        let path = format!("{prefix}{name}");
        if kind_of(&stat) == FileType::Directory {
            list_files(&dir.open_dir(&name)?, &format!("{path}/"), names)?;
        } else {
            names.push(path);
        }
    }
    Ok(())
}
