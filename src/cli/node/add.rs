//! `plasmagen node add`.

use std::net::IpAddr;

use anyhow::ensure;
use clap::Args;

use crate::cli::DONE;
use crate::cli::edited::{EditedInventory, parse_pair, parse_word, print_block, print_missing};
use crate::cli::inventory::InventoryOption;
use crate::cli::printer::{Printer, plural};
use crate::edit::{AddedNode, Addition, NewBmc, NewNode, add_nodes, expand_names};
use crate::model::{DiskId, Label, MacAddr, SerialNumber};

/// Add nodes to the inventory, with the next free addresses
///
/// A table for each node is put behind the last node of the profile, and written as that is; everything else in the
/// file stays as it is. Where the inventory names a table of nodes, the node becomes a row there. A node gets the lowest free address of `range.PROFILE` and `range6.PROFILE` in each network
/// that the interfaces of the profile name. Its BMC gets one where a network for BMCs has such a range.
///
/// Facts of machines that are not given are left out: `plasmagen check` names them. The installer's console prints
/// them.
#[derive(Debug, Args)]
pub(in crate::cli) struct AddArgs {
    /// The names of the nodes, and ranges of names, such as worker[10-15] [default: the number after the last node of
    /// the profile]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// The profile of the nodes
    #[arg(long, value_name = "PROFILE", value_parser = parse_word::<Label>)]
    profile: Label,
    /// MAC address of the card that boots from the network
    #[arg(long, value_name = "MAC", value_parser = parse_word::<MacAddr>)]
    mac: Option<MacAddr>,
    /// MAC address of the card that gets the name of an interface; may be given several times
    #[arg(long = "interface-mac", value_name = "INTERFACE=MAC", value_parser = parse_pair::<MacAddr>)]
    interface_macs: Vec<(String, MacAddr)>,
    /// Serial number of the machine
    #[arg(long, value_name = "SERIAL", value_parser = parse_word::<SerialNumber>)]
    serial: Option<SerialNumber>,
    /// A disk that an installation erases, by its name in /dev/disk/by-id; may be given several times
    #[arg(long = "disk", value_name = "DISK", value_parser = parse_word::<DiskId>)]
    disks: Vec<DiskId>,
    /// Model of the machines: built in, or [hardware.MODEL]
    #[arg(long, value_name = "MODEL", value_parser = parse_word::<Label>)]
    hardware: Option<Label>,
    /// Failure domain of the nodes, such as a rack
    #[arg(long, value_name = "RACK", value_parser = parse_word::<Label>)]
    rack: Option<Label>,
    /// Address of the BMC
    #[arg(long, value_name = "ADDRESS", value_parser = parse_word::<IpAddr>)]
    bmc_address: Option<IpAddr>,
    /// Address in a network, instead of the next free one; may be given several times
    #[arg(long = "address", value_name = "NETWORK=ADDRESS", value_parser = parse_pair::<IpAddr>)]
    addresses: Vec<(String, IpAddr)>,
    /// Write nothing, and print the tables
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    inventory: InventoryOption,
}

/// The most nodes that are printed with their addresses.
const MOST_NODES: usize = 20;

impl AddArgs {
    pub(in crate::cli) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let nodes = self.nodes()?;
        let inventory = EditedInventory::read(&self.inventory)?;
        let added = add_nodes(inventory.sources(), &nodes).map_err(print_block)?;
        if self.dry_run {
            Printer::print(&added.block)?;
        } else {
            inventory.replace(&added.text, added.table.as_deref())?;
        }
        print_nodes(printer, &added);
        print_missing(printer, &inventory, &added);
        let count = plural(added.nodes.len(), "node");
        let (name, argument) = (inventory.name_for_nodes(), inventory.argument());
        printer.say(&if self.dry_run {
            format!("{name} was not changed: {count} would be added")
        } else if added.missing.is_empty() {
            format!("added {count} to {name}; plasmagen render{argument} writes their files")
        } else {
            format!("added {count} to {name}; plasmagen check{argument} shows the places of what is missing")
        });
        Ok(DONE)
    }

    /// The nodes that the command line names.
    fn nodes(&self) -> anyhow::Result<Vec<NewNode>> {
        let mut names = Vec::new();
        for pattern in &self.names {
            names.extend(expand_names(pattern)?.into_iter().map(Some));
        }
        if names.is_empty() {
            names.push(None);
        }
        let is_single = self.mac.is_none()
            && self.serial.is_none()
            && self.interface_macs.is_empty()
            && self.disks.is_empty()
            && self.bmc_address.is_none()
            && self.addresses.is_empty();
        ensure!(
            names.len() == 1 || is_single,
            "--mac, --interface-mac, --serial, --disk, --bmc-address and --address are facts of one machine, and {} nodes are named: add \
             them one by one",
            names.len()
        );
        let node = |name| NewNode {
            name,
            profile: self.profile.to_string(),
            mac: self.mac,
            interface_macs: self.interface_macs.clone(),
            serial: self.serial.clone(),
            disks: self.disks.clone(),
            hardware: self.hardware.clone(),
            rack: self.rack.clone(),
            bmc: NewBmc { address: self.bmc_address, ..NewBmc::default() },
            addresses: self.addresses.clone(),
        };
        Ok(names.into_iter().map(node).collect())
    }
}

/// Prints the addresses of the nodes, and how many are left.
fn print_nodes(printer: &Printer, added: &Addition) {
    for node in added.nodes.iter().take(MOST_NODES) {
        printer.say(&describe(node));
    }
    if let Some(more) = added.nodes.len().checked_sub(MOST_NODES).filter(|more| *more > 0) {
        printer.say(&format!("and {more} more"));
    }
    for (profile, ranges) in &added.left {
        let left: Vec<_> =
            ranges.iter().map(|(network, range, left)| format!("{left} in {range} of {network}")).collect();
        if !left.is_empty() {
            printer.say(&format!("addresses left for {profile}: {}", left.join(", ")));
        }
    }
}

/// A node with its addresses, in a line.
fn describe(node: &AddedNode) -> String {
    let mut facts: Vec<_> =
        node.addresses.iter().map(|(network, address)| format!("{network} {address}")).collect();
    facts.extend(node.bmc.map(|address| format!("BMC {address}")));
    format!("{}: {}", node.name, if facts.is_empty() { "no address".to_owned() } else { facts.join(", ") })
}
