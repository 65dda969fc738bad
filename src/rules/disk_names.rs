//! The names on the disks of nodes: unique in the site (B12), and as they were rendered last (J05).

use std::collections::{BTreeMap, HashMap};

use crate::diag::{Diagnostic, Report, Span};
use crate::inventory::LayoutTable;
use crate::model::{DiskNames, Labels, Node, list_few};
use crate::plan::former::FormerNode;
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

/// The nodes of one layout whose disks have other names than those that were rendered last.
struct Renaming<'a> {
    layout: &'a LayoutTable,
    /// The names of the nodes.
    nodes: Vec<&'a str>,
    /// The former and the present name of a disk of the first of the nodes.
    example: (String, String),
    /// The value of `labels` with which the former names stay.
    keeping: Option<Labels>,
    /// Whether the former nodes had the same names: the nodes are not renamed.
    is_known: bool,
}

/// J05: the disks of a node keep the names that were rendered last.
pub(super) fn j05(committed: &Committed<'_>, report: &mut Report) {
    let former = FormerDisks::new(&committed.former.nodes);
    let mut renamings: BTreeMap<(usize, Option<Labels>, bool), Renaming<'_>> = BTreeMap::new();
    for member in &committed.members {
        let node = member.node;
        let Some((was, at)) = former.find_renamed(node) else { continue };
        let Some(layout) = committed.draft.node(node.name.as_str()).and_then(|node| node.layout) else {
            continue;
        };
        let (old, new) = (names_of_former(was).disk(at.0), node.disk_names(node.layout.labels).disk(at.1));
        let mut choices = [Labels::Node, Labels::Disk].into_iter();
        let keeping = choices.find(|labels| node.disk_names(*labels).disk(at.1) == old);
        let is_known = was.name == node.name.as_str();
        let written = layout.written;
        let renaming = renamings.entry((written.span.start, keeping, is_known)).or_insert_with(|| Renaming {
            layout: written,
            nodes: Vec::new(),
            example: (old, new),
            keeping,
            is_known,
        });
        renaming.nodes.push(node.name.as_str());
    }
    renamings.into_values().for_each(|renaming| report.push(renaming.diagnose()));
}

/// The disks of the nodes that were rendered last.
struct FormerDisks<'a> {
    /// The node of each disk whose name stays with it, and the disk's place among the node's disks. Several nodes have a
    /// disk with a name that the kernel gives, such as `/dev/nvme0n1`.
    by_disk: HashMap<&'a str, (&'a FormerNode, usize)>,
    by_name: HashMap<&'a str, &'a FormerNode>,
}

impl<'a> FormerDisks<'a> {
    fn new(nodes: &'a [FormerNode]) -> Self {
        let disks = nodes.iter().flat_map(|node| {
            node.disks.iter().enumerate().map(move |(at, disk)| (disk.as_str(), (node, at)))
        });
        let by_name = nodes.iter().map(|node| (node.name.as_str(), node)).collect();
        Self { by_disk: disks.collect(), by_name }
    }

    /// Finds a disk of `node` that had another name: the former node of that disk, and the former and the present place
    /// of the disk. The former node is the one with the same name, where an exchanged disk takes the place of the disk
    /// before it; else the one that had the disk.
    fn find_renamed(&self, node: &Node) -> Option<(&'a FormerNode, (usize, usize))> {
        let names = node.disk_names(node.layout.labels);
        node.disks.iter().enumerate().find_map(|(at, disk)| {
            let (was, former) = match self.by_name.get(node.name.as_str()) {
                Some(was) => {
                    let found = was.disks.iter().position(|former| former == disk.as_str());
                    (*was, found.or_else(|| Some(at).filter(|at| *at < was.disks.len()))?)
                }
                None => self.by_disk.get(disk.as_str()).copied().filter(|_| disk.is_stable())?,
            };
            (names_of_former(was).disk(former) != names.disk(at)).then_some((was, (former, at)))
        })
    }
}

/// The names on the disks of a node that was rendered last.
fn names_of_former(node: &FormerNode) -> DiskNames<'_> {
    DiskNames::new(node.labels, &node.name, node.disks.len())
}

impl Renaming<'_> {
    fn diagnose(&self) -> Diagnostic {
        let (style, (old, new)) = (self.layout.style, &self.example);
        let message = format!(
            "partitions of {} were called `disk-{old}-…`, and are `disk-{new}-…` now: where that node is installed, the next \
             rebuild looks for names that are not on the disks, and the node does not start",
            list_few(&self.nodes)
        );
        let keep = match self.keeping {
            Some(Labels::Node) => format!("write `labels = \"node\"` in `disk.{style}`"),
            Some(Labels::Disk) => format!("write `labels = \"disk\"` in `disk.{style}`"),
            None => "take back the name of the node and the list of its disks".to_owned(),
        };
        match &self.layout.keys.labels {
            None if self.is_known => Diagnostic::error("PG-J05", &self.layout.span, message).help(format!(
                "{keep}, and the names stay; if none of these nodes is installed, or all are installed anew, write `labels = \
                 \"node\"`"
            )),
            written => {
                let span = written.as_ref().map_or(&self.layout.span, |labels| &labels.span);
                Diagnostic::warning("PG-J05", span, message).help(format!(
                    "{keep}, and the names stay; or install these nodes anew, if they are installed: after `plasmagen \
                     render` this is not said again"
                ))
            }
        }
    }
}
