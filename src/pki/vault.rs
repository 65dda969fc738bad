//! The vault, a directory of private keys. Only this file and those below write keys: into the vault, [staged] for an
//! installation, and [encrypted].
//!
//! ```text
//! <vault>/                                      0700
//!   ca-1/  ca-cert.pem  ca-key.pem              the CA of generation 1; a rotation adds ca-2
//!   node01.example.com/  node01-key.pem         the key of a node, with the file name that it has on the node
//! ```
//!
//! Directories are 0700 and files 0600 from the moment they exist, whatever the umask. Nothing is ever overwritten.
//!
//! **Order.** An entry is a directory. It is written whole into `.staging`, made durable (an `fsync` for each file, or one
//! `syncfs` for many), and renamed to its real name; then the directory of the vault is made durable. Only then does the
//! call return, and only after that may the caller publish the certificate. So a run that dies, or a machine that loses
//! power, leaves an entry absent or complete, and never a certificate whose key is lost. At worst a key has no certificate
//! yet: the next run finds the key with [`Vault::key`] or [`Vault::newest_ca`] and goes on from there. The next run that
//! stores something also removes what is left in `.staging`.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

use self::files::{check_private, key_file_name, read_private};
use super::issue::CaIssuer;
use super::read::PublicCert;
use super::request::parse_full_name;
use super::secret::SecretKey;
use crate::fs::{Dir, LockedFile, make_private_dirs, sync_file};

pub mod encrypted;
mod files;
mod location;
pub mod staged;

/// From this number of entries on, one `syncfs` is cheaper than an `fsync` of each file.
const SYNC_ALL_FROM: usize = 32;

const LOCK: &str = ".lock";
const STAGING: &str = ".staging";
const CA_CERT: &str = "ca-cert.pem";
const CA_KEY: &str = "ca-key.pem";

/// A directory of private keys, which only its owner may enter.
#[derive(Debug)]
pub struct Vault {
    dir: PathBuf,
}

/// A new entry of the vault: the name of the directory, and its files by name.
struct VaultEntry<'a> {
    name: String,
    files: Vec<(String, &'a str)>,
}

impl Vault {
    /// Opens the vault at `dir`. Where there is none, the vault is empty, and the directory is made when something is stored:
    /// a run that fails before that leaves nothing behind.
    ///
    /// # Errors
    /// As for [`Vault::open`], unless there is nothing at `dir`.
    pub fn open_or_new(dir: &Path, forbidden: &[&Path]) -> anyhow::Result<Self> {
        let dir = location::check_private("the vault", dir, forbidden)?;
        if dir.try_exists().with_context(|| format!("could not look for {}", dir.display()))? {
            return Self::open(&dir, forbidden);
        }
        Ok(Self { dir })
    }

    /// Opens the vault at `dir`. The vault must not be in one of the directories `forbidden`, which plasmagen writes or
    /// serves in public.
    ///
    /// # Errors
    /// When there is no such directory, when others could read the keys there (in the Nix store, below a directory with a
    /// `flake.nix`, or in a forbidden one, symbolic links followed), or when group or others may enter the directory.
    pub fn open(dir: &Path, forbidden: &[&Path]) -> anyhow::Result<Self> {
        let dir = location::check_private("the vault", dir, forbidden)?;
        let metadata =
            fs::metadata(&dir).with_context(|| format!("there is no vault at {}", dir.display()))?;
        ensure!(metadata.is_dir(), "the vault {} is not a directory", dir.display());
        check_private(&dir, &metadata, "700")?;
        Ok(Self { dir })
    }

    /// The directory of the vault, with symbolic links resolved.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Stores a CA, certificate and key together, durably.
    ///
    /// # Errors
    /// When the vault has a CA of that generation, or the disk refuses.
    pub fn store_ca(&self, generation: u32, ca: &CaIssuer) -> anyhow::Result<()> {
        let files = vec![(CA_CERT.to_owned(), ca.cert_pem()), (CA_KEY.to_owned(), ca.key().expose())];
        self.store_entries(&[VaultEntry { name: format!("ca-{generation}"), files }])
    }

