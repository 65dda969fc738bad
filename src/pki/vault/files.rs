//! Private directories and files: opened by descriptor, without following a symbolic link, and only if nobody else can
//! read or replace what is in them.

use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail, ensure};
use rustix::process::geteuid;
use zeroize::Zeroizing;

use super::location::check_replaceable;
use crate::fs::{Dir, Errno, TEXT_LIMIT, is_trusted_owner};
use crate::pki::secret::SecretKey;

/// Names the file of a node's key, with the host name that begins the full name.
pub(super) fn key_file_name(fqdn: &str) -> String {
    format!("{}-key.pem", fqdn.split('.').next().unwrap_or(fqdn))
}

/// An open directory of private files: the vault, or a directory in it.
#[derive(Debug)]
pub(super) struct PrivateDir {
    pub(super) dir: Dir,
    pub(super) path: PathBuf,
}

impl PrivateDir {
    /// Opens the directory `path`, whose owner and mode are for [`PrivateDir::check`]; none where nothing is there.
    pub(super) fn open(path: &Path) -> anyhow::Result<Option<Self>> {
        Self::named(Dir::open_unlinked(path), path.to_owned())
    }

    /// Opens the directory `path`, and checks it as [`PrivateDir::check`] does; none where nothing is there.
    pub(super) fn open_checked(path: &Path) -> anyhow::Result<Option<Self>> {
        let opened = Self::open(path)?;
        opened.as_ref().map_or(Ok(()), Self::check)?;
        Ok(opened)
    }

    /// Opens the vault `path` as [`PrivateDir::open_checked`] does, and refuses a part of one.
    pub(super) fn open_vault(path: &Path) -> anyhow::Result<Option<Self>> {
        let opened = Self::open_checked(path)?;
        if let Some(root) = &opened {
            ensure!(
                !root.dir.has_staged_batch()?,
                "the restore of the vault {} was interrupted: run plasmagen vault restore FILE once more, which puts the rest \
                 into place",
                path.display()
            );
        }
        Ok(opened)
    }

    /// Opens the directory `name` in this one, and checks who owns it; none where nothing is there.
    pub(super) fn open_dir(&self, name: &str) -> anyhow::Result<Option<Self>> {
        let Some(inner) = Self::named(self.dir.open_dir(name), self.path.join(name))? else {
            return Ok(None);
        };
        check_owner(&inner.path, inner.stat()?.0)?;
        Ok(Some(inner))
    }

    fn named(opened: Result<Dir, Errno>, path: PathBuf) -> anyhow::Result<Option<Self>> {
        match opened {
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::NOTDIR | Errno::LOOP) => bail!("{} is not a directory", path.display()),
            opened => {
                let dir = opened.with_context(|| format!("could not open {}", path.display()))?;
                Ok(Some(Self { dir, path }))
            }
        }
    }

    /// Refuses a directory of another user, one that group or others may enter, and one that another user could replace.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let (owner, mode) = self.stat()?;
        check_private(&self.path, owner, mode, "700")?;
        check_replaceable("the vault", &self.path)
    }

    /// Refuses a directory in the vault that belongs to another user, or that group or others may enter.
    pub(super) fn check_inner(&self) -> anyhow::Result<()> {
        let (owner, mode) = self.stat()?;
        check_private(&self.path, owner, mode, "700")
    }

    fn stat(&self) -> anyhow::Result<(u32, u32)> {
        let stat =
            self.dir.stat_self().with_context(|| format!("could not look at {}", self.path.display()))?;
        Ok((stat.st_uid, stat.st_mode))
    }

    /// Whether something is called `name` in this directory.
    pub(super) fn has(&self, name: &str) -> bool {
        self.dir.exists(name).is_ok_and(|exists| exists)
    }

    /// Lists the names in this directory.
    pub(super) fn list(&self) -> anyhow::Result<Vec<String>> {
        let entries = self.dir.list().with_context(|| format!("could not list {}", self.path.display()))?;
        Ok(entries.into_iter().map(|(name, _)| name).collect())
    }

    /// Reads the text of the file `name`, which only its owner may be able to read; none where there is no file.
    pub(super) fn read(&self, name: &str) -> anyhow::Result<Option<Zeroizing<String>>> {
        let Some(mut bytes) = self.read_bytes(name, TEXT_LIMIT)? else { return Ok(None) };
        // The error holds the bytes.
        let text = String::from_utf8(std::mem::take(&mut *bytes)).map_err(|error| {
            drop(Zeroizing::new(error.into_bytes()));
            anyhow!("could not read {}: it is not UTF-8 text", self.path.join(name).display())
        })?;
        Ok(Some(Zeroizing::new(text)))
    }

    /// Reads the file `name` of at most `limit` bytes, which only its owner may be able to read; none where there is no file.
    pub(super) fn read_bytes(&self, name: &str, limit: u64) -> anyhow::Result<Option<Zeroizing<Vec<u8>>>> {
        let path = self.path.join(name);
        let context = || format!("could not read {}", path.display());
        if self.dir.stat(name).with_context(context)?.is_none() {
            return Ok(None);
        }
        let file = self.dir.open_regular(name).with_context(context)?;
        let metadata = file.metadata().with_context(context)?;
        check_private(&path, metadata.uid(), metadata.mode(), "600")?;
        ensure!(
            metadata.len() <= limit,
            "{} is too large: such a file has at most {limit} bytes",
            path.display()
        );
        // Large enough at once: a vector that grows leaves copies in memory.
        let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(metadata.len() + 1)?));
        file.take(limit).read_to_end(&mut bytes).with_context(context)?;
        Ok(Some(bytes))
    }

    /// Reads the key in the file `name`; none where there is no file.
    pub(super) fn read_key(&self, name: &str) -> anyhow::Result<Option<SecretKey>> {
        let key = self.read(name)?.map(SecretKey::from_pem).transpose();
        key.with_context(|| format!("could not use {}", self.path.join(name).display()))
    }
}

/// Refuses what belongs neither to root nor to the user who runs plasmagen: the owner could replace the keys.
fn check_owner(path: &Path, owner: u32) -> anyhow::Result<()> {
    ensure!(
        is_trusted_owner(owner),
        "{} belongs to another user (uid {owner}), who can read and replace private keys there: name another vault with \
         --vault, or become that user",
        path.display()
    );
    Ok(())
}

/// Refuses a file or directory of another user, or one that group or others may read; `wanted` is the mode to set
/// instead.
fn check_private(path: &Path, owner: u32, mode: u32, wanted: &str) -> anyhow::Result<()> {
    check_owner(path, owner)?;
    let (mode, path) = (mode & 0o7777, path.display());
    let instead = match owner == geteuid().as_raw() {
        true => format!(". If nobody can have read them yet, run: chmod {wanted} {path}"),
        false => String::new(),
    };
    ensure!(
        mode & 0o077 == 0,
        "{path} has mode {mode:04o}, so others on this machine can read private keys{instead}"
    );
    Ok(())
}
