//! `plasmagen init`.

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::Args;
use etcetera::BaseStrategy;

use crate::check::check;

use super::flake_url::FlakeUrl;
use super::output::Output;
use super::{DONE, INVENTORY};

// `nix flake init` copies the same files as they are.

/// The starter inventory; the line `ADMIN_KEYS` is replaced.
const STARTER: &str = include_str!("../../templates/init/inventory.toml");
const ADMIN_KEYS: &str = "  # \"ssh-ed25519 AAAA… you@example.com\", as in ~/.ssh/id_ed25519.pub";
/// The flake; the line `REGISTRY` is replaced where the user says where plasmagen is.
const FLAKE: &str = include_str!("../../templates/init/flake.nix");
const REGISTRY: &str = "\"flake:plasmagen\"; # where it is: nix registry add plasmagen URL";
const GITIGNORE: &str = include_str!("../../templates/init/.gitignore");
/// The largest file of keys that is read, in bytes.
const LARGEST: u64 = 1 << 20;
const PRE_COMMIT: &str = include_str!("../../templates/init/.pre-commit-config.yaml");

/// Start a site: a commented inventory that renders at once, and the flake that makes machines of it
#[derive(Debug, Args)]
pub(super) struct Init {
    /// The directory to start it in; it is made if need be
    dir: PathBuf,
    /// Who may log in to the machines: an SSH public key, or a file of them [default: ~/.ssh/*.pub]
    // A private key begins with a hyphen, and clap would quote it as an unknown option.
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    admin_key: Vec<String>,
    /// Where Nix finds plasmagen, such as git+https://…, github:… or path:/… [default: flake:plasmagen, of the registry]
    #[arg(long, value_name = "URL", allow_hyphen_values = true)]
    plasmagen_url: Option<String>,
}

impl Init {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<u8> {
        let mut keys =
            if self.admin_key.is_empty() { own_keys(output)? } else { named_keys(&self.admin_key)? };
        keys.sort();
        keys.dedup_by(|a, b| same_key(a, b));
        let inventory = starter(&keys)?;
        let flake = flake(self.plasmagen_url.as_deref())?;
        ensure!(
            self.dir.is_dir() || self.dir.symlink_metadata().is_err(),
            "{} is there and is no directory: name another",
            self.dir.display()
        );
        fs::create_dir_all(&self.dir).with_context(|| format!("could not make {}", self.dir.display()))?;
        let path = self.dir.join(INVENTORY);
        if !create(&path, &inventory)? {
            bail!("{} is there already, and init replaces nothing", path.display());
        }
        let schema = self.dir.join("inventory.schema.json");
        if !create(&schema, &super::schema::text()?)? {
            let shown = schema.display();
            output.say(&format!("kept {shown}: plasmagen schema > {shown} makes it fit this plasmagen"));
        }
        let path_of_flake = self.dir.join("flake.nix");
        if !create(&path_of_flake, &flake)? {
            let shown = path_of_flake.display();
            output.say(&format!("kept {shown}: let its outputs be plasmagen.lib.mkSite ./."));
        }
        let ignore = self.dir.join(".gitignore");
        if !create(&ignore, GITIGNORE)? {
            output.say(&format!("kept {}: let it hold .plasmagen/", ignore.display()));
        }
        let hooks = self.dir.join(".pre-commit-config.yaml");
        if !create(&hooks, PRE_COMMIT)? {
            output.say(&format!("kept {}: let it call plasmagen check", hooks.display()));
        }
        let path = path.display();
        output.say(&format!(
            "wrote {path}: make it yours, then\n\n  plasmagen check {path}\n  plasmagen render {path}\n"
        ));
        Ok(DONE)
    }
}

