//! The rendered site: `nodes/` and `site/` beside an inventory. [`render`] writes them, [`compare`] says what differs.
//!
//! ```text
//! render:  lock → gather → issue what is due, revoke the rest → outputs → stage → vault durable → commit
//! compare:        gather →        list it                     → outputs → differences
//! rotate:  lock → gather → next CA → replace ca-cert.pem → stage → vault durable → commit
//! ```
//!
//! Nothing here prints. The clock and the place of the vault are the caller's.

mod rotate;

use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use crate::model::{Cluster, HostName};
use crate::outputs;
use crate::pki::Vault;
use crate::pki::cluster::{self as certificates, IssueOrder, IssueReason};
use crate::pki::revocation::{self, RevokedCertificate};
use crate::plan::Plan;
use crate::write::{self, CommitOptions, CommitOutcome, FileChange, SiteLock};

pub use rotate::{Rotated, RotationStep, rotate};

/// The result of [`render`].
#[derive(Debug)]
pub struct Rendered {
    /// The files that changed.
    pub outcome: CommitOutcome,
    /// The certificates that were issued; none when none was due.
    pub issued: Option<IssuedCertificates>,
    /// The nodes whose certificates were to be renewed, and end together with their CA: another would end no later.
    pub held_back: Vec<HostName>,
    /// The certificates that were revoked.
    pub revoked: Vec<RevokedCertificate>,
}

/// The certificates that [`render`] issued.
#[derive(Debug)]
pub struct IssuedCertificates {
    /// The nodes that got a certificate, and why.
    pub certificates: Vec<(HostName, IssueReason)>,
    /// Where the CA that signed them comes from.
    pub authority: Authority,
    /// The directory of the vault that holds the keys.
    pub vault: PathBuf,
    /// The full names of the nodes that came back after a removal, and have new keys.
    pub returned: Vec<String>,
    /// The full names of the other nodes whose key was put aside for a new one.
    pub rekeyed: Vec<String>,
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

/// Writes `nodes/` and `site/` in `root`, both or neither, and issues the certificates that `order` asks for.
///
/// `open_vault` is called only when a certificate is issued, or the list of revoked ones changes. The keys of new certificates are durable in the vault
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
    order: &IssueOrder,
    open_vault: impl Fn(&Cluster) -> anyhow::Result<Vault>,
) -> anyhow::Result<Rendered> {
    let lock = SiteLock::acquire(root)?;
    let mut plan = Plan::gather(root, cluster)?;
    let selection = certificates::select(&plan.cluster, &plan.certificates, order, now)?;
    let before = plan.certificates.clone();
    let mut issue = None;
    if !selection.is_empty() {
        let vault = open_vault(&plan.cluster)?;
        let is_published = plan.certificates.ca.is_some();
        let published = std::mem::take(&mut plan.certificates);
        let issued = certificates::issue(&plan.cluster, &selection, published, &vault, now)?;
        let authority = match (&issued.new_ca, is_published) {
            (Some(_), _) => Authority::New,
            (None, false) => Authority::FromVault,
            (None, true) => Authority::Published,
        };
        plan.certificates = issued.certificates.clone();
        issue = Some((vault, issued, authority));
    }
    let held_back = selection.held_back;
    let revoked = revocation::revoke(&plan.cluster, &before, &mut plan.certificates, now)?;
    if !revocation::has_current_crls(&plan.certificates)? {
        let new_ca = issue.as_ref().and_then(|(_, issued, _)| issued.new_ca.as_ref());
        revocation::sign_crls(&mut plan.certificates, &open_vault(&plan.cluster)?, new_ca, now)?;
    }
    let artifacts = outputs::render(&plan)?;
    let outcome = write::commit(&lock, &artifacts, options, || match &issue {
        Some((vault, issued, _)) => issued.store(vault),
        None => Ok(()),
    })?;
    let issued = issue.map(|(vault, issued, authority)| {
        let replaced = issued.replaced_keys.into_iter().map(|key| key.fqdn);
        IssuedCertificates {
            authority,
            vault: vault.dir().to_owned(),
            rekeyed: replaced.filter(|fqdn| !issued.returned.contains(fqdn)).collect(),
            certificates: issued.issued,
            returned: issued.returned,
        }
    });
    Ok(Rendered { outcome, issued, held_back, revoked })
}

/// The result of [`compare`].
#[derive(Debug)]
pub struct Comparison {
    /// The files that [`render`] would add, change or remove, by path.
    pub changes: Vec<FileChange>,
    /// The nodes without a certificate for the names and addresses that the inventory gives them.
    pub uncertified: Vec<HostName>,
    /// Whether the CAs have signed the list of revoked certificates.
    pub has_current_crls: bool,
}

impl Comparison {
    /// Whether `nodes/` and `site/` are what the inventory says.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.changes.is_empty() && self.uncertified.is_empty() && self.has_current_crls
    }
}

/// Compares `nodes/` and `site/` in `root` with what [`render`] would write. Takes no lock and needs no vault.
///
/// # Errors
/// When a published file or certificate cannot be read, or a directory is not plasmagen's.
pub fn compare(root: &Path, cluster: Cluster, now: OffsetDateTime) -> anyhow::Result<Comparison> {
    let mut plan = Plan::gather(root, cluster)?;
    let nodes = certificates::list_lacking(&plan.cluster, &plan.certificates)?;
    let uncertified = nodes.into_iter().map(|node| node.name.clone()).collect();
    let before = plan.certificates.clone();
    revocation::revoke(&plan.cluster, &before, &mut plan.certificates, now)?;
    let has_current_crls = revocation::has_current_crls(&plan.certificates)?;
    Ok(Comparison { changes: changes(root, &plan)?, uncertified, has_current_crls })
}

/// The files in `root` that differ from the outputs of `plan`, by path.
///
/// # Errors
/// When a file cannot be read, or a directory is not plasmagen's.
pub fn changes(root: &Path, plan: &Plan) -> anyhow::Result<Vec<FileChange>> {
    write::check(root, &outputs::render(plan)?)
}
