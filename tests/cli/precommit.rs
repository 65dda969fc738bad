//! The hooks of `.pre-commit-hooks.yaml` in the real pre-commit: what counts is what is staged.
//!
//! Most are run with `language: system`, which finds the program that was just built; one with their own `language:
//! rust`, which has cargo install it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use test_kit::tree::copy;

const SOUND: &str = "tests/golden/minimal/inventory.toml";

/// A git repository with an inventory that is committed, and a home.
struct Repository {
    dir: TempDir,
}

impl Repository {
    /// One with `hooks`, as a user configures them who has the program.
    fn new(hooks: &[&str]) -> Self {
        Self::with(hooks, &[".pre-commit-hooks.yaml"], ", language: system")
    }

    /// One with `hooks` and `options` for each, from a repository that has `files`.
    fn with(hooks: &[&str], files: &[&str], options: &str) -> Self {
        let this = Self { dir: tempfile::tempdir().unwrap() };
        for dir in ["home", "hooks", "site"] {
            fs::create_dir(this.path(dir)).unwrap();
        }
        for file in files {
            copy(Path::new(file), &this.path("hooks").join(file));
        }
        this.git("hooks", &["init", "--quiet"]);
        this.git("hooks", &["add", "."]);
        this.git("hooks", &["commit", "--quiet", "--message", "hooks"]);
        let ids = hooks.iter().map(|id| format!("      - {{ id: {id}{options} }}\n")).collect::<String>();
        let rev = String::from_utf8(this.git("hooks", &["rev-parse", "HEAD"]).stdout).unwrap();
        let config = format!(
            "repos:\n  - repo: {}\n    rev: {}\n    hooks:\n{ids}",
            this.path("hooks").display(),
            rev.trim()
        );
        this.started(&config)
    }

    /// Puts `config` and a sound inventory into `site/`, commits both, and installs the hooks.
    fn started(self, config: &str) -> Self {
        self.git("site", &["init", "--quiet"]);
        self.write("inventory.toml", &fs::read_to_string(SOUND).unwrap());
        self.write(".pre-commit-config.yaml", config);
        self.git("site", &["add", "."]);
        self.git("site", &["commit", "--quiet", "--message", "sound"]);
        let installed = self.run("site", pre_commit().to_str().unwrap(), &["install"]);
        assert!(installed.status.success(), "{installed:?}");
        self
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.path("site").join(path), text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path("site").join(path)).unwrap()
    }

    /// Runs a program that finds ours, and of the environment nothing else.
    fn run(&self, dir: &str, program: &str, arguments: &[&str]) -> Output {
        let output = self.command(dir, program).args(arguments).output();
        output.unwrap_or_else(|error| panic!("{program} does not run ({error})"))
    }

    fn command(&self, dir: &str, program: &str) -> Command {
        let ours = Path::new(env!("CARGO_BIN_EXE_plasmagen")).parent().unwrap();
        let path = std::env::join_paths(
            std::iter::once(ours.to_owned()).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
        );
        let mut command = Command::new(program);
        command.env_clear().env("PATH", path.unwrap()).env("HOME", self.path("home"));
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "Ops")
                .env(format!("GIT_{role}_EMAIL"), "ops@example.com");
        }
        command.current_dir(self.path(dir));
        command
    }

    fn git(&self, dir: &str, arguments: &[&str]) -> Output {
        let output = self.run(dir, "git", arguments);
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
        output
    }

    /// Commits what is staged: whether the hooks let it pass, and what they said.
    fn commit(&self) -> (bool, String) {
        let output = self.run("site", "git", &["commit", "--message", "change"]);
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    }

    #[track_caller]
    fn refused(&self, words: &str) {
        let (passed, text) = self.commit();
        assert!(!passed && text.contains(words), "{text}");
    }

    #[track_caller]
    fn passed(&self) {
        let (passed, text) = self.commit();
        assert!(passed && text.contains("Passed"), "{text}");
    }
}

