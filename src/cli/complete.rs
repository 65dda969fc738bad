//! Completions for shells. The program itself answers, so that it can name the nodes of the inventory.

use clap_complete::CompletionCandidate;
use clap_complete::env::CompleteEnv;

use crate::diag::Report;
use crate::inventory::{self, Texts};
use crate::model::list_image_names;
use crate::rules::RULES;

use super::inventory::find_nearest;
use super::reference::sections;
use super::sources::InventoryFiles;

/// The environment variable by which the scripts of `plasmagen completions` ask for words.
pub(super) const VARIABLE: &str = "_PLASMAGEN_COMPLETE";

/// Answers a shell that asks for words, and exits. Does nothing in any other run.
pub(super) fn answer(command: fn() -> clap::Command) {
    CompleteEnv::with_factory(command).var(VARIABLE).complete();
}

/// The words that `explain` explains: the codes of all rules, and the keys of the inventory.
pub(super) fn words() -> Vec<CompletionCandidate> {
    let candidate = |word: &str, help: String| CompletionCandidate::new(word).help(Some(help.into()));
    let rules = RULES.iter().map(|rule| candidate(rule.code, rule.title.to_owned()));
    let keys = sections().into_iter().map(|section| candidate(section.key, section.summary()));
    rules.chain(keys).collect()
}

/// The netboot images, which have channels in the web root.
pub(super) fn images() -> Vec<CompletionCandidate> {
    list_image_names().into_iter().map(CompletionCandidate::new).collect()
}

/// Lists the channels of the web root: the netboot images, and the site.
pub(super) fn channels() -> Vec<CompletionCandidate> {
    let mut channels = images();
    channels.push(CompletionCandidate::new("site"));
    channels
}

/// The nodes of the nearest inventory; none where that inventory can't be read.
pub(super) fn nodes() -> Vec<CompletionCandidate> {
    let Ok(files) = find_nearest().and_then(|path| InventoryFiles::read(&path)) else { return Vec::new() };
    let Ok(texts) = Texts::read(files.sources()) else { return Vec::new() };
    let inventory = inventory::parse(texts, &mut Report::default());
    let names = inventory.nodes.iter().filter_map(|node| node.name.as_ref());
    names.map(|name| CompletionCandidate::new(name.as_str())).collect()
}
