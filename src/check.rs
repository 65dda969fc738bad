//! From the bytes of an inventory to a sound cluster, or to everything that is wrong with it. Pure.

use anyhow::Context;
use time::OffsetDateTime;

use crate::diag::{Diagnostic, Report, Severity};
use crate::inventory::Inventory;
use crate::model::Cluster;
use crate::plan::Certificates;
use crate::resolve::Draft;
use crate::{inventory, resolve, rules};

/// What came of an inventory.
#[derive(Debug)]
pub struct Checked {
    /// Every fault, by place.
    pub diagnostics: Vec<Diagnostic>,
    /// The cluster, if no fault is an error.
    pub cluster: Option<Cluster>,
    /// What is written, as far as it could be read.
    pub inventory: Inventory,
    /// Where the inventory wants private keys to be kept.
    pub vault: Option<String>,
}

impl Checked {
    /// How many diagnostics have that severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.diagnostics.iter().filter(|d| d.severity == severity).count()
    }
}

/// Parses, resolves and checks `bytes`.
///
/// # Errors
/// When the rules let something pass that the cluster needs: a bug of ours.
pub fn check(bytes: &[u8]) -> anyhow::Result<Checked> {
    run(bytes, |_, _, _| Ok(()))
}

/// The same, and what `gather` finds of the cluster's committed certificates at `now`, once the inventory is sound:
/// what they must say is the inventory's.
///
/// # Errors
/// As for [`check`], and when `gather` fails.
pub fn check_with_certificates(
    bytes: &[u8],
    now: OffsetDateTime,
    gather: impl FnOnce(&Cluster) -> anyhow::Result<Certificates>,
) -> anyhow::Result<Checked> {
    run(bytes, |draft, cluster, report| {
        let committed = rules::Committed::new(draft, cluster, &gather(cluster)?, now)?;
        rules::check_certificates(&committed, report);
        Ok(())
    })
}

fn run(
    bytes: &[u8],
    further: impl FnOnce(&Draft<'_>, &Cluster, &mut Report) -> anyhow::Result<()>,
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
    let draft = resolve::resolve(&inventory);
    rules::check(&draft, &mut report);
    let mut cluster = None;
    if !report.has_errors() {
        let sound = resolve::seal(&draft)
            .context("the inventory passed every rule, and yet something is missing: a bug of plasmagen")?;
        further(&draft, &sound, &mut report)?;
        cluster = Some(sound).filter(|_| !report.has_errors());
    }
    drop(draft);
    let vault = inventory.vault.path.as_ref().map(|path| path.value.clone());
    Ok(Checked { diagnostics: report.finish(), cluster, inventory, vault })
}
