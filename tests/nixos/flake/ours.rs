//! The flake of this repository.

use std::fs;

use serde_json::json;

use crate::flake::kit::World;

#[test]
fn it_evaluates_and_has_what_it_promises() {
    let world = World::new();
    world.check("plasmagen").unwrap();
    let packages =
        json!(["default", "netboot-all-in-one", "netboot-control-plane", "netboot-worker", "plasmagen"]);
    let checks = json!(["clippy", "fmt", "package", "reference", "tests"]);
    for system in ["x86_64-linux", "aarch64-linux"] {
        assert_eq!(world.names("plasmagen", &format!("packages.{system}")), packages);
        assert_eq!(world.names("plasmagen", &format!("checks.{system}")), checks);
        assert_eq!(world.names("plasmagen", &format!("devShells.{system}")), json!(["default"]));
        let program = world.value("plasmagen", &format!("apps.{system}.default.program"), "baseNameOf");
        assert_eq!(program, "plasmagen");
    }
    let modules = json!(["all-in-one", "control-plane", "default", "netboot", "pxe-server", "worker"]);
    assert_eq!(world.names("plasmagen", "nixosModules"), modules);
}

/// Without this the test above would prove nothing.
#[test]
fn a_part_that_is_broken_is_found() {
    let world = World::new();
    for (file, old, new, said) in [
        ("nix/package.nix", "../docs/rules", "../docs/rule", "docs/rule does not exist"),
        ("nix/checks.nix", "pkgs.clippy", "pkgs.clipy", "clipy"),
        (
            "profiles/netboot/network.nix",
            "useNetworkd",
            "useNetworkdd",
            "`networking.useNetworkdd' does not exist",
        ),
        ("nix/bundle.nix", "netbootRamdisk", "netbootRamdsk", "netbootRamdsk"),
    ] {
        let path = world.path("plasmagen").join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{old}");
        fs::write(&path, text.replace(old, new)).unwrap();
        let error = world.check("plasmagen").unwrap_err();
        assert!(error.contains(said), "{file}: {error}");
        fs::write(path, text).unwrap();
    }
}

/// The program is built from some of the repository's files: all that it has inside are among them.
#[test]
fn the_package_has_the_files_that_the_program_includes() {
    let package = fs::read_to_string("nix/package.nix").unwrap();
    let given: Vec<_> = package.lines().filter_map(|line| line.trim().strip_prefix("../")).collect();
    assert!(given.contains(&"src") && given.contains(&"Cargo.lock"), "{given:?}");
    let mut included = Vec::new();
    for entry in walkdir::WalkDir::new("src").into_iter().map(Result::unwrap) {
        if entry.file_type().is_file() {
            let text = fs::read_to_string(entry.path()).unwrap();
            for start in ["include_str!(\"../../", "include_str!(concat!(\"../../"] {
                let files = text.split(start).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
                included.extend(files);
            }
        }
    }
    assert!(included.len() > 5, "{included:?}");
    for file in included {
        let is_given = given.iter().any(|path| file == *path || file.starts_with(&format!("{path}/")));
        assert!(is_given, "{file} is not in nix/package.nix");
    }
}

/// The themes of tests that the flake runs in its sandbox are there.
#[test]
fn the_checks_name_tests_that_exist() {
    let checks = fs::read_to_string("nix/checks.nix").unwrap();
    let words: Vec<_> = checks.split([' ', '"']).collect();
    let themes: Vec<_> = words.windows(2).filter(|pair| pair[0] == "--test").map(|pair| pair[1]).collect();
    assert!(!themes.is_empty());
    for theme in themes {
        assert!(fs::exists(format!("tests/{theme}/main.rs")).unwrap(), "{theme}");
    }
}

/// Cargo reads the manifests of all members of the workspace, whatever is built.
#[test]
fn the_package_has_all_members_of_the_workspace() {
    let manifest: toml::Table = fs::read_to_string("Cargo.toml").unwrap().parse().unwrap();
    let package = fs::read_to_string("nix/package.nix").unwrap();
    for member in manifest["workspace"]["members"].as_array().unwrap() {
        let member = member.as_str().unwrap();
        assert!(package.contains(&format!("\n      ../{member}\n")), "{member} is not in nix/package.nix");
    }
}

#[test]
fn the_template_is_a_site() {
    let world = World::new();
    fs::create_dir(world.path("new")).unwrap();
    // The lock file is of the stand-ins.
    world.nix("plasmagen", &["flake", "lock"], "").unwrap();
    let template = format!("path:{}", world.path("plasmagen").display());
    let made = world.run("nix", &world.path("new"), &["flake", "init", "--offline", "--template", &template]);
    assert!(made.status.success(), "{made:?}");
    for name in [".gitignore", ".pre-commit-config.yaml", "flake.nix", "inventory.toml"] {
        let template = fs::read(format!("templates/init/{name}")).unwrap();
        assert_eq!(fs::read(world.path("new").join(name)).unwrap(), template, "{name}");
    }
}

/// The blocks of Nix in docs/nix.md.
fn documented() -> Vec<String> {
    let page = fs::read_to_string("docs/nix.md").unwrap();
    let blocks = page.split("```nix\n").skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_documentation_says_nix() {
    let world = World::new();
    let blocks = documented();
    assert!(blocks.len() > 2);
    for block in blocks {
        let parsed = world.run("nix-instantiate", &world.path(""), &["--parse", "--expr", &block]);
        assert!(parsed.status.success(), "{block}: {parsed:?}");
    }
}

/// The flake of the documentation, with the stand-ins in the place of its inputs.
#[test]
fn the_documented_flake_evaluates() {
    let world = World::with_site();
    let mut flake = documented().swap_remove(0);
    assert!(flake.contains("mkSite"), "{flake}");
    for (input, url) in [
        ("plasmagen", "git+https://git.example.com/plasmagen"),
        ("plasmacloud", "git+https://git.example.com/plasmacloud"),
    ] {
        assert!(flake.contains(url), "{flake}");
        flake = flake.replace(&format!("\"{url}\""), &format!("\"path:{}\"", world.path(input).display()));
    }
    fs::write(world.path("site/flake.nix"), flake).unwrap();
    world.check("site").unwrap();
}
