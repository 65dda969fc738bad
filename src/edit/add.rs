//! Nodes that are added.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use anyhow::{Result, anyhow, bail, ensure};

use crate::diag::{Diagnostic, Report};
use crate::inventory::{self, Sources, Texts};
use crate::model::Range;
use crate::resolve::{Draft, resolve};

use super::allocate::{Allocator, Assigned};
use super::blocks::keep_end;
use super::names::next_name;
use super::new_node::{AddedNode, NewNode};
use super::node_keys::{Planned, ProfileFacts, has_profile, last_of_profile, list_keys};
use super::node_rows::{NodeRows, to_row};
use super::places::{NotEditable, Places};
use super::proof::{
    check_texts, new_errors, prove_clusters, prove_values, read_texts, read_values, take_nodes,
};
use super::source::SourceMap;
use super::splice::{Splice, apply};
use super::style::{NewKey, Style, insertion};

/// The result of [`add_nodes`].
#[derive(Debug)]
pub struct Addition {
    /// The new text of the inventory.
    pub text: String,
    /// The new text of the table of nodes, where the inventory names one.
    pub table: Option<String>,
    /// The tables, or the rows, that were put into the text.
    pub block: String,
    /// The nodes.
    pub nodes: Vec<AddedNode>,
    /// The errors that the new text has and the old one had not: facts of machines that are missing.
    pub missing: Vec<Diagnostic>,
    /// By profile: how many addresses are left in each of its ranges, with the network and the range.
    pub left: BTreeMap<String, Vec<(String, Range<IpAddr>, u128)>>,
}

/// Adds `nodes` to the inventory `sources`: each behind the last node of its profile, written as that is, with the next
/// free addresses of the profile's ranges. Where the inventory names a table of nodes, they stand there.
///
/// # Errors
/// When a name is taken or was removed, no address is free, the nodes break a rule, or the inventory is written in a
/// form that is not edited: [`NotEditable`] then has the tables.
pub fn add_nodes<'s>(sources: impl Into<Sources<'s>>, nodes: &[NewNode]) -> Result<Addition> {
    let texts = read_texts(sources.into())?;
    read_values(&texts)?;
    let inventory = inventory::parse(texts.clone(), &mut Report::default());
    let draft = resolve(&inventory);
    let names = choose_names(&draft, nodes)?;
    let mut allocator = Allocator::new(&draft);
    let planned = plan(&mut allocator, nodes, &names)?;
    let map = SourceMap::read(texts.inventory)?;
    let written = write(&map, texts.node_table(), &draft, &planned, false)?;
    let names: Vec<&str> = planned.iter().map(|node| node.name.as_str()).collect();
    prove_values(&texts, &written.texts(), |before, after| {
        take_nodes(after, &names);
        take_nodes(before, &[]);
    })?;
    // A machine whose facts are missing keeps rules from running: the rules look at the nodes with facts in their
    // places.
    let stand_in = write(&map, texts.node_table(), &draft, &planned, true)?;
    let old = check_texts(&texts)?;
    let complete = check_texts(&stand_in.texts())?;
    let is_disk = |fault: &Diagnostic| fault.code.starts_with("PG-F");
    let lacks_disks = planned.iter().any(|node| node.node.disks.is_empty());
    let faults: Vec<_> =
        new_errors(&old, &complete).into_iter().filter(|fault| !(lacks_disks && is_disk(fault))).collect();
    if let Some(first) = faults.first() {
        let help = first.help.as_ref().map_or_else(String::new, |help| format!(" ({help})"));
        bail!("{}: {}{help}. Nothing was written", first.code, first.message);
    }
    prove_clusters(&old, &complete, &names, &[])?;
    let missing = new_errors(&old, &check_texts(&written.texts())?);
    let profiles: BTreeSet<&str> = nodes.iter().map(|node| node.profile.as_str()).collect();
    let left = profiles.iter().map(|profile| ((*profile).to_owned(), allocator.left(profile))).collect();
    let report = |one: &Planned<'_>| one.report(&ProfileFacts::of(&draft, &one.node.profile).bound);
    let nodes = planned.iter().map(report).collect();
    let Written { text, table, block } = written;
    Ok(Addition { text, table, block, nodes, missing, left })
}

/// The names of `nodes`.
fn choose_names(draft: &Draft<'_>, nodes: &[NewNode]) -> Result<Vec<String>> {
    let list = draft.inventory.cluster.as_ref().and_then(|cluster| cluster.removed.as_ref());
    let removed: BTreeSet<String> =
        list.iter().flat_map(|list| &list.value).map(|name| name.value.to_string()).collect();
    let mut taken: BTreeSet<String> = draft.inventory.nodes.iter().map(|node| node.key.clone()).collect();
    for name in nodes.iter().filter_map(|node| node.name.as_ref()) {
        ensure!(
            !removed.contains(name.as_str()),
            "`{name}` is in `removed` of [cluster]: the cluster may remember the name, so give the machine another \
             (plasmagen explain PG-G06)"
        );
        ensure!(taken.insert(name.to_string()), "there is a node `{name}` already: plasmagen node list");
    }
    taken.extend(removed);
    let mut names = Vec::with_capacity(nodes.len());
    let mut last: BTreeMap<&str, String> = BTreeMap::new();
    for node in nodes {
        let name = match &node.name {
            Some(name) => name.to_string(),
            None => {
                let before = last.get(node.profile.as_str()).map(String::as_str);
                let before = before
                    .or_else(|| last_of_profile(draft, &node.profile).map(|node| node.entry.key.as_str()));
                let before = before.ok_or_else(|| {
                    anyhow!(
                        "the profile `{}` has no node yet whose name could be counted up: name the new node",
                        node.profile
                    )
                })?;
                next_name(before, &taken)?.to_string()
            }
        };
        taken.insert(name.clone());
        last.insert(&node.profile, name.clone());
        names.push(name);
    }
    Ok(names)
}

