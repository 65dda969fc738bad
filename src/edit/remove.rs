//! Nodes that are removed.

use std::collections::BTreeSet;

use anyhow::{Result, bail, ensure};

use crate::diag::Report;
use crate::inventory::{self, Sources, Texts, nearest};
use crate::model::HostName;
use crate::resolve::{Draft, resolve};

use super::blocks::{indent_at, keep_end, line_end, with_blank_line};
use super::lists::{add_items, remove_items};
use super::literal::toml_string;
use super::node_rows::NodeRows;
use super::places::{Form, NotEditable, Places};
use super::proof::{
    check_texts, new_errors, prove_clusters, prove_values, read_texts, read_values, take_nodes,
};
use super::source::SourceMap;
use super::splice::{Splice, apply};

/// The nodes to remove.
#[derive(Clone, Debug, Default)]
pub struct RemoveRequest {
    /// The names of the nodes.
    pub names: Vec<HostName>,
    /// Whether nodes may be removed that are among the voters of `cluster.bootstrap`.
    pub voters: bool,
    /// Whether the nodes were never installed, so that their names may be given again.
    pub never_installed: bool,
}

/// The result of [`remove_nodes`].
#[derive(Debug)]
pub struct Removal {
    /// The new text of the inventory.
    pub text: String,
    /// The new text of the table of nodes, where a node stands there.
    pub table: Option<String>,
    /// The names that `cluster.bootstrap` lost.
    pub voters: Vec<String>,
    /// Whether the cluster is formed.
    pub is_formed: bool,
    /// Services with members in the cluster that the nodes ran, such as `chainfire`.
    pub memberships: Vec<String>,
}

/// Removes nodes from the inventory `sources`, and writes their names into `cluster.removed`.
///
/// # Errors
/// When there is no such node, it is a voter, the rest breaks a rule, or the inventory is written in a form that is not
/// edited.
pub fn remove_nodes<'s>(sources: impl Into<Sources<'s>>, request: &RemoveRequest) -> Result<Removal> {
    let texts = read_texts(sources.into())?;
    read_values(&texts)?;
    let text = texts.inventory;
    let inventory = inventory::parse(texts.clone(), &mut Report::default());
    let draft = resolve(&inventory);
    let names: Vec<&str> = request.names.iter().map(HostName::as_str).collect();
    for name in &names {
        find_node(&draft, name)?;
    }
    let voters = list_voters(&draft, request)?;
    let map = SourceMap::read(text)?;
    let places = Places::find(&map, "node");
    let rows = texts.node_table().map(NodeRows::read).transpose()?;
    let (in_rows, in_tables): (Vec<&str>, Vec<&str>) =
        names.iter().partition(|name| rows.as_ref().is_some_and(|rows| rows.has(name)));
    let table = rows.filter(|_| !in_rows.is_empty()).map(|rows| rows.remove(&in_rows));
    let mut splices = Vec::new();
    for name in &in_tables {
        let Some(place) = places.get(name) else {
            let why = "`node` is one value, which is not edited: remove the node by hand".to_owned();
            return Err(NotEditable { why, block: String::new() }.into());
        };
        let blocks = place.blocks(&map).into_iter();
        let is_table = place.form == Form::Headers;
        let spans = blocks.map(|block| if is_table { with_blank_line(text, &block) } else { block });
        splices.extend(spans.map(|span| Splice::new(span, "")));
    }
    if !request.never_installed {
        splices.extend(list_removed(&map, &names)?);
    }
    if let Some(entry) = map.find_entry(&["cluster", "bootstrap"]).filter(|_| !voters.is_empty()) {
        splices.extend(remove_items(&map, entry, &voters));
    }
    let new = keep_end(text, apply(text, splices));
    let nodes = table.as_ref().map(|table| Ok(table.as_str())).or_else(|| texts.nodes.clone());
    prove(&texts, &Texts { inventory: &new, nodes }, request, &voters)?;
    let services = names.iter().filter_map(|name| draft.node(name)).flat_map(|node| &node.services);
    let is_member = |service: &str| draft.ports(service).is_some_and(|ports| ports.raft_port.is_some());
    let memberships: BTreeSet<String> =
        services.map(|service| service.name.to_string()).filter(|name| is_member(name)).collect();
    let is_formed = draft.formed();
    Ok(Removal {
        voters: voters.into_iter().map(str::to_owned).collect(),
        is_formed,
        memberships: memberships.into_iter().collect(),
        text: new,
        table,
    })
}

