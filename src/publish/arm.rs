//! Arms machines: all machines of a run or none, and an error names the machines for which that fails. A machine has a
//! file for each network card that may boot.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use time::{Duration, OffsetDateTime};

use super::armed::{Armed, clear_interrupted, lock, read_armed, read_interrupted, write_interrupted};
use super::bootable::{ArmTarget, BootCheck};
use super::disarm::remove_files;
use super::fault::Refused;
use super::lock::WebRootLock;
use super::needs::without_repeats;
use super::root::{ARMED, WebRoot};
use crate::fs::{Dir, Progress, TEXT_LIMIT, file_mode, sync_file};

const NOTHING_CHANGED: &str = "could not arm any node, and nothing has changed";

/// The nodes that are to be armed, and for how long.
pub struct ArmRequest<'a> {
    /// The nodes.
    pub targets: &'a [ArmTarget<'a>],
    /// The present time.
    pub now: OffsetDateTime,
    /// How long the nodes stay armed.
    pub duration: Duration,
    /// Whether the contents of the bundles' files are compared with their digests, beside their sizes.
    pub is_hashed: bool,
    /// Called with the number of bytes of each read when contents are compared.
    pub progress: Progress<'a>,
}

/// The outcome of [`arm`].
#[derive(Debug)]
pub struct ArmOutcome {
    /// The files of the nodes that are armed now: of each node, one for each network card that may boot.
    pub armed: Vec<Armed>,
    /// The nodes that a killed run had left half armed or half disarmed, and that are disarmed now.
    pub recovered: Vec<String>,
}

/// Arms all targets of `request`, or none where one of them must not be armed.
///
/// # Errors
/// [`Refused`] when something that a target boots is missing, damaged, or not what the inventory renders. Otherwise when a
/// disk refuses: the error names the nodes that are armed all the same.
pub fn arm(web_root: &WebRootLock, request: &ArmRequest<'_>) -> Result<ArmOutcome> {
    let WebRootLock { root, staging, .. } = web_root;
    let armed = prepare(root, request)?;
    let files = armed.iter().map(|record| Ok((record.mac.replace(':', "-"), record.print()?)));
    let files = files.collect::<Result<BTreeMap<_, _>>>()?;
    let begin = || {
        let dir = root.dir.ensure_dir(ARMED)?;
        lock(&dir)?;
        stage(staging, &files)?;
        anyhow::Ok((dir, read_interrupted(root)?))
    };
    let (dir, interrupted) = begin().context(NOTHING_CHANGED)?;
    let recovered = remove_files(&dir, &interrupted).context("could not arm any node")?;
    let recovered = without_repeats(recovered.into_values());
    let mut before = BTreeMap::new();
    let moved = clear_interrupted(root).and_then(|()| move_in(root, &dir, staging, &files, &mut before));
    match moved {
        Ok(()) => Ok(ArmOutcome { armed, recovered }),
        Err(error) => Err(take_back(root, &dir, staging, &before, &recovered, error)),
    }
}

/// Makes the records of each target, one for each network card, for which everything that it boots must be published.
fn prepare(root: &WebRoot, request: &ArmRequest<'_>) -> Result<Vec<Armed>> {
    let ArmRequest { now, is_hashed, progress, .. } = *request;
    let (bundles, faults) = (BTreeMap::new(), Vec::new());
    let mut check = BootCheck { root, now, is_hashed, progress, bundles, faults };
    let (begin, until) = Armed::period(now, request.duration)?;
    let mut records = Vec::new();
    for target in request.targets {
        let Some(bundle) = check.check(target)? else { continue };
        records.extend(target.macs.iter().map(|mac| Armed {
            schema: Armed::schema(),
            node: target.node.to_string(),
            mac: mac.to_string(),
            serial: target.serial.map(str::to_owned),
            image: target.image.clone(),
            bundle: bundle.id,
            generation: bundle.generation,
            armed: begin,
            until,
        }));
    }
    if !check.faults.is_empty() {
        let names: Vec<_> = request.targets.iter().map(|target| target.node.as_str()).collect();
        return Err(Refused::new(format!("could not arm {}", names.join(", ")), check.faults).into());
    }
    Ok(records)
}

/// Writes the new files durably into the staging directory.
fn stage(staging: &Dir, files: &BTreeMap<String, String>) -> Result<()> {
    for (name, text) in files {
        let (file, _) = staging
            .write_new(name, file_mode(false), text.as_bytes())
            .with_context(|| format!("could not write {name} into the staging directory"))?;
        sync_file(&file)
            .with_context(|| format!("could not make {name} durable in the staging directory"))?;
    }
    Ok(())
}

/// Moves all staged files into `armed/`, and makes that durable. `before` gets what was there under each moved name.
fn move_in(
    root: &WebRoot,
    dir: &Dir,
    staging: &Dir,
    files: &BTreeMap<String, String>,
    before: &mut BTreeMap<String, Option<Vec<u8>>>,
) -> Result<()> {
    if files.len() > 1 {
        write_interrupted(root, files.keys())?;
    }
    for name in files.keys() {
        before.insert(name.clone(), dir.read_limited(name, TEXT_LIMIT).ok());
        staging
            .rename(name, dir, name)
            .with_context(|| format!("could not move a file to {ARMED}/{name}"))?;
    }
    dir.sync().context("could not make armed/ durable")?;
    clear_interrupted(root)
}

/// Gives every name in `before` its old file again, after `error`. Returns the error to report: it says which nodes are
/// armed all the same, and that those of `recovered` are disarmed.
fn take_back(
    root: &WebRoot,
    dir: &Dir,
    staging: &Dir,
    before: &BTreeMap<String, Option<Vec<u8>>>,
    recovered: &[String],
    error: anyhow::Error,
) -> anyhow::Error {
    let error = if recovered.is_empty() {
        error
    } else {
        let nodes = recovered.join(", ");
        error.context(format!(
            "disarmed, since an earlier run that armed or disarmed them was killed: {nodes}"
        ))
    };
    for (name, body) in before {
        let undone = match body {
            Some(body) => dir.replace_from(staging, name, body),
            None => dir.remove_file(name),
        };
        // What is there in the end decides.
        drop(undone);
    }
    let is_durable = dir.sync().is_ok();
    let is_left = |(name, body): &(&String, &Option<Vec<u8>>)| {
        dir.exists(name).unwrap_or(true) && dir.read_limited(name, TEXT_LIMIT).ok() != **body
    };
    let left = before.iter().filter(is_left).map(|(name, _)| read_armed(dir, name.clone()).label());
    let left = without_repeats(left);
    if left.is_empty() && is_durable && clear_interrupted(root).is_ok() {
        let nothing = if recovered.is_empty() { NOTHING_CHANGED } else { "could not arm any node" };
        return error.context(nothing);
    }
    if left.is_empty() {
        return error.context(
            "could not arm any node. None is armed by this run now, but the disk did not confirm that: look at plasmagen \
             armed after a power cut",
        );
    }
    let (names, nodes) = (left.join(", "), left.join(" "));
    error.context(format!(
        "could not arm all nodes, nor take the others back: armed now are {names}. Run plasmagen disarm {nodes}"
    ))
}
