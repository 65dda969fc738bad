//! The nodes that were rendered last, and whether the disks of a node are divided as they were.

use std::collections::{BTreeSet, HashMap};

use crate::model::{Cluster, HostName, Labels, Node, Style};
use crate::plan::former::{FormerCluster, FormerNode, list_volumes};
use crate::resolve::Draft;

/// Lets the nodes whose layout has no `labels` keep the names on their disks, as they were rendered in `former`; but not the
/// nodes `installed_anew`. `cluster` is the finished `draft`. Returns whether a node keeps other names than the default.
pub fn keep_labels(
    draft: &mut Draft<'_>,
    cluster: &Cluster,
    former: &FormerCluster,
    installed_anew: &BTreeSet<HostName>,
) -> bool {
    let former = FormerDisks::new(&former.nodes);
    let mut is_changed = false;
    for node in cluster.nodes.iter().filter(|node| !installed_anew.contains(&node.name)) {
        let name = node.name.as_str();
        let layout = draft.node(name).and_then(|node| node.layout);
        let is_silent = layout.is_some_and(|layout| layout.written.keys.labels.is_none());
        let labels = former.list_known(node).next().map(|was| was.labels);
        if let Some(labels) = labels.filter(|labels| is_silent && *labels != node.layout.labels) {
            draft.keep_labels(name, labels);
            is_changed = true;
        }
    }
    is_changed
}

/// The nodes that were rendered last, by what may still be known of them.
pub(super) struct FormerDisks<'a> {
    by_name: HashMap<&'a str, &'a FormerNode>,
    by_mac: HashMap<String, &'a FormerNode>,
    by_serial: HashMap<&'a str, &'a FormerNode>,
    by_disk: HashMap<&'a str, &'a FormerNode>,
}

impl<'a> FormerDisks<'a> {
    pub(super) fn new(nodes: &'a [FormerNode]) -> Self {
        let macs = nodes.iter().filter_map(|node| Some((node.mac.clone()?, node)));
        let serials = nodes.iter().filter_map(|node| Some((node.serial.as_deref()?, node)));
        let disks = nodes.iter().flat_map(|node| node.disks.iter().map(move |disk| (disk.as_str(), node)));
        Self {
            by_name: nodes.iter().map(|node| (node.name.as_str(), node)).collect(),
            by_mac: macs.collect(),
            by_serial: serials.collect(),
            by_disk: disks.collect(),
        }
    }

    /// Lists what `node` may have been: the node of the same name first, then those that had the machine or a disk. Names
    /// that the kernel gives to disks, such as `/dev/nvme0n1`, are equal on several nodes.
    fn list_known(&self, node: &Node) -> impl Iterator<Item = &'a FormerNode> {
        let name = self.by_name.get(node.name.as_str());
        let mac = self.by_mac.get(&node.mac.to_string());
        let serial = node.serial.as_ref().and_then(|serial| self.by_serial.get(serial.as_str()));
        let disks = node.disks.iter().filter(|disk| disk.is_stable());
        let disks = disks.filter_map(|disk| self.by_disk.get(disk.as_str()));
        [name, mac, serial].into_iter().flatten().chain(disks).copied()
    }

    /// Finds a change of the disks of `node`: the former node whose disks are other, what changes, and how nothing does.
    pub(super) fn find_change(&self, node: &Node) -> Option<(&'a FormerNode, (String, String))> {
        self.list_known(node).find_map(|was| Some((was, find_difference(was, node)?)))
    }
}

/// Finds a difference between the disks of `node` and of `was`, its former self: what changes, and how nothing does.
fn find_difference(was: &FormerNode, node: &Node) -> Option<(String, String)> {
    let (layout, style) = (&node.layout, node.layout.style.name());
    if was.style != style {
        let change = format!("the layout was `disk.{}`, and is `disk.{style}` now", was.style);
        return Some((change, format!("write `disk.{}` again", was.style)));
    }
    if was.is_encrypted != layout.unlock.is_some() {
        return Some(match was.is_encrypted {
            true => (
                "they were encrypted, and are not now".to_owned(),
                format!("write `luks = {{}}` in `disk.{style}`"),
            ),
            false => (
                "they were not encrypted, and are now".to_owned(),
                format!("remove `luks` from `disk.{style}`"),
            ),
        });
    }
    if was.format != layout.format.name() {
        let change = format!("the root was {}, and is {} now", was.format, layout.format.name());
        return Some((change, format!("write `format = \"{}\"` in `disk.{style}`", was.format)));
    }
    if let Some((old, new)) = find_renamed(was, node, layout.labels) {
        let change = format!("`{old}` is called `{new}` now");
        let others = [Labels::Node, Labels::Disk];
        let keeping = match others.into_iter().find(|labels| find_renamed(was, node, *labels).is_none()) {
            Some(Labels::Node) => format!("write `labels = \"node\"` in `disk.{style}`"),
            Some(Labels::Disk) => format!("write `labels = \"disk\"` in `disk.{style}`"),
            None if was.name != node.name.as_str() => format!("take back the name `{}`", was.name),
            None if was.disks.len() != node.disks.len() => format!(
                "take back the number of disks, {}, and write `labels = \"disk\"`, with which a first disk is `main` where it \
                 is alone, else `disk1`",
                was.disks.len()
            ),
            None => "take back the order of the disks".to_owned(),
        };
        return Some((change, keeping));
    }
    list_volumes(node).into_iter().find_map(|(volume, format)| match was.volumes.get(&volume) {
        None => Some((
            format!("the volume `{volume}` is not on them"),
            format!("make no volume `{volume}` in `disk.{style}`"),
        )),
        Some(old) if *old != format => Some((
            format!("the volume `{volume}` was {old}, and is {format} now"),
            format!("write the format {old} of `{volume}` in `disk.{style}`"),
        )),
        Some(_) => None,
    })
}

/// Finds a name on the disks of `was` that is another with `labels` on those of `node`, and the other name. An exchanged
/// disk takes the place of the disk before it.
fn find_renamed(was: &FormerNode, node: &Node, labels: Labels) -> Option<(String, String)> {
    let (old, new) = (was.disk_names(), node.disk_names(labels));
    let disks = node.disks.iter().enumerate().filter_map(|(at, disk)| {
        let found = was.disks.iter().position(|former| former == disk.as_str());
        let former = found.or_else(|| Some(at).filter(|at| *at < was.disks.len()))?;
        Some((format!("disk-{}-…", old.disk(former)), format!("disk-{}-…", new.disk(at))))
    });
    let group = matches!(node.layout.style, Style::Lvm { .. });
    let group = group.then(|| (old.volume_group(), new.volume_group()));
    disks.chain(group).find(|(old, new)| old != new)
}
