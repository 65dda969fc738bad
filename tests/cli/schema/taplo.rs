//! taplo, which Even Better TOML is made of, finds in an inventory what the schema says: nothing in a good one, and
//! each fault of a bad one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use plasmagen::check::check;
use tempfile::TempDir;

use test_kit::{case_dirs, repository};

/// What `taplo lint` says, and whether it is content; the tool is on PATH or in the directory `PLASMAGEN_TAPLO_BIN`.
fn lint(dir: &Path, schema: bool, files: &[PathBuf]) -> (bool, String) {
    let bin = std::env::var_os("PLASMAGEN_TAPLO_BIN").map(PathBuf::from).unwrap_or_default();
    let mut command = Command::new(bin.join("taplo"));
    command.current_dir(dir).args(["lint", "--colors", "never"]);
    if schema {
        let path = repository().join("inventory.schema.json");
        command.arg("--schema").arg(format!("file://{}", path.display()));
    }
    let output = command.args(files).output().unwrap_or_else(|error| {
        panic!("taplo: {error}. npm install @taplo/cli, and name its directory in PLASMAGEN_TAPLO_BIN")
    });
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Files in a directory of their own.
fn written(files: &[(String, String)]) -> (TempDir, Vec<PathBuf>) {
    let dir = tempfile::tempdir().unwrap();
    let write = |(name, text): &(String, String)| {
        let path = dir.path().join(format!("{name}.toml"));
        fs::write(&path, text).unwrap();
        path
    };
    let paths = files.iter().map(write).collect();
    (dir, paths)
}

fn reference() -> String {
    fs::read_to_string(repository().join("inventory.toml")).unwrap()
}

#[test]
fn every_sound_inventory_passes() {
    let rejects = fs::read_dir(repository().join("tests/rejects")).unwrap();
    let sound = |path: &PathBuf| check(&fs::read(path).unwrap()).unwrap().cluster.is_some();
    let inventories = case_dirs().into_iter().map(|case| case.join("inventory.toml"));
    let warned = rejects.map(|entry| entry.unwrap().path());
    let warned =
        warned.filter(|path| path.extension().is_some_and(|extension| extension == "toml") && sound(path));
    let files: Vec<PathBuf> = inventories.chain(warned).collect();
    assert!(files.len() > 10, "{files:?}");
    // Outside the repository, where no line at the head of a file names another schema.
    let read = |(n, path): (usize, &PathBuf)| (format!("good-{n}"), fs::read_to_string(path).unwrap());
    let copies: Vec<_> = files.iter().enumerate().map(read).collect();
    let (dir, paths) = written(&copies);
    let (content, said) = lint(dir.path(), true, &paths);
    assert!(content && said.contains(&format!("total={}", paths.len())), "{said}");
}

#[test]
fn the_reference_and_a_new_site_name_their_schema() {
    let (content, said) = lint(repository(), false, &["inventory.toml".into()]);
    assert!(content && said.contains("total=1"), "{said}");

    let dir = tempfile::tempdir().unwrap();
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKP4qW8vDaGDGd3oWyyBhj8cVYAMMZp3gAJ6qdjYNM0y ops";
    let mut init = assert_cmd::Command::new(env!("CARGO_BIN_EXE_plasmagen"));
    init.current_dir(dir.path()).args(["init", ".", "--admin-key", key]).assert().success();
    let (content, said) = lint(dir.path(), false, &["inventory.toml".into()]);
    assert!(content, "{said}");
    let inventory = dir.path().join("inventory.toml");
    let text = fs::read_to_string(&inventory).unwrap();
    fs::write(&inventory, text.replacen("formed = false", "formed = 0", 1)).unwrap();
    let (content, said) = lint(dir.path(), false, &["inventory.toml".into()]);
    assert!(!content && said.contains("0 is not of type \"boolean\""), "{said}");
}

#[test]
fn what_is_wrong_in_a_bad_inventory_is_said() {
    let cases = [
        ("unknown-key", "formed = false", "fromed = false", "'fromed' was unexpected"),
        ("unknown-table", "[vip]", "[vips]", "'vips' was unexpected"),
        ("type", "http_port = 8080", "http_port = \"8080\"", "\"8080\" is not of type \"integer\""),
        ("list", "roles = [\"client\"]", "roles = \"client\"", "\"client\" is not of type \"array\""),
        ("enum", "dhcp = \"kea\"", "dhcp = \"keaa\"", "\"keaa\" is not one of [\"kea\",\"isc\",\"dnsmasq\"]"),
        ("role", "roles = [\"client\"]", "roles = [\"clients\"]", "\"clients\" is not one of"),
        ("required", "state_version = \"24.11\"", "", "\"state_version\" is a required property"),
        ("mac", "52:54:00:12:34:56", "52-54-00-12-34-56", "\"52-54-00-12-34-56\" does not match"),
        ("version", "schema = 1\n", "schema = 2\n", "1 was expected"),
        ("range", "vlan = 10\n", "vlan = 4095\n", "4095 is greater than the maximum of 4094"),
        ("size", "esp = \"1G\"", "esp = \"1GB\"", "\"1GB\" does not match"),
        ("name", "[node.node05]", "[node.Node_5]", "does not match"),
        ("layout", "disk.raid1 = {}", "disk.raid5 = {}", "'raid5' was unexpected"),
        ("two-layouts", "disk.raid1 = {}", "disk.raid1 = {}\ndisk.luks = {}", "more than 1 propert"),
        ("code", "allow = [\"PG-D04\"]", "allow = [\"D04\"]", "\"D04\" does not match"),
    ];
    let inventory = reference();
    let files: Vec<_> = cases
        .iter()
        .map(|(name, old, new, _)| {
            assert!(inventory.contains(old), "{old}");
            let text = inventory.replacen(old, new, 1);
            assert!(check(text.as_bytes()).unwrap().cluster.is_none(), "{name}: plasmagen accepts it");
            ((*name).to_owned(), text)
        })
        .collect();
    let (dir, paths) = written(&files);
    let (content, said) = lint(dir.path(), true, &paths);
    assert!(!content, "{said}");
    for (name, .., expected) in cases {
        let of_file = |fault: &str| fault.contains(&format!("/{name}.toml:"));
        let found: Vec<&str> = said.split("error: ").filter(|fault| of_file(fault)).collect();
        assert!(found.iter().any(|fault| fault.contains(expected)), "{name}: {found:#?}");
    }
}
