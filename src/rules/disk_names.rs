//! The names on the disks of nodes: unique in the site (B12), and as they were rendered last (J05).

use std::collections::{BTreeMap, HashMap};

use crate::diag::{Diagnostic, Report, Span};
use crate::model::{DiskNames, Labels, list_few};
use crate::resolve::Draft;

use super::committed::{Committed, NodeCertificate};
use super::former_disks::FormerDisks;

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
    if let Some(fault) = find_unknown(committed) {
        report.push(fault);
        return;
    }
    let former = FormerDisks::new(&committed.former.nodes);
    let mut changes: BTreeMap<(usize, String), Change<'_>> = BTreeMap::new();
    let mut kept: BTreeMap<usize, KeptLabels<'_>> = BTreeMap::new();
    for member in &committed.members {
        let node = member.node;
        if committed.installed_anew.contains(&node.name) {
            continue;
        }
        let (span, is_kept) = find_layout(committed, member);
        if let Some((was, (example, keeping))) = former.find_change(node) {
            let span = if was.name == node.name.as_str() { span } else { member.span };
            let change = changes.entry((span.start, keeping.clone())).or_insert_with(|| Change {
                span,
                nodes: Vec::new(),
                example,
                keeping,
            });
            change.nodes.push(node.name.as_str());
        } else if is_kept {
            let style = node.layout.style.name();
            let kept =
                kept.entry(span.start).or_insert_with(|| KeptLabels { span, nodes: Vec::new(), style });
            kept.nodes.push(node.name.as_str());
        }
    }
    changes.into_values().for_each(|change| report.push(change.diagnose()));
    kept.into_values().for_each(|kept| report.push(kept.diagnose()));
}

/// Finds the fault of files that do not say how the disks of nodes were divided.
fn find_unknown(committed: &Committed<'_>) -> Option<Diagnostic> {
    let former = committed.former;
    if let Some(why) = &former.unreadable {
        return Some(Diagnostic::error("PG-J05", &committed.cluster_span(), why.clone()).help(
            "restore the file from git, in a merge that of either side; without site/inventory.json, the names on the disks are \
             read from nodes/*/disko.nix",
        ));
    }
    let is_contradicted = |member: &&NodeCertificate<'_>| {
        let name = &member.node.name;
        former.contradicted.contains(name.as_str()) && !committed.installed_anew.contains(name)
    };
    let members: Vec<_> = committed.members.iter().filter(is_contradicted).collect();
    let names: Vec<_> = members.iter().map(|member| member.node.name.as_str()).collect();
    let message = format!(
        "site/inventory.json and disko.nix in nodes/ do not say the same of the disks of {}: they are of two commits, or \
         disko.nix was edited",
        list_few(&names)
    );
    Some(Diagnostic::error("PG-J05", members.first()?.span, message).help(
        "restore nodes/ and site/ from one commit; or where disko.nix is right, remove site/inventory.json and run `plasmagen \
         render`, which then reads the names from nodes/*/disko.nix",
    ))
}

/// Finds the place of the layout of `member`, and whether the names on the disks are kept without a word of the layout.
fn find_layout<'a>(committed: &Committed<'a>, member: &NodeCertificate<'a>) -> (&'a Span, bool) {
    let Some(node) = committed.draft.node(member.node.name.as_str()) else { return (member.span, false) };
    let Some(layout) = node.layout.map(|layout| layout.written) else { return (member.span, false) };
    let span = layout.keys.labels.as_ref().map_or(&layout.span, |labels| &labels.span);
    (span, node.kept_labels.is_some())
}

/// The nodes of one layout that keep the names on their disks, of which the layout says nothing.
struct KeptLabels<'a> {
    span: &'a Span,
    /// The names of the nodes.
    nodes: Vec<&'a str>,
    /// The style of the layout.
    style: &'static str,
}

impl KeptLabels<'_> {
    fn diagnose(&self) -> Diagnostic {
        let Self { span, nodes, style } = self;
        let message = format!(
            "the names on the disks of {} stay without the node's name, as they were rendered before. The layout does not say \
             so: such a node that is removed and added again would look for other names",
            list_few(nodes)
        );
        let first = nodes.first().copied().unwrap_or_default();
        Diagnostic::warning("PG-J05", span, message).help(format!(
            "write `labels = \"disk\"` in `disk.{style}`; for nodes that are not installed yet, or that you install anew before \
             their next rebuild, run `plasmagen render --install-anew {first}`, with each of their names"
        ))
    }
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
