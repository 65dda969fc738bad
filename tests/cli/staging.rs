//! `secrets stage`: the tree that nixos-anywhere copies onto a node, and whom it is refused.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use test_kit::tree::entries;

use crate::kit::{NODE04, Run, Site};

const KEY: &str = "etc/nixos/secrets/node01-key.pem";
const HOST_KEY: &str = "etc/ssh/ssh_host_ed25519_key";

/// `dir` and every path below, each with its mode.
fn modes(dir: &Path) -> Vec<(String, u32)> {
    let relative = |path: &Path| path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
    entries(dir).iter().map(|(path, entry)| (relative(path), entry.mode & 0o7777)).collect()
}

/// The tree of node01 in `dir`, and nothing else; its keys are the vault's.
#[track_caller]
pub(crate) fn assert_staged(site: &Site, dir: &Path) {
    let public = "etc/ssh/ssh_host_ed25519_key.pub";
    let nixos = [("etc", 0o755), ("etc/nixos", 0o755), ("etc/nixos/secrets", 0o700), (KEY, 0o600)];
    let tree = [&nixos[..], &[("etc/ssh", 0o755), (HOST_KEY, 0o600), (public, 0o644)]].concat();
    let tree: Vec<_> = tree.into_iter().map(|(path, mode)| (path.to_owned(), mode)).collect();
    assert_eq!(modes(dir)[1..], tree);
    let node = "node01.cluster.example.com";
    for (path, original) in [
        (KEY, site.vault().join(node).join("node01-key.pem")),
        (HOST_KEY, site.vault().join(node).join("ssh_host_ed25519_key")),
        (public, site.root().join("nodes").join(node).join("ssh_host_ed25519_key.pub")),
    ] {
        assert!(fs::read(dir.join(path)).unwrap() == fs::read(original).unwrap(), "another {path}");
    }
}

pub(crate) fn stage(site: &Site, to: &str) -> Run {
    site.run(&["secrets", "stage", "node01", "--to", to])
}

/// Refused with `words`, and nothing is touched or made.
#[track_caller]
fn refuses(site: &Site, to: &str, words: &[&str]) {
    let before = entries(site.path());
    stage(site, to).ends(2, words);
    assert!(before == entries(site.path()), "{to} was touched");
}

#[test]
fn modes_are_the_nodes_whatever_the_umask() {
    let site = Site::rendered();
    for umask in ["000", "022", "077", "777"] {
        let run = site.shell(&format!("umask {umask}; exec $P secrets stage node01 --to ../out-{umask}"));
        run.ends(
            0,
            &["staged the key and the SSH host key of node01", "nixos-anywhere --extra-files ../out-"],
        );
        let out = site.path().join(format!("out-{umask}"));
        assert_staged(&site, &out);
        assert_eq!(modes(&out)[0].1 & 0o077, 0, "what is made is its owner's");
    }
    // What `mktemp -d` made; and what is as good.
    for mode in [0o700, 0o755] {
        let out = site.path().join(format!("made-{mode:o}"));
        fs::create_dir(&out).unwrap();
        fs::set_permissions(&out, fs::Permissions::from_mode(mode)).unwrap();
        stage(&site, out.to_str().unwrap()).ends(0, &[]);
        assert_staged(&site, &out);
        assert_eq!(modes(&out)[0].1, mode);
    }
}

/// As nixos-anywhere copies it (`tar -C DIR -cpf- . | tar -C /mnt -xf- --no-same-owner`, as root).
#[test]
fn a_node_keeps_the_modes_of_its_own_directories() {
    let site = Site::rendered();
    stage(&site, "../out").ends(0, &[]);
    let copied = site.shell(
        "set -e; mkdir -p ../mnt/etc/nixos; chmod 755 ../mnt/etc ../mnt/etc/nixos; umask 077
         tar -C ../out -cpf- . | tar -C ../mnt -xpf- --no-same-owner",
    );
    copied.ends(0, &[]);
    assert_staged(&site, &site.path().join("mnt"));
}

#[test]
fn openssl_finds_the_key_that_the_certificate_names() {
    let site = Site::rendered();
    stage(&site, "../out").ends(0, &[]);
    let public = site.shell(&format!("openssl pkey -pubout -in ../out/{KEY}")).stdout;
    let named = site.shell("openssl x509 -noout -pubkey -in nodes/node01*/node01-cert.pem").stdout;
    assert!(public.starts_with("-----BEGIN PUBLIC KEY-----"));
    assert_eq!(public, named);
}

