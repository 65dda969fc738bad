//! `plasmagen lab`.

use std::collections::BTreeMap;
use std::io::{Write, stdout};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum, ValueHint};
use time::OffsetDateTime;

use crate::check::check;
use crate::lab::{self, Boot, Choice, Event, Order, Parts, Report, Tools, Wants};
use crate::model::{Cluster, DhcpServer, Firmware, System};
use crate::plan::{self, Plan};

use super::output::{DataFormat, Output, read};
use super::{DONE, InventoryArgument, REFUSED, named};

mod bundles;
mod live;
mod table;

/// How the lab tells itself from its caller.
const INSIDE: &str = "--inside";

/// Boot the inventory's machines in QEMU, from the rendered files and with the real servers, before any metal
///
/// Everything runs in namespaces of its own: nothing leaves this machine, and nothing is left on it. A node of each class
/// (profile, firmware, hardware, network) is powered on and followed from its lease to the system that it boots; another
/// that nobody has armed, and one that nobody knows, must come to their own disks.
#[derive(Debug, Args)]
pub(super) struct Lab {
    #[command(flatten)]
    inventory: InventoryArgument,
    /// Power on this node; may be given several times
    #[arg(long = "node", value_name = "NODE", conflicts_with = "all")]
    nodes: Vec<String>,
    /// Power on all nodes, not one of each class
    #[arg(long)]
    all: bool,
    /// How machines boot, instead of what the inventory says
    #[arg(long, value_name = "HOW")]
    firmware: Option<How>,
    /// Which DHCP server runs, instead of what the inventory says
    #[arg(long, value_name = "SERVER")]
    dhcp: Option<DhcpServer>,
    /// Boot this bundle of NixOS on machines of the profile, and wait until SSH answers
    #[arg(long = "bundle", value_name = "PROFILE=DIR", value_parser = bundles::parse)]
    bundles: Vec<(String, PathBuf)>,
    /// The kernel of what machines boot where no bundle is given; otherwise the newest of this machine
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    kernel: Option<PathBuf>,
    /// The static busybox of what machines boot where no bundle is given
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    busybox: Option<PathBuf>,
    /// Take builds of iPXE from this directory
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    ipxe: Option<PathBuf>,
    /// How long a machine may take
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = clap::value_parser!(u32).range(1..))]
    timeout: u32,
    /// Keep everything that was rendered, published and logged, and say where
    #[arg(long)]
    keep: bool,
    /// As a table, or as JSON
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: DataFormat,
    /// This is the lab itself: its order comes on standard input
    #[arg(long, hide = true)]
    inside: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum How {
    Bios,
    Uefi,
    UefiHttp,
}

impl ValueEnum for DhcpServer {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()))
    }
}

impl Lab {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<u8> {
        if self.inside {
            return inside();
        }
        let bytes = read(&self.inventory.inventory)?;
        let Some(cluster) = output.checked(&self.inventory.inventory)?.cluster else { return Ok(REFUSED) };
        let mut order = self.order(String::from_utf8(bytes)?, &cluster)?;
        if self.keep {
            let kept = tempfile::Builder::new().prefix("plasmagen-lab-").tempdir()?.keep();
            // Now, since who interrupts the lab wants to look there too.
            output.say(&format!("everything stays in {}", kept.display()));
            order.keep = Some(kept);
        }
        let program = std::env::current_exe().context("could not find this program")?;
        let mut command = Command::new(program);
        command.args(["lab", INSIDE]);
        let mut running = lab::start(&order, &mut command)?;
        let mut live = live::Live::new(output);
        let report = running.listen(|event| live.heed(&event));
        drop(live);
        drop(running);
        let report = report?;
        self.tell(output, &report)?;
        Ok(if report.ok { DONE } else { REFUSED })
    }

    fn order(&self, inventory: String, cluster: &Cluster) -> anyhow::Result<Order> {
        for name in &self.nodes {
            named::node(cluster, name)?;
        }
        let path = super::search_path();
        let dhcp = self.dhcp.unwrap_or(cluster.provisioner.dhcp);
        let firmware = self.firmware.map(|how| match how {
            How::Bios => Boot::Bios,
            How::Uefi => Boot::Uefi,
            How::UefiHttp => Boot::UefiHttp,
        });
        let nodes = || {
            cluster
                .nodes
                .iter()
                .filter(|node| self.nodes.is_empty() || self.nodes.contains(&node.name.to_string()))
        };
        let x86 = || nodes().filter(|node| node.system == System::X86_64);
        let is_bios = |own: Firmware| firmware.map_or(own == Firmware::Bios, |forced| forced == Boot::Bios);
        let tools = Tools::find(
            Wants {
                dhcp,
                bios: x86().any(|node| is_bios(node.firmware)),
                uefi: x86().any(|node| !is_bios(node.firmware)),
                arm: nodes().any(|node| node.system == System::Aarch64),
            },
            &path,
        )?;
        let bundles: BTreeMap<_, _> = self.bundles.iter().cloned().collect();
        bundles::check(&bundles, cluster)?;
        let own = nodes().any(|node| !bundles.contains_key(node.base.as_str()));
        let parts = if own {
            Some(Parts::find(self.kernel.as_deref(), self.busybox.as_deref(), &path)?)
        } else {
            None
        };
        let choice = Choice { nodes: self.nodes.clone(), all: self.all, firmware };
        let root =
            self.inventory.root().canonicalize().context("could not find the inventory's directory")?;
        let ipxe = self
            .ipxe
            .as_ref()
            .map(|dir| dir.canonicalize().with_context(|| format!("there is no {}", dir.display())));
        Ok(Order {
            inventory,
            root,
            choice,
            dhcp,
            bundles,
            parts,
            ipxe: ipxe.transpose()?,
            patience: self.timeout,
            keep: None,
            tools,
        })
    }

    fn tell(&self, output: &Output, report: &Report) -> anyhow::Result<()> {
        match self.format {
            DataFormat::Human => {
                for row in report.machines.iter().filter(|row| !row.is_good()) {
                    output.say(&table::console(row));
                }
                Output::print(&table::table(report))
            }
            DataFormat::Json => Output::print(&(serde_json::to_string_pretty(report)? + "\n")),
        }
    }
}

/// The lab itself.
fn inside() -> anyhow::Result<u8> {
    let order = lab::receive()?;
    let stdout = Mutex::new(stdout());
    let tell = |event: Event| {
        let mut out = stdout.lock().unwrap_or_else(PoisonError::into_inner);
        // Where nobody listens, this process is about to end.
        if let Ok(line) = serde_json::to_string(&event) {
            let _ = writeln!(out, "{line}").and_then(|()| out.flush());
        }
    };
    match work(&order, &tell) {
        Ok(report) => tell(Event::Report(report)),
        Err(error) => tell(Event::Failed(format!("{error:#}"))),
    }
    Ok(DONE)
}

fn work(order: &Order, tell: &(dyn Fn(Event) + Sync)) -> anyhow::Result<Report> {
    let cluster = check(order.inventory.as_bytes())?.cluster.context("the inventory is not sound")?;
    let certificates = plan::gather(&order.root, &cluster)?;
    let zones = plan::gather_zones(&order.root)?;
    let plan = Plan { cluster, certificates, zones };
    let artifacts = crate::outputs::render(&plan)?;
    lab::run(order, &plan.cluster, &artifacts, OffsetDateTime::now_utc(), tell)
}
