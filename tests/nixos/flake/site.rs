//! `lib.mkSite`: what a flake of a rendered tree has.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::flake::kit::{World, copy};

/// A site whose services have programs.
const WHOLE: &str = "{ src = ./.; inherit nixpkgs plasmacloud; }";

/// What a flake's consumers ask of every node.
const FACTS: &str = "builtins.mapAttrs (_: node: { host = node.config.networking.hostName; \
                     system = node.config.nixpkgs.hostPlatform; drv = node.config.system.build.toplevel.drvPath; })";

#[test]
fn init_and_render_make_a_flake() {
    let world = World::with_site();
    // As init writes it: it evaluates as far as the programs that nobody has named yet.
    let error = world.check("site").unwrap_err();
    assert!(error.contains("services.chainfire.package is not set"), "{error}");
    world.says(WHOLE);
    world.check("site").unwrap();
    let nodes = world.value("site", "nixosConfigurations", FACTS);
    assert_eq!(nodes.as_object().unwrap().len(), 3);
    for name in ["node01", "node02", "node03"] {
        assert_eq!(nodes[name]["host"], name);
        assert_eq!(nodes[name]["system"], "x86_64-linux");
        assert!(
            nodes[name]["drv"].as_str().unwrap().ends_with(&format!("-nixos-system-{name}.drv")),
            "{nodes}"
        );
    }
    assert_eq!(world.names("site", "packages"), json!(["x86_64-linux"]));
    assert_eq!(world.names("site", "packages.x86_64-linux"), json!(["netboot-control-plane"]));
    let iam = world.value("site", "nixosConfigurations.node01.config.services.iam.package", "iam: iam.name");
    assert_eq!(iam, "iam");
}

#[test]
fn a_node_that_is_broken_is_found() {
    let world = World::with_site();
    world.says(WHOLE);
    let node = "nodes/node02.cluster.example.com/configuration.nix";
    for (old, new, said) in [
        ("defaultGateway =", "defaultGatway =", "`networking.defaultGatway' does not exist"),
        ("raftPort = 2380", "raftPort = \"2380\"", "`services.chainfire.raftPort' is not of type"),
        ("./firewall.nft", "./nowhere.nft", "nowhere.nft does not exist"),
        ("hostName = \"node02\";", "hostName = \"node02\"", "syntax error"),
    ] {
        world.edit(node, old, new);
        let error = world.check("site").unwrap_err();
        assert!(error.contains(said), "{new}: {error}");
        world.edit(node, new, old);
    }
    world.check("site").unwrap();
}

#[test]
fn a_directory_is_enough_and_modules_come_on_top() {
    let world = World::with_site();
    world.says("./.");
    let named = |world: &World| world.names("site", "nixosConfigurations");
    assert_eq!(named(&world), json!(["node01", "node02", "node03"]));
    world.says(
        "{ src = ./.; inherit nixpkgs plasmacloud; specialArgs.place = \"east\"; \
         modules = [ ({ place, ... }: { services.iam.settings.place = place; }) ]; \
         installerModules = [ ({ place, ... }: { networking.hostName = place; }) ]; }",
    );
    world.check("site").unwrap();
    let config = |path: &str| world.value("site", path, "x: x");
    assert_eq!(config("nixosConfigurations.node03.config.services.iam.settings.place"), "east");
    let image = "packages.x86_64-linux.netboot-control-plane.image.config.networking.hostName";
    assert_eq!(config(image), "east");
    world.says("{ src = ./.; inherit nixpkgs; modles = [ ]; }");
    let error = world.check("site").unwrap_err();
    assert!(error.contains("unexpected argument 'modles'"), "{error}");
}

