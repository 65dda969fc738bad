//! The vault, a directory of private keys. Only this file and those below write keys: into the vault, [staged] for an
//! installation, and [encrypted].
//!
//! ```text
//! <vault>/                                      0700
//!   ca-1/  ca-cert.pem  ca-key.pem              the CA of generation 1; a rotation adds ca-2
//!          site                                 the directory of the site that the CA was made for
//!   node01.example.com/  node01-key.pem         the key of a node, with the file name that it has on the node
//!                        ssh_host_ed25519_key   the SSH host key of the node, if plasmagen made the key
//!                        luks-passphrase        the passphrase of the node's encrypted disks, if plasmagen made it
//!                        machine                the machine that the keys were made for
//!   bmc/  node01  node01.certificate            a BMC's password, from the user, and its certificate's SHA-256
//!   .retired/  node03.example.com.1/            keys of nodes that have other keys now
//!   .backup.json                                list of the files that the last backup holds
//! ```
//!
//! Directories are 0700 and files 0600 from the moment they exist, whatever the umask. Nothing is ever overwritten.
//!
//! The vault belongs to root or to the user who runs plasmagen. Everything in it is reached by descriptor and without
//! following a symbolic link, and each opened directory and file is asked for its owner and mode.
//!
//! **Order.** An entry is a directory. It is written whole into `.staging`, made durable (an `fsync` for each file, or one
//! `syncfs` for many), and renamed to its real name; then the directory of the vault is made durable. Only then does the
//! call return, and only after that may the caller publish the certificate. So a run that dies, or a machine that loses
//! power, leaves an entry absent or complete, and never a certificate whose key is lost. At worst a key has no certificate
//! yet: the next run finds the key with [`Vault::key`] or [`Vault::newest_ca`] and goes on from there. Where a published
//! certificate is for a key in `.retired`, the next run issues one for the key that has taken its place. The next run that
//! stores something also removes what is left in `.staging`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;

pub use self::backup::{Backup, BackupRequest, back_up};
pub use self::backup_manifest::BackupManifest;
pub use self::bmc::BmcPassword;
pub use self::entry_kind::EntryKind;
pub use self::entry_row::{EntryRow, EntryState};
pub use self::host_keys::{HostKeyFault, find_host_key_fault};
pub use self::published::PublishedKeys;
pub use self::restore::{RestoreRequest, Restored, restore};
pub use self::upkeep::{LastBackup, VaultReport, count_unsaved, examine_vault};
pub use self::vault_files::VaultFault;

use self::contents::check_contents;
use self::entries::store_entries;
use self::files::PrivateDir;
pub use self::node_keys::NewNodeKeys;
use self::site::UsingSite;
use super::issue::CaIssuer;
use super::read::PublicCert;
use super::secret::SecretKey;

mod authorities;
mod backup;
mod backup_archive;
mod backup_manifest;
mod bmc;
mod contents;
pub mod encrypted;
mod entries;
mod entry_kind;
mod entry_row;
mod examine;
mod files;
mod git;
mod host_keys;
mod location;
mod machines;
mod node_keys;
mod passphrases;
mod published;
mod restore;
mod retired;
mod site;
pub mod staged;
mod upkeep;
mod vault_files;

/// A directory of private keys, which only its owner may enter.
#[derive(Debug)]
pub struct Vault {
    dir: PathBuf,
    /// The site that uses the vault; none where nobody said so.
    site: Option<UsingSite>,
}

impl Vault {
    /// Opens the vault at `dir`. Where there is none, the vault is empty, and the directory is made when something is stored:
    /// a run that fails before that leaves nothing behind.
    ///
    /// # Errors
    /// As for [`Vault::open`], unless there is nothing at `dir`.
    pub fn open_or_new(dir: &Path, forbidden: &[&Path]) -> anyhow::Result<Self> {
        let vault = Self { dir: Self::check_place(dir, forbidden)?, site: None };
        if let Some(dir) = PrivateDir::open(&vault.dir)? {
            check_contents(&dir)?;
        }
        Ok(vault)
    }

    /// Opens the vault at `dir`. The vault must not be in one of the directories `forbidden`, which plasmagen writes or
    /// serves in public.
    ///
    /// # Errors
    /// When there is no such directory, when the directory holds other things, when others could read the keys there (in
    /// the Nix store, below a directory with a `flake.nix`, in a git work tree that does not ignore it, or in a forbidden
    /// one, symbolic links followed), when group or others may enter the directory, or when it belongs to another user.
    pub fn open(dir: &Path, forbidden: &[&Path]) -> anyhow::Result<Self> {
        let vault = Self { dir: Self::check_place(dir, forbidden)?, site: None };
        let dir = PrivateDir::open(&vault.dir)?;
        check_contents(&dir.with_context(|| format!("there is no vault at {}", vault.dir.display()))?)?;
        Ok(vault)
    }

    /// Checks that a vault may lie at `dir`, and returns the path with symbolic links resolved.
    pub(super) fn check_place(dir: &Path, forbidden: &[&Path]) -> anyhow::Result<PathBuf> {
        location::check_private("the vault", dir, forbidden)
    }

    /// The directory of the vault, with symbolic links resolved.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// States the directory of the site that uses the vault, and whether the user named the vault on the command line.
    #[must_use]
    pub fn used_by(self, dir: PathBuf, is_named: bool) -> Self {
        Self { site: Some(UsingSite { dir, is_named }), ..self }
    }

