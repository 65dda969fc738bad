//! The joint site of a web root that several clusters share: the union of their sites, which machines fetch. Its file
//! `clusters.json` names the generation of each cluster's site. So the one link `site/current` says what is current of all
//! clusters, and one rename changes that.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::lock::WebRootLock;
use super::publication::{PUBLICATION, Publication};
use super::root::{CURRENT, SITE, SITES, WebRoot};
use crate::fs::{Dir, Errno, LIST_LIMIT, Sha256Sum, TEXT_LIMIT};
use crate::model::{Label, Word};

/// The file of a joint site that names its parts.
pub(super) const CLUSTERS: &str = "clusters.json";

const SCHEMA: u32 = 1;

/// The ids of the generations of clusters' sites, by the names of the clusters.
pub(super) type SiteIds = BTreeMap<String, Sha256Sum>;

/// The content of [`CLUSTERS`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClusterList {
    schema: u32,
    sites: SiteIds,
    /// Name of the cluster whose `boot.ipxe` counts; none where that of all clusters is the same.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    boot: Option<String>,
}

/// The path of the channel of the site of `cluster`, in a web root that several clusters share.
pub(super) fn path_of_site(cluster: &str) -> String {
    format!("{SITES}/{cluster}")
}

/// The name of the cluster whose site is in the channel at `path`; none for every other channel.
pub(super) fn cluster_of(path: &str) -> Option<&str> {
    path.strip_prefix(SITES)?.strip_prefix('/')
}

/// Prints [`CLUSTERS`] for a joint site of `sites`, in which the `boot.ipxe` of the cluster `boot` counts.
pub(super) fn print_sites(sites: &SiteIds, boot: Option<&str>) -> Result<Vec<u8>> {
    let boot = boot.map(str::to_owned);
    let mut text = serde_json::to_vec_pretty(&ClusterList { schema: SCHEMA, sites: sites.clone(), boot })?;
    text.push(b'\n');
    Ok(text)
}

/// Reads which sites the generation in `dir` joins; none for the site of a single cluster.
fn read_sites(dir: &Dir) -> Result<Option<SiteIds>> {
    Ok(read_list(dir)?.map(|list| list.sites))
}

/// Reads the cluster whose `boot.ipxe` counts in the joint site in `dir`; none where that of all clusters is the same.
pub(super) fn read_boot(dir: &Dir) -> Result<Option<String>> {
    Ok(read_list(dir)?.and_then(|list| list.boot))
}

fn read_list(dir: &Dir) -> Result<Option<ClusterList>> {
    if !dir.exists(CLUSTERS)? {
        return Ok(None);
    }
    let read = || {
        let list: ClusterList = serde_json::from_slice(&dir.read_limited(CLUSTERS, LIST_LIMIT)?)?;
        ensure!(list.schema == SCHEMA, "it was written by a later plasmagen (schema {})", list.schema);
        ensure!(list.sites.keys().all(|name| Label::parse(name).is_ok()), "a cluster has no legal name");
        anyhow::Ok(list)
    };
    read().map(Some).with_context(|| format!("could not read {CLUSTERS} of the joint site"))
}

/// Reads which sites the generation joins that `current` in the directory `site` names; none where it is the site of a single
/// cluster, or where there is none.
pub(super) fn read_current_sites(site: &Dir) -> Result<Option<SiteIds>> {
    let id = match site.read_link(CURRENT) {
        Err(Errno::NOENT | Errno::INVAL) => return Ok(None),
        target => target.with_context(|| format!("could not read {SITE}/{CURRENT}"))?,
    };
    let id = id.to_str().ok().and_then(|text| Sha256Sum::try_from(text.to_owned()).ok());
    let Some(dir) = id.and_then(|id| site.open_dir(&id.to_string()).ok()) else { return Ok(None) };
    read_sites(&dir)
}

