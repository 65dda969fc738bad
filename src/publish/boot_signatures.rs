//! Verifies the CMS signatures of a generation or a bundle: iPXE must accept that of each file that machines fetch.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Error, Result};
use rayon::prelude::*;
use time::OffsetDateTime;

use super::bundle::read_bundle;
use super::channel::is_site;
use super::contents::{Contents, ExpectedFile};
use super::fault::{Fault, FaultKind, Refused};
use super::lock::WebRootLock;
use super::request::PublicationTerms;
use super::signatures::{is_fetched, unsigned_fault};
use super::site::{asks_for_signatures, published_asks_for_signatures, read_published};
use super::staged::StagedGeneration;
use crate::fs::{Dir, TEXT_LIMIT};
use crate::sign::{NotValidNow, SignerCertificate, verify_by_any_ca};

/// Verifies that iPXE accepts, at the time `now`, the signature of each file that machines fetch of `contents`, which lie in
/// `dir`: a signature by a signer of the CA of `signer`, or of any CA where no signer is known. Messages have `prefix` before
/// each path.
pub(super) fn verify_boot_signatures(
    dir: &Dir,
    prefix: &str,
    contents: &Contents,
    signer: Option<&SignerCertificate>,
    now: OffsetDateTime,
    faults: &mut Vec<Fault>,
) {
    let expected = contents.expected.iter().map(|file| file.path.as_str());
    let names: BTreeSet<&str> = expected.chain(contents.signatures.iter().map(String::as_str)).collect();
    let is_signed = |file: &&ExpectedFile| names.contains(format!("{}.sig", file.path).as_str());
    let fetched = contents.expected.iter().filter(|file| is_fetched(&file.path));
    let (signed, unsigned): (Vec<_>, Vec<_>) = fetched.partition(is_signed);
    let verify = |file: &&ExpectedFile| {
        let name = format!("{}.sig", file.path);
        let verify = || {
            let signature = dir.read_limited(&name, TEXT_LIMIT)?;
            match signer {
                Some(signer) => signer.verify_as_ipxe(file.sha256, &signature, now),
                None => verify_by_any_ca(file.sha256, &signature, now),
            }
        };
        verify().err().map(|error| (format!("{prefix}{name}"), error))
    };
    let refused: Vec<(String, Error)> = signed.par_iter().filter_map(verify).collect();
    // Nothing that an expired signer has signed boots a machine: one fault says so.
    let mut expired = BTreeMap::new();
    for (path, error) in refused {
        if error.downcast_ref::<NotValidNow>().is_some() {
            expired.entry(format!("{error:#}")).or_insert(path);
        } else {
            faults.push(Fault::new(FaultKind::Unsigned, path, format!("{error:#}")));
        }
    }
    let expired = expired.into_iter().map(|(message, path)| Fault::new(FaultKind::Expired, path, message));
    faults.extend(expired);
    let unsigned = unsigned_fault(unsigned.iter().map(|file| file.path.as_str()));
    faults.extend(
        unsigned.map(|fault| Fault::new(fault.kind, format!("{prefix}{}", fault.path), fault.message)),
    );
}

/// Refuses requested generations with a file that machines would not boot, where the terms name a signer or machines ask for
/// signatures. Returns whether machines ask for signatures and the terms name no signer.
pub(super) fn check_boot_signatures(
    lock: &WebRootLock,
    terms: &PublicationTerms<'_>,
    staged: &[StagedGeneration],
) -> Result<bool> {
    let requested = || staged.iter().filter(|staged| staged.is_requested());
    let site = requested().find(|staged| is_site(&staged.channel));
    let is_asked = match site {
        Some(site) => asks_for_signatures(&site.open(lock)?),
        None => requested().next().is_some() && published_asks_for_signatures(&lock.root)?,
    };
    if terms.boot_signer.is_none() && !is_asked {
        return Ok(false);
    }
    let mut faults = Vec::new();
    for staged in requested() {
        let (dir, prefix) = (staged.open(lock)?, format!("{}/", staged.channel));
        let contents = match is_site(&staged.channel) {
            true => read_published(&dir, &prefix, &mut faults)?,
            false => read_bundle(&dir, &prefix, &mut faults)?.map(|bundle| bundle.contents),
        };
        if let Some(contents) = contents {
            verify_boot_signatures(&dir, &prefix, &contents, terms.boot_signer, terms.now, &mut faults);
        }
    }
    if faults.is_empty() {
        return Ok(terms.boot_signer.is_none());
    }
    let message =
        "nothing was changed, since machines would not boot files without a signature that iPXE accepts";
    Err(Refused::new(message, faults).into())
}
