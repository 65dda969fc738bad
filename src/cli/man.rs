//! `plasmagen man`.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Command, ValueHint};

use crate::fs::{Dir, make_dirs};

use super::examples::{Example, list_examples};
use super::printer::Printer;
use super::{DONE, command};

/// Print the manual page of plasmagen, or write the pages of all commands
#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// Write plasmagen.1 and a page for each command into this directory, which is made if it is missing
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: Option<PathBuf>,
}

impl ManArgs {
    pub(super) fn run(&self) -> anyhow::Result<u8> {
        let command = command().disable_help_subcommand(true);
        if let Some(dir) = &self.out {
            write_pages(command, dir)
                .with_context(|| format!("could not write the manual to {}", dir.display()))?;
        } else {
            let page = render(&clap_mangen::Man::new(command)).context("could not write the manual")?;
            Printer::print(&String::from_utf8(page)?)?;
        }
        Ok(DONE)
    }
}

/// Writes the pages of `command` and of its subcommands into the directory `path`.
fn write_pages(mut command: Command, path: &Path) -> anyhow::Result<()> {
    make_dirs(path)?;
    let dir = Dir::open(path)?;
    command.build();
    let mut commands = vec![command];
    while let Some(command) = commands.pop() {
        commands.extend(command.get_subcommands().filter(|command| !command.is_hide_set()).cloned());
        let man = clap_mangen::Man::new(command);
        dir.replace(&man.get_filename(), &render(&man)?, false)?;
    }
    Ok(())
}

/// The text of a page, in the language of troff.
fn render(man: &clap_mangen::Man) -> std::io::Result<Vec<u8>> {
    let mut page = Vec::new();
    man.render(&mut page)?;
    let name = man.get_filename();
    let mut examples = list_examples(name.trim_end_matches(".1")).peekable();
    if examples.peek().is_some() {
        page.extend(b".SH EXAMPLES\n");
    }
    for Example { line, effect } in examples {
        page.extend(format!(".TP\n\\fB{}\\fR\n{}\n", escape(line), escape(effect)).into_bytes());
    }
    Ok(page)
}

/// Escapes a text that begins with a letter for troff: a bare `-` is a hyphen, and `~` is an accent.
fn escape(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-").replace('~', "\\(ti")
}
