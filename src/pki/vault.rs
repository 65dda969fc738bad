//! The vault, a directory of private keys. Only this file and those below write keys: into the vault, [staged] for an
//! installation, and [encrypted].
//!
//! ```text
//! <vault>/                                      0700
//!   ca-1/  ca-cert.pem  ca-key.pem              the CA of generation 1; a rotation adds ca-2
//!          site                                 the directory of the site that the CA was made for
//!   node01.example.com/  node01-key.pem         the key of a node, with the file name that it has on the node
//!                        machine                the machine that the key was made for
//!   .retired/  node03.example.com.1/            keys of nodes that were removed, whose names came back
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
//! yet: the next run finds the key with [`Vault::key`] or [`Vault::newest_ca`] and goes on from there. The next run that
//! stores something also removes what is left in `.staging`.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

use self::files::{PrivateDir, key_file_name};
use super::issue::CaIssuer;
use super::read::PublicCert;
use super::request::parse_full_name;
use super::secret::SecretKey;
use crate::fs::{Dir, LockedFile, make_private_dirs, sync_file};
use crate::model::{escape_line, quote_for_shell};

pub mod encrypted;
mod files;
mod git;
mod location;
pub mod staged;

/// From this number of entries on, one `syncfs` is cheaper than an `fsync` of each file.
const SYNC_ALL_FROM: usize = 32;

const LOCK: &str = ".lock";
const STAGING: &str = ".staging";
const CA_CERT: &str = "ca-cert.pem";
const CA_KEY: &str = "ca-key.pem";
const RETIRED: &str = ".retired";
const MACHINE: &str = "machine";
const SITE: &str = "site";

/// A directory of private keys, which only its owner may enter.
#[derive(Debug)]
pub struct Vault {
    dir: PathBuf,
    /// The site that uses the vault; none where nobody said so.
    site: Option<UsingSite>,
}

/// A site that uses a vault.
#[derive(Debug)]
struct UsingSite {
    /// The directory of the inventory, with symbolic links resolved.
    dir: PathBuf,
    /// Whether the user named the vault for this site.
    is_named: bool,
}

