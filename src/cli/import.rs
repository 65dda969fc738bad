//! `plasmagen import`.

use std::io::{Read, stdin};
use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::{Args, Subcommand, ValueHint};

use crate::edit::{ImportFile, ImportForm, ImportOptions, add_nodes, import};
use crate::fs::read_input;
use crate::model::{HostName, Label};

use super::edited::{EditedInventory, parse_pair, parse_word, print_block, print_missing};
use super::inventory::InventoryOption;
use super::printer::{Printer, plural};
use super::{DONE, REFUSED};

/// Take nodes into the inventory from files that you already have
///
/// The command reads files only, never a network, and no passwords. It prints the tables of the nodes; --write puts
/// them into the inventory, as plasmagen node add does, with the next free addresses where the files have none.
/// Machines that several files describe become one: by MAC address, then by serial number, then by name.
///
/// All faults are printed at once, with file, line and column; nothing is written where there is one.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    #[command(subcommand)]
    command: ImportCommand,
}

#[derive(Debug, Subcommand)]
enum ImportCommand {
    Csv(CsvArgs),
    Facts(FactsArgs),
}

/// Import nodes from comma-separated values
///
/// The first line has the names of the columns: those of plasmagen node list --format csv, or those of EKS Anywhere's
/// hardware.csv. Commas, semicolons or tabs separate cells; semicolons also separate several disks.
#[derive(Debug, Args)]
struct CsvArgs {
    /// The tables; `-` is standard input
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,
    /// Facts that the installer printed, for machines of the tables; may be given several times
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    facts: Vec<PathBuf>,
    #[command(flatten)]
    common: CommonArgs,
}

/// Import machines from the facts that the installer's console prints
#[derive(Debug, Args)]
struct FactsArgs {
    /// The facts; `-` is standard input
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,
    /// The name of the machine, where the facts have none
    #[arg(long = "as", value_name = "NAME", value_parser = parse_word::<HostName>)]
    name: Option<HostName>,
    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Debug, Args)]
struct CommonArgs {
    /// The profile of machines for which no file says one
    #[arg(long, value_name = "PROFILE", value_parser = parse_word::<Label>)]
    profile: Option<Label>,
    /// The profile that a word of the files stands for; may be given several times
    #[arg(long, value_name = "WORD=PROFILE", value_parser = parse_pair::<Label>)]
    profile_map: Vec<(String, Label)>,
    /// Write the nodes into the inventory
    #[arg(long)]
    write: bool,
    #[command(flatten)]
    inventory: InventoryOption,
}

impl ImportArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        match &self.command {
            ImportCommand::Csv(csv) => {
                let mut files = read_files(&csv.files, ImportForm::Csv)?;
                files.extend(read_files(&csv.facts, ImportForm::Facts)?);
                csv.common.run(printer, &files, None)
            }
            ImportCommand::Facts(facts) => {
                let files = read_files(&facts.files, ImportForm::Facts)?;
                facts.common.run(printer, &files, facts.name.clone())
            }
        }
    }
}

impl CommonArgs {
    fn run(&self, printer: &Printer, files: &[ImportFile], name: Option<HostName>) -> anyhow::Result<u8> {
        let inventory = EditedInventory::read(&self.inventory)?;
        let options = ImportOptions {
            profile: self.profile.as_ref().map(ToString::to_string),
            profile_map: self
                .profile_map
                .iter()
                .map(|(word, profile)| (word.clone(), profile.to_string()))
                .collect(),
            name,
        };
        let imported = import(inventory.sources(), files, &options)?;
        imported.notes.iter().for_each(|note| printer.say(note));
        for fault in &imported.faults {
            Printer::warn(&format!("{}: {}", fault.place, fault.message));
        }
        if !imported.faults.is_empty() {
            Printer::warn(&format!("nothing was imported: {}", plural(imported.faults.len(), "fault")));
            return Ok(REFUSED);
        }
        let count = plural(imported.nodes.len(), "node");
        if imported.nodes.is_empty() {
            printer.say(&format!("{} has all machines of these files", inventory.name()));
            return Ok(DONE);
        }
        let added = add_nodes(inventory.sources(), &imported.nodes).map_err(print_block)?;
        if self.write {
            inventory.replace(&added.text, added.table.as_deref())?;
        } else {
            Printer::print(&added.block)?;
        }
        print_missing(printer, &inventory, &added);
        printer.say(&if self.write {
            format!("added {count} to {}", inventory.name_for_nodes())
        } else {
            format!("{} was not changed: --write adds {count}", inventory.name_for_nodes())
        });
        Ok(DONE)
    }
}

/// The largest file that is imported.
const LARGEST: u64 = 64 << 20;

fn read_files(paths: &[PathBuf], form: ImportForm) -> anyhow::Result<Vec<ImportFile>> {
    let read = |path: &PathBuf| {
        let name = path.display().to_string();
        let bytes = if name == "-" {
            let mut bytes = Vec::new();
            stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes).map(|_| bytes)
        } else {
            read_input(path, LARGEST)
        };
        let bytes = bytes.with_context(|| format!("could not read {name}"))?;
        ensure!(bytes.len() as u64 <= LARGEST, "{name} is larger than {LARGEST} bytes");
        let text = String::from_utf8(bytes)
            .ok()
            .with_context(|| format!("{name} is not UTF-8: save it as UTF-8"))?;
        Ok(ImportFile { name, form, text })
    };
    paths.iter().map(read).collect()
}
