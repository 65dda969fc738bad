//! Which changes end the command with an error status (rules J01 and J02).

use clap::{Args, ValueEnum};

use crate::change::{Change, Consequence, Effect, Party, Summary};
use crate::cli::printer::Printer;
use crate::cli::{DONE, REFUSED};
use crate::model::{Cluster, list_few};

use super::source::find_node;

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
    /// The change, done at once, takes the majority of members away
    Quorum,
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
            Self::Quorum | Self::Many => None,
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
            let membership = &change.membership;
            return match class {
                Class::Quorum if membership.loses_majority() => Some(format!(
                    "PG-G13: {} of {} members stay, and {} are needed: change one member at a time",
                    membership.left(),
                    membership.members,
                    membership.majority()
                )),
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
            found.effect >= Effect::Unbootable && self.allow_destructive.iter().any(|allowed| allowed == name)
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