/// Checks that `new` is `old` without the nodes of `request`, and that the rest breaks no rule.
fn prove(old: &Texts<'_>, new: &Texts<'_>, request: &RemoveRequest, voters: &[&str]) -> Result<()> {
    let names: Vec<&str> = request.names.iter().map(HostName::as_str).collect();
    prove_values(old, new, |before, after| {
        take_nodes(before, &names);
        take_nodes(after, &[]);
        let Some(cluster) = before.get_mut("cluster").and_then(toml::Value::as_table_mut) else { return };
        if let Some(bootstrap) = cluster.get_mut("bootstrap").and_then(toml::Value::as_array_mut) {
            bootstrap.retain(|name| !name.as_str().is_some_and(|name| voters.contains(&name)));
        }
        if !request.never_installed {
            let removed = cluster.entry("removed").or_insert_with(|| toml::Value::Array(Vec::new()));
            for name in names.iter().map(|name| toml::Value::from(*name)) {
                removed
                    .as_array_mut()
                    .filter(|removed| !removed.contains(&name))
                    .into_iter()
                    .for_each(|removed| removed.push(name.clone()));
            }
        }
    })?;
    let (before, after) = (check_texts(old)?, check_texts(new)?);
    if let Some(first) = new_errors(&before, &after).first() {
        bail!("the inventory would break a rule: {}: {}. Nothing was written", first.code, first.message);
    }
    let left_out: &[&str] = if voters.is_empty() { &["removed"] } else { &["removed", "bootstrap"] };
    prove_clusters(&before, &after, &names, left_out)
}

/// Refuses a name that no node has.
pub(super) fn find_node(draft: &Draft<'_>, name: &str) -> Result<()> {
    let names: Vec<&str> = draft.inventory.nodes.iter().map(|node| node.key.as_str()).collect();
    let help = nearest(name, &names).map_or_else(
        || "plasmagen node list prints all nodes".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    ensure!(names.contains(&name), "there is no node `{name}`: {help}");
    Ok(())
}

/// The nodes of `request` among the voters, which an odd number of voters must outlast.
fn list_voters<'r>(draft: &Draft<'_>, request: &'r RemoveRequest) -> Result<Vec<&'r str>> {
    let voters: Vec<&str> = draft.bootstrap().map(|(name, _)| name).collect();
    let removed = request.names.iter().map(HostName::as_str).filter(|name| voters.contains(name));
    let removed: Vec<&str> = removed.collect();
    let Some(first) = removed.first() else { return Ok(removed) };
    ensure!(
        request.voters,
        "`{first}` is a voter of `cluster.bootstrap`: --voter removes the node from that list, too. For new hardware under \
         the old name there is plasmagen node replace {first}"
    );
    let left = voters.len() - removed.len();
    ensure!(
        left % 2 == 1,
        "{left} of {} voters would be left, and their number must be odd: remove another voter as well, or write another \
         node into `cluster.bootstrap` first",
        voters.len()
    );
    Ok(removed)
}

/// Adds `names` to `cluster.removed`, which is made behind `formed` or `bootstrap` where it is missing.
fn list_removed(map: &SourceMap<'_>, names: &[&str]) -> Result<Vec<Splice>> {
    if let Some(entry) = map.find_entry(&["cluster", "removed"]) {
        // A run that was killed may have written names, and left their rows in the table of nodes.
        let written: Vec<String> =
            map.parts(&entry.events).iter().map(|part| map.string_at(&part.value)).collect();
        let names: Vec<&str> =
            names.iter().copied().filter(|name| !written.iter().any(|one| one == name)).collect();
        return if names.is_empty() { Ok(Vec::new()) } else { add_items(map, entry, &names) };
    }
    let items: Vec<_> = names.iter().map(|name| toml_string(name)).collect();
    let line = format!("removed = [{}]", items.join(", "));
    let known = ["formed", "bootstrap", "domain", "name"];
    let Some(entry) = known.iter().find_map(|key| map.find_entry(&["cluster", key])) else {
        let why = "`cluster` is not written as [cluster]: add the line there by hand".to_owned();
        return Err(NotEditable { why, block: line + "\n" }.into());
    };
    let indent = indent_at(map.text, entry.lines.start);
    let table = if entry.inherited == 0 { "cluster." } else { "" };
    let end = entry.lines.end;
    let (line_end, is_open) = (line_end(map.text), !map.text[..end].ends_with('\n'));
    let first = if is_open { line_end } else { "" };
    Ok(vec![Splice::new(end..end, format!("{first}{indent}{table}{line}{line_end}"))])
}
