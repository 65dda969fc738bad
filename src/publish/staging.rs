//! Stages generations: each is built in the staging directory, whole and durable, before any of them is moved to its place.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::adoption::stage_adopted;
use super::bundle::{Bundle, is_same_bundle, read_bundle};
use super::channel::Channel;
use super::fault::{Fault, FaultKind, Refused};
use super::joining::stage_joint;
use super::joint::{SiteIds, open_part};
use super::links::find_missing_links;
use super::lock::WebRootLock;
use super::needs::{list_scripts, without_repeats};
use super::place::{ClusterIdentity, ClusterPlace, find_place};
use super::request::{PublicationTerms, PublishRequest};
use super::root::{SITE, WebRoot};
use super::signatures::unsigned_fault;
use super::site::{self, RenderedSite};
use super::staged::{StagedGeneration, StagedRole, fill, is_published};
use crate::fs::{Dir, Progress, TEXT_LIMIT, file_mode, sync_file};
use crate::image::{INITRD, KERNEL, MANIFEST, SCRIPT};
use crate::model::list_few;

/// Stages everything that is to be published. Returns also the sites of the other clusters that share the web root.
///
/// # Errors
/// When files are not what their manifest says: then all faults are told.
pub(super) fn stage(
    lock: &WebRootLock,
    request: &PublishRequest<'_>,
    progress: Progress<'_>,
) -> Result<(Vec<StagedGeneration>, SiteIds)> {
    let about =
        |path: &Path| format!("could not publish the site {}, and nothing was changed", path.display());
    let open = |path| RenderedSite::open(path, request.signatures).with_context(|| about(path));
    let site = request.site.map(open).transpose()?;
    let asks = match &site {
        Some(site) => site.asks_for_signatures(),
        None => site::published_asks_for_signatures(&lock.root)?,
    };
    let signed = request.signed || asks;
    let of_site = site.as_ref().map(|site| ClusterIdentity::of_site(site.cluster.as_deref(), &site.dir));
    let of_site = of_site.transpose()?;
    let place = find_place(&lock.root, of_site, &request.terms)?;
    let mut staged: Vec<StagedGeneration> = Vec::new();
    for path in request.bundles {
        let name = staged.len().to_string();
        let mut generation = stage_bundle(lock, path, &name, signed, progress).with_context(|| {
            format!("could not publish the bundle {}, and nothing was changed", path.display())
        })?;
        generation.cluster.clone_from(&place.cluster);
        check_owner(lock, &generation, &place, &request.terms)?;
        let is_taken = staged.iter().any(|other| other.channel == generation.channel);
        ensure!(!is_taken, "two bundles are for {}: publish only one of them", generation.channel);
        staged.push(generation);
    }
    if let (Some(path), Some(site)) = (request.site, &site) {
        let mut generation = stage_site(lock, site, &place, signed, progress).with_context(|| about(path))?;
        generation.cluster.clone_from(&place.cluster);
        if let Some(host) = &place.adopted {
            staged.extend(stage_adopted(lock, host, progress)?);
        }
        let joint = place.others.as_ref();
        let may_replace = request.terms.may_replace_boot;
        let joint = joint.map(|others| stage_joint(lock, Some(&generation), others, may_replace, progress));
        let joint = joint.transpose()?;
        staged.push(generation);
        staged.extend(joint);
    }
    Ok((staged, place.others.unwrap_or_default()))
}

/// Refuses a bundle that would take the place of one that nodes of another cluster of the web root boot, or that another cluster has
/// published, unless the terms allow that.
pub(super) fn check_owner(
    lock: &WebRootLock,
    bundle: &StagedGeneration,
    place: &ClusterPlace,
    terms: &PublicationTerms<'_>,
) -> Result<()> {
    let Some(others) = place.others.as_ref().filter(|_| !terms.may_replace_images) else { return Ok(()) };
    let Some(channel) = Channel::open(&lock.root, &bundle.channel)? else { return Ok(()) };
    let Some(current) = channel.current_generation()?.filter(|current| current.id != bundle.id) else {
        return Ok(());
    };
    let (was, new) = (current.id.to_string(), bundle.id.to_string());
    let owner = current.publication.and_then(|publication| publication.cluster);
    let why = if let Some((cluster, nodes)) = find_other_users(&lock.root, others, channel.name())? {
        let verb = if nodes.len() == 1 { "boots" } else { "boot" };
        format!(
            "{} of the cluster {cluster} {verb} the bundle {was:.12} for this image, and would boot {new:.12}",
            list_few(&nodes)
        )
    } else if let Some(owner) = owner.filter(|owner| others.contains_key(owner)) {
        format!(
            "the cluster {owner} has published the bundle {was:.12} for this image, and this is {new:.12}"
        )
    } else {
        return Ok(());
    };
    let message = format!(
        "{why}. Where the nodes of both are to boot this bundle, add --replace-image; for bundles of different content, publish one \
         of the clusters into another web root"
    );
    let fault = Fault::new(FaultKind::Swapped, bundle.channel.as_str(), message);
    Err(Refused::new("the bundle would replace another cluster's, and nothing was changed", vec![fault])
        .into())
}

