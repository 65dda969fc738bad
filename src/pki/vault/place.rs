//! Where a vault may lie: nowhere that others come to read.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail, ensure};

/// `dir` with symbolic links resolved as far as it exists, if a vault may lie there.
///
/// # Errors
/// When it may not, saying why and what to do instead.
pub(super) fn check(dir: &Path, forbidden: &[&Path]) -> anyhow::Result<PathBuf> {
    let vault = resolve(dir)?;
    ensure!(
        !vault.starts_with("/nix/store"),
        "the vault {} is in the Nix store, which every user can read: choose a directory of your own",
        vault.display()
    );
    for output in forbidden {
        let output = resolve(output)?;
        ensure!(
            !vault.starts_with(&output),
            "the vault {} is inside {}, which plasmagen writes or serves in public: choose a directory elsewhere",
            vault.display(),
            output.display()
        );
    }
    for ancestor in vault.ancestors() {
        let flake = ancestor.join("flake.nix");
        let found = flake.try_exists().with_context(|| format!("could not look for {}", flake.display()))?;
        ensure!(
            !found,
            "the vault {} is below {}: Nix copies the whole directory of a flake, ignored files too, into its store, \
             which every user can read. Choose a directory elsewhere",
            vault.display(),
            flake.display()
        );
    }
    Ok(vault)
}

/// The real path of `path`: that of its nearest existing ancestor, and the rest as it is written.
fn resolve(path: &Path) -> anyhow::Result<PathBuf> {
    let absolute = std::path::absolute(path).with_context(|| format!("{} is not a path", path.display()))?;
    let mut missing: Vec<&OsStr> = Vec::new();
    for ancestor in absolute.ancestors() {
        match ancestor.canonicalize() {
            Ok(real) => return Ok(missing.iter().rev().fold(real, |path, name| path.join(name))),
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