/// Gives each node its addresses: first those that are asked for, then the next ones.
fn plan<'n>(
    allocator: &mut Allocator<'_>,
    nodes: &'n [NewNode],
    names: &[String],
) -> Result<Vec<Planned<'n>>> {
    for (node, name) in nodes.iter().zip(names) {
        for (network, address) in &node.addresses {
            allocator.reserve(name, network, *address)?;
        }
        if let Some(address) = node.bmc.address {
            allocator.reserve_bmc(name, address);
        }
    }
    let plan_one = |(node, name): (&'n NewNode, &String)| {
        let given = node
            .addresses
            .iter()
            .map(|(network, address)| Assigned { network: network.clone(), address: *address });
        let addresses = allocator.assign(name, &node.profile, &given.collect::<Vec<_>>())?;
        let bmc = match node.bmc.address {
            Some(address) => Some(address),
            None => allocator.assign_bmc(name, &node.profile)?,
        };
        Ok(Planned { node, name: name.clone(), addresses, bmc })
    };
    let planned: Vec<Planned<'n>> = nodes.iter().zip(names).map(plan_one).collect::<Result<_>>()?;
    let wants_table = |one: &Planned<'_>| {
        one.bmc.is_none() && (one.node.bmc.user.is_some() || one.node.bmc.password_file.is_some())
    };
    if let Some(one) = planned.iter().find(|one| wants_table(one)) {
        bail!(
            "the BMC of `{}` has no address: add `range.{}` to a network for BMCs, or name the address",
            one.name,
            one.node.profile
        );
    }
    Ok(planned)
}

/// The texts with new nodes.
struct Written {
    text: String,
    table: Option<String>,
    /// The block that was put into one of the texts.
    block: String,
}

impl Written {
    fn texts(&self) -> Texts<'_> {
        Texts { inventory: &self.text, nodes: self.table.as_ref().map(|table| Ok(table.as_str())) }
    }
}

/// Writes the nodes into the table of nodes, if there is one, or else as tables of the inventory; with `stand_in`, facts
/// that are missing are made up.
fn write(
    map: &SourceMap<'_>,
    table: Option<&str>,
    draft: &Draft<'_>,
    planned: &[Planned<'_>],
    stand_in: bool,
) -> Result<Written> {
    let mut by_profile: BTreeMap<&str, Vec<&Planned<'_>>> = BTreeMap::new();
    for node in planned {
        by_profile.entry(&node.node.profile).or_default().push(node);
    }
    let keys_of = |profile, nodes: &[&Planned<'_>]| {
        let facts = ProfileFacts::of(draft, profile);
        let keys = |(number, node): (usize, &&Planned<'_>)| {
            (node.name.clone(), list_keys(node, &facts, stand_in.then_some(number)))
        };
        nodes.iter().enumerate().map(keys).collect::<Vec<_>>()
    };
    let Some(table) = table else {
        let groups = by_profile.iter().map(|(profile, nodes)| (*profile, keys_of(profile, nodes)));
        return write_tables(map, draft, groups);
    };
    let (mut table, mut all) = (table.to_owned(), String::new());
    for (profile, nodes) in by_profile {
        let rows: Vec<_> =
            keys_of(profile, &nodes).into_iter().map(|(name, keys)| to_row(&name, keys)).collect();
        let (text, block) = NodeRows::read(&table)?.add(profile, &rows)?;
        (table, all) = (text, all + &block);
    }
    Ok(Written { text: map.text.to_owned(), table: Some(table), block: all })
}

/// Writes the nodes of each profile, with their keys, as tables of the inventory.
fn write_tables<'p>(
    map: &SourceMap<'_>,
    draft: &Draft<'_>,
    groups: impl Iterator<Item = (&'p str, Vec<(String, Vec<NewKey>)>)>,
) -> Result<Written> {
    let places = Places::find(map, "node");
    let (mut splices, mut all) = (Vec::new(), String::new());
    for (profile, nodes) in groups {
        let of_profile: BTreeSet<&str> = draft
            .nodes
            .iter()
            .filter(|node| has_profile(node, profile))
            .map(|node| node.entry.key.as_str())
            .collect();
        let neighbour = places.last(|name| of_profile.contains(name)).or_else(|| places.last(|_| true));
        let style =
            neighbour.map_or_else(|| Style::plain(map.text, "node"), |place| Style::of(map, place, "node"));
        let blocks: Vec<_> = nodes.into_iter().map(|(name, keys)| style.print(&name, keys)).collect();
        if neighbour.is_none() && map.find_entry(&["node"]).is_some() {
            let why = "`node` is one value, which is not edited: write the nodes by hand".to_owned();
            return Err(NotEditable { why, block: blocks.concat() }.into());
        }
        let at = neighbour.map_or(map.text.len(), |place| place.end(map));
        let inserted = insertion(map.text, at, &style, &blocks);
        all += inserted.trim_start_matches(['\r', '\n']);
        splices.push(Splice::new(at..at, inserted));
    }
    let text = keep_end(map.text, apply(map.text, splices));
    Ok(Written { text, table: None, block: all })
}
