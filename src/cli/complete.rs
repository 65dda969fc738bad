//! What a shell completes while somebody types: the program itself answers, so that names come from the inventory.

use std::path::Path;

use clap_complete::CompletionCandidate;
use clap_complete::env::CompleteEnv;

use crate::diag::Report;
use crate::inventory;
use crate::rules::RULES;

use super::INVENTORY;
use super::output::read;

/// Set by the scripts of `plasmagen completions` where they want words, not work.
pub(super) const VARIABLE: &str = "_PLASMAGEN_COMPLETE";

/// Answers a shell that asks for words, and exits; otherwise does nothing.
pub(super) fn answer(command: fn() -> clap::Command) {
    CompleteEnv::with_factory(command).var(VARIABLE).complete();
}

/// The codes of the rules.
pub(super) fn rules() -> Vec<CompletionCandidate> {
    let candidate = |code: &str, title: &'static str| CompletionCandidate::new(code).help(Some(title.into()));
    RULES.iter().map(|rule| candidate(rule.code, rule.title)).collect()
}

/// The nodes of the inventory in the working directory; none where it can't be read.
pub(super) fn nodes() -> Vec<CompletionCandidate> {
    let bytes = read(Path::new(INVENTORY)).unwrap_or_default();
    let Ok(text) = inventory::text(&bytes) else { return Vec::new() };
    let inventory = inventory::parse(text, &mut Report::default());
    let names = inventory.nodes.iter().filter_map(|node| node.name.as_ref());
    names.map(|name| CompletionCandidate::new(name.as_str())).collect()
}
