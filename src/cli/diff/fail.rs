//! Which changes end the command with an error status (rules J01 and J02).

use clap::{Args, ValueEnum};

use crate::change::{Change, Consequence, Effect, Flag, Party, Summary};
use crate::cli::printer::Printer;
use crate::cli::{DONE, REFUSED};
use crate::model::{Cluster, list_few};

use super::human::describe_members;
use super::source::{find_new_name, find_node};

/// The options that let a gate such as CI refuse a change.
#[derive(Debug, Args)]
pub(super) struct FailOptions {
    /// Exit with status 1 if the change has one of these effects, or a more severe one; everything is printed all the same
    #[arg(long, value_name = "CLASS", value_delimiter = ',')]
    fail_on: Vec<Class>,
    /// Do not fail for what this node loses: its data is saved, or nobody needs it (plasmagen explain PG-J01)
    #[arg(long, value_name = "NODE", value_delimiter = ',', requires = "fail_on")]
    allow_destructive: Vec<String>,
}

/// A class of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Class {
    /// Services restart on a machine
    Restart,
    /// Addresses, routes or devices are made anew
    Network,
    /// A machine restarts
    Reboot,
    /// Members of the Raft group change
    Member,
    /// A machine is installed anew, or must not be switched
    Reinstall,
    /// Data is lost
    Data,
    /// More than one member of a Raft group is touched, or too few members are left
    Quorum,
    /// The way by which operators reach a machine may be cut off
    LockOut,
    /// More may happen than is known
    NotKnown,
    /// Services restart, or more happens, on more than half of the nodes
    Many,
}

impl Class {
    /// The least severe effect of the class; none for a class that is about the whole change.
    fn least(self) -> Option<Effect> {
        match self {
            Self::Restart => Some(Effect::Restart),
            Self::Network => Some(Effect::Network),
            Self::Reboot => Some(Effect::Reboot),
            Self::Member => Some(Effect::Member),
            Self::Reinstall => Some(Effect::Unbootable),
            Self::Data => Some(Effect::Data),
            Self::Quorum | Self::LockOut | Self::NotKnown | Self::Many => None,
        }
    }
}

impl FailOptions {
    /// Prints why the change fails, and returns the exit status.
    pub(super) fn judge(&self, change: &Change, old: &Cluster, new: &Cluster) -> anyhow::Result<u8> {
        for name in &self.allow_destructive {
            find_node(old, new, name)?;
        }
        let mut status = DONE;
        for class in &self.fail_on {
            if let Some(why) = self.find_fault(*class, change) {
                Printer::warn(&why);
                status = REFUSED;
            }
        }
        Ok(status)
    }

    fn find_fault(&self, class: Class, change: &Change) -> Option<String> {
        let Some(least) = class.least() else {
            return match class {
                Class::Quorum => {
                    let mut endangered = change.memberships.iter().filter(|group| group.is_endangered());
                    endangered
                        .next()
                        .map(|group| format!("PG-G13: {}", describe_members(&group.service, group)))
                }
                Class::LockOut => find_flagged(change, Flag::LockOut),
                Class::NotKnown => find_flagged(change, Flag::NotKnown),
                Class::Many if Summary::new(change).is_mass_change() => Some(format!(
                    "PG-J02: more than half of the nodes restart services, or more: {}",
                    Summary::new(change)
                )),
                _ => None,
            };
        };
        // A task of the operator is no effect on a machine.
        let counts = |found: &&Consequence| found.effect >= least && found.who != Party::Operator;
        let is_allowed = |found: &Consequence| {
            let name = found.who.name();
            let mut allowed = self.allow_destructive.iter().map(|allowed| find_new_name(change, allowed));
            found.effect >= Effect::Unbootable && allowed.any(|allowed| allowed == name)
        };
        let mut names: Vec<&str> = change
            .iter()
            .filter(counts)
            .filter(|found| !is_allowed(found))
            .map(|found| found.who.name())
            .collect();
        names.dedup();
        let code = if least >= Effect::Unbootable { "PG-J01: " } else { "" };
        (!names.is_empty()).then(|| format!("{code}{} or worse: {}", least.words(), list_few(&names)))
    }
}

/// Finds the machines whose consequences have `flag`.
fn find_flagged(change: &Change, flag: Flag) -> Option<String> {
    let flagged = change.iter().filter(|found| found.flags.contains(&flag));
    let mut names: Vec<&str> = flagged.map(|found| found.who.name()).collect();
    names.dedup();
    (!names.is_empty()).then(|| format!("{}: {}", flag.words(), list_few(&names)))
}
