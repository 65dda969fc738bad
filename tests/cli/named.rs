//! Files that the inventory names: absent, present, and unknown to git (rule A17).

use std::fs;

use crate::kit::Site;

/// A site whose profile has the module `written`.
fn site_with(written: &str) -> Site {
    let site = Site::new();
    site.edit("interface.eth0 = ", &format!("modules = [\"{written}\"]\ninterface.eth0 = "));
    site
}

/// The commands that look for the files, each with the status of a refusal.
const COMMANDS: [&[&str]; 3] = [&["check"], &["render"], &["render", "--check"]];

#[test]
fn a_module_that_is_not_there_is_refused() {
    let site = site_with("gpu.nix");
    for command in COMMANDS {
        site.run(command).ends(1, &["error[PG-A17]", "there is no file `gpu.nix`", "is refused: 1 error"]);
    }
    assert!(!site.root().join("nodes").exists(), "nothing is rendered");
    // A directory without a default.nix is no module, and one with it is.
    fs::create_dir(site.root().join("gpu.nix")).unwrap();
    site.run(&["check"]).ends(1, &["PG-A17"]);
    fs::write(site.root().join("gpu.nix/default.nix"), "{ }\n").unwrap();
    site.run(&["check"]).ends(0, &["0 warnings"]);
}

#[test]
fn a_path_may_begin_with_a_dot() {
    let site = site_with("./gpu.nix");
    site.run(&["check"]).ends(1, &["there is no file `gpu.nix`"]);
    fs::write(site.root().join("gpu.nix"), "{ }\n").unwrap();
    site.run(&["check"]).ends(0, &["0 warnings"]);
    site.run(&["render"]).ends(0, &[]);
}

#[test]
fn a_hardware_file_is_looked_for_too() {
    let site = Site::new();
    site.edit("serial = \"SERIAL0001\"", "serial = \"SERIAL0001\"\nhardware_file = \"hardware/one.nix\"");
    site.run(&["check"]).ends(1, &["error[PG-A17]", "`hardware/one.nix`"]);
    fs::create_dir(site.root().join("hardware")).unwrap();
    fs::write(site.root().join("hardware/one.nix"), "{ }\n").unwrap();
    site.run(&["check"]).ends(0, &["0 warnings"]);
}

#[test]
fn a_module_that_git_does_not_know_is_a_warning() {
    let site = site_with("gpu.nix");
    fs::write(site.root().join("gpu.nix"), "{ }\n").unwrap();
    site.tool("git", "git", &["init", "--quiet"]).ends(0, &[]);
    site.run(&["check"]).ends(0, &["warning[PG-A17]", "git does not know `gpu.nix`", "run: git add gpu.nix"]);
    site.run(&["check", "--deny-warnings"]).ends(1, &["PG-A17"]);
    site.tool("git", "git", &["add", "gpu.nix"]).ends(0, &[]);
    site.run(&["check", "--deny-warnings"]).ends(0, &["0 warnings"]);
    // Git's answer is for the inventory's directory, wherever the command runs.
    site.within(&site.home(), &["check", site.inventory().to_str().unwrap()]).ends(0, &["0 warnings"]);
    // The variables of a hook lead to its own repository, but the index is that of the commit that is being made.
    site.shell("git init -q ../other; GIT_DIR=../other/.git $P check --deny-warnings")
        .ends(0, &["0 warnings"]);
    site.shell("cp .git/index new; git rm -q --cached gpu.nix; GIT_INDEX_FILE=new $P check --deny-warnings")
        .ends(0, &["0 warnings"]);
    site.run(&["check", "--deny-warnings"]).ends(1, &["PG-A17"]);
}
