//! The places where `plasmagen sign` writes: neither the Nix store, nor `site/`, nor what is published.

use std::path::{Component, Path, PathBuf, absolute};

use anyhow::{Context, Result, ensure};

use super::publication::PUBLICATION;
use super::root::WebRoot;
use crate::model::quote_for_shell;

/// Refuses to sign a bundle at `path` that can't be changed, or that machines boot.
pub(super) fn check_bundle_place(path: &Path) -> Result<()> {
    let real = path.canonicalize().with_context(|| format!("could not find {}", path.display()))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    ensure!(
        !real.starts_with("/nix/store"),
        "nothing may be written into the Nix store. Sign a copy: cp -rL --no-preserve=mode {}/ {}",
        quote_for_shell(path.display().to_string().trim_end_matches('/')),
        quote_for_shell(&format!("./{name}-signed"))
    );
    check_unpublished(&real)
}

/// Refuses a directory of signatures `to`, which need not exist yet, in the site `site` or in what is published.
pub(super) fn check_target(site: &Path, to: &Path) -> Result<()> {
    let real = find_real(to)?;
    ensure!(
        !real.starts_with(site.canonicalize()?),
        "plasmagen render replaces all of {}: name a directory outside of it with --to",
        site.display()
    );
    check_unpublished(&real)
}

/// The absolute path without symbolic links of `path`, whose last names need not exist.
fn find_real(path: &Path) -> Result<PathBuf> {
    let absolute = absolute(path)?;
    let (above, real) = absolute
        .ancestors()
        .find_map(|dir| dir.canonicalize().ok().map(|real| (dir, real)))
        .with_context(|| format!("could not find a directory above {}", path.display()))?;
    let below = absolute.strip_prefix(above)?;
    ensure!(
        below.components().all(|name| matches!(name, Component::Normal(_))),
        "{} leads through a directory that does not exist: write the path without `..`",
        path.display()
    );
    Ok(real.join(below))
}

/// Refuses the directory `real`, an absolute path without symbolic links, in a web root, or in a generation elsewhere.
fn check_unpublished(real: &Path) -> Result<()> {
    if let Some(root) = real.ancestors().find(|dir| WebRoot::is_at(dir)) {
        anyhow::bail!(
            "{} is in the web root {}, whose files only plasmagen publish changes: sign the bundle, or the site beside the \
             inventory, and publish it with plasmagen publish",
            real.display(),
            root.display()
        );
    }
    ensure!(
        !real.ancestors().any(|dir| dir.join(PUBLICATION).is_file()),
        "{} is, or lies in, a published generation ({PUBLICATION}): sign what it was published from, and publish it again",
        real.display()
    );
    Ok(())
}
