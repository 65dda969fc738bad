//! The nodes as a table, with a column for each key that a node may have of its own.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::diag::Spanned;
use crate::inventory::{Entries, Inventory, NODE_COLUMNS, NodeTable, known};
use crate::model::{BmcProtocol, Label};

/// The nodes of an inventory as a table. `plasmagen import csv` reads the same columns.
#[derive(Clone, Debug, Default)]
pub struct NodeList {
    /// The names of the columns: keys of a node, `name` first.
    pub columns: Vec<String>,
    /// A row for each node, in the order of the inventory: the values of a cell, of which only disks have several.
    pub rows: Vec<Vec<Vec<String>>>,
}

/// The columns that every table of nodes has.
const COLUMNS: [&str; 5] = ["name", "profile", "mac", "serial", "disks"];

/// Lists the nodes of `inventory` that `is_wanted`, as they are written: what a profile says is not there. Columns
/// beyond name, profile, MAC address, serial number and disks are those that a listed node has.
#[must_use]
pub fn list_nodes(inventory: &Inventory, is_wanted: impl Fn(&NodeTable) -> bool) -> NodeList {
    let mut nodes: Vec<_> = inventory.nodes.iter().filter(|node| is_wanted(&node.value)).collect();
    nodes.sort_by_key(|node| node.span.start);
    let cells: Vec<Vec<(String, Vec<String>)>> =
        nodes.iter().map(|node| list_cells(&node.key, &node.value)).collect();
    let mut columns: Vec<String> = COLUMNS.map(str::to_owned).to_vec();
    let optional = NODE_COLUMNS.iter().filter(|column| !COLUMNS.contains(column));
    let mut networks: Vec<_> = inventory.networks.iter().collect();
    networks.sort_by_key(|network| network.span.start);
    let optional = optional.map(|column| (*column).to_owned());
    let interfaces = nodes.iter().flat_map(|node| &node.value.common.interfaces);
    let interfaces: BTreeSet<String> =
        interfaces.map(|entry| format!("interface.{}.mac", entry.key)).collect();
    let addresses = ["address", "address6"]
        .into_iter()
        .flat_map(|key| networks.iter().map(move |network| format!("{key}.{}", network.key)));
    let has_column = |column: &String| cells.iter().flatten().any(|(key, _)| key == column);
    columns.extend(optional.chain(interfaces).chain(addresses).filter(has_column));
    let row = |cells: &Vec<(String, Vec<String>)>| {
        let find =
            |column: &String| cells.iter().find(|(key, _)| key == column).map(|(_, values)| values.clone());
        columns.iter().map(|column| find(column).unwrap_or_default()).collect()
    };
    let rows = cells.iter().map(row).collect();
    NodeList { columns, rows }
}

/// The keys of a node that a table has, with their values.
fn list_cells(name: &str, node: &NodeTable) -> Vec<(String, Vec<String>)> {
    let mut cells = vec![("name".to_owned(), vec![name.to_owned()])];
    let mut add =
        |key: &str, value: Option<String>| cells.extend(value.map(|value| (key.to_owned(), vec![value])));
    add("profile", node.profile.as_ref().map(|profile| profile.value.to_string()));
    add("mac", node.mac.as_ref().map(|mac| mac.value.to_string()));
    add("serial", known(&node.serial).map(ToString::to_string));
    add("hardware", node.common.hardware.as_ref().map(|hardware| hardware.value.to_string()));
    add("rack", node.rack.as_ref().map(|rack| rack.value.to_string()));
    if let Some(bmc) = &node.bmc {
        add("bmc.address", bmc.address.as_ref().map(|address| address.value.to_string()));
        add("bmc.user", known(&bmc.user).map(ToString::to_string));
        add("bmc.password_file", known(&bmc.password_file).map(ToString::to_string));
        add(
            "bmc.protocol",
            bmc.protocol.as_ref().map(|protocol: &Spanned<BmcProtocol>| protocol.value.as_str().to_owned()),
        );
        add("bmc.mac", bmc.mac.as_ref().map(|mac| mac.value.to_string()));
    }
    for interface in &node.common.interfaces {
        let mac = interface.value.mac.as_ref().map(|mac| mac.value.to_string());
        add(&format!("interface.{}.mac", interface.key), mac);
    }
    cells.extend(list_addresses("address", &node.addresses));
    cells.extend(list_addresses("address6", &node.addresses6));
    let disks = node.disks.iter().flat_map(|disks| &disks.value).filter_map(|disk| disk.value.as_ref());
    cells.push(("disks".to_owned(), disks.map(|disk| disk.id.value.to_string()).collect()));
    cells
}

fn list_addresses<'e, A: Copy + Into<IpAddr>>(
    key: &'e str,
    addresses: &'e Entries<Label, Option<Spanned<A>>>,
) -> impl Iterator<Item = (String, Vec<String>)> + 'e {
    addresses.iter().filter_map(move |entry| {
        let address: IpAddr = entry.value.as_ref()?.value.into();
        Some((format!("{key}.{}", entry.key), vec![address.to_string()]))
    })
}