/// Reads which sites `root` serves jointly; none where it serves the site of a single cluster.
///
/// # Errors
/// When `site/current` leads to no site, and there are sites of clusters: only that link says which of them are served.
pub(super) fn read_served_sites(root: &WebRoot) -> Result<Option<SiteIds>> {
    let site = match root.dir.open_dir(SITE) {
        Ok(site) => site,
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("could not open {SITE}/")),
    };
    if let Some(sites) = read_current_sites(&site)? {
        return Ok(Some(sites));
    }
    let leads = site.read_link(CURRENT).ok().and_then(|id| site.open_dir(id.to_str().ok()?).ok());
    if leads.is_none() && !list_cluster_dirs(root)?.is_empty() {
        bail!(
            "{SITE}/{CURRENT} leads to no site, and {SITES}/ has the sites of clusters: let that link lead to the joint site \
             again, which is the directory in {SITE}/ with {CLUSTERS}"
        );
    }
    Ok(None)
}

/// Opens the generation `id` of the site of `cluster`: in `sites/`, or in `site/` where that cluster is alone so far.
pub(super) fn open_part(root: &WebRoot, cluster: &str, id: Sha256Sum) -> Result<Dir, Errno> {
    let alone = root.dir.open_dir(&format!("{SITE}/{id}"));
    alone.or_else(|_| root.dir.open_dir(&format!("{}/{id}", path_of_site(cluster))))
}

/// Lists the names in `sites/` of directories in which something is, sorted.
pub(super) fn list_cluster_dirs(root: &WebRoot) -> Result<Vec<String>> {
    if !root.dir.exists(SITES)? {
        return Ok(Vec::new());
    }
    let sites = root.dir.open_dir(SITES).with_context(|| format!("could not open {SITES}/"))?;
    let mut names = sites.list_names().with_context(|| format!("could not list {SITES}/"))?;
    let is_empty = |name: &String| {
        sites.open_dir(name).and_then(|dir| dir.list_names()).is_ok_and(|files| files.is_empty())
    };
    // A publication that failed leaves an empty directory.
    names.retain(|name| !is_empty(name));
    names.sort();
    Ok(names)
}

/// Whether plasmagen has published everything in the directory `name` of `sites`, for the cluster of that name: each entry is a
/// generation with a publication. A cluster that was renamed has generations of its former name beside.
pub(super) fn is_published_dir(sites: &Dir, name: &str) -> bool {
    let read = |dir: &Dir, id: &str| {
        Sha256Sum::try_from(id.to_owned()).ok()?;
        let text = dir.read_limited(&format!("{id}/{PUBLICATION}"), TEXT_LIMIT).ok()?;
        Publication::parse(&text).ok()
    };
    let Ok(dir) = sites.open_dir(name) else { return false };
    let Ok(ids) = dir.list_names() else { return false };
    let Some(publications) = ids.iter().map(|id| read(&dir, id)).collect::<Option<Vec<_>>>() else {
        return false;
    };
    let is_of_cluster = |publication: &Publication| publication.cluster.as_deref() == Some(name);
    publications.is_empty() || publications.iter().any(is_of_cluster)
}

/// Removes the sites of clusters that are not served: of a cluster that was taken out, or that a killed run has left.
pub(super) fn remove_unserved_sites(lock: &WebRootLock) -> Result<()> {
    const REMOVED: &str = "removed-sites";
    let root = &lock.root;
    if !root.dir.exists(SITES)? {
        return Ok(());
    }
    let served = read_served_sites(root)?.unwrap_or_default();
    let dir = root.dir.open_dir(SITES).with_context(|| format!("could not open {SITES}/"))?;
    let to = lock.staging.ensure_dir(REMOVED)?;
    for name in dir.list_names().with_context(|| format!("could not list {SITES}/"))? {
        // Whatever else is there is somebody's: verify reports it.
        if !served.contains_key(&name) && is_published_dir(&dir, &name) {
            dir.rename(&name, &to, &name).with_context(|| format!("could not remove {SITES}/{name}"))?;
        }
    }
    dir.sync().with_context(|| format!("could not make {SITES}/ durable"))?;
    if served.is_empty() && dir.list_names()?.is_empty() {
        root.dir.remove_empty_dir(SITES).with_context(|| format!("could not remove {SITES}/"))?;
    }
    lock.staging.remove_tree(REMOVED)
}
