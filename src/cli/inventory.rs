//! The inventory that a command reads: where it is, and what is wrong with it.

use std::io::stderr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, ValueHint};

use crate::check::{Checked, check};
use crate::diag::{Diagnostic, Severity};
use crate::model::{escape_line, quote_for_shell};
use crate::plan::git::is_work_tree_root;
use crate::write;

use super::format::SourceText;
use super::printer::{Printer, plural};
use super::sources::InventoryFiles;
pub(super) use super::sources::{INVENTORY, read_from, root_of};

/// The inventory as an argument or as an option, for commands whose subject it is.
#[derive(Debug, Args)]
pub(super) struct InventoryArgument {
    /// The inventory: the file that describes the cluster [default: inventory.toml here, or in the nearest directory above]
    #[arg(value_name = "INVENTORY", conflicts_with = "option", value_hint = ValueHint::FilePath)]
    argument: Option<PathBuf>,
    #[command(flatten)]
    option: InventoryOption,
}

/// The inventory as an option.
#[derive(Debug, Args)]
pub(super) struct InventoryOption {
    /// The inventory: the file that describes the cluster [default: inventory.toml here, or in the nearest directory above]
    #[arg(long = "inventory", short = 'i', id = "option", value_name = "INVENTORY", value_hint = ValueHint::FilePath)]
    path: Option<PathBuf>,
}

impl InventoryArgument {
    /// The inventory that the command line names, else the nearest.
    pub(super) fn find(&self) -> anyhow::Result<PathBuf> {
        self.argument.clone().map_or_else(|| self.option.find(), Ok)
    }
}

impl InventoryOption {
    /// The inventory that the command line names, else the nearest.
    pub(super) fn find(&self) -> anyhow::Result<PathBuf> {
        self.path.clone().map_or_else(find_nearest, Ok)
    }

    /// Whether the command line names the inventory.
    pub(super) fn is_named(&self) -> bool {
        self.path.is_some()
    }

    /// The inventory that the command line names.
    pub(super) fn named(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The directory of that inventory.
    pub(super) fn find_root(&self) -> anyhow::Result<PathBuf> {
        Ok(root_of(&self.find()?).to_owned())
    }
}

/// Finds `inventory.toml` in the working directory or in a directory above: up to the root of the git work tree, or of the
/// file system.
pub(super) fn find_nearest() -> anyhow::Result<PathBuf> {
    let working = std::env::current_dir().context("could not find the working directory")?;
    let mut path = PathBuf::from(INVENTORY);
    let mut last = working.as_path();
    for dir in working.ancestors() {
        last = dir;
        // A link that leads nowhere is found, too: reading it says so.
        if path.symlink_metadata().is_ok() {
            return Ok(path);
        }
        if is_work_tree_root(dir) {
            break;
        }
        path = Path::new("..").join(path);
    }
    let shown = working.display();
    let above =
        if last == working { String::new() } else { format!(", nor above it up to {}", last.display()) };
    bail!(
        "there is no inventory {INVENTORY} in {shown}{above}: name an inventory with -i, or start one with plasmagen init DIR"
    )
}

/// Reads and checks the inventory at `path`, and prints its errors, and its warnings in one line. Where the result has no cluster, the command
/// ends with [`REFUSED`](super::REFUSED): the user knows why.
pub(super) fn read_checked(printer: &Printer, path: &Path) -> anyhow::Result<Checked> {
    check_read(printer, path, &InventoryFiles::read(path)?)
}

/// Checks the inventory `files`, which were read from `path`, and prints its errors, and its warnings in one line.
pub(super) fn check_read(printer: &Printer, path: &Path, files: &InventoryFiles) -> anyhow::Result<Checked> {
    let checked = check(files.sources())?;
    print_briefly(printer, &files.text(), path, &checked);
    Ok(checked)
}

/// Prints the errors of the inventory at `path` in full, and its warnings in one line: commands that are about something
/// else say that there are some, and `plasmagen check` prints them.
pub(super) fn print_briefly(printer: &Printer, source: &SourceText<'_>, path: &Path, checked: &Checked) {
    let errors = checked.diagnostics.iter().filter(|found| found.severity == Severity::Error);
    print_diagnostics(printer, source, &errors.cloned().collect::<Vec<_>>());
    let warnings = checked.count(Severity::Warning);
    if checked.cluster.is_none() {
        print_refusal(&path.display().to_string(), checked);
    } else if warnings > 0 {
        let option = if path == Path::new(INVENTORY) {
            String::new()
        } else {
            format!(" {}", quote_for_shell(&path.display().to_string()))
        };
        printer.say(&format!("{}: plasmagen check{option}", plural(warnings, "warning")));
    }
}

/// The diagnostics to print: warnings are left out with `--quiet`, unless `--deny-warnings` makes them count.
pub(super) fn visible(printer: &Printer, checked: &Checked, deny_warnings: bool) -> Vec<Diagnostic> {
    let all = !printer.quiet || deny_warnings;
    let shown = checked.diagnostics.iter().filter(|found| all || found.severity == Severity::Error);
    shown.cloned().collect()
}

/// Prints diagnostics for people, with excerpts of the inventory.
pub(super) fn print_diagnostics(printer: &Printer, source: &SourceText<'_>, diagnostics: &[Diagnostic]) {
    let styled = printer.is_styled(&stderr());
    for diagnostic in diagnostics {
        Printer::warn_rendered(&format!("{}\n", source.render(diagnostic, styled)));
    }
}

/// Prints that the inventory `name` is refused, and how many errors and warnings it has.
pub(super) fn print_refusal(name: &str, checked: &Checked) {
    let (errors, warnings) = (checked.count(Severity::Error), checked.count(Severity::Warning));
    let denied = if errors == 0 { ", which --deny-warnings denies" } else { "" };
    let (errors, warnings) = (plural(errors, "error"), plural(warnings, "warning"));
    Printer::warn(&format!("{} is refused: {errors}, {warnings}{denied}", escape_line(name)));
}

/// Whether nodes/ and site/ in `root` are of two versions, which is then printed.
pub(super) fn is_half_written(root: &Path) -> anyhow::Result<bool> {
    let is_half = write::is_half_written(root)?;
    if is_half {
        Printer::warn(
            "nodes/ and site/ are of two versions: a run of plasmagen render was killed between them. Run plasmagen render",
        );
    }
    Ok(is_half)
}
