//! A difference together with the clusters that it is a difference of: what a function of the table looks at.

use crate::model::{Cluster, HostName, Node};

use super::difference::Difference;
use super::effect::{Effect, Party};
use super::finding::{Findings, Verdict};
use super::way::Phase;

/// Stands for the unit of the provisioner's DHCP server, which the inventory chooses.
pub(super) const DHCP_SERVER: &str = "(dhcp)";

/// The clusters before and after a change.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'a> {
    /// The cluster as it was.
    pub old: &'a Cluster,
    /// The cluster as it will be.
    pub new: &'a Cluster,
}

impl<'a> Sides<'a> {
    /// The nodes that both clusters have, under one name.
    pub fn pairs(self) -> impl Iterator<Item = Pair<'a>> {
        self.new.nodes.iter().filter_map(move |new| Some(Pair { old: self.old.node(&new.name)?, new }))
    }
}

/// A node before and after a change.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// The node as it was.
    pub old: &'a Node,
    /// The node as it will be.
    pub new: &'a Node,
}

/// A difference, and what it is a difference of.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The key, and its values.
    pub difference: &'a Difference,
    /// The clusters.
    pub sides: Sides<'a>,
    /// The node in the key, where both clusters have it.
    pub pair: Option<Pair<'a>>,
}

impl<'a> Case<'a> {
    /// The last name in the key, such as `eth1` in `nodes.node01.interfaces.eth1.mtu`.
    #[must_use]
    pub fn last_name(&self) -> &'a str {
        self.difference.names.last().map_or("", String::as_str)
    }

    /// The node in the key.
    #[must_use]
    pub fn node(&self) -> Party {
        Party::Node(self.difference.names.first().cloned().unwrap_or_default())
    }

    /// Adds the effect `verdict` on the node in the key.
    pub fn add_to_node(&self, found: &mut Findings, verdict: Verdict) {
        found.add(self.node(), verdict, self.difference);
    }

    /// Adds the effect `verdict` on `who`.
    pub fn add(&self, found: &mut Findings, who: Party, mut verdict: Verdict) {
        if verdict.units.remove(DHCP_SERVER) {
            let unit = self.sides.new.provisioner.dhcp.facts().unit;
            verdict.units.insert(unit.trim_end_matches(".service").to_owned());
        }
        found.add(who, verdict, self.difference);
    }

    /// Adds a task of the operator, which is done in `phase`.
    pub fn add_task(
        &self,
        found: &mut Findings,
        phase: Phase,
        text: impl Into<std::borrow::Cow<'static, str>>,
    ) {
        self.add(found, Party::Operator, Verdict::new(Effect::Hands, text).phase(phase));
    }

    /// Adds the effect `verdict` on the node called `name`.
    pub fn add_to(&self, found: &mut Findings, name: &HostName, verdict: Verdict) {
        self.add(found, Party::Node(name.to_string()), verdict);
    }
}
