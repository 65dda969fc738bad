//! `plasmagen lab`.

use std::collections::BTreeMap;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum, ValueHint};
use clap_complete::ArgValueCandidates;
use time::OffsetDateTime;

use crate::check::check;
use crate::inventory::Sources;
use crate::lab::{self, BootMethod, Event, LabConfig, LabReport, Requirements, Selector, TestSystem, Tools};
use crate::model::{Cluster, DhcpServer, Firmware, Seconds, System};
use crate::plan::Plan;
use crate::sign::SignerTexts;

use super::boot_signer::SignerOptions;
use super::duration::parse_seconds;
use super::inventory::{InventoryArgument, check_read, root_of};
use super::printer::{DataFormat, FormatOption, Printer};
use super::sources::InventoryFiles;
use super::{DONE, REFUSED, complete, named};

mod bundles;
mod live;
mod table;

/// The option with which the lab starts itself again, inside namespaces.
const INSIDE: &str = "--inside";

/// Boot the machines of the inventory in QEMU, behind the real servers
///
/// The DHCP, TFTP and HTTP servers run on the files that `plasmagen render` writes.
/// Everything runs in separate namespaces: no packet leaves this computer, and nothing stays on it. Of the nodes with the
/// same profile, firmware, hardware and network, one is powered on and followed from its DHCP lease to the system that it
/// boots. One machine that is not armed, and one that is not in the inventory, must boot from their own disks.
#[derive(Debug, Args)]
pub(super) struct LabArgs {
    #[command(flatten)]
    inventory: InventoryArgument,
    /// Power on this node; may be given several times
    #[arg(long = "node", value_name = "NODE", conflicts_with = "all", add = ArgValueCandidates::new(complete::nodes))]
    nodes: Vec<String>,
    /// Power on all nodes, instead of one for each profile, firmware, hardware and network
    #[arg(long)]
    all: bool,
    /// Boot machines this way, instead of as the inventory says
    #[arg(long, value_name = "FIRMWARE")]
    firmware: Option<BootMethod>,
    /// Run this DHCP server, instead of the one in the inventory
    #[arg(long, value_name = "SERVER")]
    dhcp: Option<DhcpServer>,
    /// Boot the bundle in DIR on nodes with this image, such as `worker` or, for 64-bit ARM, `worker-aarch64`, and wait
    /// until SSH answers; may be given several times
    #[arg(long = "bundle", value_name = "IMAGE=DIR", value_parser = bundles::parse)]
    bundles: Vec<(String, PathBuf)>,
    /// The kernel that machines without --bundle boot [default: the newest kernel on this computer]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    kernel: Option<PathBuf>,
    /// The static busybox that machines without --bundle run [default: busybox of the search path]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    busybox: Option<PathBuf>,
    /// The directory with builds of iPXE [default: that of the distribution]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    ipxe: Option<PathBuf>,
    #[command(flatten)]
    signer: SignerOptions,
    /// How long a machine may take until it has booted: a number with s, m, h or d
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = parse_seconds)]
    timeout: Seconds,
    /// Keep all files that were rendered, published and logged, and print where they are
    #[arg(long)]
    keep: bool,
    #[command(flatten)]
    format: FormatOption,
    /// Run as the lab, which reads its configuration on standard input
    #[arg(long, hide = true)]
    inside: bool,
}

impl ValueEnum for BootMethod {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Bios, Self::Uefi, Self::UefiHttp]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()))
    }
}

impl ValueEnum for DhcpServer {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()))
    }
}

