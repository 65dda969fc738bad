//! The certificates of a cluster: which are missing, their issue, and the keys that they are for.

use anyhow::{Context, bail, ensure};
use rayon::prelude::*;
use time::OffsetDateTime;

use self::authority::take_or_make_ca;
use self::node_key::{borrow_keys, has_key_of_other_machine};
use super::issue::{CaIssuer, IssuedCertificate};
use super::read::PublicCert;
use super::secret::SecretKey;
use super::trust::{Issuer, find_ca_fault, find_issuer};
use super::vault::Vault;
use crate::model::{Cluster, Node};
use crate::plan::{Certificates, node_dir};

mod authority;
mod node_key;
mod requests;

pub use node_key::NodeKey;
pub use requests::leaf_request;

/// The result of [`issue`]: public certificates, and the keys that the vault does not hold yet.
#[derive(Debug)]
pub struct Issue {
    /// The CA that was made, if there was no certificate anywhere.
    pub new_ca: Option<CaIssuer>,
    /// The keys that were made.
    pub new_keys: Vec<NodeKey>,
    /// The keys that were made for names which the vault has keys of: those of other machines, which were removed.
    pub replaced_keys: Vec<NodeKey>,
    /// All certificates of the cluster, old and new.
    pub certificates: Certificates,
    /// Number of nodes for which a certificate was issued.
    pub issued: usize,
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

/// Lists the nodes without a certificate that says what the inventory asks for. The rules have checked the certificates by
/// then; this function verifies once more who signed them, since it reads what lies there after the lock is taken.
///
/// # Errors
/// When an existing certificate can't be read, or was not signed by a CA of the cluster that `nodes/` publishes.
pub fn list_lacking<'a>(cluster: &'a Cluster, certificates: &Certificates) -> anyhow::Result<Vec<&'a Node>> {
    ensure!(
        certificates.ca.is_some() || certificates.nodes.is_empty(),
        "nodes/ holds certificates but no ca-cert.pem: restore it from git"
    );
    let published = certificates.ca.as_deref().unwrap_or_default();
    let trusted = PublicCert::list_from_pem(published).context("could not use the ca-cert.pem in nodes/")?;
    for ca in &trusted {
        if let Some(fault) = find_ca_fault(ca, cluster, None) {
            bail!("ca-cert.pem in nodes/ holds {fault}: restore it from git");
        }
    }
    let lacks = |node: &&'a Node| -> anyhow::Result<Option<&'a Node>> {
        let Some(pem) = certificates.nodes.get(&node.name) else { return Ok(Some(node)) };
        let unusable = || {
            format!(
                "could not use the certificate of {name} in {dir}/: restore it from git, or remove it, and plasmagen \
                 render issues another",
                name = node.name,
                dir = node_dir(node)
            )
        };
        let certificate = PublicCert::from_pem(pem).with_context(unusable)?;
        let is_signed = matches!(find_issuer(&trusted, &certificate), Some(Issuer { has_signed: true, .. }));
        ensure!(is_signed, "{}: it is not signed by the CA in ca-cert.pem", unusable());
        Ok(if certificate.covers(&leaf_request(cluster, node)?) { None } else { Some(node) })
    };
    let nodes: Vec<&Node> = cluster.nodes.iter().collect();
    // Collected before the first error is taken, here and below, so that of several errors always the same one is told.
    let lacking: Vec<_> = nodes.par_iter().map(lacks).collect();
    lacking.into_iter().filter_map(anyhow::Result::transpose).collect()
}

/// Issues certificates for `nodes`, in memory: the caller stores the keys before the certificates are published.
///
/// # Errors
/// When the CA's key is not in the vault although the CA is published, when the vault's CA is another one, or when the
/// CA may not vouch for a name or address of a node.
pub fn issue(
    cluster: &Cluster,
    nodes: &[&Node],
    have: Certificates,
    vault: &Vault,
    now: OffsetDateTime,
) -> anyhow::Result<Issue> {
    let (ca, is_new) = take_or_make_ca(cluster, &have, vault, now)?;
    // A name that nodes/ does not know may have come back for another machine: the key of the former machine is not used
    // again. For the same machine the key is used again: another work tree may have rendered the node with this vault,
    // and the machine may run with the key already.
    let is_back = |node: &Node| -> anyhow::Result<bool> {
        Ok(have.ca.is_some() && !have.rendered.contains(&node.name) && has_key_of_other_machine(vault, node)?)
    };
    let sign = |node: &&Node| {
        let known = vault.key(node.fqdn.as_str())?;
        let (old, known) = if is_back(node)? { (known, None) } else { (None, known) };
        let issued = ca.sign_leaf(&leaf_request(cluster, node)?, now, known.as_ref());
        let IssuedCertificate { cert_pem, key } =
            issued.with_context(|| format!("could not issue the certificate of {}", node.name))?;
        let new_key = known.is_none().then(|| NodeKey::new(node, key));
        anyhow::Ok((node.name.clone(), cert_pem, new_key, old.is_some()))
    };
    let signed: Vec<_> = nodes.par_iter().map(sign).collect();
    let signed = signed.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let mut issue = Issue {
        new_ca: None,
        new_keys: Vec::new(),
        replaced_keys: Vec::new(),
        certificates: have,
        issued: signed.len(),
    };
    // While one CA replaces another, both are published.
    issue.certificates.ca.get_or_insert_with(|| ca.cert_pem().to_owned());
    for (name, pem, key, replaces) in signed {
        issue.certificates.nodes.insert(name, pem);
        if replaces { &mut issue.replaced_keys } else { &mut issue.new_keys }.extend(key);
    }
    issue.new_ca = is_new.then_some(ca);
    Ok(issue)
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
             --vault, or restore it from a backup",
            node.fqdn,
            node_dir(node)
        )
    })?;
    ensure!(
        key.belongs_to(&certificate)?,
        "the certificate of {name} in {dir_of_node}/ is for another key than that of the vault {dir}, so nobody would \
         accept the node: name the vault of this cluster with --vault, or remove the certificate, and plasmagen render \
         issues another",
        dir_of_node = node_dir(node)
    );
    Ok(key)
}
