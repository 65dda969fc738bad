//! The certificates of a cluster: their requests, which are missing, and their issue.

use anyhow::{Context, bail, ensure};
use ipnet::IpNet;
use rayon::prelude::*;
use time::OffsetDateTime;

use crate::model::{Cluster, Node};
use crate::plan::{Certificates, node_dir};

use super::issue::{CaIssuer, IssuedCertificate};
use super::read::PublicCert;
use super::request::{CaRequest, LeafRequest};
use super::secret::SecretKey;
use super::trust::{CaFault, Issuer, find_ca_fault, find_issuer};
use super::vault::Vault;

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

/// A key that was made for a node.
#[derive(Debug)]
pub struct NodeKey {
    /// Full name of the node.
    pub fqdn: String,
    /// The private key.
    pub key: SecretKey,
    /// The machine, as [`describe_machine`] does.
    machine: String,
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

fn borrow_keys(keys: &[NodeKey]) -> Vec<(&str, &SecretKey, &str)> {
    keys.iter().map(|NodeKey { fqdn, key, machine }| (fqdn.as_str(), key, machine.as_str())).collect()
}

/// Describes the machine of `node` for the vault: serial number and MAC address, one a line.
fn describe_machine(node: &Node) -> String {
    let serial = node.serial.as_ref().map(|serial| format!("serial {}\n", serial.as_str()));
    format!("{}mac {}\n", serial.unwrap_or_default(), node.mac)
}

/// Whether the vault holds a key of another machine for the name of `node`: neither serial number nor MAC address is that
/// of `node`.
fn has_key_of_other_machine(vault: &Vault, node: &Node) -> anyhow::Result<bool> {
    let Some(recorded) = vault.machine(node.fqdn.as_str())? else { return Ok(false) };
    let machine = describe_machine(node);
    Ok(recorded.lines().all(|line| machine.lines().all(|other| other != line)))
}

/// Requests the certificate of `node`: for its full name, the names and addresses of the VIPs that the node may take over,
/// its own addresses and the loopbacks.
///
/// # Errors
/// When a name can't be certified; the rules refuse such names, so that is a bug of plasmagen.
pub fn leaf_request(cluster: &Cluster, node: &Node) -> anyhow::Result<LeafRequest> {
    let names = cluster.vips.iter().map(|vip| format!("{}.{}", vip.name, cluster.domain));
    let addresses = node.addresses().chain(cluster.vips.iter().map(|vip| vip.address));
    LeafRequest::new(node.fqdn.as_str(), names, addresses, cluster.tls.algorithm, cluster.tls.node_days)
}

/// Requests the CA of the cluster, which may vouch for the cluster's domain and subnets, and for nothing else.
fn ca_request(cluster: &Cluster, generation: u32) -> anyhow::Result<CaRequest> {
    let subnets: Vec<IpNet> = cluster.networks.values().flat_map(crate::model::Network::subnets).collect();
    let (name, domain) = (cluster.name.as_str(), cluster.domain.as_str());
    CaRequest::new(name, generation, domain, &subnets, cluster.tls.algorithm, cluster.tls.ca_days)
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
        let new_key = known.is_none().then(|| NodeKey {
            fqdn: node.fqdn.to_string(),
            key,
            machine: describe_machine(node),
        });
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

/// Takes the CA from the vault, or makes one; returns the CA and whether it is new. A CA is made only where neither the
/// vault nor `nodes/` holds any certificate (rule H03), since a second CA would cut off the nodes of the first one.
fn take_or_make_ca(
    cluster: &Cluster,
    have: &Certificates,
    vault: &Vault,
    now: OffsetDateTime,
) -> anyhow::Result<(CaIssuer, bool)> {
    let dir = vault.dir().display();
    match (vault.newest_ca()?, &have.ca) {
        (Some((_, ca)), Some(published)) => {
            let published = PublicCert::list_from_pem(published)?;
            ensure!(
                published.iter().any(|other| other.public_key == ca.certificate().public_key),
                "nodes/ publishes another CA than that of the vault {dir}: name the vault of this cluster with --vault"
            );
            Ok((ca, false))
        }
        (Some((generation, ca)), None) => match find_ca_fault(ca.certificate(), cluster, None) {
            Some(CaFault::OtherCluster { cluster: Some(other), .. }) => bail!(
                "{dir} is the vault of cluster {other}, and this is cluster {name}: name the vault of {name} with \
                 --vault; a directory that does not exist yet becomes a new one. If {other} is this cluster's former name, \
                 write it into `former_names` of [cluster]",
                name = cluster.name
            ),
            Some(fault) => {
                bail!("the vault {dir} holds {fault}: name the vault of this cluster with --vault")
            }
            None => {
                vault.check_site(generation)?;
                Ok((ca, false))
            }
        },
        (None, Some(_)) => bail!(
            "nodes/ publishes a CA, but its key is not in the vault {dir}: name the vault that holds it with --vault; \
             a new CA would cut off every node that trusts the old one"
        ),
        (None, None) => {
            ensure!(
                vault.is_empty()?,
                "the vault {dir} holds keys of nodes, but no CA: restore it from a backup"
            );
            Ok((CaIssuer::create(&ca_request(cluster, 1)?, now)?, true))
        }
    }
}
