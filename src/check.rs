//! Checking an inventory: its bytes become a sound cluster, or the list of all its faults. Pure.

use std::collections::BTreeSet;

use anyhow::Context;
use time::OffsetDateTime;

use crate::diag::{Cure, Diagnostic, Report, Severity, Span};
use crate::inventory::{Inventory, Sources, Texts, node_table_offset};
use crate::model::Cluster;
use crate::plan::former::FormerCluster;
use crate::resolve::Draft;
use crate::rules::CommittedFiles;
use crate::{inventory, resolve, rules};

/// The result of checking an inventory.
#[derive(Debug)]
pub struct Checked {
    /// All errors and warnings, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
    /// The cluster; none where a diagnostic is an error that the command does not cure.
    pub cluster: Option<Cluster>,
    /// The inventory as written, as far as it could be read.
    pub inventory: Inventory,
    /// The directory of the vault that the inventory names.
    pub vault: Option<String>,
}

impl Checked {
    /// The number of diagnostics with that severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.diagnostics.iter().filter(|d| d.severity == severity).count()
    }
}

/// Parses, resolves and checks the inventory `sources`.
///
/// # Errors
/// When the rules accepted an inventory that has no cluster: a bug of plasmagen.
pub fn check<'s>(sources: impl Into<Sources<'s>>) -> anyhow::Result<Checked> {
    check_and(sources.into(), &[], |_, _, _| Ok(()))
}

/// Checks the inventory `sources`, and when it has no errors, also the committed files that `gather` reads, as of `now`.
/// Nodes whose layout has no `labels` keep the names on their disks that these files say. `gather` gets the cluster and the directory of the vault that the inventory names. Errors in the certificates that one of
/// `cures` removes do not refuse the inventory: the caller is that cure.
///
/// # Errors
/// As for [`check`], and when `gather` fails.
pub fn check_with_files(
    sources: Sources<'_>,
    now: OffsetDateTime,
    cures: &[Cure],
    gather: impl FnOnce(&Cluster, Option<&str>) -> anyhow::Result<CommittedFiles>,
) -> anyhow::Result<Checked> {
    check_and(sources, cures, |draft, cluster, report| {
        let vault = draft.inventory.vault.path.as_ref().map(|path| path.value.as_str());
        let files = gather(cluster, vault)?;
        if rules::keep_labels(draft, cluster, &files.former, &files.installed_anew) {
            *cluster = finish(draft)?;
        }
        let committed = rules::Committed::new(draft, cluster, &files, now)?;
        rules::check_certificates(&committed, report);
        Ok(())
    })
}

/// Checks the inventory `sources`. Nodes whose layout has no `labels` keep the names on their disks, as they were rendered in the
/// cluster that `gather` reads.
///
/// # Errors
/// As for [`check`].
pub fn check_with_former(
    sources: Sources<'_>,
    gather: impl FnOnce(&Cluster) -> FormerCluster,
) -> anyhow::Result<Checked> {
    check_and(sources, &[], |draft, cluster, _| {
        if rules::keep_labels(draft, cluster, &gather(cluster), &BTreeSet::new()) {
            *cluster = finish(draft)?;
        }
        Ok(())
    })
}

/// Checks `sources`, and when there are no errors, calls `check_further`.
fn check_and(
    sources: Sources<'_>,
    cures: &[Cure],
    check_further: impl FnOnce(&mut Draft<'_>, &mut Cluster, &mut Report) -> anyhow::Result<()>,
) -> anyhow::Result<Checked> {
    let texts = match Texts::read(sources) {
        Ok(texts) => texts,
        Err(unreadable) => {
            return Ok(Checked {
                diagnostics: vec![unreadable],
                cluster: None,
                inventory: Inventory::default(),
                vault: None,
            });
        }
    };
    let mut report = Report::default();
    let inventory = inventory::parse(texts, &mut report);
    let mut draft = resolve::resolve(&inventory);
    rules::check(&draft, &mut report);
    let mut cluster = None;
    if !report.has_errors() {
        let mut sound = finish(&draft)?;
        check_further(&mut draft, &mut sound, &mut report)?;
        cluster = Some(sound).filter(|_| !report.refuses(cures));
    }
    drop(draft);
    let vault = inventory.vault.path.as_ref().map(|path| path.value.clone());
    let mut diagnostics = report.finish();
    diagnostics.iter_mut().for_each(|found| fit_to_table(found, sources.inventory.len()));
    Ok(Checked { diagnostics, cluster, inventory, vault })
}

/// Leaves out of `found` the change of TOML that is proposed for a cell of the table of nodes.
fn fit_to_table(found: &mut Diagnostic, length: usize) {
    let is_in_table = |span: &Span| span.start >= node_table_offset(length);
    if found.edit.as_ref().is_some_and(|edit| is_in_table(&edit.span) || is_in_table(&found.span)) {
        found.edit = None;
    }
}

/// Turns a draft without faults into a cluster.
fn finish(draft: &Draft<'_>) -> anyhow::Result<Cluster> {
    resolve::finish(draft)
        .context("the inventory passed every rule, and yet something is missing: a bug of plasmagen")
}