/// Where tests/run has put pre-commit.
fn pre_commit() -> PathBuf {
    let program = test_kit::target().join("pre-commit/bin/pre-commit");
    assert!(program.exists(), "{} is missing: tests/run installs it", program.display());
    program
}

/// The inventory with a fault (PG-C08).
fn faulty(inventory: &str) -> String {
    let faulty = inventory.replacen(".0/24", ".7/24", 1);
    assert_ne!(faulty, inventory);
    faulty
}

#[test]
fn the_manifest_is_one() {
    let repository = Repository::new(&["plasmagen-check"]);
    let program = pre_commit();
    let validated = repository.run("hooks", program.to_str().unwrap(), &["validate-manifest"]);
    assert!(validated.status.success(), "{validated:?}");
}

#[test]
fn the_configurations_of_the_documentation_are_sound() {
    let repository = Repository::new(&["plasmagen-check"]);
    let page = fs::read_to_string("docs/ci.md").unwrap();
    let blocks: Vec<_> =
        page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let configurations: Vec<_> = blocks.into_iter().filter(|block| block.starts_with("repos:")).collect();
    assert_eq!(configurations.len(), 2);
    for configuration in configurations {
        repository.write("documented.yaml", configuration);
        let program = pre_commit();
        let validated =
            repository.run("site", program.to_str().unwrap(), &["validate-config", "documented.yaml"]);
        assert!(validated.status.success(), "{validated:?}");
    }
}

/// Stands in for cargo: what pre-commit has it install is the program that was just built.
const CARGO: &str = r#"#!/bin/sh
# Whether there is a cargo.
[ "$*" = --version ] && exit
[ "$1 $2 $3 $5 $6 $#" = "install --bins --root --path . 6" ] || { echo "cargo $*" >&2; exit 1; }
[ -e Cargo.toml ] && mkdir -p "$4/bin" && cp "$PROGRAM" "$4/bin/"
"#;

#[test]
fn pre_commit_builds_the_hooks_from_the_repository() {
    let repository = Repository::with(&["plasmagen-check"], &[".pre-commit-hooks.yaml", "Cargo.toml"], "");
    repository.write("inventory.toml", &faulty(&repository.read("inventory.toml")));
    let cargo = repository.path("home/cargo");
    fs::write(&cargo, CARGO).unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = repository.command("site", pre_commit().to_str().unwrap());
    // No program but the one that pre-commit has installed.
    let path = std::env::var_os("PATH").unwrap();
    let path = std::iter::once(repository.path("home")).chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(path).unwrap()).env("PROGRAM", env!("CARGO_BIN_EXE_plasmagen"));
    let output = command.args(["run", "--all-files"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!output.status.success() && text.contains("error[PG-C08]"), "{text}");
    let built = repository.path("home/.cache/pre-commit");
    let built = walkdir::WalkDir::new(built).into_iter().filter(|entry| {
        let path = entry.as_ref().unwrap().path();
        path.ends_with("rustenv-system/bin/plasmagen")
    });
    assert_eq!(built.count(), 1);
}

