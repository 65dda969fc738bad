//! Staged keys: the tree that `nixos-anywhere --extra-files` copies onto a node.
//!
//! ```text
//! DIR/etc/              0755   as on the node: tar gives these modes to /etc, /etc/nixos and /etc/ssh there, too
//!       nixos/          0755
//!         secrets/      0700
//!           node01-key.pem              0600
//!           luks-passphrase             0600   if the node's TPM is to unlock its encrypted disks
//!       ssh/            0755   if the vault has a host key of the node
//!         ssh_host_ed25519_key          0600
//!         ssh_host_ed25519_key.pub      0644
//! ```
//!
//! Everything in DIR is copied onto the node, so DIR holds nothing else. The tree is put into DIR whole or not at all, and
//! the next run finishes or removes what a killed run has left.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use zeroize::Zeroizing;

use super::files::key_file_name;
use super::location;
use crate::fs::{Dir, FileType, Stat, is_trusted_owner, kind_of, make_private_dirs, split, sync_file};
use crate::pki::host_key::HostKey;
use crate::pki::passphrase::{PASSPHRASE, Passphrase};
use crate::pki::request::parse_full_name;
use crate::pki::secret::SecretKey;
use crate::plan::{HOST_KEY, PUBLIC_HOST_KEY};

/// The words for DIR in messages.
const TREE: &str = "the staged tree";

/// A directory or a file of the tree: its path in DIR, its mode, and the text of a file.
struct StagedEntry {
    path: String,
    mode: u32,
    text: Option<Zeroizing<String>>,
}

/// The secrets of a node that a staged tree holds.
#[derive(Clone, Copy, Debug)]
pub struct StagedSecrets<'a> {
    /// The private key of the node's certificate.
    pub key: &'a SecretKey,
    /// The node's SSH host key; none where the vault has none.
    pub host_key: Option<&'a HostKey>,
    /// The passphrase of the node's encrypted disks, for a node that shows it to its TPM.
    pub passphrase: Option<&'a Passphrase>,
}

/// Lists the tree with the `secrets` of the node `fqdn`, each directory before what is in it.
fn list_entries(fqdn: &str, secrets: StagedSecrets<'_>) -> anyhow::Result<Vec<StagedEntry>> {
    let StagedSecrets { key, host_key, passphrase } = secrets;
    let entry = |path: &str, mode, text: Option<&str>| StagedEntry {
        path: path.to_owned(),
        mode,
        text: text.map(|text| Zeroizing::new(text.to_owned())),
    };
    let fqdn = parse_full_name(fqdn)?;
    let mut entries = vec![
        entry("etc", 0o755, None),
        entry("etc/nixos", 0o755, None),
        entry("etc/nixos/secrets", 0o700, None),
        entry(&format!("etc/nixos/secrets/{}", key_file_name(&fqdn)), 0o600, Some(key.expose())),
    ];
    entries.extend(passphrase.map(|passphrase| {
        entry(&format!("etc/nixos/secrets/{PASSPHRASE}"), 0o600, Some(passphrase.expose()))
    }));
    if let Some(host_key) = host_key {
        let public = format!("{} {fqdn}\n", host_key.public());
        entries.extend([
            entry("etc/ssh", 0o755, None),
            entry(&format!("etc/ssh/{HOST_KEY}"), 0o600, Some(host_key.expose())),
            entry(&format!("etc/ssh/{PUBLIC_HOST_KEY}"), 0o644, Some(&public)),
        ]);
    }
    Ok(entries)
}

