//! `plasmagen power`.

mod ask;
mod report;
mod sol;
mod targets;
mod trust;

use clap::{Args, Subcommand};
use rayon::prelude::*;

use crate::bmc::{Action, Expected, Outcome, act, open};
use crate::model::Cluster;

use super::printer::{FormatOption, Printer, plural};
use super::{DONE, REFUSED};
use ask::{Answered, ask};
use targets::{Opened, Target, TargetOptions};

/// Switch machines on and off by their BMCs, and boot them from the network
///
/// A BMC is a small computer in a server that switches it on and off. `bmc` in a node's table of the inventory says how it is
/// reached: by Redfish, or by IPMI, for which the program ipmitool is needed. The password lies in the vault, in the file that
/// `password_file` names. A BMC with Redfish must show the certificate that `plasmagen power trust` has recorded, or that
/// `certificate` in the inventory names.
///
/// Before a machine is switched, the serial number that its BMC reports is compared with the inventory's.
#[derive(Debug, Args)]
pub(super) struct PowerArgs {
    #[command(subcommand)]
    command: PowerCommand,
}

#[derive(Debug, Subcommand)]
enum PowerCommand {
    Status(StatusArgs),
    On(OnArgs),
    Off(OffArgs),
    Cycle(CycleArgs),
    Pxe(PxeArgs),
    Sol(sol::SolArgs),
    Trust(trust::TrustArgs),
}

/// Print whether machines run, and from where they boot next
#[derive(Debug, Args)]
struct StatusArgs {
    #[command(flatten)]
    targets: TargetOptions,
    #[command(flatten)]
    format: FormatOption,
}

/// Switch machines on, which then boot as their boot order says
///
/// A boot from the network that was set and did not take place is taken back before.
#[derive(Debug, Args)]
struct OnArgs {
    #[command(flatten)]
    targets: TargetOptions,
    #[command(flatten)]
    identity: IdentityOption,
    #[command(flatten)]
    format: FormatOption,
}

/// Switch machines off at once, without asking their operating systems
///
/// What a machine has not written to its disks is lost. Of a formed cluster, the question is asked whether you mean it.
#[derive(Debug, Args)]
struct OffArgs {
    #[command(flatten)]
    risky: RiskyOptions,
}

/// Switch machines off, and on again
///
/// The machines then boot as their boot order says, as after `power on`. Of a formed cluster, the question is asked whether you mean it.
#[derive(Debug, Args)]
struct CycleArgs {
    #[command(flatten)]
    risky: RiskyOptions,
}

/// Boot machines from the network once, now: switch them off, set the boot override, and switch them on
///
/// A machine that is armed boots the installer; another one boots from its own disk. The BMC is asked whether the override
/// holds for one boot only, and for the firmware's mode of the inventory. Where not, the override is taken back, and the machine stays off. Of a
/// formed cluster, the question is asked whether you mean it.
#[derive(Debug, Args)]
struct PxeArgs {
    #[command(flatten)]
    risky: RiskyOptions,
}

/// The options of commands that switch a machine off.
#[derive(Debug, Args)]
struct RiskyOptions {
    #[command(flatten)]
    targets: TargetOptions,
    #[command(flatten)]
    identity: IdentityOption,
    /// Switch nodes of a formed cluster off without a question
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    format: FormatOption,
}

#[derive(Debug, Args)]
struct IdentityOption {
    /// Also switch machines whose BMC reports another serial number than the inventory says
    #[arg(long)]
    any_serial: bool,
}

