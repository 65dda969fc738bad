//! Verifies a web root or a bundle: compares every file with what it should be, and reports all faults at once.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::access::verify_access;
use super::begun::verify_begun;
use super::boot_signatures::verify_served_signatures;
use super::bundle::read_bundle;
use super::channel::Channel;
use super::compare::{ExpectedDir, compare};
use super::conflicts::find_conflicts;
use super::fault::{Fault, FaultKind};
use super::generations::{UNSIGNED_MANIFEST, verify_channel, verify_signature};
use super::joint::{
    SiteIds, is_published_dir, list_cluster_dirs, path_of_site, read_boot, read_served_sites,
};
use super::joint_plan::{JointPart, JointPlan};
use super::needs::{list_site_names, open_current};
use super::publication::PUBLICATION;
use super::report::{VerifiedGeneration, VerifyReport, VerifyRequirements};
use super::request::ClusterNames;
use super::root::{ARMED, CURRENT, NIXOS, SITE, SITES, TFTP, WebRoot, open_named};
use super::shared_files::report_differing;
use super::verify_armed::verify_armed;
use super::verify_loaders::verify_loaders;
use crate::fs::{FileType, Progress, STATE, Stat, kind_of};
use crate::image::MANIFEST;
use crate::model::{Label, Word, list_image_names};

/// Verifies the web root or the bundle at `path`; `progress` is called with the number of bytes of each read.
///
/// # Errors
/// When there is neither a web root nor a bundle, or a disk refuses.
pub fn verify(
    path: &Path,
    requirements: &VerifyRequirements<'_>,
    progress: Progress<'_>,
) -> Result<VerifyReport> {
    let mut report = VerifyReport::default();
    let mut dirs = Vec::new();
    if WebRoot::is_at(path) {
        verify_root(&WebRoot::open(path)?, requirements, &mut report, &mut dirs)?;
    } else {
        dirs.extend(verify_bundle(path, requirements, &mut report)?);
    }
    report.faults.extend(compare(&dirs, progress)?);
    report.faults.sort();
    report.faults.dedup();
    Ok(report)
}

/// Verifies a bundle outside of a web root, except the contents of its files.
fn verify_bundle(
    path: &Path,
    requirements: &VerifyRequirements<'_>,
    report: &mut VerifyReport,
) -> Result<Option<ExpectedDir>> {
    let dir = open_named(path)?;
    if !dir.exists(MANIFEST)? {
        bail!("{} is neither a web root of plasmagen's nor a bundle", path.display());
    }
    ensure!(
        requirements.least.is_empty(),
        "{} is a bundle, which has no generation until it is published: ask for the least one of a web root",
        path.display()
    );
    let Some(bundle) = read_bundle(&dir, "", &mut report.faults)? else { return Ok(None) };
    verify_signature(&dir, "", MANIFEST, UNSIGNED_MANIFEST, requirements, &mut report.faults)?;
    if let Some(signer) = requirements.boot_signer {
        let faults = &mut report.faults;
        verify_served_signatures(&dir, "", &bundle.contents, signer, requirements.now, faults);
    }
    let (path, id) = (String::new(), bundle.manifest.id);
    report.generations.push(VerifiedGeneration { path, id, is_current: false, publication: None });
    Ok(Some(ExpectedDir { dir, prefix: String::new(), contents: bundle.contents }))
}

