//! The CA that signs a cluster's certificates: the vault's, or a new one.

use anyhow::{bail, ensure};
use time::OffsetDateTime;

use super::requests::ca_request;
use crate::model::Cluster;
use crate::pki::issue::CaIssuer;
use crate::pki::read::PublicCert;
use crate::pki::trust::{CaFault, find_ca_fault};
use crate::pki::vault::Vault;

/// Takes the CA `published` from the vault or, where none is published, the vault's newest, or makes one; returns the CA and
/// whether it is new. A CA is made only where neither the
/// vault nor `nodes/` holds any certificate (rule H03), since a second CA would cut off the nodes of the first one.
pub(super) fn take_or_make_ca(
    cluster: &Cluster,
    published: Option<&PublicCert>,
    vault: &Vault,
    now: OffsetDateTime,
) -> anyhow::Result<(CaIssuer, bool)> {
    let dir = vault.dir().display();
    if let Some(published) = published {
        return Ok((open_published(published, vault)?, false));
    }
    match vault.newest_ca()? {
        Some((generation, ca)) => match find_ca_fault(ca.certificate(), cluster, None) {
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
        None => {
            ensure!(
                vault.is_empty()?,
                "the vault {dir} holds keys of nodes, but no CA: restore it from a backup, plasmagen vault restore FILE \
                 --vault DIR, into a new directory"
            );
            Ok((CaIssuer::create(&ca_request(cluster, 1)?, now)?, true))
        }
    }
}

/// Opens the CA in `vault` whose certificate is `published`.
fn open_published(published: &PublicCert, vault: &Vault) -> anyhow::Result<CaIssuer> {
    let dir = vault.dir().display();
    match vault.find_ca(published)? {
        Some(ca) => Ok(ca),
        None if vault.authorities()?.is_empty() => bail!(
            "nodes/ publishes a CA, but its key is not in the vault {dir}: name the vault that holds it with --vault, or \
             restore the vault from a backup: plasmagen vault restore FILE. A new CA would cut off every node that trusts the old one"
        ),
        None => bail!(
            "nodes/ publishes another CA than that of the vault {dir}: name the vault of this cluster with --vault"
        ),
    }
}

/// Checks that each of the CAs `published` is in `vault`: a stranger's CA beside the cluster's would be copied into the
/// directory of each new node, and trusted there.
///
/// # Errors
/// When the vault lacks one of them, or can't be read.
pub(super) fn check_held(published: &[PublicCert], vault: &Vault) -> anyhow::Result<()> {
    if published.is_empty() {
        return Ok(());
    }
    let held = vault.authorities()?;
    for ca in published {
        ensure!(
            held.iter().any(|other| other.public_key == ca.public_key),
            "the vault {} does not hold {}, which nodes/ publishes: if {1} is no CA of this cluster, restore ca-cert.pem in \
             nodes/ from git; else name the vault of this cluster with --vault, or restore it from a backup: plasmagen vault \
             restore FILE",
            vault.dir().display(),
            ca.name()
        );
    }
    Ok(())
}
