//! Verifies the CMS signatures of a generation or a bundle: iPXE must accept that of each file that machines fetch.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Error, Result};
use rayon::prelude::*;
use time::{Duration, OffsetDateTime};

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

/// How long iPXE accepts a signature.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SignatureEnd {
    /// The last second in which iPXE accepts the signature: a certificate ends then.
    end: OffsetDateTime,
    /// The path of the signature.
    path: String,
}

/// Verifies that iPXE accepts, at the time `now`, the signature of each file that machines fetch of `contents`, which lie in
/// `dir`: a signature by a signer of the CA of `signer`, or of any CA where no signer is known. Messages have `prefix` before
/// each path. Returns the signature that iPXE stops to accept first, of those that iPXE accepts now.
pub(super) fn verify_boot_signatures(
    dir: &Dir,
    prefix: &str,
    contents: &Contents,
    signer: Option<&SignerCertificate>,
    now: OffsetDateTime,
    faults: &mut Vec<Fault>,
) -> Option<SignatureEnd> {
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
        let path = format!("{prefix}{name}");
        match verify() {
            Ok(end) => Ok(SignatureEnd { end, path }),
            Err(error) => Err((path, error)),
        }
    };
    let verified: Vec<Result<SignatureEnd, (String, Error)>> = signed.par_iter().map(verify).collect();
    let (accepted, refused): (Vec<_>, Vec<_>) = verified.into_iter().partition(Result::is_ok);
    let end = accepted.into_iter().filter_map(Result::ok).min();
    // Nothing that an expired signer has signed boots a machine: one fault says so.
    let mut expired = BTreeMap::new();
    for (path, error) in refused.into_iter().filter_map(Result::err) {
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
    end
}

/// How long before the end of a certificate the signatures with that certificate are a fault.
const NOTICE: Duration = Duration::days(14);

/// Verifies the signatures of a published generation or of a bundle, as [`verify_boot_signatures`] does. A certificate that
/// ends within two weeks is a fault, too.
pub(super) fn verify_served_signatures(
    dir: &Dir,
    prefix: &str,
    contents: &Contents,
    signer: &SignerCertificate,
    now: OffsetDateTime,
    faults: &mut Vec<Fault>,
) {
    let first = verify_boot_signatures(dir, prefix, contents, Some(signer), now, faults);
    if let Some(SignatureEnd { end, path }) = first.filter(|first| first.end - now < NOTICE) {
        let message = format!(
            "machines accept it until {}, when a certificate ends: issue another for the signer, sign with plasmagen sign, and \
             publish again",
            end.date()
        );
        faults.push(Fault::new(FaultKind::Expired, path, message));
    }
}

/// The outcome of the verification of signatures before a publication.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CheckedSignatures {
    /// Whether machines ask for signatures, and the terms name no signer.
    pub(super) has_unknown_signers: bool,
    /// The last second in which iPXE accepts all of the signatures; none where none was verified.
    pub(super) end: Option<OffsetDateTime>,
}

/// Refuses requested generations with a file that machines would not boot, where the terms name a signer or machines ask for
/// signatures.
pub(super) fn check_boot_signatures(
    lock: &WebRootLock,
    terms: &PublicationTerms<'_>,
    staged: &[StagedGeneration],
) -> Result<CheckedSignatures> {
    let requested = || staged.iter().filter(|staged| staged.is_requested());
    let site = requested().find(|staged| is_site(&staged.channel));
    let is_asked = match site {
        Some(site) => asks_for_signatures(&site.open(lock)?),
        None => requested().next().is_some() && published_asks_for_signatures(&lock.root)?,
    };
    if terms.boot_signer.is_none() && !is_asked {
        return Ok(CheckedSignatures::default());
    }
    let (mut end, mut faults): (Option<OffsetDateTime>, _) = (None, Vec::new());
    for staged in requested() {
        let (dir, prefix) = (staged.open(lock)?, format!("{}/", staged.channel));
        let contents = match is_site(&staged.channel) {
            true => read_published(&dir, &prefix, &mut faults)?,
            false => read_bundle(&dir, &prefix, &mut faults)?.map(|bundle| bundle.contents),
        };
        if let Some(contents) = contents {
            let found =
                verify_boot_signatures(&dir, &prefix, &contents, terms.boot_signer, terms.now, &mut faults);
            end = end.into_iter().chain(found.map(|first| first.end)).min();
        }
    }
    if faults.is_empty() {
        return Ok(CheckedSignatures { has_unknown_signers: terms.boot_signer.is_none(), end });
    }
    let message =
        "nothing was changed, since machines would not boot files without a signature that iPXE accepts";
    Err(Refused::new(message, faults).into())
}
