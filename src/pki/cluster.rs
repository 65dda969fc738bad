//! The certificates of a cluster: which are published, which get a successor, their issue, and the keys that they are for.

use anyhow::{Context, bail, ensure};
use rayon::prelude::*;
use time::OffsetDateTime;

use self::authority::{check_held, take_or_make_ca};
use self::node_key::borrow_keys;
use self::selection::SelectedNode;
use super::issue::{CaIssuer, IssuedCertificate};
use super::read::PublicCert;
use super::revocation::{RevocationList, read_list};
use super::secret::SecretKey;
use super::vault::Vault;
use crate::model::{Cluster, HostName, Node};
use crate::plan::{Certificates, node_dir};

mod authority;
mod host_keys;
mod node_host_key;
mod node_key;
mod passphrases;
mod published;
mod requests;
mod rotation;
mod selection;

pub use host_keys::{HostKeyIssue, HostKeyRequest, issue_host_keys};
pub use node_host_key::{NodeHostKey, find_checked_host_key};
pub use node_key::NodeKey;
pub use passphrases::{PassphraseIssue, issue_passphrases};
pub use requests::leaf_request;
pub use rotation::{
    NextCa, Rotation, RotationStage, append_ca, check_kept, keep_authorities, take_or_make_next_ca,
};
pub use selection::{IssueOrder, IssueReason, Renewals, Selection, list_lacking, select};

/// The result of [`issue`]: public certificates, and the keys that the vault does not hold yet.
#[derive(Debug)]
pub struct Issue {
    /// The CA that was made, if there was no certificate anywhere.
    pub new_ca: Option<CaIssuer>,
    /// The keys that were made.
    pub new_keys: Vec<NodeKey>,
    /// The keys that were made for names which the vault has keys of: these are put aside.
    pub replaced_keys: Vec<NodeKey>,
    /// The full names of the nodes that came back after a removal, for another machine: their keys are among
    /// `replaced_keys`.
    pub returned: Vec<String>,
    /// All certificates of the cluster, old and new.
    pub certificates: Certificates,
    /// The nodes for which a certificate was issued, and why.
    pub issued: Vec<(HostName, IssueReason)>,
}

impl Issue {
    /// Stores the keys in `vault`: that of the CA first, then those of the nodes.
    ///
    /// # Errors
    /// As for [`Vault::store_ca`] and [`Vault::store`].
    pub fn store(&self, vault: &Vault) -> anyhow::Result<()> {
        if let Some(ca) = &self.new_ca {
            vault.store_ca(1, ca)?;
        }
        vault.store(&borrow_keys(&self.new_keys))?;
        vault.replace(&borrow_keys(&self.replaced_keys))
    }
}

/// Issues certificates for the nodes of `selection`, in memory: the caller stores the keys before the certificates are
/// published. `have` are the published certificates.
///
/// # Errors
/// When the key of a published CA is not in the vault, when the vault's CA is another one, when the CA may not vouch for a name
/// or address of a node, or when the vault has no key for a certificate that is published.
pub fn issue(
    cluster: &Cluster,
    selection: &Selection<'_>,
    have: Certificates,
    vault: &Vault,
    now: OffsetDateTime,
) -> anyhow::Result<Issue> {
    let (ca, is_new) = take_or_make_ca(cluster, selection.issuing_ca.as_ref(), vault, now)?;
    check_held(&selection.authorities, vault)?;
    let revoked = read_list(&have)?;
    let sign = |selected| {
        check_permitted(cluster, selected, &ca, selection)?;
        sign(cluster, selected, &ca, (&have, &revoked), vault, now)
    };
    // Collected before the first error is taken, so that of several errors always the same one is told.
    let signed: Vec<_> = selection.nodes.par_iter().map(sign).collect();
    let signed = signed.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let mut issue = Issue {
        new_ca: None,
        new_keys: Vec::new(),
        replaced_keys: Vec::new(),
        returned: Vec::new(),
        certificates: have,
        issued: Vec::new(),
    };
    // While one CA replaces another, both are published.
    issue.certificates.ca.get_or_insert_with(|| ca.cert_pem().to_owned());
    for SignedNode { node, reason, cert_pem, new_key, replaces, is_returned } in signed {
        issue.certificates.nodes.insert(node.name.clone(), cert_pem);
        issue.issued.push((node.name.clone(), reason));
        if is_returned {
            issue.returned.push(node.fqdn.to_string());
        }
        if replaces { &mut issue.replaced_keys } else { &mut issue.new_keys }.extend(new_key);
    }
    issue.new_ca = is_new.then_some(ca);
    Ok(issue)
}

/// A node with the certificate that was just signed.
struct SignedNode<'a> {
    node: &'a Node,
    reason: IssueReason,
    cert_pem: String,
    /// The key, where the vault does not hold that key yet.
    new_key: Option<NodeKey>,
    /// Whether the vault holds another key for the node.
    replaces: bool,
    is_returned: bool,
}

