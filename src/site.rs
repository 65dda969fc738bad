//! The rendered site: `nodes/` and `site/` beside an inventory. [`render`] writes them, [`compare`] says what differs.
//!
//! ```text
//! render:  lock → gather → issue what is due, revoke the rest → outputs → stage → vault durable → commit
//! compare:        gather →        list it                     → outputs → differences
//! rotate:  lock → gather → next CA → replace ca-cert.pem, ca-crl.pem → stage → vault durable → commit
//! ```
//!
//! Nothing here prints. The clock and the place of the vault are the caller's.

mod rotate;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use crate::model::{Cluster, HostName, Node};
use crate::outputs;
use crate::pki::Vault;
use crate::pki::cluster::{
    self as certificates, HostKeyIssue, Issue, IssueOrder, IssueReason, PassphraseIssue, Selection,
};
use crate::pki::issue::CaIssuer;
use crate::pki::revocation::{self, RevokedCertificate};
use crate::plan::{Certificates, FormerMachines, Plan};
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
    /// The SSH host keys that were made.
    pub host_keys: NewHostKeys,
    /// The passphrases of encrypted disks that were made.
    pub passphrases: NewPassphrases,
    /// The nodes whose machines the vault has recorded anew, by the operator's word.
    pub same_machines: Vec<HostName>,
    /// The directory of the vault; none where this run has issued no certificate, and made or published no other key.
    pub vault: Option<PathBuf>,
}

/// The SSH host keys that [`render`] made.
#[derive(Debug, Default)]
pub struct NewHostKeys {
    /// The nodes whose host keys were not in `nodes/` before, and are in the vault.
    pub new: Vec<HostName>,
    /// The new nodes that have no host key, since their machines may have been installed already.
    pub unknown: Vec<HostName>,
}

/// The passphrases of encrypted disks that [`render`] made.
#[derive(Debug, Default)]
pub struct NewPassphrases {
    /// The nodes whose disks get a passphrase, which is in the vault.
    pub new: Vec<HostName>,
    /// The nodes among `new` whose disks, where they are installed, have another passphrase.
    pub anew: Vec<HostName>,
    /// The new nodes with encrypted disks whose passphrase is not known, since their machines may have been installed already.
    pub unknown: Vec<HostName>,
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

/// Writes `nodes/` and `site/` in `root`, both or neither, issues the certificates that `order` asks for, and makes the SSH
/// host keys of new nodes and those that `order` lists, and the passphrases of encrypted disks.
///
/// `open_vault` is called only when a certificate is issued, a host key or a passphrase may be made, or a CA must sign the
/// list of revoked certificates.
/// The keys are durable in the vault before any certificate or public key is published: a run that dies in between leaves
/// keys, which the next run uses.
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
    let mut keys = None;
    let is_asked = !order.host_keys.is_empty()
        || order.may_need_passphrases(&plan.cluster)
        || !order.same_machines.is_empty();
    if !selection.is_empty() || is_asked {
        let vault = open_vault(&plan.cluster)?;
        let published = std::mem::take(&mut plan.certificates);
        let mut issue = IssuedKeys::issue(&plan.cluster, &selection, published, vault, now)?;
        plan.certificates = issue.published.clone();
        issue.same_machines = list_doubted(&plan, order, &issue.vault)?;
        issue.make_node_secrets(&plan, &FormerMachines::gather(root, &plan.cluster)?, order)?;
        plan.host_keys = issue.host_keys.host_keys.clone();
        keys = Some(issue);
    }
    plan.host_keys.check(&plan.cluster)?;
    let (held_back, rekeyed) = (selection.held_back, selection.rekeyed);
    let revoked = revocation::revoke(&plan.cluster, &before, &mut plan.certificates, &rekeyed, now)?;
    let new_ca = keys.as_ref().and_then(IssuedKeys::new_ca);
    revocation::sign_crls(&mut plan.certificates, || open_vault(&plan.cluster), new_ca, now)?;
    let artifacts = outputs::render(&plan)?;
    let store = || keys.as_ref().map_or(Ok(()), IssuedKeys::store);
    let outcome = write::commit(&lock, &artifacts, options, store)?;
    if let Some(issue) = keys.as_ref().filter(|_| outcome.is_unchanged()) {
        // Nothing was committed, so nothing was stored: a passphrase has no public half that would change a file, and
        // the key of a machine may be published already.
        issue.store_additions()?;
    }
    let vault = keys.as_ref().and_then(IssuedKeys::used_vault);
    let same_machines =
        keys.as_ref().map(|keys| keys.same_machines.iter().map(|node| node.name.clone()).collect());
    let same_machines = same_machines.unwrap_or_default();
    let (issued, host_keys, passphrases) = keys.map(IssuedKeys::report).unwrap_or_default();
    Ok(Rendered { outcome, issued, held_back, revoked, host_keys, passphrases, same_machines, vault })
}

/// The keys of a run, which the vault does not hold yet.
struct IssuedKeys {
    vault: Vault,
    /// All certificates of the cluster, old and new.
    published: Certificates,
    /// The certificates that were issued, if some were due, and where their CA comes from.
    certificates: Option<(Issue, Authority)>,
    host_keys: HostKeyIssue,
    passphrases: PassphraseIssue,
    /// The nodes whose machines the vault is to record anew.
    same_machines: Vec<Node>,
}

