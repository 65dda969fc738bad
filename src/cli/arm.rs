//! `plasmagen arm`, `disarm` and `armed`.

use clap::Args;
use clap_complete::ArgValueCandidates;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::publish::{ArmedFile, Root, Target, arm, armed, disarm};

use super::complete;
use super::output::{DataFormat, Output};
use super::web_root::WebRoot;
use super::{DONE, REFUSED, named};

/// The version of the JSON form; it rises when a key changes its meaning or goes away.
const FORM: u32 = 1;

/// Let nodes netboot into the installer, by which their disks can be erased
///
/// A node that is not armed starts from its own disk. All are armed, or none where one must not be.
#[derive(Debug, Args)]
pub(super) struct Arm {
    /// The nodes
    #[arg(value_name = "NODE", required = true, add = ArgValueCandidates::new(complete::nodes))]
    nodes: Vec<String>,
    #[command(flatten)]
    root: WebRoot,
}

/// Send nodes back to their own disks
#[derive(Debug, Args)]
pub(super) struct Disarm {
    /// The nodes
    #[arg(value_name = "NODE", required = true, add = ArgValueCandidates::new(complete::nodes))]
    nodes: Vec<String>,
    #[command(flatten)]
    root: WebRoot,
}

/// Print which nodes are armed, and since when
#[derive(Debug, Args)]
pub(super) struct Armed {
    #[command(flatten)]
    root: WebRoot,
    /// As a table, or as JSON
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: DataFormat,
}

impl Arm {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<u8> {
        let Some(cluster) = self.root.cluster(output)? else { return Ok(REFUSED) };
        let root = Root::open(&self.root.path(Some(&cluster))?)?;
        let target = |name: &String| named::node(&cluster, name).map(Target::of);
        let targets = self.nodes.iter().map(target).collect::<anyhow::Result<Vec<_>>>()?;
        for own in arm(&root, &targets, OffsetDateTime::now_utc())? {
            output.say(&format!(
                "{} is armed: its next network boot is the installer {:.12} of {}, by which its disks can be erased",
                own.node,
                own.bundle.to_string(),
                own.profile
            ));
        }
        Ok(DONE)
    }
}

impl Disarm {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<u8> {
        let Some(cluster) = self.root.cluster(output)? else { return Ok(REFUSED) };
        let root = Root::open(&self.root.path(Some(&cluster))?)?;
        let files = armed(&root)?;
        // A node that has left the inventory, or changed its NIC, must not stay armed.
        let names = |name: &String| {
            let is_own = |own: &&ArmedFile| own.armed.as_ref().is_some_and(|armed| armed.node == *name);
            let mut names: Vec<_> = files.iter().filter(is_own).map(|own| own.name.clone()).collect();
            match named::node(&cluster, name) {
                Ok(node) => names.push(node.mac.hyphens()),
                Err(unknown) if names.is_empty() => return Err(unknown),
                Err(_) => {}
            }
            names.dedup();
            Ok(names)
        };
        let all = self.nodes.iter().map(names).collect::<anyhow::Result<Vec<_>>>()?;
        for (name, files) in self.nodes.iter().zip(all) {
            let were = disarm(&root, &files)?;
            let was = if were.contains(&true) { "is disarmed" } else { "was not armed" };
            output.say(&format!("{name} {was}"));
        }
        Ok(DONE)
    }
}

impl Armed {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<u8> {
        let mut cluster = None;
        if !self.root.is_named() {
            cluster = self.root.cluster(output)?;
            if cluster.is_none() {
                return Ok(REFUSED);
            }
        }
        let files = armed(&Root::open(&self.root.path(cluster.as_ref())?)?)?;
        let text = match self.format {
            DataFormat::Human => files.iter().map(line).collect::<anyhow::Result<String>>()?,
            DataFormat::Json => {
                let list: Vec<_> =
                    files.iter().map(|own| json!({ "file": own.name, "armed": own.armed })).collect();
                serde_json::to_string_pretty(&json!({ "schema": FORM, "armed": list }))? + "\n"
            }
        };
        Output::print(&text)?;
        Ok(DONE)
    }
}

fn line(own: &ArmedFile) -> anyhow::Result<String> {
    let Some(armed) = &own.armed else {
        return Ok(format!("{}  not by plasmagen arm\n", own.name.escape_debug()));
    };
    let since = armed.armed.format(&Rfc3339)?;
    Ok(format!(
        "{}  {}  since {since}  {} {:.12}\n",
        armed.node,
        armed.mac,
        armed.profile,
        armed.bundle.to_string()
    ))
}
