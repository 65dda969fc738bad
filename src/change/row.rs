//! A row of the table of keys: who is affected by a change of the key, how, in which words, and where the evidence lies.

use super::case::Case;
use super::effect::{Effect, Flag, Party};
use super::finding::{Findings, Verdict};
use super::way::{Phase, Way};

/// A function that adds the effects which depend on the values.
pub type Judge = fn(&Case<'_>, &mut Findings);

/// A row of the table.
#[derive(Debug)]
pub struct Row {
    /// The key, with `*` for each name in it. The name of a derived fact is in parentheses.
    pub key: &'static str,
    /// The effects that every change of the key has.
    pub affects: &'static [Affects],
    /// The function that adds further effects.
    pub judge: Option<Judge>,
    /// Where the effect was read or tried.
    pub evidence: &'static str,
}

/// An effect on one kind of machine or person.
#[derive(Debug)]
pub struct Affects {
    /// Whom the effect reaches.
    pub who: Who,
    /// The effect.
    pub effect: Effect,
    /// The dangers and doubts beside the effect.
    pub flags: &'static [Flag],
    /// The systemd units; `*` is the last name in the key.
    pub units: &'static [&'static str],
    /// The way out of the effect.
    pub way: Way,
    /// When the operator does it, where the effect is a task of the operator.
    pub phase: Phase,
    /// The effect in words.
    pub text: &'static str,
}

/// Whom an effect reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The node in the key.
    Node,
    /// Every node that the old and the new cluster have.
    EveryNode,
    /// The provisioner.
    Provisioner,
    /// The name servers.
    NameServers,
    /// The operator.
    Operator,
    /// No machine.
    Nobody,
}

impl Affects {
    /// The effect without units and flags.
    #[must_use]
    pub const fn new(who: Who, effect: Effect, text: &'static str) -> Self {
        Self { who, effect, flags: &[], units: &[], way: Way::Switch, phase: Phase::Before, text }
    }

    /// The effect on `units`.
    #[must_use]
    pub const fn units(self, units: &'static [&'static str]) -> Self {
        Self { units, ..self }
    }

    /// The effect with `flags`.
    #[must_use]
    pub const fn flags(self, flags: &'static [Flag]) -> Self {
        Self { flags, ..self }
    }

    /// The effect with the way out `way`.
    #[must_use]
    pub const fn way(self, way: Way) -> Self {
        Self { way, ..self }
    }

    /// The effect as a task that is done in `phase`.
    #[must_use]
    pub const fn phase(self, phase: Phase) -> Self {
        Self { phase, ..self }
    }

    /// What the row says, where the last name in the key is `name`.
    #[must_use]
    pub fn verdict(&self, name: &str) -> Verdict {
        let units = self.units.iter().map(|unit| if *unit == "*" { name } else { unit });
        let verdict = Verdict::new(self.effect, self.text).units(units).way(self.way).phase(self.phase);
        self.flags.iter().fold(verdict, |verdict, flag| verdict.flag(*flag))
    }
}

impl Row {
    /// Adds what the row says of `case`.
    pub fn apply(&self, case: &Case<'_>, found: &mut Findings) {
        for affects in self.affects {
            let verdict = affects.verdict(case.last_name());
            match affects.who {
                Who::Node => case.add_to_node(found, verdict),
                Who::EveryNode => {
                    for pair in case.sides.pairs() {
                        case.add_to(found, &pair.new.name, verdict.clone());
                    }
                }
                Who::Provisioner => case.add(found, Party::Provisioner, verdict),
                Who::NameServers => case.add(found, Party::NameServers, verdict),
                Who::Operator => case.add(found, Party::Operator, verdict),
                Who::Nobody => case.add(found, Party::Nobody, verdict),
            }
        }
        if let Some(judge) = self.judge {
            judge(case, found);
        }
    }
}
