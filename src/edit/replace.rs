//! New hardware under the name and the addresses of a node.

use anyhow::{Context, Result, bail, ensure};

use crate::diag::Report;
use crate::inventory::{self, Sources, Texts};
use crate::model::{DiskId, HostName, MacAddr, SerialNumber};
use crate::resolve::{DraftNode, resolve};

use super::blocks::keep_end;
use super::literal::toml_string;
use super::node_rows::{NewRow, NodeRows};
use super::places::{Form, NotEditable, Place, Places};
use super::proof::{check_texts, new_errors, prove_clusters, prove_values, read_texts, read_values};
use super::remove::find_node;
use super::source::SourceMap;
use super::splice::{Splice, apply};
use super::style::Style;

/// The facts of a machine that takes the place of another.
#[derive(Clone, Debug)]
pub struct NewHardware {
    /// The MAC address of the NIC that boots.
    pub mac: MacAddr,
    /// The serial number.
    pub serial: Option<SerialNumber>,
    /// The disks that an installation erases.
    pub disks: Vec<DiskId>,
    /// The MAC addresses that the inventory binds to interfaces, by the name of the interface.
    pub interface_macs: Vec<(String, MacAddr)>,
    /// The MAC address of the BMC, where the inventory has that of the old machine's.
    pub bmc_mac: Option<MacAddr>,
}

/// The result of [`replace_node`].
#[derive(Debug)]
pub struct Replacement {
    /// The new text of the inventory.
    pub text: String,
    /// The new text of the table of nodes, where the node stands there.
    pub table: Option<String>,
    /// Whether the node is one of the first voters.
    pub is_voter: bool,
    /// Whether the cluster is formed.
    pub is_formed: bool,
    /// The MAC address of the old machine, if it was known.
    pub old_mac: Option<String>,
    /// The keys that stay, and may be facts of the old machine, such as `bmc.user` and `allow PG-F01`.
    pub kept: Vec<String>,
}

/// Writes the facts of another machine into the table of the node `name` in the inventory `sources`.
///
/// # Errors
/// When there is no such node, a fact of the old machine would stay, a rule is broken, or the inventory is written in a
/// form that is not edited.
pub fn replace_node<'s>(
    sources: impl Into<Sources<'s>>,
    name: &HostName,
    hardware: &NewHardware,
) -> Result<Replacement> {
    let texts = read_texts(sources.into())?;
    let written = read_values(&texts)?;
    let inventory = inventory::parse(texts.clone(), &mut Report::default());
    let draft = resolve(&inventory);
    find_node(&draft, name.as_str())?;
    let node = draft.node(name.as_str()).context("the node is not in the draft: a bug of plasmagen")?;
    check_facts(node, hardware)?;
    let values = list_values(hardware);
    let rows = texts.node_table().map(NodeRows::read).transpose()?.filter(|rows| rows.has(name.as_str()));
    let (text, table) = match rows {
        Some(rows) => (texts.inventory.to_owned(), Some(rows.replace(name.as_str(), &to_cells(&values))?)),
        None => (replace_in_table(texts.inventory, name, &values)?, None),
    };
    let nodes = table.as_ref().map(|table| Ok(table.as_str())).or_else(|| texts.nodes.clone());
    prove(&texts, &Texts { inventory: &text, nodes }, name, &values)?;
    let is_voter = draft.bootstrap().any(|(voter, _)| voter == name.as_str());
    let old_mac = node.entry.value.mac.as_ref().map(|mac| mac.value.to_string());
    let kept = list_kept(&written, name);
    Ok(Replacement { is_voter, is_formed: draft.formed(), old_mac, kept, text, table })
}

