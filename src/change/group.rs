//! Machines with the same consequences, together.

use std::collections::{BTreeSet, HashMap};

use super::compare::Change;
use super::effect::{Effect, Flag, Party};
use super::finding::{Cause, Consequence};

/// Machines or people with the same consequences.
#[derive(Clone, Debug)]
pub struct Group<'a> {
    /// The machines or people.
    pub parties: Vec<&'a Party>,
    /// The consequences of the first of them, which are those of all.
    pub consequences: Vec<&'a Consequence>,
}

/// A consequence without the name of the machine that it is for.
type Likeness<'a> = (Effect, &'a BTreeSet<Flag>, &'a BTreeSet<String>, &'a str, Vec<String>);

/// Groups the consequences of `change` for those that `is_shown` keeps, the most severe first.
#[must_use]
pub fn group<'a>(change: &'a Change, is_shown: impl Fn(&Party) -> bool) -> Vec<Group<'a>> {
    let mut groups = Vec::<Group<'a>>::new();
    let mut places = HashMap::<Vec<Likeness<'a>>, usize>::new();
    for consequences in &change.consequences {
        let Some(first) = consequences.first().filter(|first| is_shown(&first.who)) else { continue };
        let likeness: Vec<_> = consequences.iter().map(describe).collect();
        let is_node = matches!(first.who, Party::Node(_));
        match places.get(&likeness).filter(|_| is_node) {
            Some(place) => groups[*place].parties.push(&first.who),
            None => {
                places.insert(likeness, groups.len());
                groups.push(Group { parties: vec![&first.who], consequences: consequences.iter().collect() });
            }
        }
    }
    groups
}

fn describe(found: &Consequence) -> Likeness<'_> {
    let causes = found.causes.iter().map(|cause| cause.describe(&found.who)).collect();
    (found.effect, &found.flags, &found.units, &found.text, causes)
}

impl Cause {
    /// The key without the name of the node `who`, and its values in few words.
    #[must_use]
    pub fn describe(&self, who: &Party) -> String {
        let key = match who {
            Party::Node(name) => match self.key.strip_prefix(&format!("nodes.{name}")) {
                Some("") => "node",
                Some(key) => key.strip_prefix('.').unwrap_or(&self.key),
                None => &self.key,
            },
            _ => &self.key,
        };
        let key = key.replace(['(', ')'], "");
        super::words::describe_values(&key, self.old.as_ref(), self.new.as_ref())
    }
}
