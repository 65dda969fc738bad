//! `plasmagen init`.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::{Args, ValueHint};
use etcetera::BaseStrategy;

use crate::check::check;
use crate::diag::Severity;
use crate::fs::{TEXT_LIMIT, create_all, make_dirs, read_input, read_input_text, remove_empty_dir};
use crate::model::quote_for_shell;

use super::flake_url::FlakeUrl;
use super::inventory::INVENTORY;
use super::printer::Printer;
use super::render::is_in_git;
use super::{DONE, home};

// `nix flake init` copies the same files as they are.

/// The first inventory of a site; the line `ADMIN_KEYS` is replaced by the user's keys.
const STARTER: &str = include_str!("../../templates/init/inventory.toml");
const ADMIN_KEYS: &str = "  # \"ssh-ed25519 AAAA… you@example.com\", as in ~/.ssh/id_ed25519.pub";
/// The flake of a site; `REGISTRY` is replaced by the URL of `--plasmagen-url`.
const FLAKE: &str = include_str!("../../templates/init/flake.nix");
const REGISTRY: &str = "\"flake:plasmagen\"; # where it is: nix registry add plasmagen URL";
const GITIGNORE: &str = include_str!("../../templates/init/.gitignore");
const PRE_COMMIT: &str = include_str!("../../templates/init/.pre-commit-config.yaml");

/// Start a site: write a commented inventory, and a flake that builds machines from it
///
/// `plasmagen render` accepts the inventory as it is. Files that exist are never replaced. Many nodes that are alike may
/// stand in a table beside the inventory, `[nodes]` with `from = "nodes.csv"`.
#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The directory of the site, which is made if it is missing
    #[arg(value_hint = ValueHint::DirPath)]
    dir: PathBuf,
    /// An SSH public key that may log in to the machines, or a file of such keys; may be given several times [default:
    /// ~/.ssh/*.pub]
    // A private key begins with a hyphen, and clap would quote it as an unknown option.
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    admin_key: Vec<String>,
    /// Where Nix finds plasmagen: the URL of a flake, such as git+https://…, github:… or path:/… [default:
    /// flake:plasmagen, which Nix looks up in its registry]
    #[arg(long, value_name = "URL")]
    plasmagen_url: Option<String>,
}

impl InitArgs {
    pub(super) fn run(&self, printer: &Printer) -> anyhow::Result<u8> {
        let mut keys =
            if self.admin_key.is_empty() { find_keys(printer)? } else { read_keys(&self.admin_key)? };
        keys.sort();
        keys.dedup_by(|a, b| is_same_key(a, b));
        let inventory = first_inventory(&keys)?;
        let flake = first_flake(self.plasmagen_url.as_deref())?;
        ensure!(
            self.dir.is_dir() || self.dir.symlink_metadata().is_err(),
            "{} exists and is not a directory: name another directory",
            self.dir.display()
        );
        let path = self.dir.join(INVENTORY);
        let refuse_existing = || format!("{} exists already, and init replaces no file", path.display());
        ensure!(path.symlink_metadata().is_err(), refuse_existing());
        let is_new_dir = !self.dir.exists();
        make_dirs(&self.dir)?;
        // The inventory comes last: a run that was killed before has made no site, and the next one makes it.
        let mut files = companions(flake)?.map(|(name, text, _)| (name, text)).to_vec();
        files.push((INVENTORY, inventory));
        let written = create_all(&self.dir, &files).inspect_err(|_| {
            if is_new_dir {
                drop(remove_empty_dir(&self.dir));
            }
        })?;
        ensure!(written.last() == Some(&true), refuse_existing());
        for ((name, text), (_, _, help)) in files.iter().zip(companions(String::new())?) {
            let path = self.dir.join(name);
            // A file of another text stays as it is.
            if read_input(&path, TEXT_LIMIT).ok().as_deref() != Some(text.as_bytes()) {
                let shown = path.display();
                printer.say(&format!("kept {shown}: {}", help.replace("FILE", &shown.to_string())));
            }
        }
        printer.say(&format!("wrote {}: edit it, then run", path.display()));
        printer.say_lines(&format!("\n{}", self.next_steps()));
        Ok(DONE)
    }

    /// The commands that come next, to be pasted into a shell.
    fn next_steps(&self) -> String {
        let is_here = self.dir == Path::new(".");
        let dir = self.dir.display().to_string();
        let cd = if is_here { String::new() } else { format!("  cd {}\n", quote_for_shell(&dir)) };
        let init = if is_in_git(&self.dir) { "" } else { "  git init\n" };
        format!("{cd}{init}  plasmagen check\n  plasmagen render\n  git add .\n")
    }
}