impl PowerArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let risky = |action, options: &RiskyOptions| {
            let RiskyOptions { targets, identity, yes, format } = options;
            Order { action, targets, is_any_serial: identity.any_serial, is_sure: *yes, format }.run(printer)
        };
        match &self.command {
            PowerCommand::Status(StatusArgs { targets, format }) => {
                Order { action: Action::Status, targets, is_any_serial: false, is_sure: true, format }
                    .run(printer)
            }
            PowerCommand::On(OnArgs { targets, identity, format }) => {
                let is_any_serial = identity.any_serial;
                Order { action: Action::On, targets, is_any_serial, is_sure: true, format }.run(printer)
            }
            PowerCommand::Off(off) => risky(Action::Off, &off.risky),
            PowerCommand::Cycle(cycle) => risky(Action::Cycle, &cycle.risky),
            PowerCommand::Pxe(pxe) => risky(Action::Pxe, &pxe.risky),
            PowerCommand::Sol(sol) => sol.run(printer),
            PowerCommand::Trust(trust) => trust.run(printer),
        }
    }
}

/// The order of the user: an action, and the nodes that it is for.
struct Order<'a> {
    action: Action,
    targets: &'a TargetOptions,
    is_any_serial: bool,
    /// Whether no question is asked.
    is_sure: bool,
    format: &'a FormatOption,
}

impl Order<'_> {
    fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let Some(opened) = self.targets.open(printer)? else { return Ok(REFUSED) };
        let nodes = self.targets.find(&opened.cluster)?;
        if !self.is_sure && opened.cluster.formed && !self.is_meant(&opened.cluster, &nodes)? {
            return Ok(REFUSED);
        }
        let locks = opened.lock(&nodes)?;
        let parallel = usize::from(self.targets.parallel).min(nodes.len());
        let pool = rayon::ThreadPoolBuilder::new().num_threads(parallel).build()?;
        let outcomes: Vec<_> = pool.install(|| {
            nodes.par_iter().with_max_len(1).map(|target| self.carry_out(printer, &opened, target)).collect()
        });
        drop(locks);
        let rows: Vec<_> = nodes.iter().zip(outcomes).collect();
        self.format.print(&report::to_json(&rows), || report::to_table(&rows))?;
        report::say_notes(printer, &rows);
        Ok(if rows.iter().all(|(_, outcome)| outcome.is_ok()) { DONE } else { REFUSED })
    }

    /// Does the action to the machine of `target`.
    fn carry_out(&self, printer: &Printer, opened: &Opened, target: &Target<'_>) -> anyhow::Result<Outcome> {
        let mut bmc = open(&opened.access(target)?, target.node.serial.as_ref())?;
        let expected = Expected {
            serial: target.node.serial.as_ref(),
            firmware: target.node.firmware,
            is_any_serial: self.is_any_serial,
        };
        let outcome = act(&mut *bmc, self.action, expected);
        if self.action != Action::Status {
            let done = outcome.as_ref().map_or("failed", |outcome| outcome.done);
            printer.say(&format!("{}: {done}", target.node.name));
        }
        outcome
    }

    /// Whether the user means it: nodes of a formed cluster are to be switched off.
    fn is_meant(&self, cluster: &Cluster, targets: &[Target<'_>]) -> anyhow::Result<bool> {
        let names: Vec<_> = targets.iter().map(|target| target.node.name.as_str()).collect();
        let voters = targets.iter().filter(|target| target.node.voter).count();
        let majority = cluster.bootstrap.len() / 2 + 1;
        let risk = match cluster.bootstrap.len() - voters.min(cluster.bootstrap.len()) {
            left if voters > 0 && left < majority => ", and with them the majority of the bootstrap nodes",
            _ => "",
        };
        let text = format!(
            "{} of the formed cluster {} at once, without asking the operating system: {}{risk}",
            plural(names.len(), "node"),
            cluster.name,
            names.join(", ")
        );
        match ask(&format!("This switches off {text}. Go on? [y/N] "))? {
            Answered::Yes => return Ok(true),
            Answered::No => Printer::warn("nothing was done"),
            Answered::NoTerminal => Printer::warn(&format!(
                "nothing was done: this switches off {text}. If you want that, say --yes"
            )),
        }
        Ok(false)
    }
}
