//! The inventory together with the files that are committed beside it, for commands that trust these files.

use std::collections::BTreeSet;
use std::path::Path;

use time::OffsetDateTime;

use crate::check::{Checked, check_with_files};
use crate::diag::{Cure, Diagnostic, Severity};
use crate::inventory::Sources;
use crate::model::{Cluster, HostName};
use crate::pki::VaultUse;
use crate::plan::former::FormerCluster;
use crate::plan::{Certificates, NamedFiles};
use crate::rules::CommittedFiles;

use super::inventory::{print_briefly, print_diagnostics, print_refusal, root_of, visible};
use super::printer::Printer;
use super::sources::InventoryFiles;
use super::vault_option::VaultOption;

/// An inventory that was checked together with the files beside it.
pub(super) struct ExaminedInventory {
    /// The result of the check.
    pub(super) checked: Checked,
    /// Whether `nodes/` publishes a CA that was not compared with the vault, which is not at hand.
    pub(super) lacks_vault: bool,
    /// The nodes whose certificate is for a key that the vault has put aside.
    pub(super) superseded: BTreeSet<HostName>,
}

/// Checks the inventory `sources`, which were read from `path`, with the certificates in `nodes/` and the vault, for
/// a command that needs the vault for `purpose`, and that is one of `cures` for faults of certificates.
pub(super) fn examine(
    path: &Path,
    sources: Sources<'_>,
    vault: &VaultOption,
    purpose: VaultUse,
    cures: &[Cure],
) -> anyhow::Result<ExaminedInventory> {
    examine_anew(path, sources, vault, purpose, cures, &BTreeSet::new())
}

/// As [`examine`], where the operator will install the nodes `installed_anew` anew.
fn examine_anew(
    path: &Path,
    sources: Sources<'_>,
    vault: &VaultOption,
    purpose: VaultUse,
    cures: &[Cure],
    installed_anew: &BTreeSet<HostName>,
) -> anyhow::Result<ExaminedInventory> {
    let root = root_of(path);
    let (mut lacks_vault, mut superseded) = (false, BTreeSet::new());
    let gather = |cluster: &Cluster, written: Option<&str>| {
        let certificates = Certificates::gather(root, cluster)?;
        let view = vault.look(root, cluster, written, purpose)?;
        lacks_vault = certificates.ca.is_some() && view.usable().is_none();
        superseded = view.usable().map(|known| known.list_superseded(&certificates)).unwrap_or_default();
        let former = FormerCluster::gather(root, cluster);
        let named = NamedFiles::gather(root, cluster);
        let installed_anew = installed_anew.clone();
        Ok(CommittedFiles { certificates, vault: Some(view), former, installed_anew, named })
    };
    let checked = check_with_files(sources, OffsetDateTime::now_utc(), cures, gather)?;
    Ok(ExaminedInventory { checked, lacks_vault, superseded })
}

/// Reads the inventory at `path`, checks it as [`examine`] does, and prints the errors that the command does not cure, and the
/// warnings that `is_told` keeps. Where the result has no cluster, the command ends with [`REFUSED`](super::REFUSED): the user knows why.
pub(super) fn read_examined(
    printer: &Printer,
    path: &Path,
    vault: &VaultOption,
    purpose: VaultUse,
    cures: &[Cure],
    is_told: impl Fn(&Diagnostic) -> bool,
) -> anyhow::Result<ExaminedInventory> {
    read_examined_anew(printer, path, vault, purpose, cures, &BTreeSet::new(), is_told)
}

/// As [`read_examined`], where the operator will install the nodes `installed_anew` anew.
pub(super) fn read_examined_anew(
    printer: &Printer,
    path: &Path,
    vault: &VaultOption,
    purpose: VaultUse,
    cures: &[Cure],
    installed_anew: &BTreeSet<HostName>,
    is_told: impl Fn(&Diagnostic) -> bool,
) -> anyhow::Result<ExaminedInventory> {
    let files = InventoryFiles::read(path)?;
    let examined = examine_anew(path, files.sources(), vault, purpose, cures, installed_anew)?;
    let mut found = visible(printer, &examined.checked, false);
    let is_warning = |diagnostic: &Diagnostic| diagnostic.severity == Severity::Warning;
    found.retain(|diagnostic| diagnostic.is_refusal(cures) || is_warning(diagnostic) && is_told(diagnostic));
    print_diagnostics(printer, &files.text(), &found);
    if examined.checked.cluster.is_none() {
        print_refusal(&files.name, &examined.checked);
    }
    Ok(examined)
}

/// As [`read_examined`], with the warnings in one line: for commands that are about something else.
pub(super) fn read_examined_briefly(
    printer: &Printer,
    path: &Path,
    vault: &VaultOption,
    purpose: VaultUse,
) -> anyhow::Result<ExaminedInventory> {
    let files = InventoryFiles::read(path)?;
    let examined = examine(path, files.sources(), vault, purpose, &[])?;
    print_briefly(printer, &files.text(), path, &examined.checked);
    Ok(examined)
}
