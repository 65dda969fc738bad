//! Completions for shells. The program itself answers, so that it can name the nodes of the inventory.

use std::path::Path;

use clap_complete::CompletionCandidate;
use clap_complete::env::CompleteEnv;

use crate::diag::Report;
use crate::inventory;
use crate::rules::RULES;

use super::inventory::{INVENTORY, read};

/// The environment variable by which the scripts of `plasmagen completions` ask for words.
pub(super) const VARIABLE: &str = "_PLASMAGEN_COMPLETE";

/// Answers a shell that asks for words, and exits. Does nothing in any other run.
pub(super) fn answer(command: fn() -> clap::Command) {
    CompleteEnv::with_factory(command).var(VARIABLE).complete();
}

/// The codes of all rules.
pub(super) fn rules() -> Vec<CompletionCandidate> {
    let candidate = |code: &str, title: &'static str| CompletionCandidate::new(code).help(Some(title.into()));
    RULES.iter().map(|rule| candidate(rule.code, rule.title)).collect()
}

/// The nodes of the inventory in the working directory; none where that inventory can't be read.
pub(super) fn nodes() -> Vec<CompletionCandidate> {
    let bytes = read(Path::new(INVENTORY)).unwrap_or_default();
    let Ok(text) = inventory::text(&bytes) else { return Vec::new() };
    let inventory = inventory::parse(text, &mut Report::default());
    let names = inventory.nodes.iter().filter_map(|node| node.name.as_ref());
    names.map(|name| CompletionCandidate::new(name.as_str())).collect()
}