/// Checks that `ca` may sign the certificate of a selected node where a newer CA that is published already may sign it: the
/// operator replaces the CA for the sake of such nodes.
fn check_permitted(
    cluster: &Cluster,
    selected: &SelectedNode<'_>,
    ca: &CaIssuer,
    selection: &Selection<'_>,
) -> anyhow::Result<()> {
    let request = leaf_request(cluster, selected.node)?;
    let (ca, refused) = (ca.certificate(), ca.certificate().constraints.refused(&request));
    if let Some(newest) = selection.authorities.last()
        && !refused.is_empty()
        && newest.constraints.refused(&request).is_empty()
    {
        bail!(
            "{} may not vouch for {} in the certificate of {}, but {}, which takes its place, may: issue all certificates by \
             the new CA, with plasmagen certs rotate issue, as soon as every machine has the ca-cert.pem with both",
            ca.name(),
            refused.join(", "),
            selected.node.name,
            newest.name()
        );
    }
    Ok(())
}

/// Signs the certificate of a selected node, for the node's key in `vault` or for a new key.
fn sign<'a>(
    cluster: &Cluster,
    selected: &SelectedNode<'a>,
    ca: &CaIssuer,
    (have, revoked): (&Certificates, &RevocationList),
    vault: &Vault,
    now: OffsetDateTime,
) -> anyhow::Result<SignedNode<'a>> {
    let node = selected.node;
    let known = vault.key(node.fqdn.as_str())?;
    let is_returned = match &known {
        Some(key) => must_be_replaced(node, key, (have, revoked), vault)?,
        None => false,
    };
    ensure!(known.is_some() || may_get_a_key(selected), explain_missing_key(node, vault));
    let replaces = known.is_some() && (is_returned || selected.has_new_key);
    let key = known.filter(|_| !replaces);
    let issued = ca.sign_leaf(&leaf_request(cluster, node)?, now, key.as_ref());
    let IssuedCertificate { cert_pem, key: used } =
        issued.with_context(|| format!("could not issue the certificate of {}", node.name))?;
    let new_key = key.is_none().then(|| NodeKey::new(node, used));
    Ok(SignedNode { node, reason: selected.reason, cert_pem, new_key, replaces, is_returned })
}

/// Whether the vault's `key` of `node` must not be used again: the key was revoked, or the name has come back for
/// another machine. Else the key is used again: another work tree may have rendered the node with this vault, and the
/// machine may run with the key already.
fn must_be_replaced(
    node: &Node,
    key: &SecretKey,
    (have, revoked): (&Certificates, &RevocationList),
    vault: &Vault,
) -> anyhow::Result<bool> {
    if have.ca.is_none() {
        return Ok(false);
    }
    if !have.rendered.contains(&node.name) && vault.find_other_machine(node)?.is_some() {
        return Ok(true);
    }
    let public = key.public_key()?;
    // Of a certificate that is published and revoked, PG-J03 tells. A vault that was restored from an older backup may
    // hold the key of a certificate that was revoked before.
    let published = have.nodes.get(&node.name).map(|pem| PublicCert::from_pem(pem)).transpose()?;
    let is_published = published.is_some_and(|certificate| certificate.has_key(&public));
    Ok(!is_published && revoked.has_key(node.fqdn.as_str(), &public))
}

/// Whether a key may be made for a node of which the vault has none: a published certificate is for a key that the machine
/// may run with, and a certificate for another key would stop the machine's services.
fn may_get_a_key(selected: &SelectedNode<'_>) -> bool {
    selected.has_new_key || matches!(selected.reason, IssueReason::Missing | IssueReason::Superseded)
}

fn explain_missing_key(node: &Node, vault: &Vault) -> String {
    format!(
        "the vault {} has no key for {}, whose certificate {}/ publishes: name the vault that holds it with --vault, \
         restore it from a backup, or give the node a new key: plasmagen certs renew {} --new-key",
        vault.dir().display(),
        node.fqdn,
        node_dir(node),
        node.name
    )
}

/// Reads the key of `node` from `vault`, and checks that the node's committed certificate was issued for that key.
///
/// # Errors
/// When key and certificate do not belong together, or one of them is missing or unreadable: the message says what to do.
pub fn read_checked_key(
    node: &Node,
    certificates: &Certificates,
    vault: &Vault,
) -> anyhow::Result<SecretKey> {
    let (name, dir) = (&node.name, vault.dir().display());
    let pem = certificates.nodes.get(name);
    let pem = pem.with_context(|| format!("{name} has no certificate yet: plasmagen render issues it"))?;
    let certificate = PublicCert::from_pem(pem)
        .with_context(|| format!("could not use the certificate of {name} in {}/", node_dir(node)))?;
    let key = vault.key(node.fqdn.as_str())?.with_context(|| {
        format!(
            "the vault {dir} has no key for {}, whose certificate {}/ publishes: name the vault that holds it with \
             --vault, or restore it from a backup: plasmagen vault restore FILE",
            node.fqdn,
            node_dir(node)
        )
    })?;
    ensure!(
        key.belongs_to(&certificate)?,
        "the certificate of {name} in {dir_of_node}/ is for another key than that of the vault {dir}, so nobody would \
         accept the node: name the vault of this cluster with --vault, restore a newer backup, plasmagen vault restore \
         FILE, or give the node a new key: plasmagen certs renew {name} --new-key",
        dir_of_node = node_dir(node)
    );
    Ok(key)
}
