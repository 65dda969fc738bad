//! The inventory together with the files that are committed beside it, for commands that trust these files.

use std::collections::BTreeSet;
use std::path::Path;

use time::OffsetDateTime;

use crate::check::{Checked, check_with_files};
use crate::diag::{Cure, Diagnostic, Severity};
use crate::model::{Cluster, HostName};
use crate::pki::VaultUse;
use crate::plan::former::FormerCluster;
use crate::plan::{Certificates, NamedFiles};
use crate::rules::CommittedFiles;

use super::format::SourceText;
use super::inventory::{print_briefly, print_diagnostics, print_refusal, read, root_of, visible};
use super::printer::Printer;
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

/// Checks the inventory `bytes`, which were read from `path`, with the certificates in `nodes/` and the vault, for
/// a command that needs the vault for `purpose`, and that is one of `cures` for faults of certificates.
pub(super) fn examine(
    path: &Path,
    bytes: &[u8],
    vault: &VaultOption,
    purpose: VaultUse,
    cures: &[Cure],
) -> anyhow::Result<ExaminedInventory> {
    examine_anew(path, bytes, vault, purpose, cures, &BTreeSet::new())
}

/// As [`examine`], where the operator will install the nodes `installed_anew` anew.
fn examine_anew(
    path: &Path,
    bytes: &[u8],
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
    let checked = check_with_files(bytes, OffsetDateTime::now_utc(), cures, gather)?;
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
    let bytes = read(path)?;
    let examined = examine_anew(path, &bytes, vault, purpose, cures, installed_anew)?;
    let name = path.display().to_string();
    let mut found = visible(printer, &examined.checked, false);
    let is_warning = |diagnostic: &Diagnostic| diagnostic.severity == Severity::Warning;
    found.retain(|diagnostic| diagnostic.is_refusal(cures) || is_warning(diagnostic) && is_told(diagnostic));
    print_diagnostics(printer, &SourceText::new(&name, &bytes), &found);
    if examined.checked.cluster.is_none() {
        print_refusal(&name, &examined.checked);
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
    let bytes = read(path)?;
    let examined = examine(path, &bytes, vault, purpose, &[])?;
    let name = path.display().to_string();
    print_briefly(printer, &SourceText::new(&name, &bytes), path, &examined.checked);
    Ok(examined)
}
