//! What is printed, and how.

use std::fs::File;
use std::io::{ErrorKind, Read, Write, stderr, stdout};
use std::path::Path;

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use crate::check::{Checked, check};
use crate::diag::{Diagnostic, Severity};
use crate::inventory::LARGEST;

use super::INVENTORY;
use super::format::{SourceText, one_line};

/// Options that every command has.
#[derive(Debug, Args)]
pub(super) struct Output {
    /// Say nothing but errors
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
    /// When to colour what is printed; `auto` heeds the terminal, NO_COLOR and CLICOLOR_FORCE
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: When,
}

/// How a command prints what is data.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum DataFormat {
    Human,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum When {
    Auto,
    Always,
    Never,
}

impl Output {
    /// Whether to colour what goes to `stream`.
    pub(super) fn styled(&self, stream: &impl RawStream) -> bool {
        match self.color {
            When::Auto => AutoStream::choice(stream) != ColorChoice::Never,
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

    /// A unified diff on standard output, in git's colours.
    pub(super) fn print_diff(&self, diff: &str) -> anyhow::Result<()> {
        if !self.styled(&stdout()) {
            return Self::print(diff);
        }
        let coloured = |line: &str| {
            let style = match line.as_bytes() {
                [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => "1",
                [b'+', ..] => "32",
                [b'-', ..] => "31",
                [b'@', ..] => "36",
                _ => "0",
            };
            format!("\x1b[{style}m{}\x1b[0m\n", line.trim_end_matches('\n'))
        };
        Self::print(&diff.split_inclusive('\n').map(coloured).collect::<String>())
    }

    /// What went wrong with the machine, as one chain of sentences.
    pub(super) fn error(&self, error: &anyhow::Error) {
        let (bold, plain) = if self.styled(&stderr()) { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
        tell(&format!("{bold}error{plain}: {error:#}"));
    }

    /// Reads and checks an inventory, and prints everything that is wrong with it.
    pub(super) fn checked(&self, path: &Path) -> anyhow::Result<Checked> {
        let bytes = read(path)?;
        let name = path.display().to_string();
        let mut checked = check(&bytes)?;
        self.explain(&SourceText::new(&name, &bytes), &self.heeded(&checked, false));
        self.judge(&name, &mut checked, false);
        Ok(checked)
    }

    /// What of `checked` is to be said: warnings not if they are neither denied nor wanted.
    pub(super) fn heeded(&self, checked: &Checked, deny_warnings: bool) -> Vec<Diagnostic> {
        let all = !self.quiet || deny_warnings;
        let heeded = checked.diagnostics.iter().filter(|found| all || found.severity == Severity::Error);
        heeded.cloned().collect()
    }

    /// Shows people what was found.
    pub(super) fn explain(&self, source: &SourceText<'_>, found: &[Diagnostic]) {
        let styled = self.styled(&stderr());
        for fault in found {
            tell(&format!("{}\n", source.render(fault, styled)));
        }
    }

    /// Says so if the inventory `name` is refused, and takes its cluster; warnings refuse it too if they are denied.
    pub(super) fn judge(&self, name: &str, checked: &mut Checked, deny_warnings: bool) {
        let (errors, warnings) = (checked.count(Severity::Error), checked.count(Severity::Warning));
        if errors > 0 || deny_warnings && warnings > 0 {
            checked.cluster = None;
            let denied = if errors == 0 { ", which --deny-warnings denies" } else { "" };
            let (errors, warnings) = (plural(errors, "error"), plural(warnings, "warning"));
            tell(&format!("{} is refused: {errors}, {warnings}{denied}", one_line(name)));
        }
    }
}

/// A line on standard error. Where that is closed there is nobody to tell, and the exit status still does.
fn tell(line: &str) {
    let _ = writeln!(stderr(), "{line}");
}

/// The bytes of an inventory, no more of them than it takes to see that they are too many.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let shown = path.display();
    match File::open(path).and_then(read_from) {
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("there is no inventory {shown}: name another, or start one with plasmagen init DIR")
        }
        Err(error) if error.kind() == ErrorKind::IsADirectory => {
            bail!("{shown} is a directory: name the inventory, such as {}", path.join(INVENTORY).display())
        }
        Err(error) => Err(error).with_context(|| format!("could not read the inventory {shown}")),
    }
}

/// The same, from an open file.
pub(super) fn read_from(file: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(LARGEST as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// `1 error`, `2 errors`.
pub(super) fn plural(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A size with the unit that suits it: `12 B`, `3.4 KiB`, `234 MiB`.
pub(super) fn size(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}
