//! A change for programs.

use serde::Serialize;

use crate::change::{Change, Consequence, Flag, Membership, Step, Summary};
use crate::cli::JSON_SCHEMA;

/// The whole document.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    schema: u32,
    changes: Vec<Entry<'a>>,
    renamed: &'a [(String, String)],
    members: &'a Membership,
    steps: &'a [Step],
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
        steps: &'a [Step],
        is_shown: impl Fn(&Consequence) -> bool,
    ) -> Self {
        let shown = change.iter().filter(|found| is_shown(found));
        let changes =
            shown.map(|found| Entry { found, known: !found.flags.contains(&Flag::NotKnown) }).collect();
        Self {
            schema: JSON_SCHEMA,
            changes,
            renamed: &change.renamed,
            members: &change.membership,
            steps,
            summary: Summary::new(change),
        }
    }
}
