//! Verifies a channel and each of its generations, except the contents of files.

use anyhow::{Context, Result};

use super::begun::find_begun;
use super::boot_signatures::verify_served_signatures;
use super::bundle::read_bundle;
use super::channel::{Channel, Generation};
use super::compare::ExpectedDir;
use super::fault::{Fault, FaultKind};
use super::joint::cluster_of;
use super::publication::PUBLICATION;
use super::report::{VerifiedGeneration, VerifyReport, VerifyRequirements};
use super::root::{CURRENT, NIXOS, WebRoot};
use super::site;
use crate::fs::{Dir, Sha256Sum, TEXT_LIMIT};
use crate::image::MANIFEST;

/// The file name of the signature that the builder of a bundle made.
const MANIFEST_SIGNATURE: &str = "manifest.json.sig";

/// The message for a manifest of a bundle that its builder has not signed.
pub(super) const UNSIGNED_MANIFEST: &str =
    "its manifest is not signed: run plasmagen sign BUNDLE --ssh-key KEY";

/// Verifies a channel. The contents of files are compared later, all together: their directories are appended to `dirs`.
pub(super) fn verify_channel(
    root: &WebRoot,
    channel: &Channel,
    requirements: &VerifyRequirements<'_>,
    report: &mut VerifyReport,
    dirs: &mut Vec<ExpectedDir>,
) -> Result<()> {
    let generations = channel.generations()?;
    let list = channel.dir.list().with_context(|| format!("could not list {}", channel.path))?;
    for (name, _) in list {
        let is_known = generations.iter().any(|generation| generation.id.to_string() == name)
            || name == CURRENT && channel.has_link();
        if !is_known {
            let path = format!("{}/{}", channel.path, name.escape_debug());
            report.faults.push(Fault::new(FaultKind::Extra, path, "nobody published it"));
        }
    }
    let current = match channel.current() {
        Ok(current) => current,
        Err(error) => {
            let path = format!("{}/{CURRENT}", channel.path);
            report.faults.push(Fault::new(FaultKind::Swapped, path, format!("{error:#}")));
            None
        }
    };
    verify_current(root, channel, &generations, current, requirements, &mut report.faults)?;
    for generation in generations {
        let path = format!("{}/{}", channel.path, generation.id);
        let is_current = current == Some(generation.id);
        let faults = &mut report.faults;
        dirs.extend(verify_generation(channel, &generation, is_current, requirements, faults)?);
        let Generation { id, publication, .. } = generation;
        report.generations.push(VerifiedGeneration { path, id, is_current, publication });
    }
    Ok(())
}

/// Verifies that `current` leads to the generation that should be served.
fn verify_current(
    root: &WebRoot,
    channel: &Channel,
    generations: &[Generation],
    current: Option<Sha256Sum>,
    requirements: &VerifyRequirements<'_>,
    faults: &mut Vec<Fault>,
) -> Result<()> {
    // The joint site says which site of a cluster is current.
    let path = if channel.has_link() { format!("{}/{CURRENT}", channel.path) } else { channel.path.clone() };
    let mut fault = |kind, message: String| faults.push(Fault::new(kind, path.as_str(), message));
    let Some(highest) = generations.first() else {
        if current.is_some() {
            fault(FaultKind::Missing, "it leads to nothing".to_owned());
        }
        return Ok(());
    };
    let last = root.last_generation()?;
    if highest.number() > last {
        let number = highest.number();
        fault(FaultKind::Changed, format!("generation {number} was never given: the last one was {last}"));
    }
    let Some(id) = current else {
        if !channel.has_link() || !channel.dir.exists(CURRENT)? {
            fault(FaultKind::Missing, "no generation is current".to_owned());
        }
        return Ok(());
    };
    let Some(generation) = generations.iter().find(|generation| generation.id == id) else {
        fault(FaultKind::Swapped, format!("it leads to {id}, which is not there"));
        return Ok(());
    };
    let (number, top) = (generation.number(), highest.number());
    let name = channel.name();
    if find_begun(root, &channel.path).is_some() {
        let message = format!(
            "generation {number} is served. A roll back was interrupted: plasmagen publish --rollback {name} finishes it"
        );
        fault(FaultKind::RolledBack, message);
    } else if number < top {
        let message = format!(
            "generation {number} is served, and {top} was published after it. If a publish died, run it again; plasmagen \
             publish --rollback {name} publishes another generation under a new number"
        );
        fault(FaultKind::RolledBack, message);
    }
    let base = channel.path.strip_prefix(NIXOS).and_then(|rest| rest.strip_prefix('/'));
    let least = requirements.least.iter().filter(|(of, _)| of.is_none() || of.as_deref() == base);
    if let Some(least) = least.map(|(_, least)| *least).max().filter(|least| number < *least) {
        fault(
            FaultKind::RolledBack,
            format!("generation {number} is served, and {least} is the least that may be"),
        );
    }
    if let Some(publication) =
        generation.publication.as_ref().filter(|publication| publication.is_expired(requirements.now))
    {
        let expires = publication.expires.date();
        fault(FaultKind::Expired, format!("it has expired on {expires}: publish it again"));
    }
    Ok(())
}