/// A new entry of the vault: the name of the directory, and its files by name.
struct VaultEntry<'a> {
    name: String,
    files: Vec<(String, &'a str)>,
    /// Whether an entry of that name is put aside; else there must be none.
    replaces: bool,
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
            vault.check(&dir)?;
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
        vault.check(&dir.with_context(|| format!("there is no vault at {}", vault.dir.display()))?)?;
        Ok(vault)
    }

    /// Checks that a vault may lie at `dir`, and returns the path with symbolic links resolved.
    pub(super) fn check_place(dir: &Path, forbidden: &[&Path]) -> anyhow::Result<PathBuf> {
        location::check_private("the vault", dir, forbidden)
    }

    /// Refuses a directory that is no vault, and one that is not private. Only where there is a vault does the message
    /// say how to make it private.
    fn check(&self, dir: &PrivateDir) -> anyhow::Result<()> {
        let shown = self.dir.display();
        let instead = "name the vault with --vault; a directory that does not exist yet becomes a new vault";
        let names = dir.list()?;
        let is_other = |name: &&String| !name.starts_with('.') && *name != "lost+found";
        let Some(first) = names.iter().find(is_other) else {
            // The message of the check would propose to change a directory that is none of plasmagen's.
            let not_private = dir.check().is_err();
            ensure!(
                !not_private,
                "there is no vault at {shown}, only an empty directory that others may enter, or that \
                 belongs to another user: {instead}"
            );
            return Ok(());
        };
        let is_entry = |name: &String| {
            parse_generation(name).is_some()
                || dir
                    .open_dir(name)
                    .is_ok_and(|entry| entry.is_some_and(|entry| entry.has(&key_file_name(name))))
        };
        ensure!(
            names.iter().any(is_entry),
            "there is no vault at {shown}, which holds other things, such as {first:?}: {instead}"
        );
        dir.check()
    }

    /// Opens the directory of the vault; none where there is none yet.
    fn root(&self) -> anyhow::Result<Option<PrivateDir>> {
        let root = PrivateDir::open(&self.dir)?;
        root.as_ref().map_or(Ok(()), PrivateDir::check)?;
        Ok(root)
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

    /// Checks that a site whose `nodes/` publishes no CA may take the vault's: the CA was made for a site in the same
    /// directory, or the user named the vault. The name of the cluster alone is no proof: two sites may have one name, and
    /// so one default vault.
    ///
    /// # Errors
    /// When neither is the case: the message says how the user states which of the two is meant.
    pub(super) fn check_site(&self, generation: u32) -> anyhow::Result<()> {
        let Some(site) = self.site.as_ref().filter(|site| !site.is_named) else { return Ok(()) };
        let ca = format!("ca-{generation}");
        let recorded = match self.root()?.map(|root| root.open_dir(&ca)).transpose()?.flatten() {
            Some(dir) => dir.read(SITE)?,
            None => None,
        };
        let recorded = recorded.as_ref().map(|text| text.as_str());
        if recorded == Some(&*site.dir.to_string_lossy()) {
            return Ok(());
        }
        let shown = self.dir.display();
        let quoted = quote_for_shell(&shown.to_string());
        let of = recorded.map_or_else(String::new, |dir| format!(" of the site in {}", escape_line(dir)));
        bail!(
            "the vault {shown} already holds the CA{of}, and nodes/ here publishes none. If this is the same cluster, \
             restore nodes/ from git, or run plasmagen render --vault {quoted}; if it is another cluster, give it a `name` of \
             its own in [cluster], or a vault of its own as `path` in [vault]"
        )
    }

    /// Stores a CA, certificate and key together, durably; and the directory of the site, if it is stated.
    ///
    /// # Errors
    /// When the vault has a CA of that generation, or the disk refuses.
    pub fn store_ca(&self, generation: u32, ca: &CaIssuer) -> anyhow::Result<()> {
        let site = self.site.as_ref().map(|site| site.dir.to_string_lossy());
        let mut files = vec![(CA_CERT.to_owned(), ca.cert_pem()), (CA_KEY.to_owned(), ca.key().expose())];
        files.extend(site.as_ref().map(|site| (SITE.to_owned(), &**site)));
        self.store_entries(&[VaultEntry { name: format!("ca-{generation}"), files, replaces: false }])
    }

    /// Reads the CA of the highest generation; returns the generation and the CA, or none where there is no CA yet.
    ///
    /// # Errors
    /// When a file of the CA is missing, unreadable or readable by others, or when certificate and key do not match.
    pub fn newest_ca(&self) -> anyhow::Result<Option<(u32, CaIssuer)>> {
        let Some(root) = self.root()? else { return Ok(None) };
        let generation = root.list()?.iter().filter_map(|name| parse_generation(name)).max();
        let Some(generation) = generation else { return Ok(None) };
        let name = format!("ca-{generation}");
        let shown = self.dir.join(&name);
        let (mut certificate, mut key) = (None, None);
        if let Some(dir) = root.open_dir(&name)? {
            certificate = dir.read(CA_CERT)?.map(|pem| pem.to_string());
            key = read_key(&dir, CA_KEY, &shown)?;
        }
        let (Some(certificate), Some(key)) = (certificate, key) else {
            bail!(
                "the vault has half a CA: {} needs both {CA_CERT} and {CA_KEY}. Restore it from a backup: a new CA \
                 would be unknown to every machine that trusts this one",
                shown.display()
            );
        };
        let ca = CaIssuer::load(certificate, key)
            .with_context(|| format!("could not use the CA in {}", shown.display()))?;
        Ok(Some((generation, ca)))
    }

    /// Reads the certificates of the CAs of all generations, without their keys.
    ///
    /// # Errors
    /// When a certificate is unreadable, or readable by others.
    pub fn authorities(&self) -> anyhow::Result<Vec<PublicCert>> {
        let Some(root) = self.root()? else { return Ok(Vec::new()) };
        let read = |name: &String| {
            let certificate = || {
                let Some(dir) = root.open_dir(name)? else { return Ok(None) };
                dir.read(CA_CERT)?.map(|pem| PublicCert::from_pem(&pem)).transpose()
            };
            let shown = self.dir.join(name);
            certificate().with_context(|| format!("could not use the CA in {}", shown.display())).transpose()
        };
        let names = root.list()?;
        names.iter().filter(|name| parse_generation(name).is_some()).filter_map(read).collect()
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

    /// Stores keys durably, each with the full name of its node and a text that identifies the node's machine. To store
    /// many takes little longer than to store one.
    ///
    /// # Errors
    /// When a name is no full host name, when a node has a key already (then no key is written), or when the disk refuses.
    pub fn store(&self, keys: &[(&str, &SecretKey, &str)]) -> anyhow::Result<()> {
        self.store_keys(keys, false)
    }

    /// Stores keys as [`Vault::store`] does, for nodes whose name had another key: that key is put aside, in `.retired`.
    ///
    /// # Errors
    /// When a name is no full host name, or when the disk refuses.
    pub fn replace(&self, keys: &[(&str, &SecretKey, &str)]) -> anyhow::Result<()> {
        self.store_keys(keys, true)
    }

    fn store_keys(&self, keys: &[(&str, &SecretKey, &str)], replaces: bool) -> anyhow::Result<()> {
        let mut entries = Vec::with_capacity(keys.len());
        for (fqdn, key, machine) in keys {
            let name = parse_full_name(fqdn)?;
            let files = vec![(key_file_name(&name), key.expose()), (MACHINE.to_owned(), *machine)];
            entries.push(VaultEntry { name, files, replaces });
        }
        self.store_entries(&entries)
    }

    /// Reads the key of the node `fqdn`; none where there is no key yet.
    ///
    /// # Errors
    /// When the name is no full host name, or when the key is unreadable or readable by others.
    pub fn key(&self, fqdn: &str) -> anyhow::Result<Option<SecretKey>> {
        let name = parse_full_name(fqdn)?;
        let Some(root) = self.root()? else { return Ok(None) };
        let Some(dir) = root.open_dir(&name)? else { return Ok(None) };
        read_key(&dir, &key_file_name(&name), &self.dir.join(&name))
    }

    /// Reads the public half of the key of the node `fqdn`, as the DER of the SubjectPublicKeyInfo; none where there is no
    /// key yet.
    ///
    /// # Errors
    /// As for [`Vault::key`].
    pub fn public_key(&self, fqdn: &str) -> anyhow::Result<Option<Vec<u8>>> {
        let name = parse_full_name(fqdn)?;
        let Some(root) = self.root()? else { return Ok(None) };
        let Some(dir) = root.open_dir(&name)? else { return Ok(None) };
        let file = key_file_name(&name);
        let key = dir.read(&file)?.map(SecretKey::public_half).transpose();
        key.with_context(|| format!("could not use {}", self.dir.join(&name).join(&file).display()))
    }

    /// Reads the text that identifies the machine for which the key of the node `fqdn` was made; none where there is no
    /// key, or where a version of plasmagen stored the key that recorded no machine.
    ///
    /// # Errors
    /// When the name is no full host name, or when the file is unreadable or readable by others.
    pub fn machine(&self, fqdn: &str) -> anyhow::Result<Option<String>> {
        let name = parse_full_name(fqdn)?;
        let Some(root) = self.root()? else { return Ok(None) };
        let Some(dir) = root.open_dir(&name)? else { return Ok(None) };
        Ok(dir.read(MACHINE)?.map(|text| text.to_string()))
    }

    fn store_entries(&self, entries: &[VaultEntry<'_>]) -> anyhow::Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        make_private_dirs(&self.dir)?;
        let shown = self.dir.display();
        let root = self.root()?.with_context(|| format!("could not open {shown}"))?;
        let vault = &root.dir;
        let _lock =
            LockedFile::wait(vault, LOCK).with_context(|| format!("could not lock {shown}/{LOCK}"))?;
        for entry in entries.iter().filter(|entry| !entry.replaces) {
            ensure!(
                !vault.exists(&entry.name)?,
                "the vault {shown} already has {}: plasmagen never overwrites a key, since certificates and machines \
                 depend on it",
                entry.name
            );
        }
        let clean = || vault.remove_tree(STAGING).with_context(|| format!("could not clean up {shown}"));
        clean()?;
        let stored = write_and_rename(vault, entries)
            .with_context(|| format!("could not store keys in the vault {shown}"));
        stored.and(clean())
    }
}

/// Writes the entries into the staging directory, makes them durable, and moves them to their places.
fn write_and_rename(vault: &Dir, entries: &[VaultEntry<'_>]) -> anyhow::Result<()> {
    let sync_each = entries.len() < SYNC_ALL_FROM;
    let make = |parent: &Dir, name: &str| {
        let made = parent.make_dir(name, 0o700).and_then(|()| parent.open_dir(name));
        made.with_context(|| format!("could not make {name}"))
    };
    let staging = make(vault, STAGING)?;
    for VaultEntry { name, files, .. } in entries {
        let dir = make(&staging, name)?;
        for (file_name, text) in files {
            let written = dir.write_new(file_name, 0o600, text.as_bytes());
            let (file, _) = written.with_context(|| format!("could not write {name}/{file_name}"))?;
            if sync_each {
                sync_file(&file).with_context(|| format!("could not make {name}/{file_name} durable"))?;
            }
        }
        if sync_each {
            dir.sync().with_context(|| format!("could not make {name} durable"))?;
        }
    }
    if !sync_each {
        vault.sync_file_system().context("could not make the keys durable")?;
    }
    for VaultEntry { name, replaces, .. } in entries {
        if *replaces {
            put_aside(vault, name).with_context(|| format!("could not put the old {name} aside"))?;
        }
        // Renaming a directory cannot replace one that holds anything (rename(2), ENOTEMPTY).
        staging.rename(name, vault, name).with_context(|| format!("could not move {name} to its place"))?;
    }
    vault.sync().context("could not make the vault durable")
}

/// Moves the entry `name`, if there is one, into the directory of retired entries, under the first number that is free.
fn put_aside(vault: &Dir, name: &str) -> anyhow::Result<()> {
    if !vault.exists(name)? {
        return Ok(());
    }
    if !vault.exists(RETIRED)? {
        vault.make_dir(RETIRED, 0o700)?;
    }
    let retired = vault.open_dir(RETIRED)?;
    let mut number = 1;
    while retired.exists(&format!("{name}.{number}"))? {
        number += 1;
    }
    vault.rename(name, &retired, &format!("{name}.{number}"))?;
    Ok(retired.sync()?)
}

/// Parses the name of the directory of a CA, `ca-GENERATION`.
fn parse_generation(name: &str) -> Option<u32> {
    name.strip_prefix("ca-")?.parse().ok()
}

/// Reads the key in the file `name` of `dir`, whose path is `shown`.
fn read_key(dir: &PrivateDir, name: &str, shown: &Path) -> anyhow::Result<Option<SecretKey>> {
    let key = dir.read(name)?.map(SecretKey::from_pem).transpose();
    key.with_context(|| format!("could not use {}", shown.join(name).display()))
}
