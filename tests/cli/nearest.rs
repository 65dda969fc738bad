//! The inventory that a command reads: named by `-i` everywhere, else the nearest one above the working directory.

use std::fs;

use crate::kit::Site;

/// Commands that read an inventory.
const READERS: [&[&str]; 7] = [
    &["check"],
    &["render"],
    &["render", "--check"],
    &["show", "node01"],
    &["certs", "status"],
    &["secrets", "stage", "node01", "--to", "/proc/self/nowhere"],
    &["arm", "node01", "--root", "/proc/self/nowhere"],
];

#[test]
fn every_command_finds_the_inventory_above_the_working_directory() {
    let site = Site::rendered();
    let deep = site.root().join("nodes/node01.cluster.example.com");
    for args in READERS {
        let (here, above) = (site.run(args), site.within(&deep, args));
        assert_eq!((here.code, &here.stdout), (above.code, &above.stdout), "{args:?}: {above:?}");
        assert!(!above.stderr.contains("there is no inventory"), "{above:?}");
    }
}

#[test]
fn every_command_takes_the_option() {
    let site = Site::rendered();
    for args in READERS {
        let named = [args, &["-i", "site/inventory.toml"]].concat();
        let (here, named) = (site.run(args), site.within(site.path(), &named));
        assert_eq!((here.code, &here.stdout), (named.code, &named.stdout), "{args:?}: {named:?}");
        let absent = site.run(&[args, &["--inventory", "absent.toml"]].concat());
        absent.ends(2, &["there is no inventory absent.toml"]);
    }
    let both = site.run(&["render", "inventory.toml", "-i", "inventory.toml"]);
    both.ends(2, &["cannot be used with"]);
}

#[test]
fn the_search_ends_at_the_root_of_a_git_work_tree() {
    let site = Site::rendered();
    let deep = site.root().join("nodes/node01.cluster.example.com");
    site.within(&deep, &["check"]).ends(0, &["../../inventory.toml is sound"]);
    fs::create_dir(site.root().join("nodes/.git")).unwrap();
    let nodes = site.root().join("nodes").canonicalize().unwrap();
    let run = site.within(&deep, &["check"]);
    run.ends(2, &["there is no inventory inventory.toml in ", "plasmagen init DIR", "with -i"]);
    run.ends(2, &[&format!(", nor above it up to {}: ", nodes.display())]);
    // The inventory of a repository lies in its root.
    fs::remove_dir(site.root().join("nodes/.git")).unwrap();
    fs::create_dir(site.root().join(".git")).unwrap();
    site.within(&deep, &["check"]).ends(0, &["../../inventory.toml is sound"]);
}
