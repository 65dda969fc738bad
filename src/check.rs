//! Checking an inventory: its bytes become a sound cluster, or the list of all its faults. Pure.

use std::collections::BTreeSet;

use anyhow::Context;
use time::OffsetDateTime;

use crate::diag::{Cure, Diagnostic, Report, Severity};
use crate::inventory::Inventory;
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

/// Parses, resolves and checks the inventory `bytes`.
///
/// # Errors
/// When the rules accepted an inventory that has no cluster: a bug of plasmagen.
pub fn check(bytes: &[u8]) -> anyhow::Result<Checked> {
    check_and(bytes, &[], |_, _, _| Ok(()))
}

/// Checks the inventory `bytes`, and when it has no errors, also the committed files that `gather` reads, as of `now`.
/// Nodes whose layout has no `labels` keep the names on their disks that these files say. `gather` gets the cluster and the directory of the vault that the inventory names. Errors in the certificates that one of
/// `cures` removes do not refuse the inventory: the caller is that cure.
///
/// # Errors
/// As for [`check`], and when `gather` fails.
pub fn check_with_files(
    bytes: &[u8],
    now: OffsetDateTime,
    cures: &[Cure],
    gather: impl FnOnce(&Cluster, Option<&str>) -> anyhow::Result<CommittedFiles>,
) -> anyhow::Result<Checked> {
    check_and(bytes, cures, |draft, cluster, report| {
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

/// Checks the inventory `bytes`. Nodes whose layout has no `labels` keep the names on their disks, as they were rendered in the
/// cluster that `gather` reads.
///
/// # Errors
/// As for [`check`].
pub fn check_with_former(
    bytes: &[u8],
    gather: impl FnOnce(&Cluster) -> FormerCluster,
) -> anyhow::Result<Checked> {
    check_and(bytes, &[], |draft, cluster, _| {
        if rules::keep_labels(draft, cluster, &gather(cluster), &BTreeSet::new()) {
            *cluster = finish(draft)?;
        }
        Ok(())
    })
}

/// Checks `bytes`, and when there are no errors, calls `check_further`.
fn check_and(
    bytes: &[u8],
    cures: &[Cure],
    check_further: impl FnOnce(&mut Draft<'_>, &mut Cluster, &mut Report) -> anyhow::Result<()>,
) -> anyhow::Result<Checked> {
    let text = match inventory::text(bytes) {
        Ok(text) => text,
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
    let inventory = inventory::parse(text, &mut report);
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
    Ok(Checked { diagnostics: report.finish(), cluster, inventory, vault })
}

/// Turns a draft without faults into a cluster.
fn finish(draft: &Draft<'_>) -> anyhow::Result<Cluster> {
    resolve::finish(draft)
        .context("the inventory passed every rule, and yet something is missing: a bug of plasmagen")
}
