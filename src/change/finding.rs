//! The consequences of a change, and where they are collected.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::difference::Difference;
use super::effect::{Effect, Flag, Party};
use super::way::{Phase, Way};

/// A key that changed, as the cause of a consequence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cause {
    /// The key, such as `nodes.node01.layout.style`. The name of a derived fact is in parentheses.
    pub key: String,
    /// The old value; none where the key is new.
    pub old: Option<Value>,
    /// The new value; none where the key is gone.
    pub new: Option<Value>,
}

impl From<&Difference> for Cause {
    fn from(difference: &Difference) -> Self {
        // Settings are the user's: a value may be a secret under any name.
        let is_shown = !difference.pattern.ends_with(".settings");
        let shown = |value: &Option<Value>| value.as_ref().filter(|_| is_shown).map(without_settings);
        Self { key: difference.key.clone(), old: shown(&difference.old), new: shown(&difference.new) }
    }
}

/// Copies `value` without the settings of services in it.
fn without_settings(value: &Value) -> Value {
    match value {
        Value::Object(table) => {
            let shown = table.iter().filter(|(key, _)| *key != "settings");
            shown.map(|(key, value)| (key.clone(), without_settings(value))).collect()
        }
        Value::Array(items) => items.iter().map(without_settings).collect(),
        other => other.clone(),
    }
}

/// What a change does to one machine or person, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Consequence {
    /// The machine or person.
    pub who: Party,
    /// The effect.
    #[serde(rename = "class")]
    pub effect: Effect,
    /// The dangers and doubts beside the effect.
    pub flags: BTreeSet<Flag>,
    /// The systemd units that are reloaded, restarted, started or stopped.
    pub units: BTreeSet<String>,
    /// The way out of the effect.
    pub way: Way,
    /// When the operator does it, where the consequence is a task of the operator.
    pub phase: Phase,
    /// The effect in words.
    pub text: Cow<'static, str>,
    /// The keys that changed.
    pub causes: Vec<Cause>,
}

impl Consequence {
    /// Whether the way out is about the member of `service`: about each member on the node where no unit is named.
    #[must_use]
    pub fn concerns(&self, service: &str) -> bool {
        self.units.is_empty() || self.units.contains(service)
    }
}

/// What a row of the table or a function says of a machine.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The effect.
    pub effect: Effect,
    /// The dangers and doubts beside the effect.
    pub flags: BTreeSet<Flag>,
    /// The systemd units.
    pub units: BTreeSet<String>,
    /// The way out of the effect.
    pub way: Way,
    /// When the operator does it, where the verdict is a task of the operator.
    pub phase: Phase,
    /// The effect in words.
    pub text: Cow<'static, str>,
}

impl Verdict {
    /// An effect in words.
    #[must_use]
    pub fn new(effect: Effect, text: impl Into<Cow<'static, str>>) -> Self {
        let (way, phase) = (Way::default(), Phase::default());
        Self { effect, flags: BTreeSet::new(), units: BTreeSet::new(), way, phase, text: text.into() }
    }

    /// The verdict with `flag`.
    #[must_use]
    pub fn flag(mut self, flag: Flag) -> Self {
        self.flags.insert(flag);
        self
    }

    /// The verdict with `flag`, where `is_set` holds.
    #[must_use]
    pub fn flag_if(self, is_set: bool, flag: Flag) -> Self {
        if is_set { self.flag(flag) } else { self }
    }

    /// The verdict with the way out `way`.
    #[must_use]
    pub fn way(self, way: Way) -> Self {
        Self { way, ..self }
    }

    /// The verdict as a task that is done in `phase`.
    #[must_use]
    pub fn phase(self, phase: Phase) -> Self {
        Self { phase, ..self }
    }

    /// The verdict on `units`.
    #[must_use]
    pub fn units(mut self, units: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.units.extend(units.into_iter().map(Into::into));
        self
    }
}

/// The consequences that were found so far.
#[derive(Debug, Default)]
pub struct Findings {
    consequences: BTreeMap<Party, Vec<Consequence>>,
}

impl Findings {
    /// Adds what `difference` does to `who`. The same effect in the same words has several causes.
    pub fn add(&mut self, who: Party, verdict: Verdict, difference: &Difference) {
        let Verdict { effect, flags, units, way, phase, text } = verdict;
        let found = self.consequences.entry(who.clone()).or_default();
        let cause = Cause::from(difference);
        match found.iter_mut().find(|known| known.effect == effect && known.text == text) {
            Some(known) => {
                known.flags.extend(flags);
                known.units.extend(units);
                if !known.causes.contains(&cause) {
                    known.causes.push(cause);
                }
            }
            None => {
                found.push(Consequence { who, effect, flags, units, way, phase, text, causes: vec![cause] });
            }
        }
    }

    /// The consequences: of each party the most severe first. Nodes come first, in the order of their most severe one.
    #[must_use]
    pub fn finish(self) -> Vec<Vec<Consequence>> {
        let mut all: Vec<Vec<Consequence>> = self.consequences.into_values().collect();
        for consequences in &mut all {
            consequences.sort_by_key(|consequence| std::cmp::Reverse(consequence.effect));
        }
        // Stable: nodes with one effect stay in the order of their names.
        all.sort_by_key(|consequences| {
            let first = consequences.first().filter(|first| matches!(first.who, Party::Node(_)));
            std::cmp::Reverse(first.map(|first| first.effect))
        });
        all
    }
}
