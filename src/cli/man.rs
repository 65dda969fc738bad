//! `plasmagen man`.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueHint};

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
            let could_not = || format!("could not write the manual to {}", dir.display());
            fs::create_dir_all(dir).with_context(could_not)?;
            clap_mangen::generate_to(command, dir).with_context(could_not)?;
        } else {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page).context("could not write the manual")?;
            Printer::print(&String::from_utf8(page)?)?;
        }
        Ok(DONE)
    }
}
