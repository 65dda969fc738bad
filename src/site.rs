//! The rendered site: `nodes/` and `site/` beside an inventory. [`render`] writes them, [`compare`] says what differs.
//!
//! ```text
//! render:  lock → gather → issue what is missing → outputs → stage → vault durable → commit
//! compare:        gather →        list it        → outputs → differences
//! ```
//!
//! Nothing here prints. The clock and the place of the vault are the caller's.

use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use crate::model::{Cluster, HostName};
use crate::outputs;
use crate::pki::{Vault, cluster as certificates};
use crate::plan::Plan;
use crate::write::{self, CommitOptions, CommitOutcome, FileChange, SiteLock};

/// The result of [`render`].
#[derive(Debug)]
pub struct Rendered {
    /// The files that changed.
    pub outcome: CommitOutcome,
    /// The certificates that were issued; none when none was missing.
    pub issued: Option<IssuedCertificates>,
}

/// The certificates that [`render`] issued.
#[derive(Debug)]
pub struct IssuedCertificates {
    /// How many nodes got a certificate.
    pub certificates: usize,
    /// Where the CA that signed them comes from.
    pub authority: Authority,
    /// The directory of the vault that holds the keys.
    pub vault: PathBuf,
    /// The full names of the nodes that came back after a removal, and have new keys.
    pub returned: Vec<String>,
}

/// Where the CA of issued certificates comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authority {
    /// `nodes/` publishes it already.
    Published,
    /// The vault held it, and `nodes/` published none.
    FromVault,
    /// It was made now, since neither the vault nor `nodes/` held a certificate.
    New,
}

/// Writes `nodes/` and `site/` in `root`, both or neither, and issues the certificates that are missing.
///
/// `open_vault` is called only when a certificate is missing. The keys of new certificates are durable in the vault
/// before any certificate is published: a run that dies in between leaves keys, which the next run uses.
///
/// # Errors
/// [`Held`](crate::fs::Held) when another run writes there. Otherwise when a published file cannot be read, a certificate
/// cannot be issued, or [`write::commit`] refuses.
pub fn render(
    root: &Path,
    cluster: Cluster,
    options: CommitOptions,
    now: OffsetDateTime,
    open_vault: impl FnOnce(&Cluster) -> anyhow::Result<Vault>,
) -> anyhow::Result<Rendered> {
    let lock = SiteLock::acquire(root)?;
    let mut plan = Plan::gather(root, cluster)?;
    let nodes = certificates::list_lacking(&plan.cluster, &plan.certificates)?;
    let mut issue = None;
    if !nodes.is_empty() {
        let vault = open_vault(&plan.cluster)?;
        let is_published = plan.certificates.ca.is_some();
        let published = std::mem::take(&mut plan.certificates);
        let issued = certificates::issue(&plan.cluster, &nodes, published, &vault, now)?;
        let authority = match (&issued.new_ca, is_published) {
            (Some(_), _) => Authority::New,
            (None, false) => Authority::FromVault,
            (None, true) => Authority::Published,
        };
        plan.certificates = issued.certificates.clone();
        issue = Some((vault, issued, authority));
    }
    let artifacts = outputs::render(&plan)?;
    let outcome = write::commit(&lock, &artifacts, options, || match &issue {
        Some((vault, issued, _)) => issued.store(vault),
        None => Ok(()),
    })?;
    let issued = issue.map(|(vault, issued, authority)| IssuedCertificates {
        certificates: issued.issued,
        authority,
        vault: vault.dir().to_owned(),
        returned: issued.replaced_keys.into_iter().map(|key| key.fqdn).collect(),
    });
    Ok(Rendered { outcome, issued })
}

/// The result of [`compare`].
#[derive(Debug)]
pub struct Comparison {
    /// The files that [`render`] would add, change or remove, by path.
    pub changes: Vec<FileChange>,
    /// The nodes without a certificate for the names and addresses that the inventory gives them.
    pub uncertified: Vec<HostName>,
}

impl Comparison {
    /// Whether `nodes/` and `site/` are what the inventory says.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.changes.is_empty() && self.uncertified.is_empty()
    }
}

/// Compares `nodes/` and `site/` in `root` with what [`render`] would write. Takes no lock and needs no vault.
///
/// # Errors
/// When a published file or certificate cannot be read, or a directory is not plasmagen's.
pub fn compare(root: &Path, cluster: Cluster) -> anyhow::Result<Comparison> {
    let plan = Plan::gather(root, cluster)?;
    let nodes = certificates::list_lacking(&plan.cluster, &plan.certificates)?;
    let uncertified = nodes.into_iter().map(|node| node.name.clone()).collect();
    Ok(Comparison { changes: changes(root, &plan)?, uncertified })
}

/// The files in `root` that differ from the outputs of `plan`, by path.
///
/// # Errors
/// When a file cannot be read, or a directory is not plasmagen's.
pub fn changes(root: &Path, plan: &Plan) -> anyhow::Result<Vec<FileChange>> {
    write::check(root, &outputs::render(plan)?)
}
