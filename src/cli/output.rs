//! What is printed, and how.

use std::io::IsTerminal;
use std::path::Path;

use anyhow::Context;
use clap::{Args, ValueEnum};

use crate::check::{Checked, check};
use crate::diag::Severity;

use super::human::Source;

/// Options that every command has.
#[derive(Debug, Args)]
pub(super) struct Output {
    /// Say nothing but errors
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
    /// When to colour diagnostics; `auto` heeds NO_COLOR and the terminal
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
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        match self.color {
            When::Auto => !no_color && std::io::stderr().is_terminal(),
            When::Always => true,
            When::Never => false,
        }
    }

    /// A line about what was done.
    pub(super) fn say(&self, line: &str) {
        if !self.quiet {
            eprintln!("{line}");
        }
    }

    /// What went wrong with the machine, as one chain of sentences.
    pub(super) fn error(&self, error: &anyhow::Error) {
        let (bold, plain) = if self.styled() { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
        eprintln!("{bold}error{plain}: {error:#}");
    }

    /// Reads and checks an inventory, and prints everything that is wrong with it.
    pub(super) fn checked(&self, path: &Path) -> anyhow::Result<Checked> {
        let bytes = std::fs::read(path)
            .with_context(|| format!("could not read the inventory {}", path.display()))?;
        let checked = check(&bytes)?;
        let name = path.display().to_string();
        let source = Source::new(&name, &bytes);
        let shown =
            checked.diagnostics.iter().filter(|found| !self.quiet || found.severity == Severity::Error);
        for found in shown {
            eprintln!("{}\n", source.render(found, self.styled()));
        }
        let (errors, warnings) = (checked.count(Severity::Error), checked.count(Severity::Warning));
        if errors > 0 {
            eprintln!("{name} is refused: {}, {}", plural(errors, "error"), plural(warnings, "warning"));
        }
        Ok(checked)
    }
}

/// `1 error`, `2 errors`.
pub(super) fn plural(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