/// Writes `values` into the table `[node.NAME]` of the inventory `text`.
fn replace_in_table(text: &str, name: &HostName, values: &[(Vec<String>, Value)]) -> Result<String> {
    let map = SourceMap::read(text)?;
    let places = Places::find(&map, "node");
    let Some(place) = places.get(name.as_str()) else {
        let why = "`node` is one value, which is not edited: write the new facts by hand".to_owned();
        let block =
            values.iter().map(|(path, value)| format!("{} = {}\n", path.join("."), value.print(None)));
        return Err(NotEditable { why, block: block.collect() }.into());
    };
    let style = Style::of(&map, place, "node");
    let mut splices = Vec::new();
    for (path, value) in values {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match place.find(&map, &path) {
            Some(span) => splices.push(Splice::new(span, value.print(Some(&style)))),
            None => {
                splices.push(insert_key(&map, place, &style, &path.join("."), &value.print(Some(&style)))?);
            }
        }
    }
    Ok(keep_end(text, apply(text, splices)))
}

/// `values` as cells of the table of nodes.
fn to_cells(values: &[(Vec<String>, Value)]) -> NewRow {
    let text = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        Value::List(items) => items.join(";"),
    };
    values.iter().map(|(path, value)| (path.join("."), text(value))).collect()
}

/// Lists the keys of the node `name` in `written` that stay, and may be facts of the old machine.
fn list_kept(written: &toml::Table, name: &HostName) -> Vec<String> {
    const KEYS: [&str; 6] =
        ["hardware", "hardware_file", "rack", "bmc.user", "bmc.password_file", "bmc.protocol"];
    let Some(node) = written.get("node").and_then(|nodes| nodes.get(name.as_str())) else {
        return Vec::new();
    };
    // A column of the table of nodes is one key.
    let find =
        |key: &str| node.get(key).or_else(|| key.split('.').try_fold(node, |table, part| table.get(part)));
    let mut kept: Vec<String> =
        KEYS.iter().filter(|key| find(key).is_some()).map(|key| (*key).to_owned()).collect();
    let codes = find("allow").and_then(toml::Value::as_array).into_iter().flatten();
    kept.extend(codes.filter_map(toml::Value::as_str).map(|code| format!("allow {code}")));
    kept
}

/// A value that is replaced.
enum Value {
    Text(String),
    List(Vec<String>),
}