/// The files that the package of the flake is built from are a package: cargo finds every target of the manifest.
#[test]
fn the_files_of_the_package_are_a_package() {
    let package = fs::read_to_string("nix/package.nix").unwrap();
    let (_, sources) = package.split_once("fileset.unions [").unwrap();
    let (sources, _) = sources.split_once(']').unwrap();
    let dir = tempfile::tempdir().unwrap();
    for source in sources.lines().filter_map(|line| line.trim().strip_prefix("../")) {
        copy(Path::new(source), &dir.path().join(source));
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--offline", "--locked", "--format-version", "1"]).current_dir(dir.path());
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn an_unstaged_fix_does_not_hide_a_staged_fault() {
    let repository = Repository::new(&["plasmagen-check"]);
    let sound = repository.read("inventory.toml");
    repository.write("inventory.toml", &faulty(&sound));
    repository.git("site", &["add", "inventory.toml"]);
    let fixed = format!("{sound}# fixed\n");
    repository.write("inventory.toml", &fixed);
    repository.refused("error[PG-C08]");
    // The fix is still there, and once it is staged it counts.
    assert_eq!(repository.read("inventory.toml"), fixed);
    repository.git("site", &["add", "inventory.toml"]);
    repository.passed();
}

#[test]
fn an_unstaged_fault_does_not_refuse_a_sound_commit() {
    let repository = Repository::new(&["plasmagen-check"]);
    let sound = repository.read("inventory.toml") + "# staged\n";
    repository.write("inventory.toml", &sound);
    repository.git("site", &["add", "inventory.toml"]);
    repository.write("inventory.toml", &faulty(&sound));
    repository.passed();
    assert_eq!(repository.read("inventory.toml"), faulty(&sound));
}

#[test]
fn inventories_in_several_directories_are_all_checked() {
    let repository = Repository::new(&["plasmagen-check"]);
    let sound = repository.read("inventory.toml");
    for (dir, text) in [("east", faulty(&sound)), ("west", sound.clone()), ("south", faulty(&sound))] {
        fs::create_dir(repository.path("site").join(dir)).unwrap();
        repository.write(&format!("{dir}/inventory.toml"), &text);
    }
    repository.git("site", &["add", "."]);
    let (passed, text) = repository.commit();
    let said = |words: &str| assert!(text.contains(words), "{words}: {text}");
    assert!(!passed);
    said("east/inventory.toml is refused");
    said("south/inventory.toml is refused");
    said("west/inventory.toml is sound");
}

#[test]
fn a_stale_tree_is_refused_and_a_fresh_one_passes() {
    let repository = Repository::new(&["plasmagen-check", "plasmagen-render-check"]);
    repository.write("inventory.toml", &(repository.read("inventory.toml") + "# staged\n"));
    repository.git("site", &["add", "inventory.toml"]);
    repository.refused("stale: ");
    let rendered = repository.run("site", "plasmagen", &["render"]);
    assert!(rendered.status.success(), "{rendered:?}");
    repository.git("site", &["add", "inventory.toml", "nodes", "site"]);
    repository.passed();
    // A file of the tree alone calls the hook, too.
    let config = repository.read("site/inventory.json");
    repository.write("site/inventory.json", &format!("{config}\n"));
    repository.git("site", &["add", "site/inventory.json"]);
    repository.refused("stale: 1 file would change");
}

#[test]
fn what_init_writes_is_a_configuration_that_works() {
    let config = fs::read_to_string("templates/init/.pre-commit-config.yaml").unwrap();
    let repository = Repository { dir: tempfile::tempdir().unwrap() };
    for dir in ["home", "site"] {
        fs::create_dir(repository.path(dir)).unwrap();
    }
    let repository = repository.started(&config);
    let sound = repository.read("inventory.toml");
    repository.write("inventory.toml", &faulty(&sound));
    repository.git("site", &["add", "inventory.toml"]);
    repository.refused("error[PG-C08]");
    repository.write("inventory.toml", &format!("{sound}# sound\n"));
    repository.git("site", &["add", "inventory.toml"]);
    repository.refused("stale: ");
    let rendered = repository.run("site", "plasmagen", &["render"]);
    assert!(rendered.status.success(), "{rendered:?}");
    repository.git("site", &["add", "nodes", "site"]);
    repository.passed();
}

#[test]
fn a_hook_without_pre_commit_reads_what_is_staged() {
    let repository = Repository::new(&["plasmagen-check"]);
    let sound = repository.read("inventory.toml");
    repository.write("inventory.toml", &faulty(&sound));
    repository.git("site", &["add", "inventory.toml"]);
    repository.write("inventory.toml", &sound);
    let script =
        "git show :inventory.toml | plasmagen check --format concise --stdin-filename inventory.toml";
    let output = repository.run("site", "bash", &["-c", script]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("inventory.toml:") && text.contains("error[PG-C08]"), "{text}");
}