/// Writes the tree with the `secrets` of the node `fqdn` into the directory `to`, which is made where there is none. Returns
/// false where that tree is there already: then nothing is touched. `to` must not be in one of the directories `forbidden`.
///
/// # Errors
/// When others could read `to` or write to it, when `to` holds anything else, such as another node's tree, or when the disk
/// refuses. `to` is then as empty as before.
pub fn stage(fqdn: &str, secrets: StagedSecrets<'_>, to: &Path, forbidden: &[&Path]) -> anyhow::Result<bool> {
    // Without a slash at the end, which would hide a symbolic link.
    let to: &Path = &to.components().collect::<PathBuf>();
    ensure!(
        !to.is_symlink(),
        "{} is a symbolic link, which somebody may have put there: name the directory itself",
        to.display()
    );
    ensure!(to.is_dir() || !to.exists(), "{} is not a directory", to.display());
    let path = location::check_private(TREE, to, forbidden)?;
    make_private_dirs(&path)?;
    let dir = Dir::open_unlinked(&path).with_context(|| format!("could not open {}", path.display()))?;
    check_owner(&path, &dir.stat_self()?)?;
    // Another user may have made one of the missing directories a moment before this run did.
    location::check_replaceable(TREE, &path)?;
    // Another run would find half of this one's.
    dir.wait_for_lock().with_context(|| format!("could not lock {}", path.display()))?;
    let entries = list_entries(fqdn, secrets)?;
    dir.recover_batch()
        .with_context(|| format!("could not end what an earlier run left in {}", path.display()))?;
    let found = dir.list().with_context(|| format!("could not list {}", path.display()))?;
    if !found.is_empty() {
        let is_same = holds_tree(&dir, "", &entries)
            .with_context(|| format!("could not read what is in {}", path.display()))?;
        ensure!(
            is_same,
            "{} is not empty, and nixos-anywhere would copy all that is in it onto the node: name a directory that is \
             new, or empty it",
            path.display()
        );
        return Ok(false);
    }
    dir.commit_batch(|staging| write_tree(staging, &entries))
        .with_context(|| format!("could not write to {}", path.display()))?;
    Ok(true)
}

/// Refuses a directory that belongs neither to root nor to the user who runs plasmagen, and one that others can write to,
/// who could replace what is in it.
fn check_owner(path: &Path, stat: &Stat) -> anyhow::Result<()> {
    let (owner, path) = (stat.st_uid, path.display());
    ensure!(
        is_trusted_owner(owner),
        "{path} belongs to another user (uid {owner}), who can read the key there: name a new directory, such as mktemp -d \
         makes"
    );
    ensure!(
        stat.st_mode & 0o022 == 0,
        "{path} has mode {:04o}, so others can replace what is in it: name a new directory, such as mktemp -d makes",
        stat.st_mode & 0o7777
    );
    Ok(())
}

/// Writes the tree into the directory `staging`, and makes the tree durable.
fn write_tree(staging: &Dir, entries: &[StagedEntry]) -> anyhow::Result<()> {
    let mut dirs = vec![staging.try_clone()?];
    for StagedEntry { path, mode, text } in entries {
        let (parent, name) = split(path);
        let parent = if parent.is_empty() { staging.try_clone()? } else { staging.open_dir(parent)? };
        match text {
            None => dirs.push(parent.make_dir_exact(name, *mode)?),
            Some(text) => {
                let (file, _) = parent.write_new(name, *mode, text.as_bytes())?;
                sync_file(&file)?;
            }
        }
    }
    Ok(dirs.iter().try_for_each(Dir::sync)?)
}

/// Whether the directory `dir`, whose path in the tree is `path`, holds exactly what `entries` says.
fn holds_tree(dir: &Dir, path: &str, entries: &[StagedEntry]) -> anyhow::Result<bool> {
    let expected: Vec<_> = entries.iter().filter(|entry| split(&entry.path).0 == path).collect();
    let found = dir.list()?;
    if found.len() != expected.len() {
        return Ok(false);
    }
    for entry in expected {
        let name = split(&entry.path).1;
        let Some((_, stat)) = found.iter().find(|(other, _)| other == name) else { return Ok(false) };
        let kind = if entry.text.is_some() { FileType::RegularFile } else { FileType::Directory };
        let is_same = kind_of(stat) == kind
            && stat.st_mode & 0o7777 == entry.mode
            && match &entry.text {
                None => holds_tree(&dir.open_dir(name)?, &entry.path, entries)?,
                Some(text) => holds_text(dir, name, text)?,
            };
        if !is_same {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether the file `name` in `dir` holds exactly `text`.
fn holds_text(dir: &Dir, name: &str, text: &str) -> anyhow::Result<bool> {
    let mut bytes = Zeroizing::new(vec![0; text.len() + 1]);
    let mut file = dir.open_regular(name)?;
    let mut read = 0;
    while read < bytes.len() {
        match file.read(&mut bytes[read..])? {
            0 => break,
            more => read += more,
        }
    }
    Ok(&bytes[..read] == text.as_bytes())
}
