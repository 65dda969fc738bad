//! A change in one sentence, for people, and in numbers, for programs.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::compare::Change;
use super::effect::{Effect, Flag, Party};

/// A change in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The number of nodes: of the old cluster without those that leave, with those that come, and those that leave.
    pub nodes: usize,
    /// The number of nodes by their most severe effect.
    pub effects: BTreeMap<Effect, usize>,
    /// The number of certificates that are issued.
    pub certificates: usize,
    /// The number of zones that change.
    pub zones: usize,
    /// The number of things that somebody has to do by hand.
    pub by_hand: usize,
    /// Whether the change, done at once, endangers the majority of a Raft group.
    pub endangers_quorum: bool,
}

impl Summary {
    /// Counts what `change` does.
    #[must_use]
    pub fn new(change: &Change) -> Self {
        let mut effects = BTreeMap::<Effect, usize>::new();
        let mut certificates = 0;
        for consequences in &change.consequences {
            let [first, ..] = &consequences[..] else { continue };
            if matches!(first.who, Party::Node(_)) {
                *effects.entry(first.effect).or_default() += 1;
                let is_issued = consequences.iter().any(|found| found.flags.contains(&Flag::Certificate));
                certificates += usize::from(is_issued);
            }
        }
        let nodes = change.nodes[1] + change.removed.len();
        let touched: usize = effects.values().sum();
        if nodes > touched {
            *effects.entry(Effect::Nothing).or_default() += nodes - touched;
        }
        let is_task = |found: &&super::finding::Consequence| found.who == Party::Operator;
        Self {
            nodes,
            effects,
            certificates,
            zones: change.differences.iter().filter(|difference| difference.pattern == "zones.*").count(),
            by_hand: change.iter().filter(is_task).count(),
            endangers_quorum: change.memberships.iter().any(super::quorum::Membership::is_endangered),
        }
    }

    /// The number of nodes with the effect `least`, or a more severe one.
    #[must_use]
    pub fn count_from(&self, least: Effect) -> usize {
        self.effects.range(least..).map(|(_, count)| count).sum()
    }

    /// Whether the change restarts services, or does more, on more than half of the nodes, and on two at least (rule J02).
    #[must_use]
    pub fn is_mass_change(&self) -> bool {
        let touched = self.count_from(Effect::Restart);
        touched >= 2 && touched * 2 > self.nodes
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural =
            |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
        let words = |effect: Effect| if effect == Effect::Nothing { "unchanged" } else { effect.words() };
        let effects: Vec<_> =
            self.effects.iter().rev().map(|(effect, count)| format!("{count} {}", words(*effect))).collect();
        write!(f, "{}: {}.", plural(self.nodes, "node"), effects.join(", "))?;
        let others = [(self.certificates, "new certificate"), (self.zones, "zone"), (self.by_hand, "task")];
        let others: Vec<_> = others
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, noun)| plural(count, noun))
            .collect();
        if !others.is_empty() {
            write!(f, " {}.", others.join(", "))?;
        }
        Ok(())
    }
}
