//! Directories that are no vault, vaults of somebody else, and keys on their way into git.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use test_kit::process::is_root;
use test_kit::tree::{contents, entries};

use crate::kit::{NODE04, Run, Site};

/// A render with the vault `vault` is refused with `words`; nothing changes, and nobody is told to change or move
/// anything.
#[track_caller]
fn refused(site: &Site, vault: &str, words: &[&str]) {
    let before = list(site);
    // A place where something is already, the rules judge. An empty directory is no vault, and is refused by what needs one.
    let is_used = |dir: PathBuf| fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some());
    let code = if is_used(site.root().join(vault)) { 1 } else { 2 };
    let run = site.run(&["render", "--vault", vault]);
    run.ends(code, words);
    for advice in ["chmod", "chown", "move ", " mv ", " rm "] {
        assert!(!run.stderr.contains(advice), "{advice}: {}", run.stderr);
    }
    let after = list(site);
    let is_same = |(path, shown): &(&PathBuf, &String)| before.get(*path) == Some(*shown);
    let changed: Vec<_> = after.iter().filter(|entry| !is_same(entry)).collect();
    assert!(changed.is_empty(), "{vault}: {changed:#?}");
    assert_eq!(before.len(), after.len(), "{vault}: something was removed");
}

/// Modes and contents of everything in the directory of `site`, but the lock of a run.
fn list(site: &Site) -> BTreeMap<PathBuf, String> {
    let mut all = contents(site.path());
    all.retain(|path, _| !path.starts_with("site/.plasmagen"));
    all
}

/// A new site, and one with a certificate to issue.
fn sites() -> [Site; 2] {
    let due = Site::rendered();
    due.append(NODE04);
    [Site::new(), due]
}

#[test]
fn a_directory_with_other_things_is_no_vault() {
    for site in sites() {
        refused(&site, "/etc", &["there is no vault at /etc, which holds other things", "--vault"]);
        // Private, and yet somebody's.
        let private = site.path().join("private");
        fs::create_dir(&private).unwrap();
        fs::write(private.join("diary.txt"), "mine").unwrap();
        fs::set_permissions(&private, fs::Permissions::from_mode(0o700)).unwrap();
        refused(&site, "../private", &["there is no vault at ", "such as \"diary.txt\""]);
        let empty = site.path().join("empty");
        fs::create_dir(&empty).unwrap();
        fs::set_permissions(&empty, fs::Permissions::from_mode(0o755)).unwrap();
        refused(&site, "../empty", &["only an empty directory that others may enter", "--vault"]);
    }
}

/// Of another user, to whom the keys would go.
#[test]
fn a_planted_vault_is_refused() {
    let site = Site::rendered();
    site.append(NODE04);
    let planted = site.path().join("planted");
    fs::create_dir(&planted).unwrap();
    test_kit::tree::copy(&site.vault(), &planted);
    fs::set_permissions(&planted, fs::Permissions::from_mode(0o700)).unwrap();
    if !is_root() {
        // Only root can make a directory of another user, and only root can enter one that is closed.
        return refused(&site, "/", &["there is no vault at /"]);
    }
    let words = ["belongs to another user (uid 65534)", "or become that user"];
    chown(&planted, Some(65534), None).unwrap();
    refused(&site, "../planted", &words);
    let stage = ["secrets", "stage", "node01", "--to", "../out", "--vault", "../planted"];
    site.untouched(|| site.run(&stage).ends(1, &words).code);
    chown(&planted, Some(0), None).unwrap();
    for (inside, code) in [("ca-1", 1), ("ca-1/ca-key.pem", 2)] {
        chown(planted.join(inside), Some(65534), None).unwrap();
        // The CA's key is read only to sign.
        site.untouched(|| site.run(&["render", "--vault", "../planted"]).ends(code, &words).code);
        chown(planted.join(inside), Some(0), None).unwrap();
    }
    let empty = site.path().join("empty");
    fs::create_dir(&empty).unwrap();
    fs::set_permissions(&empty, fs::Permissions::from_mode(0o700)).unwrap();
    chown(&empty, Some(65534), None).unwrap();
    refused(&Site::new(), empty.to_str().unwrap(), &["there is no vault at ", "belongs to another user"]);
    site.run(&["render", "--vault", "../planted"]).ends(0, &["issued 1 certificate"]);
}

#[test]
fn no_link_in_a_vault_is_followed() {
    let elsewhere = tempfile::tempdir().unwrap();
    let aim = elsewhere.path().join("aim");
    for name in
        [".lock", ".staging", "ca-1", "ca-1/ca-key.pem", "ca-1/ca-cert.pem", "node02.cluster.example.com"]
    {
        let site = Site::rendered();
        site.append(NODE04);
        site.edit("\"10.0.200.11\"", "\"10.0.200.21\"");
        let link = site.vault().join(name);
        let moved = site.path().join("moved");
        if link.symlink_metadata().is_ok() {
            fs::rename(&link, &moved).unwrap();
            symlink(&moved, &link).unwrap();
        } else {
            fs::create_dir_all(&aim).unwrap();
            fs::write(aim.join("mine"), "mine").unwrap();
            symlink(&aim, &link).unwrap();
        }
        let kept = entries(&moved);
        let run = site.run(&["render"]);
        // What a killed run left in `.staging` is removed: here the link, and nothing behind it.
        // The rules look at CAs and keys of nodes; the rest is opened to sign and to store.
        let code = match name {
            ".staging" => 0,
            ".lock" | "ca-1/ca-key.pem" => 2,
            _ => 1,
        };
        assert_eq!(run.code, Some(code), "{name}: {}", run.stderr);
        assert_eq!(entries(&moved), kept, "{name}");
    }
    assert!(aim.join("mine").exists());
}

