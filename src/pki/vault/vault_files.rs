//! The files of a vault in memory, read from the directory or unpacked from a backup.

use std::collections::BTreeMap;

use anyhow::{Context, anyhow, ensure};
use rayon::prelude::*;
use serde::Serialize;
use zeroize::Zeroizing;

use super::entry_kind::{is_secret, split_entry};
use super::files::PrivateDir;
use super::retired::RETIRED;
use crate::fs::{FileType, TEXT_LIMIT, kind_of};
use crate::pki::host_key::HostKey;
use crate::pki::passphrase::{PASSPHRASE, Passphrase};
use crate::pki::secret::SecretKey;
use crate::plan::HOST_KEY;

/// The largest number of directories above a file of the vault.
pub(super) const DEEPEST: usize = 3;

/// The files of a vault, by their paths in the vault.
#[derive(Default)]
pub(super) struct VaultFiles(pub(super) BTreeMap<String, Zeroizing<Vec<u8>>>);

/// Something in or around a vault that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct VaultFault {
    /// The entry that has the fault, or the path in `nodes/` whose key is not as it should be.
    pub entry: String,
    /// The fault, and the way out.
    pub message: String,
}

/// The files that one directory of the vault holds, and the faults found there.
type Found = (Vec<(String, Zeroizing<Vec<u8>>)>, Vec<VaultFault>);

impl VaultFiles {
    /// Reads all files of the vault `root`. A file or directory that must not be used, since others can read it or it is no
    /// regular file, is a fault instead.
    ///
    /// # Errors
    /// When the vault can't be listed.
    pub(super) fn read(root: &PrivateDir) -> anyhow::Result<(Self, Vec<VaultFault>)> {
        let mut names = root.list()?;
        // Names with a dot belong to the program that is at work, as the lock does, or to a file system.
        names.retain(|name| (!name.starts_with('.') && name != "lost+found") || name == RETIRED);
        names.sort_unstable();
        let read = |name: &String| {
            let mut found = Found::default();
            read_into(&mut found, root, name, name, 0);
            found
        };
        let found: Vec<Found> = names.par_iter().map(read).collect();
        let (files, faults): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        Ok((Self(files.into_iter().flatten().collect()), faults.into_iter().flatten().collect()))
    }

    /// The number of files that hold a secret.
    pub(super) fn count_secrets(&self) -> usize {
        self.0.keys().filter(|path| is_secret(path)).count()
    }

    /// The files by the entry that they belong to, each with the path in the entry.
    pub(super) fn by_entry(&self) -> BTreeMap<&str, EntryFiles<'_>> {
        let mut entries = BTreeMap::<&str, EntryFiles<'_>>::new();
        for (path, bytes) in &self.0 {
            let (entry, file) = split_entry(path);
            entries.entry(entry).or_default().0.insert(file, bytes);
        }
        entries
    }
}

/// The files of an entry, by their paths in the entry.
#[derive(Default)]
pub(super) struct EntryFiles<'a>(BTreeMap<&'a str, &'a [u8]>);

impl EntryFiles<'_> {
    /// The text of `file`; none where there is no such file.
    pub(super) fn text(&self, file: &str) -> anyhow::Result<Option<Zeroizing<String>>> {
        let Some(bytes) = self.0.get(file) else { return Ok(None) };
        let text = str::from_utf8(bytes).map_err(|_| anyhow!("{file} is not UTF-8 text"))?;
        Ok(Some(Zeroizing::new(text.to_owned())))
    }

    /// The key in `file`.
    pub(super) fn key(&self, file: &str) -> anyhow::Result<SecretKey> {
        let text = self.text(file)?;
        SecretKey::from_pem(text.ok_or_else(|| anyhow!("there is no {file}"))?)
    }

    /// Checks that each key of a certificate can be used.
    pub(super) fn check_keys(&self) -> anyhow::Result<()> {
        for file in self.0.keys().filter(|file| file.ends_with(KEY_FILE)) {
            self.key(file).with_context(|| format!("could not use {file}"))?;
        }
        self.host_key()?;
        self.passphrase()?;
        Ok(())
    }

    /// The SSH host key; none where there is none.
    pub(super) fn host_key(&self) -> anyhow::Result<Option<HostKey>> {
        let Some(text) = self.text(HOST_KEY)? else { return Ok(None) };
        HostKey::from_openssh(text).map(Some).with_context(|| format!("could not use {HOST_KEY}"))
    }

    /// The passphrase of encrypted disks; none where there is none.
    pub(super) fn passphrase(&self) -> anyhow::Result<Option<Passphrase>> {
        let Some(text) = self.text(PASSPHRASE)? else { return Ok(None) };
        Passphrase::from_file(&text).map(Some).with_context(|| format!("could not use {PASSPHRASE}"))
    }

    /// The number of files that hold a secret.
    pub(super) fn count_secrets(&self) -> usize {
        self.0.keys().filter(|file| is_secret(file)).count()
    }
}

/// The end of the name of each file with the key of a certificate.
const KEY_FILE: &str = "-key.pem";

/// Reads the file or the directory `name` in `dir`, which is `path` in the vault, into `found`.
fn read_into(found: &mut Found, dir: &PrivateDir, name: &str, path: &str, depth: usize) {
    if let Err(why) = try_read_into(found, dir, name, path, depth) {
        let entry = split_entry(path).0.to_owned();
        found.1.push(VaultFault { entry, message: format!("{why:#}") });
    }
}

fn try_read_into(
    found: &mut Found,
    dir: &PrivateDir,
    name: &str,
    path: &str,
    depth: usize,
) -> anyhow::Result<()> {
    let shown = dir.path.join(name);
    let kind = dir.dir.stat(name)?.as_ref().map(kind_of);
    match kind {
        Some(FileType::Directory) => {
            ensure!(
                depth < DEEPEST,
                "{} lies deeper than everything that plasmagen stores: move the directory elsewhere",
                shown.display()
            );
            let Some(inner) = dir.open_dir(name)? else { return Ok(()) };
            inner.check_inner()?;
            for name in inner.list()? {
                read_into(found, &inner, &name, &format!("{path}/{name}"), depth + 1);
            }
        }
        Some(FileType::RegularFile) => {
            let bytes = dir.read_bytes(name, TEXT_LIMIT)?;
            found.0.extend(bytes.map(|bytes| (path.to_owned(), bytes)));
        }
        Some(_) => {
            return Err(anyhow!(
                "{} is neither a file nor a directory, and plasmagen stores nothing else: move it elsewhere",
                shown.display()
            ));
        }
        None => ensure!(
            !name.contains(char::REPLACEMENT_CHARACTER),
            "{} has a name that is not UTF-8: give it another",
            shown.display()
        ),
    }
    Ok(())
}
