//! The effects that a change has, in the order of their severity, and the machines and people that it reaches.

use serde::Serialize;

/// The effect of a change on a machine, the least severe first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Nothing changes on any machine, or nobody reads what changes.
    Nothing,
    /// A file changes. No unit is touched; programs read the file when they next need it.
    File,
    /// Units read their configuration again. Connections live on.
    Reload,
    /// Units restart.
    Restart,
    /// Addresses, routes or devices are made anew. Connections may drop.
    Network,
    /// The change is true after a boot only. Until then the machine is the old one.
    Reboot,
    /// Somebody has to do something that no configuration does: at a switch, at a BMC, in the firmware's setup.
    Hands,
    /// The members of the Raft group must change, in an order.
    Member,
    /// A new machine is installed.
    Install,
    /// A switch to the new configuration succeeds, and the next boot fails.
    Unbootable,
    /// The machine must be installed anew, and its system disk is erased.
    Reinstall,
    /// Data is lost, or is out of the services' reach.
    Data,
}

impl Effect {
    /// All effects, the least severe first.
    pub const ALL: [Self; 12] = [
        Self::Nothing,
        Self::File,
        Self::Reload,
        Self::Restart,
        Self::Network,
        Self::Reboot,
        Self::Hands,
        Self::Member,
        Self::Install,
        Self::Unbootable,
        Self::Reinstall,
        Self::Data,
    ];

    /// The effect's name on the command line and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::File => "file",
            Self::Reload => "reload",
            Self::Restart => "restart",
            Self::Network => "network",
            Self::Reboot => "reboot",
            Self::Hands => "hands",
            Self::Member => "member",
            Self::Install => "install",
            Self::Unbootable => "unbootable",
            Self::Reinstall => "reinstall",
            Self::Data => "data",
        }
    }

    /// The words that people read.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Hands => "by hand",
            Self::Unbootable => "DO NOT SWITCH",
            Self::Data => "DATA LOSS",
            other => other.name(),
        }
    }
}

/// A danger or a doubt beside an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flag {
    /// A certificate is issued anew.
    Certificate,
    /// The way by which operators reach the machine is touched.
    LockOut,
    /// The majority of the Raft group is in danger.
    Quorum,
    /// The machine becomes another one for its peers.
    Identity,
    /// More may happen than is known here.
    NotKnown,
}

impl Flag {
    /// The words that people read.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::LockOut => "may lock you out",
            Self::Quorum => "quorum",
            Self::Identity => "identity",
            Self::NotKnown => "not known in full",
        }
    }
}

/// A machine or a person that a change reaches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Party {
    /// The node of this name.
    Node(String),
    /// The provisioner.
    Provisioner,
    /// The name servers of the site's zones.
    NameServers,
    /// The operator.
    Operator,
    /// No machine.
    Nobody,
}

impl Party {
    /// The name that people read.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Node(name) => name,
            Self::Provisioner => "provisioner",
            Self::NameServers => "name servers",
            Self::Operator => "you",
            Self::Nobody => "no machine",
        }
    }
}
