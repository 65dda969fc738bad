//! Files that the inventory names: absent, present, and unknown to git (rule A17).

use std::fs;
use std::os::unix::fs::symlink;

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

/// Nix copies the tree, and links as they are.
#[test]
fn a_link_that_leaves_the_tree_is_refused() {
    let site = site_with("gpu.nix");
    let (link, root) = (site.root().join("gpu.nix"), site.root().canonicalize().unwrap());
    fs::create_dir(root.join("modules")).unwrap();
    for file in [root.join("real.nix"), root.join("modules/default.nix"), root.join("../beside.nix")] {
        fs::write(file, "{ }\n").unwrap();
    }
    let name = root.file_name().unwrap().to_str().unwrap().to_owned();
    let relink = |target: &str| {
        let _ = fs::remove_file(&link);
        symlink(target, &link).unwrap();
    };
    let words = ["error[PG-A17]", "a symbolic link at `gpu.nix` is absolute or leads out of the tree"];
    let (absolute, back) = (root.join("real.nix").display().to_string(), format!("../{name}/real.nix"));
    for target in ["../beside.nix", &absolute, &back, "modules/../../beside.nix"] {
        relink(target);
        for command in COMMANDS {
            site.run(command).ends(1, &words);
        }
    }
    for target in ["real.nix", "./modules/../real.nix", "modules", "modules/default.nix"] {
        relink(target);
        site.run(&["check"]).ends(0, &["0 warnings"]);
    }
    // A directory whose file is elsewhere, behind a link that is not.
    symlink("../../beside.nix", root.join("modules/away.nix")).unwrap();
    fs::rename(root.join("modules/away.nix"), root.join("modules/default.nix")).unwrap();
    relink("modules");
    site.run(&["check"]).ends(1, &words);
    // The tree of a repository is the whole work tree; git must know the link and the file.
    relink("../beside.nix");
    site.shell("git init -q ..; git add inventory.toml gpu.nix").ends(0, &[]);
    site.run(&["check"]).ends(0, &["0 warnings"]);
    relink("real.nix");
    site.run(&["check"]).ends(0, &["warning[PG-A17]", "git does not know `gpu.nix`"]);
    site.shell("git add real.nix").ends(0, &[]);
    site.run(&["check"]).ends(0, &["0 warnings"]);
}
