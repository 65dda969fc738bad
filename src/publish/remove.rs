//! Removes the bundles for an image from the web root.

use anyhow::{Context, Result, ensure};

use super::armed::list_armed;
use super::channel::Channel;
use super::fault::{Fault, FaultKind, Refused};
use super::joint::read_served_sites;
use super::lock::WebRootLock;
use super::needs::{list_site_scripts, without_repeats};
use super::request::PublicationTerms;
use super::root::{ARMED, CURRENT, NIXOS, SITE, WebRoot};
use super::staging::find_other_users;
use super::takeover::report_foreign;
use crate::model::list_few;

/// The name of the removed channel in the staging directory.
const REMOVED: &str = "removed";

/// The outcome of a removal.
#[derive(Debug)]
pub struct RemoveOutcome {
    /// Path of the channel: `nixos/worker`.
    pub channel: String,
    /// The number of generations that were removed.
    pub generations: usize,
    /// The nodes of the published site that boot this image once they are armed.
    pub nodes: Vec<String>,
    /// Why the removal may not outlast a power cut, or why some files may still take space.
    pub unconfirmed: Option<anyhow::Error>,
}

/// Removes all bundles for `image`.
///
/// # Errors
/// When there are none, when an armed node boots one of them, when nodes of another cluster boot the image and the terms do not
/// allow that, or when a disk refuses. Then nothing is removed.
pub fn remove(lock: &WebRootLock, image: &str, terms: &PublicationTerms<'_>) -> Result<RemoveOutcome> {
    let root = &lock.root;
    ensure!(
        image != SITE,
        "the site is not removed, since no machine boots without one: plasmagen publish replaces it, and plasmagen publish \
         --rollback site publishes the one before again"
    );
    let channel = Channel::open_named(root, image)?;
    let path = channel.path.clone();
    check_unarmed(root, image)?;
    check_other_clusters(root, image, terms)?;
    let generations = channel.generations()?;
    for (name, _) in channel.dir.list().with_context(|| format!("could not list {path}"))? {
        let is_known =
            name == CURRENT || generations.iter().any(|generation| generation.id.to_string() == name);
        ensure!(is_known, "{path} holds {}, which nobody published: move that away", name.escape_debug());
    }
    let scripts = list_site_scripts(root)?.into_iter();
    let nodes =
        scripts.filter(|script| script.image.as_deref() == Some(image)).filter_map(|script| script.node);
    let nodes = without_repeats(nodes);
    let nixos = root.dir.open_dir(NIXOS).context("could not open nixos/")?;
    // For machines the image is gone as a whole; then it is removed piece by piece.
    nixos.rename(image, &lock.staging, REMOVED).with_context(|| format!("could not remove {path}"))?;
    let confirm = || {
        nixos.sync().context("could not make nixos/ durable")?;
        lock.remove_staging()
    };
    Ok(RemoveOutcome { channel: path, generations: generations.len(), nodes, unconfirmed: confirm().err() })
}

/// Refuses to remove what nodes of another cluster than that of the terms boot once they are armed, unless the terms allow that.
fn check_other_clusters(root: &WebRoot, image: &str, terms: &PublicationTerms<'_>) -> Result<()> {
    let Some(mut others) = read_served_sites(root)?.filter(|_| !terms.may_replace_images) else {
        return Ok(());
    };
    others.retain(|name, _| terms.cluster.is_none_or(|names| !names.has(name)));
    let Some((cluster, nodes)) = find_other_users(root, &others, image)? else { return Ok(()) };
    let (verb, nodes) = (if nodes.len() == 1 { "boots" } else { "boot" }, list_few(&nodes));
    let path = Channel::path_of_image(image);
    let message = format!(
        "{nodes} of the cluster {cluster} {verb} this image once armed: name the inventory of the only cluster that boots the \
         image, or add --replace-image"
    );
    let fault = Fault::new(FaultKind::Missing, path.as_str(), message);
    Err(Refused::new(format!("{path} is not removed"), vec![fault]).into())
}

/// Refuses to remove what an armed node boots.
fn check_unarmed(root: &WebRoot, image: &str) -> Result<()> {
    let mut faults = Vec::new();
    for file in list_armed(root)? {
        faults.extend(report_foreign(&file));
        if let Some(armed) = file.armed.filter(|armed| armed.image == image) {
            let node = armed.node.escape_debug();
            let message = format!("{node} is armed and boots it: run plasmagen disarm {node} first");
            faults.push(Fault::new(FaultKind::Missing, format!("{ARMED}/{}", file.name), message));
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(Refused::new(format!("{} is not removed", Channel::path_of_image(image)), faults).into())
}
