//! Refuses a publication that takes machines away: those of another cluster, and those that are armed.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};

use super::armed::{ArmedFile, list_armed};
use super::channel::Channel;
use super::fault::{Fault, FaultKind, Refused};
use super::needs::{NodeScript, list_scripts, list_site_scripts, open_current, without_repeats};
use super::request::{ClusterNames, PublicationTerms, UNNAMED};
use super::root::{ARMED, NIXOS, SITE, WebRoot};
use crate::fs::Dir;
use crate::model::list_few;

/// A cluster whose machines boot from a web root, or for which something is published.
#[derive(Debug, Default)]
pub(super) struct ClusterIdentity {
    /// The name; none where no publication says it.
    pub(super) name: Option<String>,
    /// The MAC addresses of its machines, with hyphens; empty where they are not known.
    pub(super) macs: BTreeSet<String>,
}

impl ClusterIdentity {
    /// The cluster called `name` whose machines have scripts in the directory of a site.
    pub(super) fn of_site(name: Option<&str>, site: &Dir) -> Result<Self> {
        let macs = list_scripts(site)?.into_iter().map(|script| script.mac);
        Ok(Self { name: name.map(str::to_owned), macs: macs.collect() })
    }

    /// Whether the two may be the same cluster: their names are equal or both in `names`, and some machines are in both.
    fn may_be(&self, other: &Self, names: Option<ClusterNames<'_>>) -> bool {
        let are_names =
            |name: &str, other: &str| names.is_some_and(|names| names.has(name) && names.has(other));
        let has_name =
            |name: &String| other.name.as_ref().is_none_or(|other| other == name || are_names(name, other));
        let are_known = !self.macs.is_empty() && !other.macs.is_empty();
        self.name.as_ref().is_none_or(has_name) && (!are_known || !self.macs.is_disjoint(&other.macs))
    }
}

/// Reads which cluster boots from `root`: that of the served site; without a site, that of a served bundle.
fn read_served_cluster(root: &WebRoot) -> Result<ClusterIdentity> {
    if let Some(channel) = Channel::open(root, SITE)?
        && let Some((_, site)) = open_current(root, SITE)?
    {
        let current = channel.current_generation().ok().flatten();
        let publication = current.and_then(|generation| generation.publication);
        let name = publication.and_then(|publication| publication.cluster);
        return ClusterIdentity::of_site(name.as_deref(), &site);
    }
    let mut names = Vec::new();
    if root.dir.exists(NIXOS)? {
        let nixos = root.dir.open_dir(NIXOS).context("could not open nixos/")?;
        names.extend(nixos.list().context("could not list nixos/")?.into_iter().map(|(name, _)| name));
    }
    names.sort();
    for name in names {
        // verify reports a file in the place of a directory, and a link that leads nowhere.
        let Ok(Some(channel)) = Channel::open(root, &Channel::path_of_image(&name)) else { continue };
        let current = channel.current_generation().ok().flatten();
        let name = current.and_then(|generation| generation.publication?.cluster);
        if name.is_some() {
            return Ok(ClusterIdentity { name, ..ClusterIdentity::default() });
        }
    }
    Ok(ClusterIdentity::default())
}

/// Finds the name of the cluster for which something is published: that of the site, else that of the inventory, else that
/// of the web root.
///
/// # Errors
/// When the site is not the inventory's, or the web root is another cluster's.
pub(super) fn find_cluster(
    root: &WebRoot,
    of_site: Option<ClusterIdentity>,
    terms: &PublicationTerms<'_>,
) -> Result<Option<String>> {
    let name_of_site = of_site.as_ref().and_then(|site| site.name.as_deref());
    if let (Some(of_site), Some(of_inventory)) = (name_of_site, terms.cluster) {
        ensure!(
            of_inventory.has(of_site),
            "the site is of the cluster {of_site}, and the inventory of the cluster {}: name the inventory of the site with \
             --inventory",
            of_inventory.name
        );
    }
    let name = name_of_site.or(terms.cluster.map(|names| names.name)).map(str::to_owned);
    let of_inventory = || terms.machines.iter().map(|mac| mac.hyphens()).collect();
    let macs = of_site.map_or_else(of_inventory, |site| site.macs);
    let served = check_cluster(root, &ClusterIdentity { name: name.clone(), macs }, terms)?;
    Ok(name.or(served.name))
}

/// Refuses to publish for `cluster` where another cluster boots from `root`, unless the terms name that other cluster.
/// Returns the cluster that boots from `root`.
pub(super) fn check_cluster(
    root: &WebRoot,
    cluster: &ClusterIdentity,
    terms: &PublicationTerms<'_>,
) -> Result<ClusterIdentity> {
    let served = read_served_cluster(root)?;
    let consent = served.name.as_deref().unwrap_or(UNNAMED);
    if served.may_be(cluster, terms.cluster) || terms.replaced_cluster == Some(consent) {
        return Ok(served);
    }
    let newcomer =
        cluster.name.as_deref().map_or_else(|| "the site".to_owned(), |name| format!("the cluster {name}"));
    let mut message = match (&served.name, &cluster.name) {
        (Some(served), Some(cluster)) if served != cluster => {
            format!("machines of the cluster {served} boot from it, and this is of the cluster {cluster}")
        }
        (Some(served), _) => {
            format!("machines of the cluster {served} boot from it, and none of them is in {newcomer}")
        }
        (None, _) => format!(
            "machines of a cluster that no publication names boot from it, and none of them is in {newcomer}"
        ),
    };
    let scripts = list_site_scripts(root)?.into_iter();
    let names = without_repeats(scripts.filter_map(|script| script.node));
    if !names.is_empty() {
        message += &format!("; without their scripts {} could boot nothing", list_few(&names));
    }
    let armed = without_repeats(list_armed(root)?.into_iter().filter_map(|file| Some(file.armed?.node)));
    if !armed.is_empty() {
        message += &format!("; armed: {}", list_few(&armed));
    }
    message += &format!(
        ". Publish {newcomer} into another web root (--root DIR, or web_root in its inventory). Where {newcomer} takes \
         their place, add --replace-cluster {consent}"
    );
    let are_renamed =
        served.name.as_ref().zip(cluster.name.as_ref()).is_some_and(|(served, name)| served != name);
    if are_renamed {
        message += ". If the cluster was only renamed, write its former name into `former_names` of [cluster], and name \
                    the inventory with --inventory";
    }
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
            Some(_) => "the site has the script of another node or image for this address",
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
