//! The conflicts of clusters that share a web root: machines, names of nodes and addresses that two of them claim, and files that
//! all machines share and that differ.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use anyhow::Result;
use ipnet::IpNet;
use serde::Deserialize;

use super::fault::{Fault, FaultKind};
use super::joint::path_of_site;
use super::joint_plan::JointPart;
use super::needs::{NodeScript, list_scripts};
use super::site::{path_of_overlay, path_of_script};
use crate::fs::{Dir, LIST_LIMIT, Sha256Sum};
use crate::image::{MANIFEST, read_initrd};
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
        for script in list_scripts(&part.dir)? {
            let node = script.node.clone().unwrap_or_else(|| script.mac.clone());
            let claim = (part.cluster.as_str(), node.clone());
            for address in read_boot_addresses(&part.dir, &script) {
                addresses.add(address.to_string(), claim.clone());
            }
            macs.add(script.mac.clone(), claim.clone());
            names.add(node, claim);
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
    report_shared_files(parts, &mut faults);
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
    let all = interfaces.into_iter().flat_map(|interface| interface.addresses);
    all.filter(|address| address.contains(&provisioner)).map(|address| address.addr()).collect()
}

/// Reports files that all machines share, such as `boot.ipxe`, and that differ. Signatures of equal files may differ.
fn report_shared_files(parts: &[JointPart], faults: &mut Vec<Fault>) {
    let mut first = BTreeMap::<&str, (&JointPart, Sha256Sum)>::new();
    for part in parts {
        for file in &part.contents.expected {
            let is_of_node = [path_of_script(""), path_of_overlay("")].iter().any(|path| {
                let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
                file.path.strip_prefix(dir).is_some_and(|rest| rest.starts_with('/'))
            });
            if file.path == MANIFEST || is_of_node || file.path.ends_with(".sig") {
                continue;
            }
            let (other, sha256) = *first.entry(&file.path).or_insert((part, file.sha256));
            if sha256 == file.sha256 {
                continue;
            }
            let read = |part: &JointPart| {
                let body = part.dir.read_limited(&file.path, LIST_LIMIT).unwrap_or_default();
                String::from_utf8_lossy(&body).into_owned()
            };
            let message = format!(
                "it is one file for all machines, and the clusters {} and {} have it with different contents: {}",
                other.cluster,
                part.cluster,
                explain_difference(&read(other), &read(part))
            );
            faults.push(Fault::new(FaultKind::Changed, file.path.as_str(), message));
        }
    }
}

/// Says which key of the two inventories makes the difference between two versions of `boot.ipxe`.
fn explain_difference(one: &str, other: &str) -> String {
    let differing = one.lines().zip(other.lines()).find(|(one, other)| one != other);
    let Some((one, other)) = differing else {
        return "one is longer than the other".to_owned();
    };
    let key = if one.starts_with("set base ") {
        "let both inventories have the same address, interfaces and http_port in [provisioner]"
    } else if one.starts_with("set verify ") {
        "let both inventories have the same verify in [boot]"
    } else if one.starts_with("prompt --timeout ") {
        "let both inventories have the same pause in [boot]"
    } else {
        "render and publish both with the same version of plasmagen"
    };
    format!("`{}` and `{}`: {key}", one.escape_debug(), other.escape_debug())
}