#[test]
fn a_second_run_touches_nothing_and_another_tree_is_refused() {
    let site = Site::rendered();
    stage(&site, "../out/").ends(0, &[]);
    let out = site.path().join("out");
    let before = entries(&out);
    stage(&site, "../out")
        .ends(0, &["already holds the key and the SSH host key of node01, nothing was touched"]);
    assert_eq!(before, entries(&out));
    let other = site.run(&["secrets", "stage", "node02", "--to", "../out"]);
    other.ends(2, &["out is not empty", "would copy all that is in it onto the node"]);
    assert_eq!(before, entries(&out));

    let words = &["out is not empty"];
    for (spoil, cure) in [
        ("touch ../out/note", "rm ../out/note"),
        ("touch ../out/etc/nixos/secrets/note", "rm ../out/etc/nixos/secrets/note"),
        ("chmod 644 ../out/etc/nixos/secrets/*", "chmod 600 ../out/etc/nixos/secrets/*"),
        ("chmod 700 ../out/etc", "chmod 755 ../out/etc"),
        ("touch ../out/etc/ssh/note", "rm ../out/etc/ssh/note"),
        ("chmod 644 ../out/etc/ssh/ssh_host_ed25519_key", "chmod 600 ../out/etc/ssh/ssh_host_ed25519_key"),
        ("echo >>../out/etc/ssh/ssh_host_ed25519_key.pub", "cp nodes/node01.*/*.pub ../out/etc/ssh"),
        ("echo >>../out/etc/nixos/secrets/node01-key.pem", "true"),
    ] {
        site.shell(spoil).ends(0, &[]);
        refuses(&site, "../out", words);
        site.shell(cure).ends(0, &[]);
    }
}

#[test]
fn links_are_not_followed() {
    let site = Site::rendered();
    let aim = site.path().join("aim");
    fs::create_dir(&aim).unwrap();
    symlink(&aim, site.path().join("link")).unwrap();
    for to in ["../link", "../link/"] {
        refuses(&site, to, &["link is a symbolic link"]);
    }
    // On the way down, in a directory that is otherwise the tree.
    stage(&site, "../out").ends(0, &[]);
    site.shell("mv ../out/etc/nixos/secrets ../aim; ln -s ../../../aim/secrets ../out/etc/nixos")
        .ends(0, &[]);
    refuses(&site, "../out", &["out is not empty"]);
    fs::create_dir(site.path().join("new")).unwrap();
    symlink(&aim, site.path().join("new/.plasmagen-staging")).unwrap();
    site.run(&["secrets", "stage", "node02", "--to", "../new"]);
    assert_eq!(fs::read_dir(&aim).unwrap().count(), 1, "something was written or removed through a link");
}

#[test]
fn a_directory_of_others_is_refused() {
    let site = Site::rendered();
    let out = site.path().join("out");
    fs::create_dir(&out).unwrap();
    // Nobody is told to close a directory for all, such as /tmp, or one of another program.
    for mode in [0o775, 0o757, 0o1777] {
        fs::set_permissions(&out, fs::Permissions::from_mode(mode)).unwrap();
        let instead = "so others can replace what is in it: name a new directory, such as mktemp -d makes";
        refuses(&site, "../out", &[instead]);
    }
    fs::set_permissions(&out, fs::Permissions::from_mode(0o700)).unwrap();
    if test_kit::process::is_root() {
        std::os::unix::fs::chown(&out, Some(65534), None).unwrap();
        refuses(&site, "../out", &["belongs to another user (uid 65534)", "name a new directory"]);
    }
}

#[test]
fn where_others_come_to_read_is_refused() {
    let site = Site::rendered();
    for to in ["nodes", "nodes/new", "site/www/new", ".plasmagen/new"] {
        refuses(&site, to, &["which plasmagen writes or serves in public"]);
    }
    refuses(&site, site.vault().join("new").to_str().unwrap(), &["is inside", "plasmagen writes"]);
    refuses(&site, "/nix/store/x", &["the staged tree /nix/store/x is in the Nix store"]);
    // A site is a flake.
    for to in [".", "new"] {
        refuses(&site, to, &["flake.nix: Nix copies the whole directory of a flake"]);
    }
    fs::remove_file(site.root().join("flake.nix")).unwrap();
    refuses(&site, ".", &["is not empty"]);
    refuses(&site, "inventory.toml", &["inventory.toml is not a directory"]);
    let served = site.path().join("served");
    site.edit("[provisioner]", &format!("[provisioner]\nweb_root = \"{}\"", served.display()));
    refuses(&site, "../served/new", &["which plasmagen writes or serves in public"]);
}

#[test]
fn a_node_without_its_own_key_is_refused() {
    let site = Site::rendered();
    for (name, words) in [("nod01", "did you mean `node01`?"), ("elsewhere", "plasmagen show prints")] {
        site.run(&["secrets", "stage", name, "--to", "../out"]).ends(2, &[words]);
    }
    // Keys of two nodes are exchanged.
    let exchanged = site.copy();
    let script =
        "cd $XDG_DATA_HOME/plasmagen/my-cluster && cp node02.*/node02-key.pem node01.*/node01-key.pem";
    exchanged.shell(script).ends(0, &[]);
    let words = ["error[PG-H04]", "the certificate of `node01` is for another key", "--vault"];
    stage(&exchanged, "../out").ends(1, &words);
    assert!(!exchanged.path().join("out").exists());
    // Another machine, without the vault.
    let clone = site.copy();
    fs::remove_dir_all(clone.home()).unwrap();
    refuses(&clone, "../out", &["has no key for node01.cluster.example.com", "--vault", "from a backup"]);
    // One that was not rendered.
    site.append(NODE04);
    let run = site.run(&["secrets", "stage", "node04", "--to", "../out"]);
    run.ends(2, &["node04 has no certificate yet: plasmagen render issues it"]);
    crate::check::refuse(&site);
    stage(&site, "../out").ends(1, &["is refused"]);
    assert!(!site.path().join("out").exists());
}