fn git(site: &Site, dir: &Path, script: &str) {
    let script = format!("set -e; cd {}; {script}", dir.display());
    site.shell(&script).ends(0, &[]);
}

#[track_caller]
fn stage(site: &Site, to: &str) -> Run {
    site.run(&["secrets", "stage", "node01", "--to", to])
}

#[test]
fn keys_do_not_go_into_git() {
    let site = Site::rendered();
    site.append(NODE04);
    let repository = site.path().join("repository");
    fs::create_dir(&repository).unwrap();
    git(&site, &repository, "git init -q .; mkdir deep");
    let words = [" is in the git work tree ", "git add would take the private keys", "write /vault/ into"];
    refused(&site, "../repository/vault", &words);
    refused(&site, "../repository/deep/new/vault", &[words[0], words[1], "write /deep/new/vault/ into"]);
    refused(&site, "../repository", &words[..2]);
    stage(&site, "../repository/out").ends(2, &["the staged tree ", words[0], "write /out/ into"]);
    assert!(!repository.join("out").exists());
    // The remedy of the message, then the vault that is there already.
    git(&site, &repository, "printf '/vault/\\n/out/\\n' >.gitignore");
    fs::create_dir(repository.join("vault")).unwrap();
    test_kit::tree::copy(&site.vault(), &repository.join("vault"));
    fs::set_permissions(repository.join("vault"), fs::Permissions::from_mode(0o700)).unwrap();
    site.run(&["render", "--vault", "../repository/vault"]).ends(0, &["issued 1 certificate"]);
    site.run(&["check", "--vault", "../repository/vault"]).ends(0, &[]);
    let args = ["secrets", "stage", "node01", "--to", "../repository/out", "--vault", "../repository/vault"];
    site.run(&args).ends(0, &[]);
    git(&site, &repository, "git add -A; ! git ls-files | grep -q pem");
    // Ignored, and tracked all the same.
    git(&site, &repository, "git add -f vault/ca-1/ca-cert.pem");
    assert!(site.run(&["check", "--vault", "../repository/vault"]).stderr.contains("git tracks files in it"));
    git(&site, &repository, "git rm -q --cached vault/ca-1/ca-cert.pem");
    // git refuses to look into the repository.
    git(
        &site,
        &repository,
        "git config core.repositoryFormatVersion 1; git config extensions.unheardof true",
    );
    let told = "git does not tell whether it ignores the directory";
    assert!(site.run(&["check", "--vault", "../repository/vault"]).stderr.contains(told));
    git(&site, &repository, "sed -i '/unheardof/d' .git/config");
    git(&site, &repository, "rm .gitignore");
    assert!(site.run(&["check", "--vault", "../repository/vault"]).stderr.contains("git work tree"));
}

/// Programs that a repository names are not run, and the variables of a hook do not lead to another repository.
#[test]
fn a_hostile_repository_runs_nothing() {
    let site = Site::new();
    let (hostile, other) = (site.path().join("hostile"), site.path().join("other"));
    for dir in [&hostile, &other] {
        fs::create_dir(dir).unwrap();
    }
    git(&site, &other, "git init -q .");
    let run = site.path().join("run");
    fs::write(&run, format!("#!/bin/sh\ntouch {}/ran\n", site.path().display())).unwrap();
    fs::set_permissions(&run, fs::Permissions::from_mode(0o755)).unwrap();
    let script = format!(
        "git init -q .; touch tracked; git -c user.name=x -c user.email=x@example.com add tracked
         git config core.fsmonitor {run}; git config core.pager {run}; git config core.sshCommand {run}
         for hook in post-checkout post-index-change fsmonitor-watchman; do cp {run} .git/hooks/$hook; done",
        run = run.display()
    );
    git(&site, &hostile, &script);
    refused(&site, "../hostile/vault", &["is in the git work tree"]);
    assert!(!site.path().join("ran").exists());
    if is_root() {
        // git itself refuses to look into a repository of another user.
        site.shell("chown -R 65534 ../hostile").ends(0, &[]);
        refused(&site, "../hostile/vault", &["is in the git work tree"]);
        assert!(!site.path().join("ran").exists());
    }
    let variables = format!("GIT_DIR={0}/.git GIT_WORK_TREE={0}", other.display());
    let run = site.shell(&format!("{variables} $P render --vault ../hostile/vault"));
    run.ends(2, &["is in the git work tree", "hostile"]);
}

/// No git, no repository: no work tree.
#[test]
fn a_place_that_git_does_not_know_is_fine() {
    let site = Site::new();
    fs::create_dir_all(site.path().join("sham/.git")).unwrap();
    site.run(&["render", "--vault", "../sham/vault"]).ends(0, &[]);
    let site = Site::new();
    fs::create_dir(site.path().join("repository")).unwrap();
    git(&site, &site.path().join("repository"), "git init -q .");
    let bin = site.path().join("bin");
    fs::create_dir(&bin).unwrap();
    site.shell(&format!("PATH={} $P render --vault ../repository/vault", bin.display())).ends(0, &[]);
}