/// Writes a new file, whole or not at all; false if something is there already, which is never replaced.
fn create(path: &Path, text: &str) -> anyhow::Result<bool> {
    let could_not = || format!("could not write {}", path.display());
    if path.symlink_metadata().is_ok() {
        return Ok(false);
    }
    let dir = path.parent().unwrap_or(path);
    let mut builder = tempfile::Builder::new();
    // The umask is heeded: the file is the user's own.
    builder.permissions(Permissions::from_mode(0o666));
    let mut file = builder.tempfile_in(dir).with_context(could_not)?;
    file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).with_context(could_not)?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(refused) if refused.error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(refused) => Err(refused.error).with_context(could_not),
    }
}

/// The keys that the command line names.
fn named_keys(named: &[String]) -> anyhow::Result<Vec<String>> {
    let mut keys = Vec::new();
    for named in named {
        // A key has a space between its type and its body. It is not quoted: somebody may have pasted a private one.
        let (text, whence) = if named.contains(' ') && !Path::new(named).exists() {
            (named.clone(), "--admin-key".to_owned())
        } else {
            ensure!(
                !named.is_empty(),
                "--admin-key is empty: name a `.pub` file, or give the one line that is in it"
            );
            let text = read(named.as_ref()).with_context(|| format!("could not read the SSH key {named}"))?;
            (text, format!("--admin-key {named}"))
        };
        let before = keys.len();
        for line in lines(&text) {
            keys.push(usable(line).with_context(|| whence.clone())?);
        }
        ensure!(keys.len() > before, "{whence}: there is no key in it");
    }
    Ok(keys)
}

/// A file of keys, of a size that one may have.
fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LARGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "it is no file of keys: it has more than 1 MiB"));
    }
    Ok(text)
}

/// The keys in `~/.ssh/*.pub`, those that the machines would not take left out.
fn own_keys(output: &Output) -> anyhow::Result<Vec<String>> {
    let home = etcetera::base_strategy::Xdg::new().context("could not find the user's home directory")?;
    let dir = home.home_dir().join(".ssh");
    let mut files: Vec<PathBuf> = match fs::read_dir(&dir) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
        Err(_) => Vec::new(),
    };
    files.retain(|path| path.extension().is_some_and(|extension| extension == "pub"));
    files.sort();
    let mut keys = Vec::new();
    for path in files {
        let left_out =
            |why: &dyn std::fmt::Display| output.say(&format!("left out {}: {why}", path.display()));
        match read(&path) {
            Ok(text) => lines(&text).for_each(|line| match usable(line) {
                Ok(key) => keys.push(key),
                Err(why) => left_out(&why),
            }),
            Err(why) => left_out(&why),
        }
    }
    ensure!(
        !keys.is_empty(),
        "there is no SSH public key to use in {}, and nobody could log in to the machines without one: name one with \
         --admin-key, or make one with ssh-keygen -t ed25519",
        dir.display()
    );
    Ok(keys)
}

/// Whether two keys differ in their comments only.
fn same_key(a: &str, b: &str) -> bool {
    a.split(' ').take(2).eq(b.split(' ').take(2))
}

/// The lines of a file of keys, in the way of authorized_keys(5).
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// `key`, if an inventory with it is sound.
fn usable(key: &str) -> anyhow::Result<String> {
    let inventory = starter(&[key.to_owned()])?;
    match check(inventory.as_bytes())?.diagnostics.first() {
        None => Ok(key.to_owned()),
        Some(fault) => bail!("{}; {}", fault.message, fault.help.as_deref().unwrap_or("take another key")),
    }
}

/// The inventory to start with.
fn starter(keys: &[String]) -> anyhow::Result<String> {
    // TOML's basic strings take JSON's escapes (TOML 1.0, "String").
    let line = |key: &String| Ok(format!("  {},", serde_json::to_string(key)?));
    let lines = keys.iter().map(line).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(STARTER.replace(ADMIN_KEYS, &lines.join("\n")))
}

/// The flake to start with: plasmagen's is at `url`, or where the user's registry says.
fn flake(url: Option<&str>) -> anyhow::Result<String> {
    let Some(url) = url else { return Ok(FLAKE.to_owned()) };
    let url = FlakeUrl::parse(url).context("--plasmagen-url")?;
    Ok(FLAKE.replace(REGISTRY, &format!("\"{}\";", url.as_str())))
}