/// The files beside the inventory: name, text, and what to do where another file has the name.
fn companions(flake: String) -> anyhow::Result<[(&'static str, String, &'static str); 4]> {
    Ok([
        (
            "inventory.schema.json",
            super::schema::schema_text()?,
            "plasmagen schema > FILE replaces it by the schema of this version",
        ),
        ("flake.nix", flake, "its outputs should be those of plasmagen.lib.mkSite"),
        (".gitignore", GITIGNORE.to_owned(), "add the lines .plasmagen/ and *.key"),
        (
            ".pre-commit-config.yaml",
            PRE_COMMIT.to_owned(),
            "add hooks that run plasmagen check and plasmagen render --check",
        ),
    ])
}

/// Reads the keys that the command line names.
fn read_keys(named: &[String]) -> anyhow::Result<Vec<String>> {
    let mut keys = Vec::new();
    for named in named {
        // A key has a space between its type and its body. It is not quoted: somebody may have pasted a private one.
        let (text, origin) = if named.contains(' ') && !Path::new(named).exists() {
            (named.clone(), "--admin-key".to_owned())
        } else {
            ensure!(
                !named.is_empty(),
                "--admin-key is empty: name a `.pub` file, or give the one line that is in it"
            );
            let text = read_input_text(named.as_ref(), TEXT_LIMIT)
                .with_context(|| format!("could not read the SSH key {named}"))?;
            (text, format!("--admin-key {named}"))
        };
        let before = keys.len();
        for line in key_lines(&text) {
            keys.push(check_key(line).with_context(|| origin.clone())?);
        }
        ensure!(keys.len() > before, "{origin}: there is no key in it");
    }
    Ok(keys)
}

/// Reads the keys in `~/.ssh/*.pub`, and leaves out those that an inventory may not have.
fn find_keys(printer: &Printer) -> anyhow::Result<Vec<String>> {
    let dir = home::find()?.home_dir().join(".ssh");
    let mut files: Vec<PathBuf> = match std::fs::read_dir(&dir) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
        Err(_) => Vec::new(),
    };
    files.retain(|path| path.extension().is_some_and(|extension| extension == "pub"));
    files.sort();
    let mut keys = Vec::new();
    for path in files {
        let left_out =
            |why: &dyn std::fmt::Display| printer.say(&format!("left out {}: {why}", path.display()));
        match read_input_text(&path, TEXT_LIMIT) {
            Ok(text) => key_lines(&text).for_each(|line| match check_key(line) {
                Ok(key) => keys.push(key),
                Err(why) => left_out(&why),
            }),
            Err(why) => left_out(&why),
        }
    }
    ensure!(
        !keys.is_empty(),
        "there is no usable SSH public key in {}, and without one nobody could log in to the machines: name a key with \
         --admin-key, or make one with ssh-keygen -t ed25519",
        dir.display()
    );
    Ok(keys)
}

/// Whether two keys differ in their comments only.
fn is_same_key(a: &str, b: &str) -> bool {
    a.split(' ').take(2).eq(b.split(' ').take(2))
}

/// The lines of a file of keys that hold a key, as authorized_keys(5) has them.
fn key_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Returns `key` if an inventory with that key is sound. Warnings are those of the template's placeholders.
fn check_key(key: &str) -> anyhow::Result<String> {
    let inventory = first_inventory(&[key.to_owned()])?;
    let checked = check(inventory.as_bytes())?;
    match checked.diagnostics.iter().find(|fault| fault.severity == Severity::Error) {
        None => Ok(key.to_owned()),
        Some(fault) => bail!("{}; {}", fault.message, fault.help.as_deref().unwrap_or("take another key")),
    }
}

/// The inventory of a new site.
fn first_inventory(keys: &[String]) -> anyhow::Result<String> {
    // TOML's basic strings take JSON's escapes (TOML 1.0, "String").
    let line = |key: &String| Ok(format!("  {},", serde_json::to_string(key)?));
    let lines = keys.iter().map(line).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(STARTER.replace(ADMIN_KEYS, &lines.join("\n")))
}

/// The flake of a new site: it finds plasmagen at `url`, or by the user's registry of flakes.
fn first_flake(url: Option<&str>) -> anyhow::Result<String> {
    let Some(url) = url else { return Ok(FLAKE.to_owned()) };
    let url = FlakeUrl::parse(url).context("--plasmagen-url")?;
    Ok(FLAKE.replace(REGISTRY, &format!("\"{}\";", url.as_str())))
}
