//! The files that an armed node boots: the current bundle for its base, its script, and the overlay that the script names.
//! Each must be published while the node is armed. That the files are unchanged, their generations' manifests say.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use anyhow::{Context, Result};

use super::armed::Armed;
use super::channel::Channel;
use super::contents::Contents;
use super::fault::{Fault, FaultKind};
use super::joint::CLUSTERS;
use super::root::{CURRENT, SITE, WebRoot};
use super::site::{self, BOOT, SCRIPTS, path_of_overlay, path_of_script};
use crate::fs::{Dir, Sha256Sum, TEXT_LIMIT};
use crate::image::MANIFEST;

/// The facts of a node that its published script sets.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NodeScript {
    /// MAC address of the node, with hyphens.
    pub(super) mac: String,
    pub(super) node: Option<String>,
    /// The name of the netboot image.
    pub(super) image: Option<String>,
    /// Whether the script names an overlay.
    pub(super) has_overlay: bool,
    pub(super) overlay_sha256: Option<String>,
    /// The address of the provisioner from which the node loads the overlay.
    pub(super) overlay_host: Option<IpAddr>,
}

impl NodeScript {
    /// Reads the script of the node with the MAC address `mac`, which has hyphens, in the directory of a site; none where
    /// the script can't be read.
    pub(super) fn read(site: &Dir, mac: &str) -> Option<Self> {
        let text = site.read_limited(&path_of_script(mac), TEXT_LIMIT).ok()?;
        let text = String::from_utf8_lossy(&text);
        let value = |key: &str| {
            let set = format!("set {key} ");
            text.lines().find_map(|line| line.strip_prefix(&set)).map(str::to_owned)
        };
        Some(Self {
            mac: mac.to_owned(),
            node: value("node"),
            image: value("profile"),
            has_overlay: value("overlay").is_some(),
            overlay_host: value("overlay").as_deref().and_then(find_host),
            overlay_sha256: value("overlay-sha256"),
        })
    }

    /// Whether the script is that of the armed node.
    pub(super) fn is_of(&self, armed: &Armed) -> bool {
        self.node.as_deref() == Some(&armed.node) && self.image.as_deref() == Some(&armed.image)
    }
}

/// The IPv4 address in a URL.
fn find_host(url: &str) -> Option<IpAddr> {
    let (host, _) = url.split_once("://")?.1.split_once(['/', ':'])?;
    host.parse().ok()
}

/// Lists the topmost names of the served site, to which the web root should have links.
pub(super) fn list_site_names(root: &WebRoot) -> Result<BTreeSet<String>> {
    let Some((_, site)) = open_current(root, SITE)? else { return Ok(BTreeSet::new()) };
    let contents = site::read_published(&site, "", &mut Vec::new())?;
    let files = contents.into_iter().flat_map(|contents| contents.expected);
    let names = files.map(|file| file.path.split('/').next().unwrap_or_default().to_owned());
    Ok(names.filter(|name| ![MANIFEST, CLUSTERS].contains(&name.as_str())).collect())
}

/// Reads the scripts of all nodes in the served site, sorted by MAC address.
pub(super) fn list_site_scripts(root: &WebRoot) -> Result<Vec<NodeScript>> {
    let Some((_, site)) = open_current(root, SITE)? else { return Ok(Vec::new()) };
    list_scripts(&site)
}

/// Reads the scripts of all nodes in the directory of a site, sorted by MAC address.
pub(super) fn list_scripts(site: &Dir) -> Result<Vec<NodeScript>> {
    let Ok(dir) = site.open_dir(SCRIPTS) else { return Ok(Vec::new()) };
    let mut files = dir.list().context("could not list the scripts of a site")?;
    files.sort_by(|a, b| a.0.cmp(&b.0));
    let macs = files.iter().filter_map(|(file, _)| file.strip_suffix(".ipxe"));
    Ok(macs.filter_map(|mac| NodeScript::read(site, mac)).collect())
}

