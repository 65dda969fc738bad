//! What is printed, and how.

use std::fs::File;
use std::io::{ErrorKind, Read, Write, stderr, stdout};
use std::path::Path;

use anstream::{AutoStream, ColorChoice};
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use crate::check::{Checked, check};
use crate::diag::Severity;
use crate::inventory::LARGEST;

use super::INVENTORY;
use super::human::Source;

/// Options that every command has.
#[derive(Debug, Args)]
pub(super) struct Output {
    /// Say nothing but errors
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
    /// When to colour diagnostics; `auto` heeds the terminal, NO_COLOR and CLICOLOR_FORCE
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: When,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum When {
    Auto,
    Always,
    Never,
}

impl Output {
    fn styled(&self) -> bool {
        match self.color {
            When::Auto => AutoStream::choice(&stderr()) != ColorChoice::Never,
            When::Always => true,
            When::Never => false,
        }
    }

    /// A line about what was done.
    pub(super) fn say(&self, line: &str) {
        if !self.quiet {
            tell(line);
        }
    }

    /// What a command was asked for, on standard output. A reader who has read enough, such as `head`, is no fault.
    pub(super) fn print(text: &str) -> anyhow::Result<()> {
        let mut stdout = stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(error).context("could not write to standard output")
            }
            _ => Ok(()),
        }
    }

    /// What went wrong with the machine, as one chain of sentences.
    pub(super) fn error(&self, error: &anyhow::Error) {
        let (bold, plain) = if self.styled() { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
        tell(&format!("{bold}error{plain}: {error:#}"));
    }

    /// Reads and checks an inventory, and prints everything that is wrong with it; warnings refuse it too if they are
    /// denied.
    pub(super) fn checked(&self, path: &Path, deny_warnings: bool) -> anyhow::Result<Checked> {
        self.checked_by(path, deny_warnings, check)
    }

    /// The same, with another `check` than that of the inventory alone.
    pub(super) fn checked_by(
        &self,
        path: &Path,
        deny_warnings: bool,
        check: impl FnOnce(&[u8]) -> anyhow::Result<Checked>,
    ) -> anyhow::Result<Checked> {
        let bytes = read(path)?;
        let mut checked = check(&bytes)?;
        let name = path.display().to_string();
        let source = Source::new(&name, &bytes);
        let silent = self.quiet && !deny_warnings;
        for found in checked.diagnostics.iter().filter(|found| !silent || found.severity == Severity::Error) {
            tell(&format!("{}\n", source.render(found, self.styled())));
        }
        let (errors, warnings) = (checked.count(Severity::Error), checked.count(Severity::Warning));
        if errors > 0 || deny_warnings && warnings > 0 {
            checked.cluster = None;
            let denied = if errors == 0 { ", which --deny-warnings denies" } else { "" };
            let (errors, warnings) = (plural(errors, "error"), plural(warnings, "warning"));
            tell(&format!("{name} is refused: {errors}, {warnings}{denied}"));
        }
        Ok(checked)
    }
}

/// A line on standard error. Where that is closed there is nobody to tell, and the exit status still does.
fn tell(line: &str) {
    let _ = writeln!(stderr(), "{line}");
}

/// The bytes of an inventory, no more of them than it takes to see that they are too many.
fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let shown = path.display();
    let mut bytes = Vec::new();
    match File::open(path).and_then(|file| file.take(LARGEST as u64 + 1).read_to_end(&mut bytes)) {
        Ok(_) => Ok(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("there is no inventory {shown}: name another, or start one with plasmagen init DIR")
        }
        Err(error) if error.kind() == ErrorKind::IsADirectory => {
            bail!("{shown} is a directory: name the inventory, such as {}", path.join(INVENTORY).display())
        }
        Err(error) => Err(error).with_context(|| format!("could not read the inventory {shown}")),
    }
}

/// `1 error`, `2 errors`.
pub(super) fn plural(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