/// Finds a cluster of `others` whose nodes boot `image`, with their names.
pub(super) fn find_other_users(
    root: &WebRoot,
    others: &SiteIds,
    image: &str,
) -> Result<Option<(String, Vec<String>)>> {
    for (cluster, id) in others {
        // verify reports a site that is not there.
        let Ok(dir) = open_part(root, cluster, *id) else { continue };
        let scripts = list_scripts(&dir)?.into_iter();
        let users = scripts.filter(|script| script.image.as_deref() == Some(image));
        let nodes = without_repeats(users.filter_map(|script| script.node));
        if !nodes.is_empty() {
            return Ok(Some((cluster.clone(), nodes)));
        }
    }
    Ok(None)
}

fn stage_bundle(
    lock: &WebRootLock,
    path: &Path,
    name: &str,
    signed: bool,
    progress: Progress<'_>,
) -> Result<StagedGeneration> {
    let dir = Dir::open(path).context("could not open it")?;
    let mut faults = Vec::new();
    let Some(bundle) = read_bundle(&dir, "", &mut faults)? else {
        return Err(Refused::new("it is not what it says", faults).into());
    };
    if signed {
        let is_signed = |file: &str| bundle.contents.signatures.contains(&format!("{file}.sig"));
        let files = [KERNEL, INITRD, SCRIPT].into_iter().filter(|file| !is_signed(file));
        faults.extend(unsigned_fault(files));
    }
    let channel = Channel::path_of_image(&bundle.manifest.image());
    let id = bundle.manifest.id;
    let is_same = |found: &Dir| is_same_bundle(found, &dir, &bundle);
    let is_kept = is_published(&lock.root, &channel, id, &bundle.contents, &is_same)?;
    let to = if is_kept { None } else { Some(lock.staging.ensure_dir(name)?) };
    fill(&dir, &bundle.contents, to.as_ref(), &mut faults, progress)?;
    if let Some(to) = &to {
        copy_signatures(&dir, &bundle, to)?;
    }
    if !faults.is_empty() {
        return Err(Refused::new("it is not what it says", faults).into());
    }
    let (manifest, name) = (bundle.contents.manifest, to.map(|_| name.to_owned()));
    let bundle = Some(bundle.manifest);
    let (links, role) = (Vec::new(), StagedRole::Requested);
    Ok(StagedGeneration { channel, id, manifest, name, bundle, cluster: None, links, role })
}

/// Copies the signatures of a bundle, which have no digest, from `dir` to `to`.
fn copy_signatures(dir: &Dir, bundle: &Bundle, to: &Dir) -> Result<()> {
    for name in &bundle.contents.signatures {
        let body = dir.read_limited(name, TEXT_LIMIT).with_context(|| format!("could not read {name}"))?;
        let (file, _) = to.write_new(name, file_mode(false), &body)?;
        sync_file(&file).with_context(|| format!("could not make {name} durable"))?;
    }
    to.sync().context("could not make the staging directory durable")
}

fn stage_site(
    lock: &WebRootLock,
    site: &RenderedSite,
    place: &ClusterPlace,
    signed: bool,
    progress: Progress<'_>,
) -> Result<StagedGeneration> {
    if let Some(fault) = signed.then(|| site.unsigned_fault()).flatten() {
        let message = "sign it with plasmagen sign, and name the directory of signatures with --signatures";
        return Err(Refused::new(message, vec![fault]).into());
    }
    let is_same = |dir: &Dir| {
        let mut faults = Vec::new();
        let contents = site::read_published(dir, "", &mut faults)?;
        Ok(faults.is_empty() && contents.is_some_and(|contents| contents.manifest == site.id()))
    };
    let is_kept = is_published(&lock.root, &place.channel, site.id(), &site.published_contents(), &is_same)?;
    let to = if is_kept { None } else { Some(lock.staging.ensure_dir(SITE)?) };
    let mut faults = Vec::new();
    site.contents.report_extra(&site.dir, "www/", &mut faults)?;
    fill(&site.dir, &site.contents, to.as_ref(), &mut faults, progress)?;
    if let Some((dir, contents)) = &site.signatures {
        fill(dir, contents, to.as_ref(), &mut faults, progress)?;
    }
    if !faults.is_empty() {
        return Err(Refused::new("it is not as plasmagen render left it; run it again", faults).into());
    }
    if let Some(to) = &to {
        let (file, _) = to.write_new(MANIFEST, file_mode(false), &site.manifest)?;
        sync_file(&file).and_then(|()| to.sync()).context("could not make the staging directory durable")?;
    }
    // The links lead into the joint site, where there is one.
    let links =
        if place.others.is_none() { find_missing_links(&lock.root, &site.top_names())? } else { Vec::new() };
    Ok(StagedGeneration {
        channel: place.channel.clone(),
        id: site.id(),
        manifest: site.id(),
        name: to.map(|_| SITE.to_owned()),
        bundle: None,
        cluster: None,
        links,
        role: StagedRole::Requested,
    })
}
