//! `plasmagen init`.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use etcetera::BaseStrategy;

use crate::model::{AdminKey, Word};

use super::DONE;
use super::output::Output;

/// The starter inventory; the line `ADMIN_KEYS` is replaced.
const STARTER: &str = include_str!("../../templates/init/inventory.toml");
const GITIGNORE: &str = include_str!("../../templates/init/gitignore");

/// Start a site: a commented inventory that renders at once
#[derive(Debug, Args)]
pub(super) struct Init {
    /// The directory to start it in; it is made if need be
    dir: PathBuf,
    /// Who may log in to the machines: an SSH public key, or a file that holds one [default: ~/.ssh/*.pub]
    #[arg(long, value_name = "KEY")]
    admin_key: Vec<String>,
}

impl Init {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<u8> {
        let keys = if self.admin_key.is_empty() { own_keys()? } else { named_keys(&self.admin_key)? };
        // TOML's basic strings take JSON's escapes (TOML 1.0, "String").
        let lines: Vec<String> = keys
            .iter()
            .map(|key| Ok(format!("  {},", serde_json::to_string(key.as_str())?)))
            .collect::<anyhow::Result<_>>()?;
        let inventory = STARTER.replace("  ADMIN_KEYS", &lines.join("\n"));
        fs::create_dir_all(&self.dir).with_context(|| format!("could not make {}", self.dir.display()))?;
        let path = self.dir.join("inventory.toml");
        create(&path, &inventory)?;
        let ignore = self.dir.join(".gitignore");
        if !ignore.exists() {
            create(&ignore, GITIGNORE)?;
        }
        let path = path.display();
        output.say(&format!(
            "wrote {path}: make it yours, then\n\n  plasmagen check {path}\n  plasmagen render {path}\n"
        ));
        Ok(DONE)
    }
}

/// Writes a new file; what is there already is never replaced.
fn create(path: &Path, text: &str) -> anyhow::Result<()> {
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o644).open(path);
    let mut file = file.with_context(|| format!("could not make {}", path.display()))?;
    file.write_all(text.as_bytes()).with_context(|| format!("could not write {}", path.display()))
}

/// The keys that the command line names.
fn named_keys(named: &[String]) -> anyhow::Result<Vec<AdminKey>> {
    let mut keys = Vec::new();
    for own in named {
        // A key has a space between its type and its body.
        let text = if own.contains(' ') {
            own.clone()
        } else {
            fs::read_to_string(own).with_context(|| format!("could not read the SSH key {own}"))?
        };
        keys.push(parse(&text).with_context(|| format!("--admin-key {own}"))?);
    }
    Ok(keys)
}

/// The keys in `~/.ssh/*.pub`, those that are too weak left out.
fn own_keys() -> anyhow::Result<Vec<AdminKey>> {
    let home = etcetera::base_strategy::Xdg::new().context("could not find the user's home directory")?;
    let dir = home.home_dir().join(".ssh");
    let mut files: Vec<PathBuf> = match fs::read_dir(&dir) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
        Err(_) => Vec::new(),
    };
    files.retain(|path| path.extension().is_some_and(|extension| extension == "pub"));
    files.sort();
    let texts = files.iter().filter_map(|path| fs::read_to_string(path).ok());
    let mut keys: Vec<AdminKey> = texts.filter_map(|text| parse(&text).ok()).collect();
    keys.dedup();
    if keys.is_empty() {
        bail!(
            "there is no SSH public key in {}, and nobody could log in to the machines without one: name one with \
             --admin-key, or make one with ssh-keygen -t ed25519",
            dir.display()
        );
    }
    Ok(keys)
}

fn parse(text: &str) -> anyhow::Result<AdminKey> {
    AdminKey::parse(text.trim()).map_err(|invalid| anyhow::anyhow!("{}; {}", invalid.message, invalid.help))
}
