//! The place of a publication among the clusters that boot from a web root: in the place of its cluster's site of before, beside
//! the sites of other clusters, or nowhere.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};

use super::armed::list_armed;
use super::channel::Channel;
use super::fault::{Fault, FaultKind, Refused};
use super::joint::{SiteIds, path_of_site, read_served_sites};
use super::needs::{list_scripts, list_site_scripts, open_current, without_repeats};
use super::request::{ClusterNames, PublicationTerms, UNNAMED};
use super::root::{NIXOS, SITE, WebRoot};
use crate::fs::{Dir, Sha256Sum};
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

/// The place of a publication among the clusters of a web root.
#[derive(Debug)]
pub(super) struct ClusterPlace {
    /// Name of the cluster for which something is published, where that is known.
    pub(super) cluster: Option<String>,
    /// Path of the channel of the cluster's site.
    pub(super) channel: String,
    /// The sites of the other clusters that boot from the web root, also after the publication; none where a site is served
    /// alone.
    pub(super) others: Option<SiteIds>,
    /// Name of the cluster whose site was served alone so far, and becomes one of several.
    pub(super) adopted: Option<String>,
}

/// The clusters that boot from a web root.
struct ServedClusters {
    /// Where a site is served alone, one cluster, of which perhaps nothing is known.
    clusters: Vec<ClusterIdentity>,
    /// The sites that are served jointly; none where a site is served alone.
    sites: Option<SiteIds>,
    /// The id of the site that is served alone.
    only_site: Option<Sha256Sum>,
}

impl ServedClusters {
    fn read(root: &WebRoot) -> Result<Self> {
        if let Some(sites) = read_served_sites(root)? {
            let identity = |(name, id): (&String, &Sha256Sum)| {
                // verify reports a site that is not there.
                let dir = root.dir.open_dir(&format!("{}/{id}", path_of_site(name)));
                dir.map_or_else(
                    |_| Ok(ClusterIdentity { name: Some(name.clone()), ..ClusterIdentity::default() }),
                    |dir| ClusterIdentity::of_site(Some(name), &dir),
                )
            };
            let clusters = sites.iter().map(identity).collect::<Result<_>>()?;
            return Ok(Self { clusters, sites: Some(sites), only_site: None });
        }
        let only_site = open_current(root, SITE)?.map(|(id, _)| id);
        Ok(Self { clusters: vec![read_only_cluster(root)?], sites: None, only_site })
    }

    fn names(&self) -> Vec<String> {
        self.clusters.iter().filter_map(|cluster| cluster.name.clone()).collect()
    }
}

