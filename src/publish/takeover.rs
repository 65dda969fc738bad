//! Refuses a publication that takes machines away: those of another cluster, and those that are armed.

use anyhow::{Context, Result, ensure};

use super::armed::{ArmedFile, list_armed};
use super::channel::Channel;
use super::fault::{Fault, FaultKind, Refused};
use super::needs::{NodeScript, list_site_scripts};
use super::request::PublicationTerms;
use super::root::{ARMED, NIXOS, SITE, WebRoot};
use crate::fs::Dir;

/// The number of nodes that a message names.
const FEW: usize = 5;

/// Reads the name of the cluster that boots from `root`: that of the served site, else that of a served bundle; none where
/// no publication names a cluster.
fn read_served_cluster(root: &WebRoot) -> Result<Option<String>> {
    let mut paths = vec![SITE.to_owned()];
    if root.dir.exists(NIXOS)? {
        let nixos = root.dir.open_dir(NIXOS).context("could not open nixos/")?;
        let mut names: Vec<_> = nixos.list().context("could not list nixos/")?;
        names.sort_by(|a, b| a.0.cmp(&b.0));
        paths.extend(names.into_iter().map(|(name, _)| Channel::path_of_base(&name)));
    }
    for path in paths {
        // What is no directory, or leads nowhere, verify reports.
        let Ok(Some(channel)) = Channel::open(root, &path) else { continue };
        let current = channel.current_generation().ok().flatten();
        if let Some(cluster) = current.and_then(|generation| generation.publication?.cluster) {
            return Ok(Some(cluster));
        }
    }
    Ok(None)
}

/// Finds the name of the cluster for which something is published: that of the site, else that of the inventory, else that
/// of the web root.
///
/// # Errors
/// When the site is not the inventory's, or the web root is another cluster's.
pub(super) fn find_cluster(
    root: &WebRoot,
    of_site: Option<&str>,
    terms: &PublicationTerms<'_>,
) -> Result<Option<String>> {
    if let (Some(of_site), Some(of_inventory)) = (of_site, terms.cluster) {
        ensure!(
            of_site == of_inventory,
            "the site is of the cluster {of_site}, and the inventory of the cluster {of_inventory}: name the inventory of \
             the site with --inventory"
        );
    }
    let Some(cluster) = of_site.or(terms.cluster) else { return read_served_cluster(root) };
    check_cluster(root, Some(cluster), terms)?;
    Ok(Some(cluster.to_owned()))
}

/// Refuses to publish for `cluster` where another cluster boots from `root`, unless the terms name that other cluster.
pub(super) fn check_cluster(
    root: &WebRoot,
    cluster: Option<&str>,
    terms: &PublicationTerms<'_>,
) -> Result<()> {
    let served = read_served_cluster(root)?;
    let (Some(served), Some(cluster)) = (served, cluster) else { return Ok(()) };
    if served == cluster || terms.replaced_cluster == Some(served.as_str()) {
        return Ok(());
    }
    let mut message =
        format!("machines of the cluster {served} boot from it, and this is of the cluster {cluster}");
    let scripts = list_site_scripts(root)?.into_iter();
    let names: Vec<_> = scripts.filter_map(|script| script.node).collect();
    if !names.is_empty() {
        message += &format!("; without their scripts {} could boot nothing", name_few(&names));
    }
    let armed: Vec<_> = list_armed(root)?.into_iter().filter_map(|file| Some(file.armed?.node)).collect();
    if !armed.is_empty() {
        message += &format!("; armed: {}", name_few(&armed));
    }
    message += &format!(
        ". Publish {cluster} into another web root (--root DIR, or web_root in its inventory). Where {cluster} takes the \
         place of {served}, add --replace-cluster {served}"
    );
    let fault = Fault::new(FaultKind::Swapped, SITE, message);
    Err(Refused::new("the web root is another cluster's, and nothing was changed", vec![fault]).into())
}

/// Refuses a site, whose files are in `site`, in which an armed node has no script any more, or the script of another node.
pub(super) fn check_armed_nodes(root: &WebRoot, site: &Dir) -> Result<()> {
    let mut faults = Vec::new();
    for file in list_armed(root)? {
        let Some(armed) = &file.armed else {
            faults.extend(report_foreign(&file));
            continue;
        };
        let node = armed.node.escape_debug();
        let message = match NodeScript::read(site, &file.name) {
            Some(script) if script.is_of(armed) => continue,
            Some(_) => "the site has the script of another node or base for this address",
            None => "the site has no script for this address",
        };
        let message = format!("{node} is armed, and {message}: run plasmagen disarm {node} first");
        faults.push(Fault::new(FaultKind::Swapped, format!("{ARMED}/{}", file.name), message));
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(Refused::new("armed nodes would lose their scripts, and nothing was changed", faults).into())
}

/// Reports a file that may arm a machine of which nobody knows what it boots.
pub(super) fn report_foreign(file: &ArmedFile) -> Option<Fault> {
    let message = "it may arm a machine, and this version of plasmagen did not write it: disarm its node, or run \
                   plasmagen disarm --all";
    let path = format!("{ARMED}/{}", file.name.escape_debug());
    file.is_foreign().then(|| Fault::new(FaultKind::Changed, path, message))
}

/// Names the first few of `names`, which are escaped since a web root is what others wrote.
fn name_few(names: &[String]) -> String {
    let (few, more) = names.split_at(names.len().min(FEW));
    let few: Vec<_> = few.iter().map(|name| name.escape_debug().to_string()).collect();
    match more.len() {
        0 => few.join(", "),
        more => format!("{} and {more} more", few.join(", ")),
    }
}
