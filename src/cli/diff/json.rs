//! A change for programs.

use serde::Serialize;

use crate::change::{Change, Consequence, Flag, Membership, Procedure, Summary};
use crate::cli::JSON_SCHEMA;

/// The whole document.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    schema: u32,
    changes: Vec<Entry<'a>>,
    renamed: &'a [(String, String)],
    members: &'a [Membership],
    #[serde(flatten)]
    procedure: &'a Procedure,
    summary: Summary,
}

#[derive(Serialize)]
struct Entry<'a> {
    #[serde(flatten)]
    found: &'a Consequence,
    /// Whether the effect is known in full.
    known: bool,
}

impl<'a> Document<'a> {
    /// The document of `change`, with the consequences that `is_shown` keeps.
    pub(super) fn new(
        change: &'a Change,
        procedure: &'a Procedure,
        is_shown: impl Fn(&Consequence) -> bool,
    ) -> Self {
        let shown = change.iter().filter(|found| is_shown(found));
        let changes =
            shown.map(|found| Entry { found, known: !found.flags.contains(&Flag::NotKnown) }).collect();
        Self {
            schema: JSON_SCHEMA,
            changes,
            renamed: &change.renamed,
            members: &change.memberships,
            procedure,
            summary: Summary::new(change),
        }
    }
}