/// Lists the nodes of `order` that are the same machines by the operator's word, and others by what `vault` has recorded.
fn list_doubted(plan: &Plan, order: &IssueOrder, vault: &Vault) -> anyhow::Result<Vec<Node>> {
    let mut doubted = Vec::new();
    for node in plan.cluster.nodes.iter().filter(|node| order.same_machines.contains(&node.name)) {
        if vault.find_other_machine(node)?.is_some() {
            doubted.push(node.clone());
        }
    }
    Ok(doubted)
}

impl IssuedKeys {
    /// Issues the certificates of `selection`, if there are any.
    fn issue(
        cluster: &Cluster,
        selection: &Selection<'_>,
        published: Certificates,
        vault: Vault,
        now: OffsetDateTime,
    ) -> anyhow::Result<Self> {
        let (host_keys, passphrases) = (HostKeyIssue::default(), PassphraseIssue::default());
        if selection.is_empty() {
            let same_machines = Vec::new();
            return Ok(Self { vault, published, certificates: None, host_keys, passphrases, same_machines });
        }
        let is_published = published.ca.is_some();
        let issued = certificates::issue(cluster, selection, published, &vault, now)?;
        let authority = match (&issued.new_ca, is_published) {
            (Some(_), _) => Authority::New,
            (None, false) => Authority::FromVault,
            (None, true) => Authority::Published,
        };
        let published = issued.certificates.clone();
        let certificates = Some((issued, authority));
        Ok(Self { vault, published, certificates, host_keys, passphrases, same_machines: Vec::new() })
    }

    /// Makes the host keys of new nodes and those that `order` lists, and the passphrases of encrypted disks.
    fn make_node_secrets(
        &mut self,
        plan: &Plan,
        former: &FormerMachines,
        order: &IssueOrder,
    ) -> anyhow::Result<()> {
        let keys = match &mut self.certificates {
            Some((issued, _)) => [&mut issued.new_keys[..], &mut issued.replaced_keys[..]],
            None => [&mut [][..], &mut [][..]],
        };
        let [new, replaced] = keys;
        let (asked, anew) = (&order.host_keys, &order.installed_anew);
        self.host_keys =
            certificates::issue_host_keys(plan, former, asked, &self.vault, [&mut *new, &mut *replaced])?;
        self.passphrases = certificates::issue_passphrases(plan, former, anew, &self.vault, [new, replaced])?;
        Ok(())
    }

    /// The CA that was made, if one was.
    fn new_ca(&self) -> Option<&CaIssuer> {
        self.certificates.as_ref().and_then(|(issued, _)| issued.new_ca.as_ref())
    }

    /// Stores the keys in the vault.
    fn store(&self) -> anyhow::Result<()> {
        if let Some((issued, _)) = &self.certificates {
            issued.store(&self.vault)?;
        }
        self.store_additions()
    }

    /// Stores in the vault what goes into entries that the vault has.
    fn store_additions(&self) -> anyhow::Result<()> {
        self.host_keys.store(&self.vault)?;
        self.passphrases.store(&self.vault)?;
        self.vault.store_machines(&self.same_machines)
    }

    /// The directory of the vault, if it has keys that this run has published, or passphrases that it has made.
    fn used_vault(&self) -> Option<PathBuf> {
        let is_used =
            self.certificates.is_some() || !self.host_keys.new.is_empty() || !self.passphrases.new.is_empty();
        is_used.then(|| self.vault.dir().to_owned())
    }

    /// The report on what was issued and made.
    fn report(self) -> (Option<IssuedCertificates>, NewHostKeys, NewPassphrases) {
        let vault = self.vault.dir().to_owned();
        let issued = self.certificates.map(|(issued, authority)| {
            let replaced = issued.replaced_keys.into_iter().map(|key| key.fqdn);
            IssuedCertificates {
                authority,
                vault,
                rekeyed: replaced.filter(|fqdn| !issued.returned.contains(fqdn)).collect(),
                certificates: issued.issued,
                returned: issued.returned,
            }
        });
        let host_keys = NewHostKeys { new: self.host_keys.new, unknown: self.host_keys.unknown };
        let passphrases = NewPassphrases {
            new: self.passphrases.new,
            anew: self.passphrases.anew,
            unknown: self.passphrases.unknown,
        };
        (issued, host_keys, passphrases)
    }
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
    plan.host_keys.check(&plan.cluster)?;
    let nodes = certificates::list_lacking(&plan.cluster, &plan.certificates)?;
    let uncertified = nodes.into_iter().map(|node| node.name.clone()).collect();
    let before = plan.certificates.clone();
    revocation::revoke(&plan.cluster, &before, &mut plan.certificates, &BTreeSet::new(), now)?;
    let has_current_crls = revocation::has_current_crls(&plan.certificates, now)?;
    Ok(Comparison { changes: changes(root, &plan)?, uncertified, has_current_crls })
}

/// The files in `root` that differ from the outputs of `plan`, by path.
///
/// # Errors
/// When a file cannot be read, or a directory is not plasmagen's.
pub fn changes(root: &Path, plan: &Plan) -> anyhow::Result<Vec<FileChange>> {
    write::check(root, &outputs::render(plan)?)
}
