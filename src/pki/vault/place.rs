//! Where private keys may lie: nowhere that others come to read.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail, ensure};

/// `dir` with symbolic links resolved as far as it exists, if private keys may lie there; `what` is to be there.
///
/// # Errors
/// When they may not, saying why and what to do instead.
pub(super) fn check(what: &str, dir: &Path, forbidden: &[&Path]) -> anyhow::Result<PathBuf> {
    let place = elsewhere(what, dir, forbidden)?;
    for ancestor in place.ancestors() {
        let flake = ancestor.join("flake.nix");
        let found = flake.try_exists().with_context(|| format!("could not look for {}", flake.display()))?;
        ensure!(
            !found,
            "{what} {} is below {}: Nix copies the whole directory of a flake, ignored files too, into its store, \
             which every user can read. Choose a directory elsewhere",
            place.display(),
            flake.display()
        );
    }
    Ok(place)
}

/// The same for what others may read: it only stays out of what is plasmagen's or Nix's.
///
/// # Errors
/// As for [`check`].
pub(super) fn elsewhere(what: &str, dir: &Path, forbidden: &[&Path]) -> anyhow::Result<PathBuf> {
    let place = resolve(dir)?;
    ensure!(
        !place.starts_with("/nix/store"),
        "{what} {} is in the Nix store, which every user can read: choose a directory of your own",
        place.display()
    );
    for output in forbidden {
        let output = resolve(output)?;
        ensure!(
            !place.starts_with(&output),
            "{what} {} is inside {}, which plasmagen writes or serves in public: choose a directory elsewhere",
            place.display(),
            output.display()
        );
    }
    Ok(place)
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
