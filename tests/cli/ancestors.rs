//! Directories above a vault, a staging directory or a signing key: who can write there can exchange what lies below.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use test_kit::process::is_root;
use test_kit::tree::{contents, copy};

use crate::kit::{NODE04, PLASMAGEN, Run, Site};

const INSTEAD: &str = "Name a path below directories that only you or root may write to";

/// Sets the mode of `dir`, whatever the umask.
fn set_mode(dir: &Path, mode: u32) {
    fs::set_permissions(dir, fs::Permissions::from_mode(mode)).unwrap();
}

/// A site with a certificate to issue, a copy of its vault in `shared/deep/vault`, and the empty directory
/// `shared/deep/out`.
fn site() -> Site {
    let site = Site::rendered();
    site.append(NODE04);
    let deep = site.path().join("shared/deep");
    fs::create_dir_all(deep.join("out")).unwrap();
    copy(&site.vault(), &deep.join("vault"));
    for (dir, mode) in [("", 0o755), ("out", 0o700), ("vault", 0o700)] {
        set_mode(&deep.join(dir), mode);
    }
    site
}

fn render(site: &Site, vault: &str) -> Run {
    site.run(&["render", "--vault", vault])
}

fn stage(site: &Site, to: &str) -> Run {
    site.run(&["secrets", "stage", "node01", "--to", to])
}

/// Neither a vault nor a staging directory is accepted below `shared`, be it there or not, and nothing is made.
#[track_caller]
fn refuses(site: &Site, words: &[&str]) {
    let list = || {
        let mut all = contents(site.path());
        // The lock of a run.
        all.retain(|path, _| !path.starts_with("site/.plasmagen"));
        all
    };
    let before = list();
    for (run, code) in [
        (render(site, "../shared/deep/vault"), 1),
        (render(site, "../shared/deep/new/vault"), 2),
        (render(site, "../shared/new"), 2),
        (stage(site, "../shared/deep/out"), 2),
        (stage(site, "../shared/deep/new/out"), 2),
        (stage(site, "../shared/new"), 2),
    ] {
        run.ends(code, &["is not safe for private keys: ", INSTEAD]).ends(code, words);
        assert!(!is_root() || !run.stderr.contains("chmod"), "{}", run.stderr);
    }
    assert_eq!(list(), before);
}

#[test]
fn no_key_lies_below_a_directory_that_others_may_write() {
    let site = site();
    let shared = site.path().join("shared");
    for mode in [0o777, 0o775, 0o757] {
        set_mode(&shared, mode);
        let words = format!("shared has mode {mode:04o}, so other users can replace what lies there");
        refuses(&site, &[&words]);
    }
    // Through a link as well, and `check` says so, too.
    std::os::unix::fs::symlink("shared/deep", site.path().join("link")).unwrap();
    render(&site, "../link/vault").ends(1, &["shared has mode 0757"]);
    site.run(&["check", "--vault", "../shared/deep/vault"]).ends(1, &["shared has mode 0757"]);
    // As /tmp is.
    set_mode(&shared, 0o1777);
    render(&site, "../shared/deep/vault").ends(0, &["issued 1 certificate"]);
    let args =
        ["secrets", "stage", "node01", "--to", "../shared/deep/out", "--vault", "../shared/deep/vault"];
    site.run(&args).ends(0, &["staged the key and the SSH host key of node01"]);
}

/// Sticky or not: the owner may rename everything there.
#[test]
fn no_key_lies_below_a_directory_of_a_third_user() {
    let site = site();
    let shared = site.path().join("shared");
    if !is_root() {
        // Only root can make a directory of another user; every directory that others own is root's here.
        stage(&site, "/").ends(2, &["/ is not empty"]);
        return;
    }
    for mode in [0o755, 0o1777] {
        chown(&shared, Some(65534), None).unwrap();
        set_mode(&shared, mode);
        refuses(&site, &["shared belongs to another user (uid 65534), who can replace what lies there"]);
    }
    chown(&shared, Some(0), None).unwrap();
    render(&site, "../shared/deep/vault").ends(0, &["issued 1 certificate"]);
}

/// Runs a script of the shell as a user who is not root, and who owns everything in the directory of `site`.
fn as_user(site: &Site, script: &str) -> Run {
    let (program, user) = (site.path().join("plasmagen"), "65533");
    // The program may lie where that user can't come.
    fs::copy(PLASMAGEN, &program).unwrap();
    let script = format!("P={}; {script}", program.display());
    if !is_root() {
        return site.shell(&script);
    }
    site.tool("chown", "coreutils", &["-R", user, site.path().to_str().unwrap()]).ends(0, &[]);
    let ids = ["--reuid", user, "--regid", user, "--clear-groups", "bash", "-c", &script];
    site.tool("setpriv", "util-linux", &ids)
}

#[test]
fn a_user_closes_a_directory_of_the_same_user() {
    let site = site();
    set_mode(&site.path().join("shared"), 0o775);
    let run = as_user(&site, "$P render --vault ../shared/deep/vault");
    let (_, command) = run.ends(1, &[INSTEAD]).stderr.split_once("or run: ").unwrap();
    let command: String = command.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
    assert_eq!(command, format!("chmod go-w {}", site.path().join("shared").display()));
    let run = as_user(&site, &format!("{command} && $P render --vault ../shared/deep/vault"));
    run.ends(0, &["issued 1 certificate"]);
}

/// There root of the machine has no number, and `/` seems to be nobody's.
#[test]
fn a_user_namespace_without_root_is_no_obstacle() {
    let site = site();
    let script = "unshare --map-root-user bash -c 'test $(stat -c %u /) = 65534 && exec \"$0\" render --vault \
                  ../shared/deep/vault' $P";
    as_user(&site, script).ends(0, &["issued 1 certificate"]);
}

/// As in the lab, and in containers with subordinate ids: there are users with other numbers, and one of these numbers is the
/// one that the kernel shows for root of the machine. Only root may make such a namespace without newuidmap.
#[test]
fn a_user_namespace_with_subordinate_ids_is_no_obstacle() {
    let site = site();
    let uid = "65533";
    if !is_root() {
        as_user(&site, "unshare --map-root-user $P render --vault ../shared/deep/vault")
            .ends(0, &["issued 1 certificate"]);
        return;
    }
    as_user(&site, "true").ends(0, &[]);
    let script = format!(
        "P={}; mkfifo begin
         setpriv --reuid {uid} --regid {uid} --clear-groups unshare --user bash -c 'read -r _ && test $(stat -c %u /) = 65534 && exec \
             \"$0\" render --vault ../shared/deep/vault' \"$P\" < begin &
         exec 3> begin
         until test \"$(readlink /proc/$!/ns/user)\" != \"$(readlink /proc/$$/ns/user)\"; do sleep 0.01; done
         printf '0 {uid} 1\\n1 100000 65536\\n' > /proc/$!/uid_map
         printf '0 {uid} 1\\n1 100000 65536\\n' > /proc/$!/gid_map
         echo >&3
         wait $!",
        site.path().join("plasmagen").display()
    );
    site.shell(&script).ends(0, &["issued 1 certificate"]);
}
