//! Facts, and whether all who know one say the same.

use std::collections::BTreeSet;

/// What is known of a thing: a node, a network, a kind of machine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fact {
    /// What it is about, such as `node01` or `10.0.100.0/24`.
    pub(crate) subject: String,
    /// Of what kind it is, such as `MAC`.
    pub(crate) kind: Kind,
    /// What is said.
    pub(crate) value: String,
}

/// A kind of fact, in words for people.
pub(crate) type Kind = &'static str;

/// A set of facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts(pub(crate) BTreeSet<Fact>);

impl Facts {
    #[allow(clippy::needless_pass_by_value, reason = "so that callers write what they have")]
    pub(crate) fn add(&mut self, subject: impl ToString, kind: Kind, value: impl ToString) {
        self.0.insert(Fact { subject: subject.to_string(), kind, value: value.to_string() });
    }
}

/// What a reader understood of one tree.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// Who says so: files, and who read them.
    pub(crate) source: &'static str,
    /// All kinds of facts that stand there: of these it knows each fact, and no other.
    pub(crate) kinds: &'static [Kind],
    pub(crate) facts: Facts,
}

/// How `said` differs from what is `expected`, fact by fact; empty where all agree.
pub(crate) fn differences(expected: &Facts, said: &[Said]) -> Vec<String> {
    let mut found = Vec::new();
    for statement in said {
        for fact in &statement.facts.0 {
            let known = statement.kinds.contains(&fact.kind);
            assert!(known, "{} speaks of {:?}, which is not among its kinds", statement.source, fact.kind);
            if !expected.0.contains(fact) {
                found.push(difference("says", statement.source, fact, expected, said));
            }
        }
        let lacking = expected
            .0
            .iter()
            .filter(|fact| statement.kinds.contains(&fact.kind) && !statement.facts.0.contains(fact));
        found.extend(lacking.map(|fact| difference("does not say", statement.source, fact, expected, said)));
    }
    found
}

fn difference(what: &str, source: &str, fact: &Fact, expected: &Facts, said: &[Said]) -> String {
    let Fact { subject, kind, value } = fact;
    let all = |facts: &Facts| {
        let values: Vec<&str> = facts
            .0
            .iter()
            .filter(|fact| (&fact.subject, fact.kind) == (subject, *kind))
            .map(|fact| fact.value.as_str())
            .collect();
        if values.is_empty() { "nothing".to_owned() } else { values.join(", ") }
    };
    let mut text =
        format!("{subject}, {kind}: {source} {what} {value}. The inventory says {}", all(expected));
    for other in said.iter().filter(|other| other.source != source && other.kinds.contains(kind)) {
        text += &format!("; {} says {}", other.source, all(&other.facts));
    }
    text
}
