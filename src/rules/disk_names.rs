//! The names on the disks of nodes: unique in the site (B12), and as they were rendered last (J05).

use std::collections::{BTreeMap, HashMap};

use crate::diag::{Diagnostic, Report, Span};
use crate::model::{DiskNames, Labels, Node, Style, list_few};
use crate::plan::former::{FormerNode, list_volumes};
use crate::resolve::Draft;

use super::committed::Committed;

/// B12: no two nodes have one name on their disks. The names of nodes are cut where they are long.
pub(super) fn check_uniqueness(draft: &Draft<'_>, report: &mut Report) {
    let mut seen: HashMap<String, (&str, &Span)> = HashMap::new();
    for node in &draft.nodes {
        let labels = node.layout.and_then(|layout| layout.written.keys.labels.as_ref());
        if labels.is_some_and(|labels| labels.value != Labels::Node) {
            continue;
        }
        let (key, span) = (node.entry.key.as_str(), &node.entry.span);
        let names = DiskNames::new(Labels::Node, key, 1);
        for name in [names.disk(0), names.volume_group()] {
            let Some((other, first)) = seen.insert(name.clone(), (key, span)) else { continue };
            if other != key {
                let message = format!("the disks of `{key}` and of `{other}` would both be called `{name}`");
                let fault = Diagnostic::error("PG-B12", span, message).related(first, "the other node");
                report.push(fault.help("give one of the two nodes another name"));
            }
        }
    }
}

/// The nodes of one layout whose disks change in one way.
struct Change<'a> {
    span: &'a Span,
    /// The names of the nodes.
    nodes: Vec<&'a str>,
    /// The change of the first of the nodes.
    example: String,
    /// The way in which the disks stay as they are.
    keeping: String,
}

/// J05: the disks of a node stay as they were rendered last, unless the operator names the node.
pub(super) fn j05(committed: &Committed<'_>, report: &mut Report) {
    if let Some(why) = &committed.former.unreadable {
        let fault = Diagnostic::error("PG-J05", &committed.cluster_span(), why.clone());
        report.push(fault.help(
            "restore the file from git, in a merge that of either side; without site/inventory.json, the names on the disks are \
             read from nodes/*/disko.nix",
        ));
        return;
    }
    let former = FormerDisks::new(&committed.former.nodes);
    let mut changes: BTreeMap<(usize, String), Change<'_>> = BTreeMap::new();
    for member in &committed.members {
        let node = member.node;
        if committed.installed_anew.contains(&node.name) {
            continue;
        }
        let Some((was, (example, keeping))) = former.find_change(node) else { continue };
        let layout = committed.draft.node(node.name.as_str()).and_then(|node| node.layout);
        let span = match layout.map(|layout| layout.written) {
            Some(layout) if was.name == node.name.as_str() => {
                layout.keys.labels.as_ref().map_or(&layout.span, |labels| &labels.span)
            }
            _ => member.span,
        };
        let change = changes.entry((span.start, keeping.clone())).or_insert_with(|| Change {
            span,
            nodes: Vec::new(),
            example,
            keeping,
        });
        change.nodes.push(node.name.as_str());
    }
    changes.into_values().for_each(|change| report.push(change.diagnose()));
}

/// The nodes that were rendered last, by what may still be known of them.
struct FormerDisks<'a> {
    by_name: HashMap<&'a str, &'a FormerNode>,
    by_mac: HashMap<String, &'a FormerNode>,
    by_serial: HashMap<&'a str, &'a FormerNode>,
    by_disk: HashMap<&'a str, &'a FormerNode>,
}

impl<'a> FormerDisks<'a> {
    fn new(nodes: &'a [FormerNode]) -> Self {
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

    /// Finds a change of the disks of `node`, and the former node that they are compared with: that of the same name, and
    /// those that had the machine or a disk. Names that the kernel gives to disks, such as `/dev/nvme0n1`, are equal on
    /// several nodes.
    fn find_change(&self, node: &Node) -> Option<(&'a FormerNode, (String, String))> {
        let name = self.by_name.get(node.name.as_str());
        let mac = self.by_mac.get(&node.mac.to_string());
        let serial = node.serial.as_ref().and_then(|serial| self.by_serial.get(serial.as_str()));
        let disks = node.disks.iter().filter(|disk| disk.is_stable());
        let disks = disks.filter_map(|disk| self.by_disk.get(disk.as_str()));
        let known = [name, mac, serial].into_iter().flatten().chain(disks).copied();
        known.filter_map(|was| Some((was, find_difference(was, node)?))).next()
    }
}

/// Finds a difference between the disks of `node` and of `was`, its former self: what changes, and how nothing does.
fn find_difference(was: &FormerNode, node: &Node) -> Option<(String, String)> {
    let (layout, style) = (&node.layout, node.layout.style.name());
    if was.style != style {
        let change = format!("the layout was `disk.{}`, and is `disk.{style}` now", was.style);
        return Some((change, format!("write `disk.{}` again", was.style)));
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

impl Change<'_> {
    fn diagnose(&self) -> Diagnostic {
        let message = format!(
            "the disks of {} change: {}. Where such a node is installed, the next rebuild looks for what is not on its disks, \
             and the node does not start",
            list_few(&self.nodes),
            self.example
        );
        Diagnostic::error("PG-J05", self.span, message).help(format!(
            "{}, and the disks stay as they are; for nodes that are not installed yet, or that you install anew before their \
             next rebuild, run `plasmagen render --install-anew {}`",
            self.keeping,
            self.nodes.join(",")
        ))
    }
}
