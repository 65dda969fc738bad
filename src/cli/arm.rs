//! `plasmagen arm`, `disarm` and `armed`.

use clap::Args;
use clap_complete::ArgValueCandidates;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::model::Cluster;
use crate::publish::{ArmTarget, ArmedFile, WebRoot, arm, disarm, list_armed};

use super::printer::{FormatOption, Printer};
use super::table::TextTable;
use super::web_root::WebRootOptions;
use super::{DONE, JSON_SCHEMA, REFUSED, complete, named};

/// Let nodes boot the installer from the network, which can erase their disks
///
/// A node that is not armed boots from its own disk. Either all of the nodes are armed, or, when one of them must not be,
/// none.
#[derive(Debug, Args)]
pub(super) struct ArmArgs {
    /// The nodes to arm
    #[arg(value_name = "NODE", required = true, add = ArgValueCandidates::new(complete::nodes))]
    nodes: Vec<String>,
    #[command(flatten)]
    root: WebRootOptions,
}

/// Let nodes boot from their own disks again
#[derive(Debug, Args)]
pub(super) struct DisarmArgs {
    /// The nodes to disarm
    #[arg(value_name = "NODE", required = true, add = ArgValueCandidates::new(complete::nodes))]
    nodes: Vec<String>,
    #[command(flatten)]
    root: WebRootOptions,
}

/// Print which nodes are armed, and since when
#[derive(Debug, Args)]
pub(super) struct ArmedArgs {
    #[command(flatten)]
    root: WebRootOptions,
    #[command(flatten)]
    format: FormatOption,
}

impl ArmArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let Some(cluster) = self.root.cluster(printer)? else { return Ok(REFUSED) };
        let root = WebRoot::open(&self.root.path(Some(&cluster))?)?;
        let target = |name: &String| named::find_node(&cluster, name).map(ArmTarget::of);
        let targets = self.nodes.iter().map(target).collect::<anyhow::Result<Vec<_>>>()?;
        for armed in arm(&root, &targets, OffsetDateTime::now_utc())? {
            printer.say(&format!(
                "{} is armed: its next network boot is the installer {:.12} of {}, which can erase its disks",
                armed.node,
                armed.bundle.to_string(),
                armed.base
            ));
        }
        Ok(DONE)
    }
}

impl DisarmArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let Some(cluster) = self.root.cluster(printer)? else { return Ok(REFUSED) };
        let root = WebRoot::open(&self.root.path(Some(&cluster))?)?;
        let armed = list_armed(&root)?;
        let files = |name: &String| armed_files(name, &cluster, &armed);
        let files = self.nodes.iter().map(files).collect::<anyhow::Result<Vec<_>>>()?;
        for (name, files) in self.nodes.iter().zip(files) {
            let were_armed = disarm(&root, &files)?;
            let result = if were_armed.contains(&true) { "is disarmed" } else { "was not armed" };
            printer.say(&format!("{name} {result}"));
        }
        Ok(DONE)
    }
}

/// The names of the files that arm the node `name`. A node that has left the inventory, or has another network card now,
/// must not stay armed: so its name in the files counts, too.
fn armed_files(name: &str, cluster: &Cluster, armed: &[ArmedFile]) -> anyhow::Result<Vec<String>> {
    let names_node = |file: &&ArmedFile| file.armed.as_ref().is_some_and(|armed| armed.node == name);
    let mut files: Vec<_> = armed.iter().filter(names_node).map(|file| file.name.clone()).collect();
    match named::find_node(cluster, name) {
        Ok(node) => files.push(node.mac.hyphens()),
        Err(unknown) if files.is_empty() => return Err(unknown),
        Err(_) => {}
    }
    files.dedup();
    Ok(files)
}

impl ArmedArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let mut cluster = None;
        if !self.root.is_named() {
            cluster = self.root.cluster(printer)?;
            if cluster.is_none() {
                return Ok(REFUSED);
            }
        }
        let files = list_armed(&WebRoot::open(&self.root.path(cluster.as_ref())?)?)?;
        let table = print_table(&files)?;
        let list: Vec<_> =
            files.iter().map(|file| json!({ "file": file.name, "armed": file.armed })).collect();
        self.format.print(&json!({ "schema": JSON_SCHEMA, "armed": list }), || table)?;
        Ok(DONE)
    }
}

fn print_table(files: &[ArmedFile]) -> anyhow::Result<String> {
    let mut table = TextTable::new();
    for file in files {
        let Some(armed) = &file.armed else {
            let name = file.name.escape_debug().to_string();
            table.short_row([name, "not written by plasmagen arm".to_owned()]);
            continue;
        };
        table.row([
            armed.node.clone(),
            armed.mac.clone(),
            format!("since {}", armed.armed.format(&Rfc3339)?),
            armed.base.clone(),
            format!("{:.12}", armed.bundle.to_string()),
        ]);
    }
    Ok(table.print())
}