/// Reads which cluster boots from `root`, where a site is served alone: that of the site; without a site, that of a bundle.
fn read_only_cluster(root: &WebRoot) -> Result<ClusterIdentity> {
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

/// Finds the place of a publication of a site, or where there is no site of bundles alone. The cluster is that of the site, else
/// that of the inventory.
///
/// # Errors
/// When the site is not the inventory's, or the web root is that of other clusters.
pub(super) fn find_place(
    root: &WebRoot,
    of_site: Option<ClusterIdentity>,
    terms: &PublicationTerms<'_>,
) -> Result<ClusterPlace> {
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
    let has_site = of_site.is_some();
    let of_inventory = || terms.machines.iter().map(|mac| mac.hyphens()).collect();
    let macs = of_site.map_or_else(of_inventory, |site| site.macs);
    find_place_of(root, &ClusterIdentity { name, macs }, has_site, terms)
}

/// Finds the place of a publication for `cluster`, which `has_site` or has bundles alone. The terms may name another cluster whose
/// place it takes, or let it come in beside the others.
///
/// # Errors
/// When other clusters boot from the web root.
pub(super) fn find_place_of(
    root: &WebRoot,
    cluster: &ClusterIdentity,
    has_site: bool,
    terms: &PublicationTerms<'_>,
) -> Result<ClusterPlace> {
    let served = ServedClusters::read(root)?;
    let may_be_added = terms.may_add_cluster && has_site;
    let place = match &served.sites {
        Some(sites) => find_among(&served, sites, cluster, may_be_added, terms)?,
        None => find_alone(&served, cluster, may_be_added, terms),
    };
    place.map_or_else(|| Err(refuse(root, &served, cluster, terms)?), Ok)
}

/// The place in a web root that serves a site alone; none where the site is another cluster's.
fn find_alone(
    served: &ServedClusters,
    cluster: &ClusterIdentity,
    may_be_added: bool,
    terms: &PublicationTerms<'_>,
) -> Option<ClusterPlace> {
    let host = served.clusters.first()?;
    let consent = host.name.as_deref().unwrap_or(UNNAMED);
    if host.may_be(cluster, terms.cluster) || terms.replaced_cluster == Some(consent) {
        let cluster = cluster.name.clone().or_else(|| host.name.clone());
        return Some(ClusterPlace { cluster, channel: SITE.to_owned(), others: None, adopted: None });
    }
    let (host, name, site) = (host.name.as_ref()?, cluster.name.as_ref()?, served.only_site?);
    (may_be_added && host != name).then(|| ClusterPlace {
        cluster: Some(name.clone()),
        channel: path_of_site(name),
        others: Some(SiteIds::from([(host.clone(), site)])),
        adopted: Some(host.clone()),
    })
}

/// The place in a web root that serves `sites` jointly; none where none of them is the cluster's.
fn find_among(
    served: &ServedClusters,
    sites: &SiteIds,
    cluster: &ClusterIdentity,
    may_be_added: bool,
    terms: &PublicationTerms<'_>,
) -> Result<Option<ClusterPlace>> {
    let mut found: Vec<_> = served.clusters.iter().filter(|one| one.may_be(cluster, terms.cluster)).collect();
    // The present name comes before a former one.
    found.sort_by_key(|one| one.name != cluster.name);
    let (name, left) = match (&cluster.name, found.as_slice()) {
        (None, [one]) => (one.name.clone(), one.name.clone()),
        (None, _) => bail!(
            "machines of the clusters {} boot from the web root: name the inventory of one of them with --inventory",
            served.names().join(", ")
        ),
        (Some(name), [one, ..]) => (Some(name.clone()), one.name.clone()),
        (Some(name), []) => match terms.replaced_cluster {
            Some(replaced) if sites.contains_key(replaced) => (Some(name.clone()), Some(replaced.to_owned())),
            _ if may_be_added => (Some(name.clone()), None),
            _ => return Ok(None),
        },
    };
    let Some(name) = name else { return Ok(None) };
    let mut others = sites.clone();
    // Where the cluster is there already, it can also take the place of one whose site is damaged.
    others.retain(|other, _| left.as_ref() != Some(other) && terms.replaced_cluster != Some(other.as_str()));
    // Another cluster has the name, and none of its machines.
    Ok((!others.contains_key(&name)).then(|| ClusterPlace {
        channel: path_of_site(&name),
        cluster: Some(name),
        others: Some(others),
        adopted: None,
    }))
}

/// The refusal of a publication for `cluster`, since others boot from `root`.
fn refuse(
    root: &WebRoot,
    served: &ServedClusters,
    cluster: &ClusterIdentity,
    terms: &PublicationTerms<'_>,
) -> Result<anyhow::Error> {
    let newcomer =
        cluster.name.as_deref().map_or_else(|| "the site".to_owned(), |name| format!("the cluster {name}"));
    let names = served.names();
    let hosts = match names.as_slice() {
        [] => "a cluster that no publication names".to_owned(),
        [name] => format!("the cluster {name}"),
        names => format!("the clusters {}", names.join(", ")),
    };
    let has_name = cluster.name.as_ref().is_some_and(|name| names.contains(name));
    let mut message = if names.is_empty() || has_name || cluster.name.is_none() {
        format!("machines of {hosts} boot from it, and none of them is in {newcomer}")
    } else {
        format!("machines of {hosts} boot from it, and this is of {newcomer}")
    };
    let scripts = list_site_scripts(root)?.into_iter();
    let nodes = without_repeats(scripts.filter_map(|script| script.node));
    if !nodes.is_empty() {
        message += &format!("; without their scripts {} could boot nothing", list_few(&nodes));
    }
    let armed = without_repeats(list_armed(root)?.into_iter().filter_map(|file| Some(file.armed?.node)));
    if !armed.is_empty() {
        message += &format!("; armed: {}", list_few(&armed));
    }
    message +=
        &format!(". Publish {newcomer} into another web root (--root DIR, or web_root in its inventory)");
    let has_place = served.sites.is_some() || served.only_site.is_some();
    if has_place && !names.is_empty() && !has_name && cluster.name.is_some() {
        message += ", or beside their site with --add-cluster";
    } else if terms.may_add_cluster && has_name {
        message += "; clusters that share a web root have different names";
    }
    let consent = match names.as_slice() {
        [] => UNNAMED,
        [name] => name,
        _ => "NAME",
    };
    message += &format!(". Where {newcomer} takes their place, add --replace-cluster {consent}");
    if !names.is_empty() && !has_name && cluster.name.is_some() {
        message += ". If the cluster was only renamed, write its former name into `former_names` of [cluster], and name \
                    the inventory with --inventory";
    }
    let fault = Fault::new(FaultKind::Swapped, SITE, message);
    Ok(Refused::new("the web root is another cluster's, and nothing was changed", vec![fault]).into())
}