/// Verifies a web root, except the contents of the generations' files.
fn verify_root(
    root: &WebRoot,
    requirements: &VerifyRequirements<'_>,
    report: &mut VerifyReport,
    dirs: &mut Vec<ExpectedDir>,
) -> Result<()> {
    for (name, stat) in root.dir.list().context("could not list the web root")? {
        verify_top_name(root, &name, &stat, report)?;
    }
    let mut paths = Vec::new();
    if root.dir.exists(NIXOS)? {
        let nixos = root.dir.open_dir(NIXOS).context("could not open nixos/")?;
        for (name, stat) in nixos.list().context("could not list nixos/")? {
            let path = format!("{NIXOS}/{}", name.escape_debug());
            let is_dir = kind_of(&stat) == FileType::Directory;
            if is_dir && list_image_names().contains(&name) {
                paths.push(path);
            } else if is_dir && Label::parse(&name).is_ok() {
                let message = format!("no node boots this image: run plasmagen publish --remove {name}");
                report.faults.push(Fault::new(FaultKind::Extra, path, message));
            } else {
                report.faults.push(Fault::new(FaultKind::Extra, path, "nobody published it"));
            }
        }
    }
    paths.sort();
    // verify_joint reports a joint site that can't be read.
    let sites = read_served_sites(root).ok().flatten();
    for name in list_cluster_dirs(root)? {
        let path = path_of_site(&name).escape_debug().to_string();
        if sites.as_ref().is_some_and(|sites| sites.contains_key(&name)) {
            paths.push(path);
        } else {
            let sites = root.dir.open_dir(SITES).with_context(|| format!("could not open {SITES}/"))?;
            let message = if is_published_dir(&sites, &name) {
                "machines boot no site of that name: plasmagen publish removes it with the next site"
            } else {
                "machines boot no site of that name, and nobody published it: move it away"
            };
            report.faults.push(Fault::new(FaultKind::Extra, path, message));
        }
    }
    paths.push(SITE.to_owned());
    for path in paths {
        if let Some(channel) = Channel::open(root, &path)? {
            verify_channel(root, &channel, requirements, report, dirs)?;
        }
    }
    verify_links(root, report)?;
    verify_joint(root, report)?;
    report_unserved(requirements, report);
    report_foreign(sites.as_ref(), requirements, report);
    verify_armed(root, requirements, &mut report.faults)?;
    verify_loaders(root, requirements, &mut report.faults)?;
    verify_begun(root, &mut report.faults);
    verify_access(root, &mut report.faults)
}

/// Verifies a file or directory of the web root's top level.
fn verify_top_name(root: &WebRoot, name: &str, stat: &Stat, report: &mut VerifyReport) -> Result<()> {
    match name {
        STATE | ARMED | TFTP | NIXOS | SITE | SITES if kind_of(stat) == FileType::Directory => {}
        "lost+found" => {}
        _ if kind_of(stat) == FileType::Symlink => {
            if root.dir.read_link(name)?.to_bytes() != format!("{SITE}/{CURRENT}/{name}").as_bytes() {
                let message = "it does not lead into the current site";
                report.faults.push(Fault::new(FaultKind::Swapped, name, message));
            }
        }
        _ => {
            let name = name.escape_debug().to_string();
            report.faults.push(Fault::new(FaultKind::Extra, name, "nobody published it"));
        }
    }
    Ok(())
}

/// Reports names of the served site to which the web root has no link: a server that follows links finds nothing there.
fn verify_links(root: &WebRoot, report: &mut VerifyReport) -> Result<()> {
    for name in list_site_names(root)? {
        if !root.dir.exists(&name)? {
            let message = "the link into the current site is not there: publish the site again";
            report.faults.push(Fault::new(FaultKind::Missing, name, message));
        }
    }
    Ok(())
}

/// Reports channels with a least generation from which nothing is served: that is as bad as an older generation, and a
/// mistyped base would require nothing.
fn report_unserved(requirements: &VerifyRequirements<'_>, report: &mut VerifyReport) {
    for (base, least) in requirements.least {
        let channel = base.as_deref().map(Channel::path_of_image);
        let is_of_channel = |generation: &&VerifiedGeneration| {
            let path = generation.path.rsplit_once('/').map(|(path, _)| path);
            channel.is_none() || path == channel.as_deref()
        };
        let mut served = report.generations.iter().filter(|generation| generation.is_current);
        if !served.any(|generation| is_of_channel(&generation)) {
            let message = format!("nothing is served, and generation {least} is the least that may be");
            let path = channel.map_or_else(|| NIXOS.to_owned(), |path| path.escape_debug().to_string());
            report.faults.push(Fault::new(FaultKind::Missing, path, message));
        }
    }
}

