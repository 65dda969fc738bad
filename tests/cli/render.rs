//! `render` when all is well: what it writes, issues, keeps and leaves alone.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::certificates::{assert_keys_belong, assert_verified, leaves};
use test_kit::tree::{Entry, entries};

use crate::kit::{KEY, NODE04, Site};

const NODE03: &str = "nodes/node03.cluster.example.com";

/// Paths whose content differs between two snapshots, relative to the site.
fn changed(site: &Site, before: &std::collections::BTreeMap<PathBuf, Entry>) -> BTreeSet<String> {
    let after = site.snapshot();
    let paths = before.keys().chain(after.keys()).filter(|path| path.starts_with(site.root()));
    let body = |entry: Option<&Entry>| entry.map(|entry| (entry.mode, entry.body.clone()));
    paths
        .filter(|path| body(before.get(*path)) != body(after.get(*path)))
        .map(|path| path.strip_prefix(site.root()).unwrap().to_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_first_run_makes_a_ca_and_says_so_in_one_line() {
    let site = Site::new();
    let run = site.run(&["render"]);
    run.ends(0, &["issued 3 certificates", "3 nodes: "]);
    let lines: Vec<_> = run.stderr.lines().filter(|line| line.contains("certificate authority")).collect();
    let [line] = &lines[..] else { panic!("{}", run.stderr) };
    assert!(line.contains(site.vault().canonicalize().unwrap().to_str().unwrap()), "{line}");
    run.ends(0, &["holds 7 keys that no backup has: plasmagen vault backup --to FILE"]);
    assert_eq!(run.stdout, "");
    assert_verified(&site, &["node01", "node02", "node03"]);
    assert_keys_belong(&site, "at first");
}

#[test]
fn the_second_run_touches_nothing() {
    let site = Site::rendered();
    for args in
        [&["render"][..], &["render", "--discard-edits"], &["render", "--check"], &["certs", "status"]]
    {
        site.untouched(|| site.run(args).ends(0, &[]).code);
    }
    let run = site.run(&["render"]);
    assert_eq!(run.stderr, "3 nodes: nodes/ and site/ are up to date, nothing was touched\n");
    assert_eq!(site.run(&["render", "-q"]).stderr, "");
    // Nor does a clone, whose files have other times, or a vault that is not there.
    let clone = site.copy();
    fs::remove_dir_all(clone.home()).unwrap();
    clone.untouched(|| clone.run(&["render"]).ends(0, &["nothing was touched"]).code);
}

#[test]
fn a_changed_address_changes_what_depends_on_it_and_nothing_else() {
    let site = Site::rendered();
    let before = site.snapshot();
    let vault = entries(&site.vault());
    site.edit("10.0.200.12", "10.0.200.13");
    site.run(&["render"]).ends(0, &["issued 1 certificate\n", "0 added", "0 removed"]);
    let after = site.snapshot();
    let changed = changed(&site, &before);
    for (path, old) in
        before.iter().filter(|(path, old)| path.starts_with(site.root()) && old.mode & 0o40000 == 0)
    {
        let name = path.strip_prefix(site.root()).unwrap().to_str().unwrap();
        let text = String::from_utf8_lossy(&old.body);
        let says = text.contains("10.0.200.12") || text.contains("12.200.0.10.in-addr.arpa");
        // The overlay is packed, and the script has its digest.
        let packed = ["overlay/3c-ec-ef-00-00-03.cpio.gz", "ipxe/node/3c-ec-ef-00-00-03.ipxe"];
        let due = says
            || name.ends_with("manifest.json")
            || name == format!("{NODE03}/node03-cert.pem")
            || name == "nodes/issued.json"
            || packed.iter().any(|path| name == format!("site/www/{path}"));
        assert_eq!(changed.contains(name), due, "{name}");
        if !due {
            assert_eq!(after[path], *old, "{name} was written again");
        }
    }
    assert!(changed.len() >= 6, "{changed:?}");
    assert_eq!(entries(&site.vault()), vault, "the certificate has the key that it had");
    assert_verified(&site, &["node01", "node02", "node03"]);
    assert_keys_belong(&site, "after a new address");
    let leaf = leaves(&site)["node03.cluster.example.com"].clone();
    let verify = ["x509", "-noout", "-checkip", "10.0.200.13", "-in", leaf.to_str().unwrap()];
    assert!(site.tool("openssl", "openssl", &verify).stdout.contains("does match certificate"));
    site.untouched(|| site.run(&["render"]).ends(0, &["nothing was touched"]).code);
}

#[test]
fn a_removed_node_leaves_no_residue_and_keeps_its_key() {
    let site = Site::new();
    site.append(NODE04);
    site.run(&["render"]).ends(0, &["issued 4 certificates"]);
    let vault = entries(&site.vault());
    let text = site.read("inventory.toml").replace(NODE04, "");
    fs::write(site.inventory(), text).unwrap();
    let run = site.run(&["render"]);
    run.ends(
        0,
        &[
            "3 nodes: 4 added",
            "refuse from now on: node04.cluster.example.com; the list: plasmagen certs revoked\n",
        ],
    );
    assert!(!run.stderr.contains("issued"), "{}", run.stderr);
    for trace in
        ["node04", "3c-ec-ef-00-00-04", "3c:ec:ef:00:00:04", "10.0.200.14", "10.0.100.53", "SERIAL0004"]
    {
        let is_trace = |path: &Path| path.starts_with(site.root()) && !path.ends_with("nodes/revoked.json");
        for (path, entry) in site.snapshot().iter().filter(|(path, _)| is_trace(path)) {
            assert!(!path.to_str().unwrap().contains(trace), "{}", path.display());
            assert!(!String::from_utf8_lossy(&entry.body).contains(trace), "{trace} in {}", path.display());
        }
    }
    assert_eq!(entries(&site.vault()), vault, "a key is never thrown away");
    let fresh = Site::rendered();
    let names = |site: &Site| {
        let mut names: Vec<_> = entries(&site.root()).into_keys().collect();
        names.iter_mut().for_each(|path| *path = path.strip_prefix(site.root()).unwrap().to_owned());
        names
    };
    let is_revocation = |path: &PathBuf| path.ends_with("revoked.json") || path.ends_with("ca-crl.pem");
    let (of_revocation, others): (Vec<_>, Vec<_>) = names(&site).into_iter().partition(is_revocation);
    assert_eq!((of_revocation.len(), others), (4, names(&fresh)));
    // A name that comes back gets a new key, also for the same machine: the old key was revoked.
    site.append(NODE04);
    site.run(&["render"]).ends(0, &["issued 1 certificate\n", "node04.cluster.example.com has a new key"]);
    assert!(site.vault().join(".retired/node04.cluster.example.com.1/node04-key.pem").exists());
    assert_keys_belong(&site, "after it came back");
    site.run(&["check", "--deny-warnings"]).ends(0, &[]);
    let run = site.run(&["certs", "revoked"]);
    let [_, row] = run.ends(0, &[]).stdout.lines().collect::<Vec<_>>()[..] else { panic!("{}", run.stdout) };
    assert!(row.starts_with("node04.cluster.example.com  ") && row.ends_with("  removed"), "{row}");
    let run = site.run(&["certs", "revoked", "--format", "json"]);
    let rows: serde_json::Value = serde_json::from_str(&run.ends(0, &[]).stdout).unwrap();
    assert_eq!((rows.as_array().unwrap().len(), &rows[0]["reason"]), (1, &"removed".into()));
}

#[test]
fn a_new_node_gets_a_certificate_and_the_others_keep_theirs() {
    let site = Site::rendered();
    let old: Vec<_> = leaves(&site).into_values().map(|path| (fs::read(&path).unwrap(), path)).collect();
    let ca = entries(&site.vault().join("ca-1"));
    site.append(NODE04);
    site.run(&["render"]).ends(0, &["issued 1 certificate\n", "4 nodes: "]);
    assert_verified(&site, &["node01", "node02", "node03", "node04"]);
    assert_keys_belong(&site, "after a new node");
    for (body, path) in old {
        assert_eq!(fs::read(&path).unwrap(), body, "{}", path.display());
    }
    assert_eq!(entries(&site.vault().join("ca-1")), ca);
}

#[test]
fn modes_do_not_depend_on_the_umask() {
    let mut modes = Vec::new();
    for umask in ["000", "022", "077"] {
        let site = Site::new();
        site.shell(&format!("umask {umask}; $P render")).ends(0, &[]);
        for (path, entry) in entries(&site.home().join("data")) {
            let expected = if entry.mode & 0o40000 == 0 { 0o100_600 } else { 0o40700 };
            assert_eq!(entry.mode, expected, "umask {umask}: {}", path.display());
        }
        let found = ["nodes", "site"].map(|tree| {
            let mode = |(path, entry): (PathBuf, Entry)| {
                (path.strip_prefix(site.root()).unwrap().to_owned(), entry.mode)
            };
            entries(&site.root().join(tree)).into_iter().map(mode).collect::<Vec<_>>()
        });
        modes.push(found);
    }
    assert!(modes.windows(2).all(|pair| pair[0] == pair[1]), "{modes:?}");
    assert!(modes[0][0].contains(&(Path::new(NODE03).join("node03-cert.pem"), 0o100_644)), "{modes:?}");
}

#[test]
fn lost_nodes_come_back_with_the_ca_and_the_keys_of_the_vault() {
    let site = Site::rendered();
    let vault = entries(&site.vault());
    fs::remove_dir_all(site.root().join("nodes")).unwrap();
    let run = site.run(&["render"]);
    run.ends(0, &["issued 3 certificates"]);
    assert!(!run.stderr.contains("made a certificate authority"), "{}", run.stderr);
    assert_eq!(entries(&site.vault()), vault);
    assert_verified(&site, &["node01", "node02", "node03"]);
    assert_keys_belong(&site, "after nodes/ was lost");
}

#[test]
fn one_lost_certificate_comes_back_with_its_key() {
    let site = Site::rendered();
    let vault = entries(&site.vault());
    let others = fs::read(site.root().join("nodes/node01.cluster.example.com/node01-cert.pem")).unwrap();
    fs::remove_dir_all(site.root().join(NODE03)).unwrap();
    site.run(&["render"]).ends(0, &["issued 1 certificate\n"]);
    assert_eq!(entries(&site.vault()), vault);
    assert_keys_belong(&site, "after one was lost");
    assert_eq!(site.read("nodes/node01.cluster.example.com/node01-cert.pem").as_bytes(), others);
}

#[test]
fn an_inventory_elsewhere_is_rendered_beside_itself() {
    let (here, there) = (Site::new(), Site::new());
    here.run(&["render"]).ends(0, &[]);
    there.within(&there.home(), &["render", "../site/inventory.toml"]).ends(0, &[]);
    for path in ["site/pxe/nginx.conf", "nodes/node01.cluster.example.com/configuration.nix"] {
        assert_eq!(here.read(path), there.read(path));
    }
    let absolute = there.inventory();
    there.within(Path::new("/"), &["render", absolute.to_str().unwrap()]).ends(0, &["nothing was touched"]);
    assert_eq!(fs::read_dir(there.path()).unwrap().count(), 2, "site and home");
}

#[test]
fn in_a_git_repository_it_says_what_to_add() {
    let site = Site::new();
    let git = |args: &[&str]| site.tool("git", "git", args).code;
    assert_eq!(git(&["init", "--quiet", "."]), Some(0));
    let add = "a flake sees only files that git knows: git add ";
    let elsewhere = site.copy();
    elsewhere
        .within(elsewhere.path(), &["render", "site/inventory.toml"])
        .ends(0, &[&format!("{add}site/nodes site/site\n")]);
    site.run(&["render"]).ends(0, &[&format!("{add}nodes site\n")]);
    assert_eq!(git(&["add", "nodes", "site"]), Some(0));
    site.edit("SERIAL0001", "SERIAL0009");
    assert!(!site.run(&["render"]).stderr.contains("git add"), "no file is new");
    let status = site.tool("git", "git", &["status", "--porcelain", "--untracked-files=all"]).stdout;
    assert!(!status.contains(".plasmagen"), "{status}");
    let alone = Site::empty();
    alone.within(alone.path(), &["init", "site", "--admin-key", KEY]).ends(0, &[]);
    assert!(!alone.run(&["render"]).stderr.contains("git"), "there is no repository");
}
