//! Printing of the outcome of `plasmagen publish`: messages, warnings and exit status.

use std::path::Path;

use super::super::printer::{Printer, plural};
use super::super::{DONE, UNCONFIRMED};
use crate::model::Cluster;
use crate::publish::{
    FinishedRollback, InstalledLoader, LoaderOutcome, PublishOutcome, Published, RemoveOutcome,
    list_needed_loaders,
};

/// Prints which builds of iPXE were installed, and warns of those that are missing.
pub(super) fn print_loaders(printer: &Printer, loaders: &LoaderOutcome, cluster: Option<&Cluster>) {
    for (file, how) in &loaders.installed {
        match how {
            InstalledLoader::Copied(from) => printer.say(&format!("tftp/{file} is {}", from.display())),
            InstalledLoader::Kept => {
                printer.say(&format!("tftp/{file} is your own, and stays (--ipxe replaces it)"));
            }
            InstalledLoader::OfCluster(cluster) => {
                printer.say(&format!(
                    "tftp/{file} is that of the cluster {cluster}, and stays (--ipxe replaces it)"
                ));
            }
            InstalledLoader::Same => {}
        }
    }
    for (file, cluster) in &loaders.replaced {
        printer.say(&format!(
            "tftp/{file} was that of the cluster {cluster}, too, whose machines load this one now: publish its site again"
        ));
    }
    let needed = cluster.map(list_needed_loaders);
    for loader in &loaders.missing {
        let nodes = needed.as_ref().map(|needed| needed.get(loader.file));
        let who = match nodes {
            Some(None) => continue,
            Some(Some(nodes)) => format!(", without which {} can't boot", plural(nodes.len(), "node")),
            None => String::new(),
        };
        printer.say(&format!(
            "warning: there is no tftp/{}{who}: install {}, or name a directory with --ipxe",
            loader.file, loader.package
        ));
    }
}

/// Warns of published bundles that no node boots.
pub(super) fn warn_of_misfits(printer: &Printer, outcome: &PublishOutcome, cluster: &Cluster) {
    for manifest in outcome.published.iter().filter_map(|published| published.bundle.as_ref()) {
        let image = manifest.image();
        if !cluster.nodes.iter().any(|node| node.image() == image) {
            printer.say(&format!("warning: no node boots the bundle for {image}"));
        }
    }
}

/// Prints the result, and returns the exit status for it.
pub(super) fn print_outcome(printer: &Printer, root: &Path, outcome: &PublishOutcome) -> u8 {
    for published in &outcome.published {
        let previous = match published.before {
            Some(before) if before == published.id => "unchanged".to_owned(),
            Some(before) => format!("before: {:.12}", before.to_string()),
            None => "the first".to_owned(),
        };
        printer.say(&format!(
            "{}/{}: generation {} is {:.12} ({previous}), until {}",
            root.display(),
            published.channel,
            published.publication.generation,
            published.id.to_string(),
            published.publication.expires.date()
        ));
    }
    if outcome.has_unknown_signers {
        printer.say(
            "warning: who made the signatures that machines ask for is not verified: write signer = \"signer.pem\" into [boot] of \
             the inventory, or name the file with --boot-signer",
        );
    }
    let expires = outcome.published.iter().map(|published| published.publication.expires).max();
    if let Some((end, expires)) = outcome.signatures_end.zip(expires).filter(|(end, expires)| end < expires) {
        printer.say(&format!(
            "warning: machines accept the signatures until {}, and the publication is until {}: issue another certificate for the \
             signer before, run plasmagen sign, and publish again",
            end.date(),
            expires.date()
        ));
    }
    for change in &outcome.changes {
        printer.say(change);
    }
    if !outcome.removed.is_empty() {
        printer.say(&format!("removed {}", plural(outcome.removed.len(), "old generation")));
    }
    print_confirmation(printer, "published", outcome.unconfirmed.as_ref())
}

/// Prints that the roll back was that of an earlier run, and where the next one leads.
pub(super) fn print_finished(printer: &Printer, outcome: &PublishOutcome, finished: FinishedRollback) {
    for Published { channel, id, .. } in &outcome.published {
        let next = finished.next.map_or_else(String::new, |next| {
            format!(". The same command again leads on to {:.12}", next.to_string())
        });
        printer.say(&format!(
            "an earlier roll back of {channel}, which was interrupted, is finished: it led to {:.12}, which is served{next}",
            id.to_string()
        ));
    }
}

/// Prints what was removed, and returns the exit status for it.
pub(super) fn print_removal(printer: &Printer, root: &Path, outcome: &RemoveOutcome) -> u8 {
    let generations = plural(outcome.generations, "generation");
    printer.say(&format!("{}/{} is removed: {generations}", root.display(), outcome.channel));
    if let Some(first) = outcome.nodes.first() {
        printer.say(&format!(
            "warning: {} of the published site ({}) can't be armed until a bundle is published for this base",
            plural(outcome.nodes.len(), "node"),
            first.escape_debug()
        ));
    }
    print_confirmation(printer, "removed", outcome.unconfirmed.as_ref())
}

/// The exit status of a change that was `done`, and that may not outlast a power cut where there is an error.
fn print_confirmation(printer: &Printer, done: &str, unconfirmed: Option<&anyhow::Error>) -> u8 {
    let Some(error) = unconfirmed else { return DONE };
    printer.error(&anyhow::anyhow!("it is {done}, but may not outlast a power cut: {error:#}"));
    UNCONFIRMED
}