/// Verifies that the served site is that of its parts, where several clusters share `root`, and that they are in no conflict.
fn verify_joint(root: &WebRoot, report: &mut VerifyReport) -> Result<()> {
    let sites = match read_served_sites(root) {
        Ok(Some(sites)) => sites,
        Ok(None) => return Ok(()),
        Err(error) => {
            let path = format!("{SITE}/{CURRENT}");
            report.faults.push(Fault::new(FaultKind::Changed, path, format!("{error:#}")));
            return Ok(());
        }
    };
    let mut parts = Vec::new();
    for (cluster, id) in &sites {
        // The channel of the site reports what is wrong with it.
        let Ok(dir) = root.dir.open_dir(&format!("{}/{id}", path_of_site(cluster))) else {
            let message = format!(
                "the joint site has {id:.12}, and that is not there: publish the site of {cluster} again"
            );
            report.faults.push(Fault::new(FaultKind::Missing, path_of_site(cluster), message));
            return Ok(());
        };
        let Ok(part) = JointPart::read(cluster, *id, dir) else { return Ok(()) };
        parts.push(part);
    }
    report.faults.extend(find_conflicts(&parts)?);
    let Some((id, dir)) = open_current(root, SITE)? else { return Ok(()) };
    let boot = read_boot(&dir)?;
    report_differing(&parts, boot.as_deref(), &mut report.faults);
    if JointPlan::of(&parts, boot.as_deref()).is_ok_and(|plan| plan.id != id) {
        let message =
            "it is not what the sites of its clusters are together: publish the site of one of them again";
        report.faults.push(Fault::new(FaultKind::Swapped, format!("{SITE}/{CURRENT}"), message));
    }
    Ok(())
}

/// Reports current generations that were published for another cluster than the required one, or than the site. Clusters whose
/// `sites` are served jointly share the images.
fn report_foreign(sites: Option<&SiteIds>, requirements: &VerifyRequirements<'_>, report: &mut VerifyReport) {
    let current = report.generations.iter().filter(|generation| generation.is_current);
    let named = current.filter_map(|generation| {
        Some((generation.path.as_str(), generation.publication.as_ref()?.cluster.as_deref()?))
    });
    // The site comes last.
    let named: Vec<_> = named.collect();
    let of_site = || named.last().map(|(_, cluster)| ClusterNames { name: cluster, former: &[] });
    let Some(names) = requirements.cluster.or_else(of_site) else { return };
    let mut faults = Vec::new();
    if let (Some(sites), Some(required)) = (sites, requirements.cluster)
        && !sites.keys().any(|name| required.has(name))
    {
        let message = format!(
            "no site of the cluster {} is served: run plasmagen publish --add-cluster",
            required.name
        );
        faults.push(Fault::new(FaultKind::Missing, SITES, message));
    }
    for (path, cluster) in named {
        let wanted = match (sites, path.split('/').collect::<Vec<_>>().as_slice()) {
            (None, _) => (!names.has(cluster)).then(|| names.name.to_owned()),
            (Some(_), [SITES, name, _]) => (*name != cluster).then(|| (*name).to_owned()),
            (Some(sites), _) => {
                let all: Vec<_> = sites.keys().map(String::as_str).collect();
                (!sites.contains_key(cluster)).then(|| all.join(" or "))
            }
        };
        let Some(wanted) = wanted else { continue };
        let message =
            format!("it was published for the cluster {cluster}, and not for {wanted}: publish for {wanted}");
        let base = path.strip_prefix(NIXOS).and_then(|rest| rest.split('/').nth(1));
        let removal =
            base.map_or_else(String::new, |base| format!(", or run plasmagen publish --remove {base}"));
        faults.push(Fault::new(FaultKind::Swapped, format!("{path}/{PUBLICATION}"), message + &removal));
    }
    report.faults.extend(faults);
}
