//! The directories in which keys may lie.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail, ensure};

use super::git::check_ignored;
use crate::fs::check_ancestors;

/// Checks that private keys may lie in the directory `dir`, which messages call `name`. Returns the path with symbolic
/// links resolved, as far as the path exists.
///
/// # Errors
/// When others could read the keys there: the message says why, and what to do instead.
pub(super) fn check_private(name: &str, dir: &Path, forbidden: &[&Path]) -> anyhow::Result<PathBuf> {
    let real = check_public(name, dir, forbidden)?;
    for ancestor in real.ancestors() {
        let flake = ancestor.join("flake.nix");
        let found = flake.try_exists().with_context(|| format!("could not look for {}", flake.display()))?;
        ensure!(
            !found,
            "{name} {} is below {}: Nix copies the whole directory of a flake, ignored files too, into its store, \
             which every user can read. Choose a directory elsewhere",
            real.display(),
            flake.display()
        );
    }
    check_ignored(name, &real)?;
    check_replaceable(name, &real)?;
    Ok(real)
}

/// Refuses a directory that another user could replace with one of that user: the next run would write private keys there,
/// or take a stranger's.
pub(super) fn check_replaceable(name: &str, real: &Path) -> anyhow::Result<()> {
    check_ancestors(real, None)
        .with_context(|| format!("{name} {} is not safe for private keys", real.display()))
}

/// Checks that encrypted keys, which others may read, may lie in the directory `dir`: neither in the Nix store nor in a
/// directory that plasmagen writes. Returns the path as [`check_private`] does.
///
/// # Errors
/// When they may not.
pub(super) fn check_public(name: &str, dir: &Path, forbidden: &[&Path]) -> anyhow::Result<PathBuf> {
    let real = resolve(dir)?;
    ensure!(
        !real.starts_with("/nix/store"),
        "{name} {} is in the Nix store, which every user can read: choose a directory of your own",
        real.display()
    );
    for output in forbidden {
        let output = resolve(output)?;
        ensure!(
            !real.starts_with(&output),
            "{name} {} is inside {}, which plasmagen writes or serves in public: choose a directory elsewhere",
            real.display(),
            output.display()
        );
    }
    Ok(real)
}

/// Resolves symbolic links in `path` up to the nearest existing ancestor, and appends the rest as it is written.
fn resolve(path: &Path) -> anyhow::Result<PathBuf> {
    let absolute = std::path::absolute(path).with_context(|| format!("{} is not a path", path.display()))?;
    let mut missing: Vec<&OsStr> = Vec::new();
    for ancestor in absolute.ancestors() {
        match ancestor.canonicalize() {
            Ok(found) => return Ok(missing.iter().rev().fold(found, |path, name| path.join(name))),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                return Err(error).with_context(|| format!("could not resolve {}", ancestor.display()));
            }
        }
        match ancestor.components().next_back() {
            Some(Component::Normal(name)) => missing.push(name),
            _ => bail!("{} leaves, by \"..\", a directory that does not exist", path.display()),
        }
    }
    bail!("could not resolve {}", path.display())
}