    /// Reads the CA of the highest generation; returns the generation and the CA, or none where there is no CA yet.
    ///
    /// # Errors
    /// When a file of the CA is missing, unreadable or readable by others, or when certificate and key do not match.
    pub fn newest_ca(&self) -> anyhow::Result<Option<(u32, CaIssuer)>> {
        let generation = |name: &OsString| name.to_str()?.strip_prefix("ca-")?.parse::<u32>().ok();
        let Some(generation) = self.list()?.iter().filter_map(generation).max() else { return Ok(None) };
        let dir = self.dir.join(format!("ca-{generation}"));
        let certificate = read_private(&dir.join(CA_CERT))?.map(|pem| pem.to_string());
        let key = read_key(&dir.join(CA_KEY))?;
        let (Some(certificate), Some(key)) = (certificate, key) else {
            bail!(
                "the vault has half a CA: {} needs both {CA_CERT} and {CA_KEY}. Restore it from a backup: a new CA \
                 would be unknown to every machine that trusts this one",
                dir.display()
            );
        };
        let ca = CaIssuer::load(certificate, key)
            .with_context(|| format!("could not use the CA in {}", dir.display()))?;
        Ok(Some((generation, ca)))
    }

    /// Reads the certificates of the CAs of all generations, without their keys.
    ///
    /// # Errors
    /// When a certificate is unreadable, or readable by others.
    pub fn authorities(&self) -> anyhow::Result<Vec<PublicCert>> {
        let is_ca = |name: &&OsString| name.as_encoded_bytes().starts_with(b"ca-");
        let read = |name: &OsString| {
            let file = self.dir.join(name).join(CA_CERT);
            let certificate = || read_private(&file)?.map(|pem| PublicCert::from_pem(&pem)).transpose();
            certificate().with_context(|| format!("could not use {}", file.display())).transpose()
        };
        self.list()?.iter().filter(is_ca).filter_map(read).collect()
    }

    /// Whether the vault has no CA and no key.
    ///
    /// # Errors
    /// When the vault can't be listed.
    pub fn is_empty(&self) -> anyhow::Result<bool> {
        // The lock and the staging directory begin with a dot.
        Ok(self.list()?.iter().all(|name| name.as_encoded_bytes().starts_with(b".")))
    }

    fn list(&self) -> anyhow::Result<Vec<OsString>> {
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect()),
        };
        entries.with_context(|| format!("could not list the vault {}", self.dir.display()))
    }

    /// Stores keys durably, each with the full name of its node. To store many takes little longer than to store one.
    ///
    /// # Errors
    /// When a name is no full host name, when a node has a key already (then no key is written), or when the disk refuses.
    pub fn store(&self, keys: &[(&str, &SecretKey)]) -> anyhow::Result<()> {
        let mut entries = Vec::with_capacity(keys.len());
        for (fqdn, key) in keys {
            let name = parse_full_name(fqdn)?;
            let files = vec![(key_file_name(&name), key.expose())];
            entries.push(VaultEntry { name, files });
        }
        self.store_entries(&entries)
    }

    /// Reads the key of the node `fqdn`; none where there is no key yet.
    ///
    /// # Errors
    /// When the name is no full host name, or when the key is unreadable or readable by others.
    pub fn key(&self, fqdn: &str) -> anyhow::Result<Option<SecretKey>> {
        let name = parse_full_name(fqdn)?;
        read_key(&self.dir.join(&name).join(key_file_name(&name)))
    }

    fn store_entries(&self, entries: &[VaultEntry<'_>]) -> anyhow::Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        make_private_dirs(&self.dir)?;
        let shown = self.dir.display();
        let vault = Dir::open(&self.dir).with_context(|| format!("could not open {shown}"))?;
        let _lock =
            LockedFile::wait(&vault, LOCK).with_context(|| format!("could not lock {shown}/{LOCK}"))?;
        for entry in entries {
            ensure!(
                !vault.exists(&entry.name)?,
                "the vault {shown} already has {}: plasmagen never overwrites a key, since certificates and machines \
                 depend on it",
                entry.name
            );
        }
        let clean = || vault.remove_tree(STAGING).with_context(|| format!("could not clean up {shown}"));
        clean()?;
        let stored = write_and_rename(&vault, entries)
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
    for VaultEntry { name, files } in entries {
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
    for VaultEntry { name, .. } in entries {
        // Renaming a directory cannot replace one that holds anything (rename(2), ENOTEMPTY).
        staging.rename(name, vault, name).with_context(|| format!("could not move {name} to its place"))?;
    }
    vault.sync().context("could not make the vault durable")
}

fn read_key(path: &Path) -> anyhow::Result<Option<SecretKey>> {
    let key = read_private(path)?.map(SecretKey::from_pem).transpose();
    key.with_context(|| format!("could not use {}", path.display()))
}
