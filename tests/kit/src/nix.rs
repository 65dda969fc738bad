//! Rendered NixOS configurations, evaluated by nixpkgs' own module system: offline, without a store or a daemon.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::{repository, run, target};

/// `nix-instantiate` with `arguments`, deaf to the machine's own configuration of Nix, leaving nothing behind.
pub fn nix_instantiate(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Output {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new("nix-instantiate");
    command
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.path())
        .env("NIX_REMOTE", "dummy://")
        .env("NIX_CONF_DIR", home.path())
        .env("NIX_CONFIG", "substituters =\nbuild-users-group =\nsandbox = false\n");
    run("nix-bin", &mut command)
}

/// Where `tests/nix/fetch-lib` has put nixpkgs' `lib/`: `$PLASMAGEN_NIX_LIB`, or below the target directory.
pub fn nixpkgs_lib() -> PathBuf {
    let lib =
        std::env::var_os("PLASMAGEN_NIX_LIB").map_or_else(|| target().join("nix-lib/lib"), PathBuf::from);
    assert!(lib.join("modules.nix").exists(), "{} is missing: run tests/nix/fetch-lib", lib.display());
    lib
}

/// The attribute of `tests/nix/eval.nix` as JSON, or what Nix says against it.
fn attribute(name: &str, arguments: &[&OsStr]) -> Result<Value, String> {
    let eval = repository().join("tests/nix/eval.nix");
    let lib = nixpkgs_lib();
    let mut all =
        ["--eval", "--strict", "--json", "--attr", name, "--argstr", "lib"].map(OsStr::new).to_vec();
    all.extend([lib.as_os_str(), eval.as_os_str()]);
    all.extend(arguments);
    let output = nix_instantiate(all);
    if output.status.success() {
        Ok(serde_json::from_slice(&output.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// What NixOS makes of every `configuration.nix` in the directories of `nodes`, all by one call of Nix: the options'
/// values under their NixOS paths, by directory name; of a path its last component, of a generated file its contents.
/// An unknown option, a value of another type, a missing file and a failed assertion are errors.
pub fn try_evaluate(nodes: &Path) -> Result<Value, String> {
    of_directories("nodes", nodes)
}

/// The same of every `pxe-server.nix` in the directories of `servers`: for each, the messages of its `failed` assertions,
/// and its `config` where there are none.
pub fn try_evaluate_servers(servers: &Path) -> Result<Value, String> {
    of_directories("pxe", servers)
}

/// The same of every `configuration.nix` in the directories of `machines`, which render did not write, with `warnings`.
pub fn try_evaluate_machines(machines: &Path) -> Result<Value, String> {
    of_directories("machines", machines)
}

fn of_directories(name: &str, dir: &Path) -> Result<Value, String> {
    attribute(name, &["--argstr".as_ref(), "dir".as_ref(), dir.as_os_str()])
}

/// As [`try_evaluate`], of a tree that must evaluate.
pub fn evaluate(nodes: &Path) -> Value {
    try_evaluate(nodes).unwrap_or_else(|error| panic!("{}: {error}", nodes.display()))
}

/// The type of each NixOS option that the evaluation knows, in the words of NixOS' documentation.
pub fn declared_types() -> Value {
    attribute("types", &[]).unwrap_or_else(|error| panic!("{error}"))
}

/// Has Nix parse every `.nix` file below `roots`, all by one call; returns how many there are.
pub fn parse(roots: &[&Path]) -> Result<usize, String> {
    let files: Vec<PathBuf> = roots
        .iter()
        .flat_map(walkdir::WalkDir::new)
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "nix"))
        .collect();
    assert!(!files.is_empty(), "no .nix file in {roots:?}");
    let output = nix_instantiate([OsStr::new("--parse")].into_iter().chain(files.iter().map(AsRef::as_ref)));
    if output.status.success() {
        Ok(files.len())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}
