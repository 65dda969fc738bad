//! The way out of an effect: what a switch alone does not do. A function of the table sets it, since the severity of an effect
//! does not tell a disk that is erased from data that is only out of reach.

use serde::Serialize;

/// The way in which an effect is carried out on a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// A switch, or a restart of the node.
    #[default]
    Switch,
    /// Somebody prepares the disks by hand, then the node is switched.
    Prepare,
    /// Services stop, somebody moves their data, then the node is switched. Nothing is erased.
    MoveData,
    /// The member is removed, its data is moved away, the node is switched, and the member joins again.
    Rejoin,
    /// The member is removed, and stays away.
    Leave,
    /// The member is removed, the machine is installed anew, and the member joins again.
    Install,
    /// Nothing but the old value: no procedure leads from the old cluster to the new one.
    TakeBack,
}

impl Way {
    /// Whether the members of Raft groups on the node are away for a while, or lose what they know if nothing is done but a
    /// switch.
    #[must_use]
    pub const fn touches_members(self) -> bool {
        matches!(self, Self::MoveData | Self::Rejoin | Self::Leave | Self::Install | Self::TakeBack)
    }

    /// Whether the member is removed from its group.
    #[must_use]
    pub const fn removes_members(self) -> bool {
        matches!(self, Self::Rejoin | Self::Leave | Self::Install | Self::TakeBack)
    }
}

/// When a task of the operator is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Before anything else.
    #[default]
    Before,
    /// After the files are written, and before they are published.
    AfterRender,
    /// After the provisioner and the name servers have the new files.
    AfterPublish,
    /// Together with the nodes.
    AtNodes,
    /// When everything else is done.
    Last,
}