impl Value {
    fn print(&self, style: Option<&Style>) -> String {
        match (self, style) {
            (Self::Text(text), _) => toml_string(text),
            (Self::List(items), Some(style)) => style.list(items),
            (Self::List(items), None) => {
                format!("[{}]", items.iter().map(|item| toml_string(item)).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// The values that are replaced, by their keys below the node.
fn list_values(hardware: &NewHardware) -> Vec<(Vec<String>, Value)> {
    let mut values = vec![(vec!["mac".to_owned()], Value::Text(hardware.mac.to_string()))];
    let disks = hardware.disks.iter().map(|disk| disk.as_str().to_owned());
    values.push((vec!["disks".to_owned()], Value::List(disks.collect())));
    values.extend(
        hardware.serial.iter().map(|serial| (vec!["serial".to_owned()], Value::Text(serial.to_string()))),
    );
    values.extend(hardware.interface_macs.iter().map(|(name, mac)| {
        (vec!["interface".to_owned(), name.clone(), "mac".to_owned()], Value::Text(mac.to_string()))
    }));
    let bmc = |mac: MacAddr| (vec!["bmc".to_owned(), "mac".to_owned()], Value::Text(mac.to_string()));
    values.extend(hardware.bmc_mac.map(bmc));
    values
}

/// Refuses the facts of the machine that the node has already: the steps that follow would take the keys and the disks of a
/// machine that runs.
fn check_is_other(node: &DraftNode<'_>, hardware: &NewHardware) -> Result<()> {
    let (name, table) = (&node.entry.key, &node.entry.value);
    let is_known = |disk: &DiskId| {
        let mut known =
            table.disks.iter().flat_map(|disks| &disks.value).filter_map(|known| known.value.as_ref());
        disk.is_stable() && known.any(|known| known.id.value == *disk)
    };
    let fact = if table.mac.as_ref().is_some_and(|mac| mac.value == hardware.mac) {
        "the MAC address is that"
    } else if hardware.disks.iter().all(is_known) {
        "the disks are those"
    } else {
        return Ok(());
    };
    bail!(
        "{fact} of the machine that {name} has: where only its mainboard, a network card or a disk was exchanged, write \
         the new values into the file, and run plasmagen render --same-machine {name}"
    )
}

/// Refuses facts of the old machine that would stay.
fn check_facts(node: &DraftNode<'_>, hardware: &NewHardware) -> Result<()> {
    let table = &node.entry.value;
    check_is_other(node, hardware)?;
    let has_bmc_mac = table.bmc.as_ref().is_some_and(|bmc| bmc.mac.is_some());
    ensure!(
        hardware.bmc_mac.is_some() || !has_bmc_mac,
        "`bmc.mac` is the address of the old machine's BMC, which would answer at the address of the new one's: give \
         --bmc-mac"
    );
    ensure!(
        hardware.bmc_mac.is_none() || has_bmc_mac,
        "the node has no `bmc.mac`, by which its BMC would get an address: leave --bmc-mac out"
    );
    ensure!(
        hardware.serial.is_some() || table.serial.is_none(),
        "the serial number of the old machine would stay, and the new machine would be refused: give --serial"
    );
    let is_given = |name: &str| hardware.interface_macs.iter().any(|(given, _)| given == name);
    let bound = table.common.interfaces.iter().filter(|interface| interface.value.mac.is_some());
    let kept: Vec<_> =
        bound.clone().map(|interface| interface.key.as_str()).filter(|name| !is_given(name)).collect();
    if let Some(first) = kept.first() {
        bail!(
            "`interface.{first}.mac` is the address of a card of the old machine: give --interface-mac {first}=MAC"
        );
    }
    let known: Vec<_> = bound.map(|interface| interface.key.as_str()).collect();
    if let Some((name, _)) = hardware.interface_macs.iter().find(|(name, _)| !known.contains(&name.as_str()))
    {
        bail!("the node binds no MAC address to an interface `{name}`: leave --interface-mac out");
    }
    Ok(())
}

/// Puts a key that the table does not have behind its last key.
fn insert_key(map: &SourceMap<'_>, place: &Place, style: &Style, key: &str, value: &str) -> Result<Splice> {
    let last = place.statements.iter().rev().map(|at| &map.statements[*at]);
    // Below a header such as [node.node01.bmc] the key would belong to that table.
    let mut last = last.filter(|statement| {
        statement.is_header && statement.path.len() == 2 || statement.inherited <= 2 && !statement.is_header
    });
    let statement = last.next().context("the table of the node was not found: a bug of plasmagen")?;
    if place.form == Form::Inline {
        let end =
            map.parts(&statement.events).last().map_or(statement.value.start + 1, |part| part.value.end);
        let comma = if map.parts(&statement.events).is_empty() { " " } else { ", " };
        return Ok(Splice::new(end..end, format!("{comma}{key} = {value}")));
    }
    let end = statement.lines.end;
    let open = if map.text[..end].ends_with('\n') { "" } else { style.line_end };
    Ok(Splice::new(end..end, format!("{open}{}{}", style.key_line(&place.name, key, value), style.line_end)))
}

/// Checks that `new` differs from `old` in `values` of the node only, and breaks no rule.
fn prove(old: &Texts<'_>, new: &Texts<'_>, name: &HostName, values: &[(Vec<String>, Value)]) -> Result<()> {
    prove_values(old, new, |before, after| {
        for table in [before, after] {
            for (path, _) in values {
                let node = ["node".to_owned(), name.to_string()];
                take_value(table, &[&node, &path[..]].concat());
                // A row has its keys in one word.
                take_value(table, &[&node, &[path.join(".")][..]].concat());
            }
        }
    })?;
    let (before, after) = (check_texts(old)?, check_texts(new)?);
    if let Some(first) = new_errors(&before, &after).first() {
        bail!("{}: {}. Nothing was written", first.code, first.message);
    }
    prove_clusters(&before, &after, &[name.as_str()], &[])
}

/// Takes the value at `path` out of `table`.
fn take_value(table: &mut toml::Table, path: &[String]) {
    match path {
        [] => {}
        [key] => drop(table.remove(key)),
        [key, rest @ ..] => {
            if let Some(table) = table.get_mut(key).and_then(toml::Value::as_table_mut) {
                take_value(table, rest);
            }
        }
    }
}
