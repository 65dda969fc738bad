//! A store of its own for Nix, and the flakes in it: ours as git knows it, those that stand in for others, and a site.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// Somebody's public key.
pub(crate) const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKP4qW8vDaGDGd3oWyyBhj8cVYAMMZp3gAJ6qdjYNM0y ops@example.com";

/// Everything that a run of Nix reads or writes.
pub(crate) struct World {
    dir: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let this = Self { dir: tempfile::tempdir().unwrap() };
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        // A flake in a directory is all of it, target/ too: only what git knows, and of that what a flake reads.
        let tracked = this.run("git", root, &["ls-files", "-z"]);
        assert!(tracked.status.success(), "{tracked:?}");
        let tracked = String::from_utf8(tracked.stdout).unwrap();
        let is_read = |file: &&str| {
            file.starts_with("tests/kit/") || !file.starts_with("tests/") && !file.starts_with("fuzz/")
        };
        for file in tracked.split_terminator('\0').filter(is_read) {
            copy_file(&root.join(file), &this.path("plasmagen").join(file));
        }
        copy(&root.join("tests/nix/stand-in"), &this.path(""));
        let lib = std::env::var_os("PLASMAGEN_NIX_LIB").map_or_else(
            || Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("nix-lib").join("lib"),
            PathBuf::from,
        );
        assert!(lib.join("modules.nix").exists(), "{} is missing: run tests/nix/fetch-lib", lib.display());
        copy(&lib, &this.path("nixpkgs/lib"));
        copy_file(&lib.join(".version"), &this.path("nixpkgs/.version"));
        let eval = "tests/nix/eval.nix";
        copy_file(&root.join(eval), &this.path("nixpkgs").join(eval));
        copy(&root.join("tests/nix/options"), &this.path("nixpkgs/tests/nix/options"));
        this
    }

    /// The same with a site: `init` and `render` in an empty directory, as a user does.
    pub(crate) fn with_site() -> Self {
        let this = Self::new();
        let url = format!("path:{}", this.path("plasmagen").display());
        let vault = this.path("vault");
        let vault = vault.to_str().unwrap();
        fs::create_dir(this.path("site")).unwrap();
        for arguments in
            [&["init", ".", "--admin-key", KEY, "--plasmagen-url", &url][..], &["render", "--vault", vault]]
        {
            let done = this.run(env!("CARGO_BIN_EXE_plasmagen"), &this.path("site"), arguments);
            assert!(done.status.success(), "{done:?}");
        }
        this
    }

    /// The site becomes one that is rendered already: the inventory's outputs in `tree`.
    pub(crate) fn has(&self, tree: &Path) {
        let _ = fs::remove_dir_all(self.path("site"));
        for dir in ["nodes", "site"] {
            copy(&tree.join(dir), &self.path("site").join(dir));
        }
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// The site's flake becomes what `mkSite` makes of `argument`.
    pub(crate) fn says(&self, argument: &str) {
        let inputs = ["plasmagen", "plasmacloud", "nixpkgs"]
            .map(|name| format!("inputs.{name}.url = \"path:{}\";", self.path(name).display()));
        let flake = format!(
            "{{ {} outputs = {{ plasmagen, nixpkgs, plasmacloud, ... }}: plasmagen.lib.mkSite {argument}; }}",
            inputs.join(" ")
        );
        fs::write(self.path("site/flake.nix"), flake).unwrap();
    }

    /// The site's `file` with `old` replaced.
    pub(crate) fn edit(&self, file: &str, old: &str, new: &str) {
        let file = self.path("site").join(file);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(old), "{old}");
        fs::write(file, text.replace(old, new)).unwrap();
    }

    /// `nix` in the site, on the flake in the directory `flake`: what it printed, or what it said.
    pub(crate) fn nix(&self, flake: &str, arguments: &[&str], attribute: &str) -> Result<String, String> {
        let at = |name: &str| format!("path:{}", self.path(name).display());
        let mut all: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        all.push("--offline".to_owned());
        if arguments[1..] != ["lock"] {
            all.push("--no-write-lock-file".to_owned());
        }
        let prefix = if flake == "plasmagen" { "" } else { "plasmagen/" };
        for input in ["nixpkgs", "disko"] {
            all.extend(["--override-input".to_owned(), format!("{prefix}{input}"), at(input)]);
        }
        if flake == "site" {
            all.extend(["--override-input".to_owned(), "nixpkgs".to_owned(), at("nixpkgs")]);
        }
        all.push(if attribute.is_empty() { at(flake) } else { format!("{}#{attribute}", at(flake)) });
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let output = self.run("nix", &self.path(flake), &all);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// `nix flake check`, which builds nothing here.
    pub(crate) fn check(&self, flake: &str) -> Result<String, String> {
        self.nix(flake, &["flake", "check", "--no-build"], "")
    }

    /// What `attribute` of the flake comes to after `apply`.
    pub(crate) fn value(&self, flake: &str, attribute: &str, apply: &str) -> Value {
        let text = self.nix(flake, &["eval", "--json", "--apply", apply], attribute);
        serde_json::from_str(&text.unwrap_or_else(|error| panic!("{attribute}: {error}"))).unwrap()
    }

    /// The names in `attribute` of the flake.
    pub(crate) fn names(&self, flake: &str, attribute: &str) -> Value {
        self.value(flake, attribute, "builtins.attrNames")
    }

    /// A program that sees of the environment only the paths in here.
    pub(crate) fn run(&self, program: &str, dir: &Path, arguments: &[&str]) -> Output {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).current_dir(dir);
        for (variable, path) in [
            ("HOME", "home"),
            ("XDG_CACHE_HOME", "home/cache"),
            ("NIX_STORE_DIR", "nix/store"),
            ("NIX_STATE_DIR", "nix/var"),
            ("NIX_LOG_DIR", "nix/log"),
            ("NIX_CONF_DIR", "nix/conf"),
        ] {
            command.env(variable, self.path(path));
        }
        let settings = "experimental-features = nix-command flakes\nsubstituters =\nbuild-users-group =\nflake-registry =\n";
        command.env("NIX_CONFIG", settings).args(arguments);
        command
            .output()
            .unwrap_or_else(|error| panic!("{program} does not run ({error}): tests/run installs it"))
    }
}

impl Drop for World {
    /// What is in a store may not be written to, and directories not be emptied.
    fn drop(&mut self) {
        let _ = Command::new("chmod").args(["-R", "u+w"]).arg(self.dir.path()).status();
    }
}

fn copy_file(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::copy(from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
}

/// Copies the files below `from`.
pub(crate) fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            copy_file(entry.path(), &to.join(entry.path().strip_prefix(from).unwrap()));
        }
    }
}