/// Sorts names of nodes. A node has a script, and while it is armed a file, for each network card that may boot.
pub(super) fn without_repeats(names: impl Iterator<Item = String>) -> Vec<String> {
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The published files among which the needs of armed nodes are looked for.
pub(super) struct PublishedFiles<'a> {
    root: &'a WebRoot,
    /// None where no site is served, or its manifest can't be read.
    site: Option<PublishedSite>,
}

/// The current generation of the site.
struct PublishedSite {
    dir: Dir,
    /// The prefix of paths in messages.
    prefix: String,
    /// The digest of each file, by path.
    digests: BTreeMap<String, Sha256Sum>,
}

impl<'a> PublishedFiles<'a> {
    /// Opens the current site of `root`. Faults of its manifest are reported with its channel.
    pub(super) fn open(root: &'a WebRoot) -> Result<Self> {
        let mut site = None;
        if let Some((id, dir)) = open_current(root, SITE)? {
            let contents = site::read_published(&dir, "", &mut Vec::new())?;
            site = contents.map(|Contents { expected, .. }| PublishedSite {
                dir,
                prefix: format!("{SITE}/{id}/"),
                digests: expected.into_iter().map(|file| (file.path, file.sha256)).collect(),
            });
        }
        Ok(Self { root, site })
    }

    /// Reports everything that the node of the file `armed/<mac>` boots and that is not published.
    pub(super) fn report_missing(&self, mac: &str, armed: &Armed, faults: &mut Vec<Fault>) -> Result<()> {
        let node = armed.node.escape_debug();
        let path = Channel::path_of_image(&armed.image);
        if open_current(self.root, &path)?.is_none() {
            let image = armed.image.escape_debug();
            let message = format!(
                "{node} is armed and can't boot without it: publish a bundle for {image}, or run plasmagen disarm {node}"
            );
            let path = format!("{}/{CURRENT}", path.escape_debug());
            faults.push(Fault::new(FaultKind::Missing, path, message));
        }
        if let Some(site) = &self.site {
            site.report_missing(mac, armed, faults);
        } else {
            let message = format!(
                "{node} is armed and can't boot without a site: run plasmagen publish, or plasmagen disarm {node}"
            );
            faults.push(Fault::new(FaultKind::Missing, format!("{SITE}/{CURRENT}"), message));
        }
        Ok(())
    }
}

/// Opens the generation that is current in the channel at `path`; none where nothing is served from there.
pub(super) fn open_current(root: &WebRoot, path: &str) -> Result<Option<(Sha256Sum, Dir)>> {
    let Some(channel) = Channel::open(root, path)? else { return Ok(None) };
    // A link that leads nowhere is reported with its channel.
    let Some(id) = channel.current().ok().flatten() else { return Ok(None) };
    Ok(channel.open_generation(id).ok().map(|dir| (id, dir)))
}

impl PublishedSite {
    fn report_missing(&self, mac: &str, armed: &Armed, faults: &mut Vec<Fault>) {
        let node = armed.node.escape_debug();
        let script = path_of_script(mac);
        let mut wanted = vec![BOOT.to_owned(), script.clone()];
        let mut fault = |kind, path: &str, message: String| {
            faults.push(Fault::new(kind, format!("{}{path}", self.prefix), message));
        };
        if let Some(found) = NodeScript::read(&self.dir, mac) {
            if !found.is_of(armed) {
                let message = format!(
                    "{node} is armed, and this script is for another node or image: run plasmagen disarm {node}"
                );
                fault(FaultKind::Swapped, &script, message);
            }
            let overlay = path_of_overlay(mac);
            let digest = self.digests.get(&overlay).map(Sha256Sum::to_string);
            if found.has_overlay && digest.is_some() && digest != found.overlay_sha256 {
                let message =
                    format!("{node} is armed, and its script names an overlay with another content");
                fault(FaultKind::Swapped, &overlay, message);
            }
            wanted.extend(found.has_overlay.then_some(overlay));
        }
        for path in wanted.iter().filter(|path| !self.digests.contains_key(*path)) {
            let message = format!(
                "{node} is armed and can't boot without it: publish the site again, or run plasmagen disarm {node}"
            );
            fault(FaultKind::Missing, path, message);
        }
    }
}
