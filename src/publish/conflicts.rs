//! The conflicts of clusters that share a web root: machines, names of nodes and addresses that two of them claim.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use anyhow::Result;
use ipnet::IpNet;
use serde::Deserialize;

use super::fault::{Fault, FaultKind};
use super::joint::path_of_site;
use super::joint_plan::JointPart;
use super::needs::{NodeScript, list_scripts};
use super::site::{find_mac, path_of_overlay};
use crate::fs::{Dir, LIST_LIMIT};
use crate::image::read_initrd;
use crate::model::list_few;

/// The file in an overlay with the facts of the node.
const NODE_FILE: &[u8] = b"etc/plasmagen/node.json";

/// A claim of a cluster's node: the cluster and the node.
type Claim<'a> = (&'a str, String);

/// Finds the conflicts of `parts`, a fault for each kind and pair of clusters.
pub(super) fn find_conflicts(parts: &[JointPart]) -> Result<Vec<Fault>> {
    let mut faults = Vec::new();
    let (mut macs, mut names, mut addresses) = (Claims::default(), Claims::default(), Claims::default());
    for part in parts {
        let mut nodes = BTreeMap::new();
        for script in list_scripts(&part.dir)? {
            let node = script.node.clone().unwrap_or_else(|| script.mac.clone());
            let claim = (part.cluster.as_str(), node.clone());
            for address in read_boot_addresses(&part.dir, &script) {
                addresses.add(address.to_string(), claim.clone());
            }
            names.add(node.clone(), claim);
            nodes.insert(script.mac, node);
        }
        // Also a signature, or a script that is too large to be read, would take the place of another cluster's file.
        for mac in part.contents.expected.iter().filter_map(|file| find_mac(&file.path)) {
            let node = nodes.get(mac).cloned().unwrap_or_else(|| mac.to_owned());
            macs.add(mac.to_owned(), (part.cluster.as_str(), node));
        }
    }
    macs.report("network cards", "machines boot one script: a machine is a node of one cluster", &mut faults);
    names.report(
        "names of nodes",
        "plasmagen armed, plasmagen disarm and DHCP tell nodes apart by name",
        &mut faults,
    );
    addresses.report(
        "addresses in the boot network",
        "one DHCP server reserves each address once",
        &mut faults,
    );
    Ok(faults)
}

/// Who claims what.
#[derive(Default)]
struct Claims<'a>(BTreeMap<String, BTreeSet<Claim<'a>>>);

impl<'a> Claims<'a> {
    fn add(&mut self, what: String, claim: Claim<'a>) {
        self.0.entry(what).or_default().insert(claim);
    }

    /// Reports everything that nodes of several clusters claim: `things` names the kind, and `why` says why that cannot be.
    fn report(&self, things: &str, why: &str, faults: &mut Vec<Fault>) {
        let mut found = BTreeMap::<Vec<&str>, Vec<String>>::new();
        for (what, claims) in &self.0 {
            let mut clusters: Vec<_> = claims.iter().map(|(cluster, _)| *cluster).collect();
            clusters.dedup();
            if clusters.len() > 1 {
                let nodes: Vec<_> =
                    claims.iter().map(|(cluster, node)| format!("{node} of {cluster}")).collect();
                found.entry(clusters).or_default().push(format!("{what} ({})", nodes.join(", ")));
            }
        }
        for (clusters, items) in found {
            let message = format!(
                "the clusters {} claim the same {things}: {}. {why}",
                clusters.join(" and "),
                list_few(&items)
            );
            let path = clusters.last().map_or_else(String::new, |cluster| path_of_site(cluster));
            faults.push(Fault::new(FaultKind::Swapped, path, message));
        }
    }
}

/// Reads the addresses of a node in the networks in which the provisioner stands, from the node's overlay in `site`; none where
/// there is no overlay that can be read.
fn read_boot_addresses(site: &Dir, script: &NodeScript) -> Vec<IpAddr> {
    #[derive(Deserialize)]
    struct NodeFile {
        interfaces: Vec<NodeInterface>,
    }
    #[derive(Deserialize)]
    struct NodeInterface {
        #[serde(default)]
        addresses: Vec<IpNet>,
    }
    let Some(provisioner) = script.overlay_host else { return Vec::new() };
    let Ok(overlay) = site.read_limited(&path_of_overlay(&script.mac), LIST_LIMIT) else { return Vec::new() };
    let mut text = Vec::new();
    let read = read_initrd(overlay.as_slice(), &mut |header, content| {
        if header.path == NODE_FILE {
            content.read_to_end(&mut text)?;
        }
        Ok(())
    });
    let Ok(NodeFile { interfaces }) = read.and_then(|_| Ok(serde_json::from_slice(&text)?)) else {
        return Vec::new();
    };
    // The URL of the overlay has the IPv4 address of the provisioner: that finds the interface, whose IPv6 addresses count, too.
    let stands_there =
        |interface: &NodeInterface| interface.addresses.iter().any(|address| address.contains(&provisioner));
    let boot = interfaces.into_iter().filter(stands_there).flat_map(|interface| interface.addresses);
    boot.map(|address| address.addr()).collect()
}
