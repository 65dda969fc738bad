//! The links in a web root that lead into its current site, for servers that know no generations. The links never change, so
//! that one switch of `current` changes the targets of all of them.

use anyhow::{Context, Result, bail, ensure};

use super::loaders::Undo;
use super::root::{CURRENT, SITE, WebRoot};
use crate::fs::{FileType, kind_of};

/// A link that a web root lacks.
#[derive(Debug)]
pub(super) struct MissingLink {
    name: String,
    /// The mode of the empty directory in the place of the link: tmpfiles.d(5) or a person may have made one.
    replaced_dir: Option<u32>,
}

/// Lists the links that `root` lacks for `names`, the topmost names of a site.
///
/// # Errors
/// When something else has one of the names.
pub(super) fn find_missing_links(root: &WebRoot, names: &[String]) -> Result<Vec<MissingLink>> {
    let mut missing = Vec::new();
    for name in names {
        let stat = root.dir.stat(name).with_context(|| format!("could not look at {name}"))?;
        let mut replaced_dir = None;
        match stat.as_ref().map(|stat| (kind_of(stat), stat.st_mode)) {
            Some((FileType::Symlink, _)) => {
                ensure!(
                    root.dir.read_link(name)?.to_bytes() == target(name).as_bytes(),
                    "{name} is a symbolic link to somewhere else: remove it"
                );
                continue;
            }
            Some((FileType::Directory, mode)) => {
                let found = root.dir.open_dir(name).and_then(|dir| dir.list());
                let found = found.with_context(|| format!("could not list {name}/"))?;
                ensure!(
                    found.is_empty(),
                    "{name} is a directory, and plasmagen needs that name: move it away"
                );
                replaced_dir = Some(mode & 0o7777);
            }
            Some(_) => bail!("{name} is in the way: move it away"),
            None => {}
        }
        missing.push(MissingLink { name: name.clone(), replaced_dir });
    }
    Ok(missing)
}

/// Makes `links` durably. `undo` gets a step for each change, which takes the change back.
pub(super) fn make_links<'a>(root: &'a WebRoot, links: &'a [MissingLink], undo: &mut Undo<'a>) -> Result<()> {
    if links.is_empty() {
        return Ok(());
    }
    for MissingLink { name, replaced_dir } in links {
        if let Some(mode) = *replaced_dir {
            // Fails where something has been put into the directory since.
            root.dir.remove_empty_dir(name).with_context(|| {
                format!("{name} is a directory, and plasmagen needs that name: move it away")
            })?;
            undo.push(Box::new(move || Ok(root.dir.make_dir_exact(name, mode).map(drop)?)));
        }
        let made = root.dir.make_link(&target(name), name);
        made.with_context(|| format!("could not make the link {name}"))?;
        undo.push(Box::new(move || root.dir.remove_file(name)));
    }
    root.dir.sync().context("could not make the web root durable")
}

/// The target of the link `name`.
fn target(name: &str) -> String {
    format!("{SITE}/{CURRENT}/{name}")
}
