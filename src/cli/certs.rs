//! `plasmagen certs`.

use anyhow::Context;
use clap::{Args, Subcommand};
use time::OffsetDateTime;

use crate::model::Cluster;
use crate::pki::PublicCert;
use crate::pki::status::{StatusRow, table};
use crate::plan::{self, Certificates};

use super::output::{DataFormat, Output};
use super::{DONE, InventoryArgument, REFUSED};

/// Look after the cluster's certificates
#[derive(Debug, Args)]
pub(super) struct Certs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Status(Status),
}

/// Print how long each certificate still lives (needs no vault)
#[derive(Debug, Args)]
struct Status {
    #[command(flatten)]
    inventory: InventoryArgument,
    /// As a table, or as JSON
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: DataFormat,
}

impl Certs {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<u8> {
        let Command::Status(status) = &self.command;
        let checked = output.checked(&status.inventory.inventory)?;
        let Some(cluster) = checked.cluster else { return Ok(REFUSED) };
        let have = plan::gather(status.inventory.root(), &cluster)?;
        let rows = rows(&cluster, &have, OffsetDateTime::now_utc())?;
        let text = match status.format {
            DataFormat::Human => table(&rows),
            DataFormat::Json => serde_json::to_string_pretty(&rows)? + "\n",
        };
        Output::print(&text)?;
        let lacking = cluster.nodes.iter().filter(|node| !have.nodes.contains_key(&node.name));
        for node in lacking {
            output.say(&format!("{} has no certificate yet: plasmagen render issues it", node.name));
        }
        Ok(DONE)
    }
}

fn rows(cluster: &Cluster, have: &Certificates, now: OffsetDateTime) -> anyhow::Result<Vec<StatusRow>> {
    let mut rows = Vec::new();
    let row = |name: &str, pem: &str| {
        let certificate =
            PublicCert::from_pem(pem).with_context(|| format!("the certificate of {name} is unreadable"))?;
        anyhow::Ok(StatusRow::new(name, &certificate, now))
    };
    if let Some(ca) = &have.ca {
        rows.push(row("(CA)", ca)?);
    }
    for node in &cluster.nodes {
        if let Some(pem) = have.nodes.get(&node.name) {
            rows.push(row(node.name.as_str(), pem)?);
        }
    }
    Ok(rows)
}