#[test]
fn what_is_not_rendered_or_not_in_git_is_said() {
    let world = World::with_site();
    world.says(WHOLE);
    world.edit("site/inventory.json", "\"schema\": 1", "\"schema\": 2");
    let error = world.check("site").unwrap_err();
    assert!(error.contains("has schema 2") && error.contains("render the site"), "{error}");
    world.edit("site/inventory.json", "\"schema\": 2", "\"schema\": 1");
    fs::remove_file(world.path("site/nodes/node03.cluster.example.com/configuration.nix")).unwrap();
    let error = world.check("site").unwrap_err();
    assert!(error.contains("there is no nodes/node03.cluster.example.com/configuration.nix"), "{error}");
    fs::remove_dir_all(world.path("site/site")).unwrap();
    let error = world.check("site").unwrap_err();
    assert!(
        error.contains("there is no site/inventory.json") && error.contains("git add nodes site"),
        "{error}"
    );
}

/// The reference and all goldens: each node by its short name, each base's image for each kind of machine that it has.
#[test]
fn every_rendered_tree_is_a_site() {
    let goldens = ["arm64", "bonds-and-vlans", "hostile", "ipv6", "minimal", "single-segment"]
        .map(|case| Path::new("tests/golden").join(case).join("expected"));
    let world = World::new();
    for tree in goldens.iter().map(AsRef::as_ref).chain([Path::new(".")]) {
        world.has(tree);
        // What inventories name beside the tree.
        for dir in ["custom", "hardware"] {
            let directory = tree.parent().unwrap().join(dir);
            if directory.exists() {
                copy(&directory, &world.path("site").join(dir));
            }
        }
        let json = fs::read(world.path("site/site/inventory.json")).unwrap();
        let inventory: Value = serde_json::from_slice(&json).unwrap();
        world.says(WHOLE);
        let nodes = world.value("site", "nixosConfigurations", FACTS);
        let images = world.value(
            "site",
            "packages",
            "builtins.mapAttrs (_: builtins.mapAttrs (_: image: image.name))",
        );
        let mut expected = json!({});
        for node in inventory["nodes"].as_array().unwrap() {
            let made = &nodes[node["name"].as_str().unwrap()];
            assert_eq!(
                [&made["host"], &made["system"]],
                [&node["name"], &node["system"]],
                "{}",
                tree.display()
            );
            let image = format!("netboot-{}", node["base"].as_str().unwrap());
            expected[node["system"].as_str().unwrap()][&image] = json!(image);
        }
        assert_eq!(nodes.as_object().unwrap().len(), inventory["nodes"].as_array().unwrap().len());
        assert_eq!(images, expected, "{}", tree.display());
    }
}

/// The key on its way to nixos-anywhere, as docs/nix.md has it: in the flake, Nix would copy it into the store.
#[test]
fn a_key_is_staged_outside_of_the_flake() {
    let world = World::with_site();
    let page = fs::read_to_string("docs/nix.md").unwrap();
    let lines: Vec<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("$ "))
        .filter(|line| line.starts_with("out=") || line.starts_with("plasmagen secrets stage node01"))
        .collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    let program = Path::new(env!("CARGO_BIN_EXE_plasmagen")).parent().unwrap();
    let stage = |commands: &str| {
        let script = format!(
            "PATH={}:$PATH TMPDIR={}; plasmagen() {{ command plasmagen \"$@\" --vault {}; }}; {commands}",
            program.display(),
            world.path("").display(),
            world.path("vault").display()
        );
        world.run("bash", &world.path("site"), &["-euc", &script])
    };
    let done = stage(&format!("export TMPDIR\n{}\nls \"$out/etc/nixos/secrets\"", lines.join("\n")));
    assert!(done.status.success(), "{done:?}");
    assert!(String::from_utf8_lossy(&done.stdout).ends_with("node01-key.pem\n"), "{done:?}");
    let refused = stage("plasmagen secrets stage node01 --to staged");
    let error = String::from_utf8_lossy(&refused.stderr);
    assert!(
        !refused.status.success() && error.contains("Nix copies the whole directory of a flake"),
        "{error}"
    );
}