/// Verifies manifest, publication and modes of a generation; returns the directory with the expected contents.
fn verify_generation(
    channel: &Channel,
    generation: &Generation,
    is_current: bool,
    requirements: &VerifyRequirements<'_>,
    faults: &mut Vec<Fault>,
) -> Result<Option<ExpectedDir>> {
    let prefix = format!("{}/{}/", channel.path, generation.id);
    let dir = channel.open_generation(generation.id)?;
    let (id, contents) = if channel.is_site() {
        let read = if cluster_of(&channel.path).is_some() { site::read_part } else { site::read_published };
        let Some(contents) = read(&dir, &prefix, faults)? else { return Ok(None) };
        (contents.manifest, contents)
    } else {
        let Some(bundle) = read_bundle(&dir, &prefix, faults)? else { return Ok(None) };
        let image = bundle.manifest.image();
        if Channel::path_of_image(&image) != channel.path {
            let message = format!(
                "it is a bundle for {image}: publish it again, then run plasmagen publish --remove {}",
                channel.name()
            );
            faults.push(Fault::new(FaultKind::Swapped, prefix.as_str(), message));
        }
        if dir.exists(MANIFEST_SIGNATURE)? {
            verify_signature(&dir, &prefix, MANIFEST, UNSIGNED_MANIFEST, requirements, faults)?;
        }
        (bundle.manifest.id, bundle.contents)
    };
    // The signer of another cluster signs that cluster's part, also in a joint site.
    let is_asked = is_current && !generation.is_joint && !is_of_other_cluster(channel, requirements);
    if let Some(signer) = requirements.boot_signer.filter(|_| is_asked) {
        verify_served_signatures(&dir, &prefix, &contents, signer, requirements.now, faults);
    }
    if id != generation.id {
        faults.push(Fault::new(FaultKind::Swapped, prefix.as_str(), format!("it holds {id}")));
    }
    let path = format!("{prefix}{PUBLICATION}");
    match &generation.publication {
        None => faults.push(Fault::new(FaultKind::Missing, path, "it has none that can be read")),
        Some(publication) if publication.manifest != contents.manifest => {
            faults.push(Fault::new(FaultKind::Swapped, path, "it is of another manifest"));
        }
        // The signatures of the parts vouch for the joint site that is served, and another cluster's keys for its site.
        Some(_) if generation.is_joint && is_current || is_of_other_cluster(channel, requirements) => {}
        Some(_) => {
            let unsigned = explain_unsigned(channel, is_current);
            verify_signature(&dir, &prefix, PUBLICATION, unsigned, requirements, faults)?;
        }
    }
    Ok(Some(ExpectedDir { dir, prefix, contents }))
}

/// Whether the channel has the site of another cluster than the required one.
fn is_of_other_cluster(channel: &Channel, requirements: &VerifyRequirements<'_>) -> bool {
    let cluster = cluster_of(&channel.path).zip(requirements.cluster);
    cluster.is_some_and(|(cluster, names)| !names.has(cluster))
}

/// Says how a generation gets a signature, or goes: to publish again signs the current generation only.
fn explain_unsigned(channel: &Channel, is_current: bool) -> &'static str {
    match (is_current, channel.is_site()) {
        (true, true) => "its publication is not signed: publish again with plasmagen publish --sign KEY",
        (true, false) => {
            "its publication is not signed: publish the same bundle again with plasmagen publish BUNDLE --sign KEY"
        }
        (false, true) => {
            "it is kept, and its publication is not signed: plasmagen publish --keep 0 --sign KEY removes it"
        }
        (false, false) => {
            "it is kept, and its publication is not signed: plasmagen publish BUNDLE --keep 0 --sign KEY, with the bundle \
             that is current, removes it"
        }
    }
}

/// Verifies that one of the required signers has signed the file `name` in `dir`: the manifest of a bundle, or a
/// publication, which has the digest of the generation's manifest. Where there is no signature, the fault says `unsigned`.
pub(super) fn verify_signature(
    dir: &Dir,
    prefix: &str,
    name: &str,
    unsigned: &str,
    requirements: &VerifyRequirements<'_>,
    faults: &mut Vec<Fault>,
) -> Result<()> {
    let Some(signers) = requirements.signers else { return Ok(()) };
    let signature = format!("{name}.sig");
    let mut fault =
        |message| faults.push(Fault::new(FaultKind::Unsigned, format!("{prefix}{signature}"), message));
    if !dir.exists(&signature)? {
        fault(unsigned.to_owned());
        return Ok(());
    }
    let read = |name| dir.read_limited(name, TEXT_LIMIT);
    let verify = || signers.verify(&read(name)?, &read(&signature)?, requirements.now);
    if let Err(error) = verify() {
        fault(format!("{error:#}: {}", explain_signing(name)));
    }
    Ok(())
}

/// Says how the file `name`, a manifest or a publication, is signed again.
fn explain_signing(name: &str) -> &'static str {
    match name {
        MANIFEST => "where the bundle is sound, run plasmagen sign BUNDLE --ssh-key KEY",
        _ => "publish again with plasmagen publish --sign KEY",
    }
}
