//! `plasmagen check`.

use std::io::stdin;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueHint};
use time::OffsetDateTime;

use crate::check::{Checked, check_with_certificates};
use crate::diag::Severity;
use crate::model::Cluster;
use crate::plan;

use super::format::{DiagnosticFormat, Findings, SourceText, one_line};
use super::output::{Output, plural, read, read_from};
use super::{DONE, INVENTORY, REFUSED, root_of};

/// Prove the inventory sound: every fault at once, with its place and what to write instead
///
/// The certificates in nodes/ beside it are judged too, once the inventory itself is sound. No vault is needed.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// The inventories to read
    #[arg(value_name = "INVENTORY", default_value = INVENTORY, value_hint = ValueHint::FilePath)]
    inventories: Vec<PathBuf>,
    /// Let warnings refuse the inventory as well
    #[arg(long)]
    deny_warnings: bool,
    /// How to write what was found: `human` on standard error, the others on standard output
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: DiagnosticFormat,
    /// Read the inventory from standard input, and call it NAME
    #[arg(long, value_name = "NAME", conflicts_with = "inventories", value_hint = ValueHint::FilePath)]
    stdin_filename: Option<PathBuf>,
}

impl Check {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<u8> {
        let mut code = DONE;
        let files = self.read()?;
        let mut findings = Vec::new();
        for (name, bytes) in &files {
            let gather = |cluster: &Cluster| plan::gather(root_of(Path::new(name)), cluster);
            let mut checked = check_with_certificates(bytes, OffsetDateTime::now_utc(), gather)?;
            let source = SourceText::new(name, bytes);
            let found = output.heeded(&checked, self.deny_warnings);
            if self.format == DiagnosticFormat::Human {
                output.explain(&source, &found);
            }
            findings.push(Findings { source, found });
            output.judge(name, &mut checked, self.deny_warnings);
            code = code.max(verdict(output, name, &checked));
        }
        if let Some(render) = self.format.renderer() {
            Output::print(&render(&findings)?)?;
        }
        Ok(code)
    }

    /// The names and the bytes of what is to be checked.
    fn read(&self) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        if let Some(name) = &self.stdin_filename {
            let bytes =
                read_from(stdin().lock()).context("could not read the inventory on standard input")?;
            return Ok(vec![(name.display().to_string(), bytes)]);
        }
        self.inventories.iter().map(|path| Ok((path.display().to_string(), read(path)?))).collect()
    }
}

/// The exit status for an inventory, which is said to be sound if it is.
fn verdict(output: &Output, name: &str, checked: &Checked) -> u8 {
    let Some(cluster) = &checked.cluster else { return REFUSED };
    let warnings = checked.count(Severity::Warning);
    let (nodes, warned) = (plural(cluster.nodes.len(), "node"), plural(warnings, "warning"));
    output.say(&format!("{} is sound: {nodes}, {warned}", one_line(name)));
    DONE
}
