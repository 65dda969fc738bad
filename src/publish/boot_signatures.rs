//! Verifies the CMS signatures of a generation or a bundle: each file that machines fetch must be signed by the signer whom
//! the inventory names.

use anyhow::Result;
use time::OffsetDateTime;

use super::bundle::read_bundle;
use super::channel::is_site;
use super::contents::Contents;
use super::fault::{Fault, FaultKind, Refused};
use super::lock::WebRootLock;
use super::request::PublicationTerms;
use super::signatures::{is_fetched, unsigned_fault};
use super::site::read_published;
use super::staged::StagedGeneration;
use crate::fs::{Dir, TEXT_LIMIT};
use crate::sign::SignerCertificate;

/// Verifies that each file that machines fetch of `contents`, which lie in `dir`, has a signature by `signer`, whose
/// certificates are valid at `now`. Messages have `prefix` before each path.
pub(super) fn verify_boot_signatures(
    dir: &Dir,
    prefix: &str,
    contents: &Contents,
    signer: &SignerCertificate,
    now: OffsetDateTime,
    faults: &mut Vec<Fault>,
) -> Result<()> {
    let mut files = contents.expected.iter().filter(|file| is_fetched(&file.path)).peekable();
    if let Some((first, error)) = files.peek().zip(signer.check_time(now).err()) {
        // Nothing that such a signer has signed boots a machine: one fault says so.
        let path = format!("{prefix}{}.sig", first.path);
        faults.push(Fault::new(FaultKind::Expired, path, format!("{error:#}")));
        return Ok(());
    }
    let mut unsigned = Vec::new();
    for file in files {
        let name = format!("{}.sig", file.path);
        let is_there = contents.signatures.contains(&name)
            || contents.expected.iter().any(|expected| expected.path == name);
        if !is_there {
            unsigned.push(file.path.as_str());
            continue;
        }
        let verify = || signer.verify(file.sha256, &dir.read_limited(&name, TEXT_LIMIT)?);
        if let Err(error) = verify() {
            faults.push(Fault::new(FaultKind::Unsigned, format!("{prefix}{name}"), format!("{error:#}")));
        }
    }
    let unsigned = unsigned_fault(unsigned.into_iter());
    faults.extend(
        unsigned.map(|fault| Fault::new(fault.kind, format!("{prefix}{}", fault.path), fault.message)),
    );
    Ok(())
}

/// Refuses requested generations with a file that the signer of what machines boot has not signed.
pub(super) fn check_boot_signatures(
    lock: &WebRootLock,
    terms: &PublicationTerms<'_>,
    staged: &[StagedGeneration],
) -> Result<()> {
    let Some(signer) = terms.boot_signer else { return Ok(()) };
    let mut faults = Vec::new();
    for staged in staged.iter().filter(|staged| staged.is_requested()) {
        let (dir, prefix) = (staged.open(lock)?, format!("{}/", staged.channel));
        let contents = match is_site(&staged.channel) {
            true => read_published(&dir, &prefix, &mut faults)?,
            false => read_bundle(&dir, &prefix, &mut faults)?.map(|bundle| bundle.contents),
        };
        if let Some(contents) = contents {
            verify_boot_signatures(&dir, &prefix, &contents, signer, terms.now, &mut faults)?;
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    let message =
        format!("nothing was changed, since machines would not boot what {} has not signed", signer.name());
    Err(Refused::new(message, faults).into())
}
