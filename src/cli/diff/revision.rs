//! An inventory, and what was rendered from it, as they were in a revision of git.

use std::path::Path;
use std::process::Output;

use anyhow::{Context, ensure};

use crate::cli::inventory::root_of;
use crate::plan::former::FormerTexts;
use crate::plan::git::{git, run};

/// The resolved inventory that was rendered last, relative to the inventory.
pub(in crate::cli) const RENDERED: &str = "site/inventory.json";

/// A commit, and the inventory that is read from it.
pub(super) struct Revision<'a> {
    inventory: &'a Path,
    /// The revision, as the user wrote it.
    name: &'a str,
    /// The name of the commit.
    commit: String,
}

impl<'a> Revision<'a> {
    /// Finds the commit that `name` means in the repository of `inventory`.
    ///
    /// # Errors
    /// Without git, or such a commit.
    pub(super) fn find(inventory: &'a Path, name: &'a str) -> anyhow::Result<Self> {
        // A revision that begins with `-` would be an option.
        let wanted = format!("{name}^{{commit}}");
        let found = ask(inventory, &["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted])?;
        ensure!(
            found.status.success(),
            "git finds no revision {name:?} in {}: {}",
            root_of(inventory).display(),
            String::from_utf8_lossy(&found.stderr).trim()
        );
        let commit =
            String::from_utf8(found.stdout).context("git answers with something that is no commit")?;
        Ok(Self { inventory, name, commit: commit.trim().to_owned() })
    }

    /// Reads the inventory.
    ///
    /// # Errors
    /// When the commit has none.
    pub(super) fn read_inventory(&self) -> anyhow::Result<Vec<u8>> {
        let name = self.inventory.file_name().and_then(|name| name.to_str());
        let name = name.context("the inventory has no name that git knows")?;
        self.read_file(name)
    }

    /// Reads the file `path`, relative to the directory of the inventory.
    ///
    /// # Errors
    /// When the commit has no such file.
    pub(super) fn read_file(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        let shown = self.show(path)?;
        ensure!(
            shown.status.success(),
            "the revision {:?} has no {}: {}",
            self.name,
            root_of(self.inventory).join(path).display(),
            String::from_utf8_lossy(&shown.stderr).trim()
        );
        Ok(shown.stdout)
    }

    /// Reads what the rendered tree of the commit says of the disks: `site/inventory.json`, or without it the `disko.nix` of
    /// each node.
    ///
    /// # Errors
    /// When git cannot be run.
    pub(super) fn read_rendered(&self) -> anyhow::Result<FormerTexts> {
        let resolved = self.show(RENDERED)?;
        if resolved.status.success() {
            return Ok(FormerTexts::of_resolved(resolved.stdout));
        }
        let listed =
            ask(self.inventory, &["ls-tree", "-z", "--name-only", &format!("{}:./nodes", self.commit)])?;
        let listed = if listed.status.success() { listed.stdout } else { Vec::new() };
        let mut layouts = Vec::new();
        for name in String::from_utf8_lossy(&listed).split_terminator('\0') {
            let shown = self.show(&format!("nodes/{name}/disko.nix"))?;
            if shown.status.success() {
                layouts.push((name.to_owned(), shown.stdout));
            }
        }
        Ok(FormerTexts::of_layouts(layouts))
    }

    /// The file `path`, relative to the directory of the inventory.
    fn show(&self, path: &str) -> anyhow::Result<Output> {
        ask(self.inventory, &["cat-file", "blob", &format!("{}:./{path}", self.commit)])
    }
}

fn ask(inventory: &Path, arguments: &[&str]) -> anyhow::Result<Output> {
    let output = run(git(root_of(inventory)).args(arguments))?;
    output.context(
        "--since reads an old inventory with git, and there is no git: install it, or name a file as OLD",
    )
}
