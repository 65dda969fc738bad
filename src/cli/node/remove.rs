//! `plasmagen node remove`.

use std::io::ErrorKind;
use std::path::Path;

use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::cli::edited::{EditedInventory, print_block};
use crate::cli::inventory::InventoryOption;
use crate::cli::printer::{Printer, plural};
use crate::cli::{DONE, complete};
use crate::edit::{Removal, RemoveRequest, expand_names, remove_nodes};
use crate::model::list_few;

/// Remove nodes from the inventory
///
/// The table of each node, or its row in the table of nodes, goes, with the comment directly above it; the name is added to `removed` of [cluster], so
/// that no other machine is given it. Comments that are separated by a blank line stay, like everything else in the
/// file.
///
/// The machine itself is not touched: the command prints what has to happen in the cluster.
#[derive(Debug, Args)]
pub(in crate::cli) struct RemoveArgs {
    /// The nodes, and ranges of names, such as worker[10-15]
    #[arg(value_name = "NODE", required = true, add = ArgValueCandidates::new(complete::nodes))]
    nodes: Vec<String>,
    /// Remove nodes from `cluster.bootstrap`, too; an odd number of voters must be left
    #[arg(long)]
    voter: bool,
    /// The machines were never installed: let their names be given again
    #[arg(long)]
    never_installed: bool,
    /// Write nothing, and print the difference
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    inventory: InventoryOption,
}

impl RemoveArgs {
    pub(in crate::cli) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let mut request = RemoveRequest {
            voters: self.voter,
            never_installed: self.never_installed,
            ..RemoveRequest::default()
        };
        for pattern in &self.nodes {
            request.names.extend(expand_names(pattern)?);
        }
        request.names.sort();
        request.names.dedup();
        let inventory = EditedInventory::read(&self.inventory)?;
        let removal = remove_nodes(inventory.sources(), &request).map_err(print_block)?;
        if self.dry_run {
            inventory.print_diff(printer, &removal.text, removal.table.as_deref())?;
        } else {
            inventory.replace(&removal.text, removal.table.as_deref())?;
        }
        let names: Vec<_> = request.names.iter().map(ToString::to_string).collect();
        let (count, shown) = (plural(names.len(), "node"), inventory.name());
        printer.say(&if self.dry_run {
            format!("{shown} was not changed: {count} would be removed")
        } else {
            format!("removed {} from {shown}", list_few(&names))
        });
        self.print_steps(printer, &names, &removal, &inventory);
        Ok(DONE)
    }

    /// Prints what has to happen to the machines, in its order.
    fn print_steps(
        &self,
        printer: &Printer,
        names: &[String],
        removal: &Removal,
        inventory: &EditedInventory,
    ) {
        let (option, is_rendered) = (inventory.argument(), is_rendered(inventory.root(), names));
        // A machine that was never installed is no member, and has no data. But it may wait for its installation.
        let is_installed = !self.never_installed;
        let mut steps = Vec::new();
        if is_installed && removal.is_formed && !removal.memberships.is_empty() {
            steps.push(format!(
                "before anything else, remove the member from {} of the cluster, one node at a time: a member that is \
                 gone still counts for the quorum",
                removal.memberships.join(" and ")
            ));
        }
        if !removal.voters.is_empty() {
            steps.push(format!("{} is no longer among the first voters", list_few(&removal.voters)));
        }
        if is_installed || is_rendered {
            steps.push(format!(
                "disarm the machine where it is armed, before the next publication: plasmagen armed{option} \
                 shows it"
            ));
            steps.push(format!(
                "plasmagen render{option} removes the files of {}, and revokes the certificates: nodes take the list with \
                 their next deployment, plasmagen certs revoked{option} shows it",
                list_few(names)
            ));
        }
        if is_installed {
            steps.push(
                "switch the machine off and erase its disks: they hold its keys and its data".to_owned(),
            );
        }
        if steps.is_empty() {
            return;
        }
        printer.say("what is left to do:");
        for (number, step) in steps.iter().enumerate() {
            printer.say(&format!("  {}. {step}", number + 1));
        }
    }
}

/// Whether `nodes/` in `root` has files of one of the nodes `names`: they may be published, and their machines armed. A
/// directory that cannot be listed counts as one that has.
fn is_rendered(root: &Path, names: &[String]) -> bool {
    let entries = match std::fs::read_dir(root.join("nodes")) {
        Ok(entries) => entries,
        Err(error) => return error.kind() != ErrorKind::NotFound,
    };
    let mut dirs = entries.filter_map(Result::ok).map(|entry| entry.file_name());
    dirs.any(|dir| {
        dir.to_str().is_some_and(|fqdn| names.iter().any(|name| fqdn.split('.').next() == Some(name)))
    })
}
