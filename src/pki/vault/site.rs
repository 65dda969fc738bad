//! The site that uses a vault, and the record of the site that a CA was made for.

use std::path::{Path, PathBuf};

use anyhow::bail;

use super::files::PrivateDir;
use crate::model::{escape_line, quote_for_shell};

/// The file beside a CA that holds the directory of the site.
pub(super) const SITE: &str = "site";

/// A site that uses a vault.
#[derive(Debug)]
pub(super) struct UsingSite {
    /// The directory of the inventory, with symbolic links resolved.
    pub(super) dir: PathBuf,
    /// Whether the user named the vault for this site.
    pub(super) is_named: bool,
}

/// Checks that a site whose `nodes/` publishes no CA may take the CA in the directory `ca` of `vault`: the CA was made for
/// a site in the same directory, or the user named the vault. The name of the cluster alone is no proof: two sites may
/// have one name, and so one default vault.
///
/// # Errors
/// When neither is the case: the message says how the user states which of the two is meant.
pub(super) fn check_site(site: Option<&UsingSite>, vault: &Path, ca: &str) -> anyhow::Result<()> {
    let Some(site) = site.filter(|site| !site.is_named) else { return Ok(()) };
    let root = PrivateDir::open_checked(vault)?;
    let recorded = match root.map(|root| root.open_dir(ca)).transpose()?.flatten() {
        Some(dir) => dir.read(SITE)?,
        None => None,
    };
    let recorded = recorded.as_ref().map(|text| text.as_str());
    if recorded == Some(&*site.dir.to_string_lossy()) {
        return Ok(());
    }
    let shown = vault.display();
    let quoted = quote_for_shell(&shown.to_string());
    let of = recorded.map_or_else(String::new, |dir| format!(" of the site in {}", escape_line(dir)));
    bail!(
        "the vault {shown} already holds the CA{of}, and nodes/ here publishes none. If this is the same cluster, \
         restore nodes/ from git, or run plasmagen render --vault {quoted}; if it is another cluster, give it a `name` of \
         its own in [cluster], or a vault of its own as `path` in [vault]"
    )
}
