//! `plasmagen node replace`.

use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::cli::edited::{EditedInventory, parse_pair, parse_word, print_block};
use crate::cli::inventory::InventoryOption;
use crate::cli::printer::Printer;
use crate::cli::{DONE, complete};
use crate::edit::{NewHardware, Replacement, replace_node};
use crate::model::{DiskId, HostName, MacAddr, SerialNumber};

/// Put other hardware under the name and the addresses of a node
///
/// MAC address, serial number and disks in the table of the node are replaced, everything else in the file stays. The
/// old machine has left with the node's private keys: the command prints the commands that make new ones. Where only the
/// mainboard or a network card of a machine was exchanged, edit the file, and use `plasmagen render --same-machine`.
#[derive(Debug, Args)]
pub(in crate::cli) struct ReplaceArgs {
    /// The node
    #[arg(value_name = "NODE", value_parser = parse_word::<HostName>, add = ArgValueCandidates::new(complete::nodes))]
    node: HostName,
    /// MAC address of the card that boots from the network
    #[arg(long, value_name = "MAC", value_parser = parse_word::<MacAddr>)]
    mac: MacAddr,
    /// Serial number of the machine
    #[arg(long, value_name = "SERIAL", value_parser = parse_word::<SerialNumber>)]
    serial: Option<SerialNumber>,
    /// A disk that an installation erases, by its name in /dev/disk/by-id; may be given several times
    #[arg(long = "disk", value_name = "DISK", required = true, value_parser = parse_word::<DiskId>)]
    disks: Vec<DiskId>,
    /// MAC address of the card that an interface of the node is bound to; may be given several times
    #[arg(long = "interface-mac", value_name = "INTERFACE=MAC", value_parser = parse_pair::<MacAddr>)]
    interface_macs: Vec<(String, MacAddr)>,
    /// MAC address of the BMC, where the node has `bmc.mac`
    #[arg(long, value_name = "MAC", value_parser = parse_word::<MacAddr>)]
    bmc_mac: Option<MacAddr>,
    /// Write nothing, and print the difference
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    inventory: InventoryOption,
}

impl ReplaceArgs {
    pub(in crate::cli) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let hardware = NewHardware {
            mac: self.mac,
            serial: self.serial.clone(),
            disks: self.disks.clone(),
            interface_macs: self.interface_macs.clone(),
            bmc_mac: self.bmc_mac,
        };
        let inventory = EditedInventory::read(&self.inventory)?;
        let replaced = replace_node(inventory.sources(), &self.node, &hardware).map_err(print_block)?;
        let (name, shown) = (&self.node, inventory.name());
        if self.dry_run {
            inventory.print_diff(printer, &replaced.text, replaced.table.as_deref())?;
            printer.say(&format!("{shown} was not changed"));
        } else {
            inventory.replace(&replaced.text, replaced.table.as_deref())?;
            printer.say(&format!("{name} is another machine in {shown}"));
        }
        if !replaced.kept.is_empty() {
            printer.say(&format!("kept from the old machine: {}", replaced.kept.join(", ")));
        }
        self.print_steps(printer, &replaced, &inventory.argument());
        Ok(DONE)
    }

    /// Prints what has to happen to the machines, in its order. `inventory` is the inventory as an argument of commands.
    fn print_steps(&self, printer: &Printer, replaced: &Replacement, inventory: &str) {
        let name = &self.node;
        let mut steps = Vec::new();
        if replaced.is_formed {
            let reason = if replaced.is_voter {
                "a voter that comes back with empty disks may vote twice in one term"
            } else {
                "the machine comes back with empty disks, as another member"
            };
            steps.push(format!(
                "before the installation, remove {name} from the cluster as a member: {reason} (docs/first-boot.md)"
            ));
        }
        steps.push(format!(
            "before the next publication, where the old machine is armed: plasmagen disarm{inventory} {name}"
        ));
        steps.push(format!(
            "plasmagen certs renew{inventory} {name} --new-key: a new key and certificate, a new SSH host key, for encrypted \
             disks a new passphrase, and the old certificate is revoked; renders the site"
        ));
        steps.push(format!(
            "plasmagen publish{inventory}, then plasmagen arm{inventory} {name}; plasmagen secrets stage{inventory} {name} \
             --to DIR; install the machine"
        ));
        steps.push(
            "erase the disks of the old machine: they hold its keys and its data; where they are encrypted, their passphrase \
             is in .retired of the vault"
                .to_owned(),
        );
        printer.say("what is left to do:");
        for (number, step) in steps.iter().enumerate() {
            printer.say(&format!("  {}. {step}", number + 1));
        }
    }
}