impl LabArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        if self.inside {
            return run_inside();
        }
        let path = &self.inventory.find()?;
        let files = InventoryFiles::read(path)?;
        let Some(cluster) = check_read(printer, path, &files)?.cluster else { return Ok(REFUSED) };
        self.signer.warn_of_place(printer, root_of(path));
        let mut config = self.build_config(root_of(path), files, &cluster)?;
        if self.keep {
            let kept = tempfile::Builder::new().prefix("plasmagen-lab-").tempdir()?.keep();
            // Printed before the lab runs, for users who interrupt it.
            printer.say(&format!("all files stay in {}", kept.display()));
            config.keep = Some(kept);
        }
        let program = std::env::current_exe().context("could not find this program")?;
        let mut command = Command::new(program);
        command.args(["lab", INSIDE]);
        let mut running = lab::start(&config, &mut command)?;
        let mut live = live::Live::new(printer);
        let report = running.wait(|event| live.show(&event));
        drop(live);
        drop(running);
        let report = report?;
        self.print_report(printer, &report)?;
        Ok(if report.ok { DONE } else { REFUSED })
    }

    /// Builds the configuration of the lab, after everything in it was checked.
    fn build_config(
        &self,
        root: &Path,
        files: InventoryFiles,
        cluster: &Cluster,
    ) -> anyhow::Result<LabConfig> {
        for name in &self.nodes {
            named::find_node(cluster, name)?;
        }
        let table = files.table.and_then(|table| table.read.ok());
        let node_table = table.map(String::from_utf8).transpose()?;
        let path = super::search_path();
        let dhcp = self.dhcp.unwrap_or(cluster.provisioner.dhcp);
        let nodes = || {
            cluster
                .nodes
                .iter()
                .filter(|node| self.nodes.is_empty() || self.nodes.contains(&node.name.to_string()))
        };
        let x86 = || nodes().filter(|node| node.system == System::X86_64);
        let is_bios = |firmware: Firmware| {
            self.firmware.map_or(firmware == Firmware::Bios, |forced| forced == BootMethod::Bios)
        };
        let tools = Tools::find(
            Requirements {
                dhcp,
                bios: x86().any(|node| is_bios(node.firmware)),
                uefi: x86().any(|node| !is_bios(node.firmware)),
                arm: nodes().any(|node| node.system == System::Aarch64),
            },
            &path,
        )?;
        let bundles: BTreeMap<_, _> = self.bundles.iter().cloned().collect();
        bundles::check(&bundles, cluster)?;
        let lacks_bundle = nodes().any(|node| !bundles.contains_key(&node.image()));
        let test_system = if lacks_bundle {
            Some(TestSystem::find(self.kernel.as_deref(), self.busybox.as_deref(), &path)?)
        } else {
            None
        };
        let selector = Selector { nodes: self.nodes.clone(), all: self.all, method: self.firmware };
        let root = root.canonicalize().context("could not find the inventory's directory")?;
        let ipxe = self
            .ipxe
            .as_ref()
            .map(|dir| dir.canonicalize().with_context(|| format!("there is no {}", dir.display())));
        let signer = self.read_signer(&root, cluster)?;
        Ok(LabConfig {
            inventory: String::from_utf8(files.bytes)?,
            nodes: node_table,
            root,
            selector,
            dhcp,
            bundles,
            test_system,
            ipxe: ipxe.transpose()?,
            signer,
            timeout: self.timeout.get(),
            keep: None,
            tools,
        })
    }

    /// Reads the files of the signer, which must be fit: the lab says too late that one is not.
    fn read_signer(&self, root: &Path, cluster: &Cluster) -> anyhow::Result<Option<SignerTexts>> {
        let Some(files) = self.signer.find(root, Some(cluster))? else { return Ok(None) };
        let texts = files.read()?;
        texts
            .open(OffsetDateTime::now_utc())
            .with_context(|| format!("could not sign with the key {}", files.key.display()))?;
        Ok(Some(texts))
    }

    /// Prints the report, and for people also the consoles of machines that failed.
    fn print_report(&self, printer: &Printer, report: &LabReport) -> anyhow::Result<()> {
        if self.format.format == DataFormat::Human {
            for row in report.machines.iter().filter(|row| !row.is_good()) {
                printer.say_lines(&table::console_end(row));
            }
        }
        self.format.print(report, || table::report_table(report))
    }
}

/// Runs the lab, inside its namespaces, and prints its events for the process that started it.
fn run_inside() -> anyhow::Result<u8> {
    let config = lab::receive_config()?;
    let stdout = Mutex::new(stdout());
    let tell = |event: Event| {
        let mut out = stdout.lock().unwrap_or_else(PoisonError::into_inner);
        // Where nobody reads, the caller is gone, and this process ends too.
        if let Ok(line) = serde_json::to_string(&event) {
            let _ = writeln!(out, "{line}").and_then(|()| out.flush());
        }
    };
    match run_config(&config, &tell) {
        Ok(report) => tell(Event::Report(report)),
        Err(error) => tell(Event::Failed(format!("{error:#}"))),
    }
    Ok(DONE)
}

fn run_config(config: &LabConfig, tell: &(dyn Fn(Event) + Sync)) -> anyhow::Result<LabReport> {
    let nodes = config.nodes.as_ref().map(|table| Ok(table.as_bytes()));
    let sources = Sources { inventory: config.inventory.as_bytes(), nodes };
    let cluster = check(sources)?.cluster.context("the inventory is refused")?;
    let plan = Plan::gather(&config.root, cluster)?;
    let artifacts = crate::outputs::render(&plan)?;
    lab::run(config, &plan.cluster, &artifacts, OffsetDateTime::now_utc(), tell)
}