    /// Checks that the site may take the CA of `generation`, although its `nodes/` publishes no CA.
    ///
    /// # Errors
    /// When the vault may be that of another site: the message says how the user states which of the two is meant.
    pub(super) fn check_site(&self, generation: u32) -> anyhow::Result<()> {
        site::check_site(self.site.as_ref(), &self.dir, &authorities::name_directory(generation))
    }

    /// Opens the directory of the vault; none where there is none yet.
    fn root(&self) -> anyhow::Result<Option<PrivateDir>> {
        PrivateDir::open_vault(&self.dir)
    }

    /// Stores a CA, certificate and key together, durably; and the directory of the site, if it is stated.
    ///
    /// # Errors
    /// When the vault has a CA of that generation, or the disk refuses.
    pub fn store_ca(&self, generation: u32, ca: &CaIssuer) -> anyhow::Result<()> {
        let site = self.site.as_ref().map(|site| site.dir.to_string_lossy());
        store_entries(&self.dir, &[authorities::make_entry(generation, ca, site.as_deref())])
    }

    /// Reads the CA of the highest generation; returns the generation and the CA, or none where there is no CA yet.
    ///
    /// # Errors
    /// When a file of the CA is missing, unreadable or readable by others, or when certificate and key do not match.
    pub fn newest_ca(&self) -> anyhow::Result<Option<(u32, CaIssuer)>> {
        self.root()?.map_or(Ok(None), |root| authorities::read_newest(&root))
    }

    /// Reads the CA whose certificate has the public key of `certificate`; none where the vault has no such CA.
    ///
    /// # Errors
    /// As for [`Vault::newest_ca`].
    pub fn find_ca(&self, certificate: &PublicCert) -> anyhow::Result<Option<CaIssuer>> {
        self.root()?.map_or(Ok(None), |root| authorities::find(&root, certificate))
    }

    /// Reads the certificates of the CAs of all generations, without their keys.
    ///
    /// # Errors
    /// When a certificate is unreadable, or readable by others.
    pub fn authorities(&self) -> anyhow::Result<Vec<PublicCert>> {
        self.root()?.map_or(Ok(Vec::new()), |root| authorities::read_certificates(&root))
    }

    /// Whether the vault has no CA and no key.
    ///
    /// # Errors
    /// When the vault can't be listed.
    pub fn is_empty(&self) -> anyhow::Result<bool> {
        let Some(root) = self.root()? else { return Ok(true) };
        // The lock and the staging directory begin with a dot.
        Ok(root.list()?.iter().all(|name| name.starts_with('.')))
    }

    /// Stores the keys of new nodes durably. To store many takes little longer than to store one.
    ///
    /// # Errors
    /// When a name is no full host name, when a node has a key already (then no key is written), or when the disk refuses.
    pub fn store(&self, keys: &[NewNodeKeys<'_>]) -> anyhow::Result<()> {
        self.store_keys(keys, false)
    }

    /// Stores keys as [`Vault::store`] does, for nodes whose name had another key: that key is put aside, in `.retired`.
    ///
    /// # Errors
    /// When a name is no full host name, or when the disk refuses.
    pub fn replace(&self, keys: &[NewNodeKeys<'_>]) -> anyhow::Result<()> {
        self.store_keys(keys, true)
    }

    fn store_keys(&self, keys: &[NewNodeKeys<'_>], replaces: bool) -> anyhow::Result<()> {
        let entries = keys.iter().map(|keys| node_keys::make_entry(keys, replaces));
        store_entries(&self.dir, &entries.collect::<anyhow::Result<Vec<_>>>()?)
    }

    /// Reads the key of the node `fqdn`; none where there is no key yet.
    ///
    /// # Errors
    /// When the name is no full host name, or when the key is unreadable or readable by others.
    pub fn key(&self, fqdn: &str) -> anyhow::Result<Option<SecretKey>> {
        node_keys::read_key(self.root()?.as_ref(), fqdn)
    }

    /// Reads the public half of the key of the node `fqdn`, as the DER of the SubjectPublicKeyInfo; none where there is no
    /// key yet.
    ///
    /// # Errors
    /// As for [`Vault::key`].
    pub fn public_key(&self, fqdn: &str) -> anyhow::Result<Option<Vec<u8>>> {
        node_keys::read_public_key(self.root()?.as_ref(), fqdn)
    }

    /// Lists the full names of the nodes that have keys in `.retired`, each with the number of the key that was put aside
    /// last.
    ///
    /// # Errors
    /// When the vault can't be listed.
    pub fn retired(&self) -> anyhow::Result<BTreeMap<String, u32>> {
        self.root()?.map_or_else(|| Ok(BTreeMap::new()), |root| retired::list(&root))
    }

    /// Reads the public half of the key of the node `fqdn` in `.retired` with that number, as [`Vault::public_key`] does.
    ///
    /// # Errors
    /// As for [`Vault::key`].
    pub fn retired_public_key(&self, fqdn: &str, number: u32) -> anyhow::Result<Option<Vec<u8>>> {
        self.root()?.map_or(Ok(None), |root| retired::read_public_key(&root, fqdn, number))
    }
}
