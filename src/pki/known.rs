//! The vault as far as rules see it: whether it is at hand, and the public halves of its keys. Private keys are read and
//! dropped at once.

use std::fs::{self, DirEntry};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::Context;
use rayon::prelude::*;
use rustix::process::geteuid;

use crate::fs::Errno;
use crate::model::{Cluster, Node};

use super::known_vault::KnownVault;
use super::vault::Vault;

/// The vault of a cluster, as found by a command that needs no key.
#[derive(Clone, Debug)]
pub enum VaultView {
    /// A vault with a CA.
    Usable(KnownVault),
    /// No vault that this user can look into. The text says why.
    NotAtHand(String),
    /// Something that must not be used as a vault. The text says why.
    Unusable(String),
}

/// The need that a command has for the vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VaultUse {
    /// For the comparison with `nodes/` only.
    Comparison,
    /// For the private keys in it, too.
    Keys,
}

impl VaultView {
    /// Looks at the vault of `cluster` in the directory `dir`, which must not be in one of the directories `forbidden`, for
    /// a command that needs the vault for `purpose`.
    ///
    /// An empty directory, as an unmounted file system leaves behind, and a link that leads nowhere are no vault. A user who can
    /// put them there can remove the vault as well.
    ///
    /// # Errors
    /// When the system fails, such as a disk; what this user may not look at is [`VaultView::NotAtHand`].
    pub fn look(
        dir: &Path,
        forbidden: &[&Path],
        cluster: &Cluster,
        purpose: VaultUse,
    ) -> anyhow::Result<Self> {
        let shown = dir.display();
        match fs::metadata(dir) {
            Ok(found) => {
                // Permissions keep other users from the vault of an operator, but not root, who publishes.
                let is_foreign = geteuid().is_root() && found.uid() != 0;
                if is_foreign && purpose == VaultUse::Comparison {
                    let why = format!("{shown} belongs to user {}: not compared", found.uid());
                    return Ok(Self::NotAtHand(why));
                }
            }
            Err(error) => {
                return match Errno::from_io_error(&error) {
                    Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {
                        let link =
                            if dir.is_symlink() { ", only a symbolic link that leads nowhere" } else { "" };
                        Ok(Self::NotAtHand(format!("there is no vault at {shown}{link}")))
                    }
                    Some(Errno::ACCESS) => Ok(Self::NotAtHand(format!("could not look at {shown}: {error}"))),
                    _ => Err(error).with_context(|| format!("could not look at {shown}")),
                };
            }
        }
        let known = if is_bare(dir) {
            Vault::check_place(dir, forbidden).map(|_| None)
        } else {
            let opened = Vault::open_or_new(dir, forbidden);
            opened.and_then(|vault| gather(&vault, cluster)).map(Some)
        };
        match known {
            Ok(None) => Ok(Self::NotAtHand(format!("there is no vault at {shown}, only an empty directory"))),
            Ok(Some(known)) if known.authorities.is_empty() => {
                Ok(Self::NotAtHand(format!("the vault {} holds no CA", known.dir.display())))
            }
            Ok(Some(known)) => Ok(Self::Usable(known)),
            Err(why) => match find_system_error(&why) {
                Some(Errno::ACCESS) => Ok(Self::NotAtHand(format!("{why:#}"))),
                Some(_) => Err(why),
                None => Ok(Self::Unusable(format!("{why:#}"))),
            },
        }
    }

    /// The vault, if it can be used.
    #[must_use]
    pub fn usable(&self) -> Option<&KnownVault> {
        if let Self::Usable(known) = self { Some(known) } else { None }
    }
}

/// Reads the CAs in `vault`, and the keys of the nodes of `cluster`.
///
/// # Errors
/// When a file in the vault cannot be read or used, or others can read it.
fn gather(vault: &Vault, cluster: &Cluster) -> anyhow::Result<KnownVault> {
    let authorities = vault.authorities()?;
    let read = |node: &Node| {
        let key = vault.public_key(node.fqdn.as_str())?;
        anyhow::Ok(key.map(|key| (node.name.clone(), key)))
    };
    let keys: Vec<_> = cluster.nodes.par_iter().map(read).collect();
    let keys = keys.into_iter().filter_map(Result::transpose).collect::<anyhow::Result<_>>()?;
    let latest = vault.retired()?;
    let read = |node: &Node| {
        let Some(number) = latest.get(node.fqdn.as_str()) else { return Ok(None) };
        let key = vault.retired_public_key(node.fqdn.as_str(), *number)?;
        anyhow::Ok(key.map(|key| (node.name.clone(), key)))
    };
    let retired: Vec<_> = cluster.nodes.par_iter().map(read).collect();
    let retired = retired.into_iter().filter_map(Result::transpose).collect::<anyhow::Result<_>>()?;
    let find = |node: &Node| {
        let other = vault.find_other_machine(node)?;
        anyhow::Ok(other.map(|machine| (node.name.clone(), machine)))
    };
    let others: Vec<_> = cluster.nodes.par_iter().map(find).collect();
    let other_machines = others.into_iter().filter_map(Result::transpose).collect::<anyhow::Result<_>>()?;
    Ok(KnownVault { dir: vault.dir().to_owned(), authorities, keys, retired, other_machines })
}

/// Whether nothing is in the directory `dir` but the lost+found of a new file system.
fn is_bare(dir: &Path) -> bool {
    let is_none = |entry: io::Result<DirEntry>| entry.is_ok_and(|entry| entry.file_name() == "lost+found");
    fs::read_dir(dir).is_ok_and(|mut entries| entries.all(is_none))
}

/// Finds the error of a system call behind `error`; none where plasmagen refuses what the calls have found.
fn find_system_error(error: &anyhow::Error) -> Option<Errno> {
    error.chain().find_map(|cause| {
        let io =
            cause.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error).map(Errno::from_raw_os_error);
        io.or_else(|| cause.downcast_ref::<Errno>().copied())
    })
}
