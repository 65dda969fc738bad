//! Which vault is meant, and vaults that must not be used.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::certificates::{assert_keys_belong, assert_verified};
use test_kit::tree::{copy, entries};

use crate::kit::{NODE04, Site};

/// Where the CA's key lies, relative to the directory of all.
fn ca_keys(site: &Site) -> Vec<String> {
    let names = entries(site.path()).into_keys().filter(|path| path.ends_with("ca-key.pem"));
    names.map(|path| path.strip_prefix(site.path()).unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn the_command_line_comes_before_the_inventory_and_that_before_the_home() {
    for (table, args, expected) in [
        ("", &[][..], "home/data/plasmagen/my-cluster"),
        ("~/keys/here", &[], "home/keys/here"),
        ("../beside", &[], "beside"),
        ("keys", &[], "site/keys"),
        ("~/keys", &["--vault", "given"], "given"),
        ("", &["--vault", "given/deep"], "given/deep"),
    ] {
        let site = Site::new();
        // Below a flake no vault may be, wherever else it might.
        fs::remove_file(site.root().join("flake.nix")).unwrap();
        if !table.is_empty() {
            site.append(&format!("\n[vault]\npath = \"{table}\"\n"));
        }
        // Elsewhere, since the command line's paths are seen from here and the inventory's from there.
        let run = site.within(site.path(), &[&["render", "site/inventory.toml"], args].concat());
        run.ends(
            0,
            &[&format!(
                "its private key is in {}",
                site.path().join(expected).canonicalize().unwrap().display()
            )],
        );
        assert_eq!(ca_keys(&site), [format!("{expected}/ca-1/ca-key.pem")], "{table} {args:?}");
    }
    let site = Site::new();
    let absolute = site.path().join("absolute");
    site.append(&format!("\n[vault]\npath = \"{}\"\n", absolute.display()));
    site.run(&["render"]).ends(0, &[]);
    assert_eq!(ca_keys(&site), ["absolute/ca-1/ca-key.pem"]);
}

#[test]
fn without_xdg_it_is_in_local_share() {
    for script in
        ["unset XDG_DATA_HOME; $P render", "XDG_DATA_HOME= $P render", "XDG_DATA_HOME=relative $P render"]
    {
        let site = Site::new();
        site.shell(script).ends(0, &[]);
        assert_eq!(ca_keys(&site), ["home/.local/share/plasmagen/my-cluster/ca-1/ca-key.pem"], "{script}");
    }
}

#[test]
fn a_committed_ca_without_its_key_is_refused() {
    let site = Site::rendered();
    site.append(NODE04);
    let words =
        ["nodes/ publishes a CA, but its key is not in the vault", "--vault", "would cut off every node"];
    let refuses = |args: &[&str], words: &[&str]| {
        site.untouched(|| site.run(&[&["render"], args].concat()).ends(2, words).code);
    };
    refuses(&["--vault", "../nowhere"], &words);
    assert!(!site.path().join("nowhere").exists());
    let empty = site.path().join("empty");
    fs::create_dir(&empty).unwrap();
    fs::set_permissions(&empty, fs::Permissions::from_mode(0o700)).unwrap();
    refuses(&["--vault", "../empty"], &words);
    assert_eq!(fs::read_dir(&empty).unwrap().count(), 0);
    // A fresh clone on a machine that has no vault.
    let clone = site.copy();
    fs::remove_dir_all(clone.home()).unwrap();
    clone.untouched(|| clone.run(&["render"]).ends(2, &words).code);
    // All nodes have other names now: the machines out there trust the CA all the same.
    site.edit("formed = false", "formed = true");
    for n in 1..=4 {
        site.edit(&format!("node0{n}"), &format!("server0{n}"));
    }
    let anew = ["--install-anew", "server01,server02,server03,server04"];
    refuses(&[&["--vault", "../empty"], &anew[..]].concat(), &words);
    site.run(&[&["render"], &anew[..]].concat()).ends(0, &["issued 4 certificates"]);
    assert_verified(&site, &["server01", "server02", "server03", "server04"]);
}

#[test]
fn the_vault_of_another_ca_is_refused() {
    let (site, other) = (Site::rendered(), Site::rendered());
    site.append(NODE04);
    let theirs = other.vault();
    let args = ["render", "--vault", theirs.to_str().unwrap()];
    let run = site.untouched(|| other.untouched(|| site.run(&args)));
    let unknown = format!("`my-cluster CA 1`, which the vault {} does not hold", theirs.display());
    run.ends(1, &["error[PG-H18]", &unknown, "name the vault of this cluster with --vault"]);
}

#[test]
fn keys_without_a_ca_are_refused() {
    let site = Site::rendered();
    fs::remove_dir_all(site.vault().join("ca-1")).unwrap();
    for tree in ["nodes", "site"] {
        fs::remove_dir_all(site.root().join(tree)).unwrap();
    }
    let words = ["holds keys of nodes, but no CA: restore it from a backup"];
    site.untouched(|| site.run(&["render"]).ends(2, &words).code);
}

#[test]
fn half_a_ca_or_a_mixed_one_is_refused() {
    let (site, other) = (Site::rendered(), Site::rendered());
    site.append(NODE04);
    let key = site.vault().join("ca-1/ca-key.pem");
    let pem = fs::read(&key).unwrap();
    fs::copy(other.vault().join("ca-1/ca-key.pem"), &key).unwrap();
    site.untouched(|| site.run(&["render"]).ends(2, &["could not use the CA in"]).code);
    fs::write(&key, &pem[..pem.len() / 2]).unwrap();
    let run = site.untouched(|| site.run(&["render"]));
    run.ends(2, &["could not use", "ca-key.pem"]);
    assert!(!run.stderr.contains(std::str::from_utf8(&pem[40..60]).unwrap()), "{}", run.stderr);
    fs::remove_file(&key).unwrap();
    site.untouched(|| site.run(&["render"]).ends(2, &["the vault has half a CA"]).code);
}

#[test]
fn a_vault_that_others_may_read_is_refused() {
    let site = Site::rendered();
    site.append(NODE04);
    for (path, mode, private, code) in [("", 0o750, 0o700, 1), ("ca-1/ca-key.pem", 0o644, 0o600, 2)] {
        let path = site.vault().join(path);
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let chmod = format!("chmod {private:o} {}", path.canonicalize().unwrap().display());
        site.untouched(|| site.run(&["render"]).ends(code, &[chmod.trim_end_matches('/')]).code);
        fs::set_permissions(&path, fs::Permissions::from_mode(private)).unwrap();
    }
    site.run(&["render"]).ends(0, &[]);
}

#[test]
fn a_vault_where_others_come_to_read_is_refused() {
    let site = Site::new();
    let refuses = |vault: &Path, words: &str| {
        let code = if site.root().join(vault).exists() { 1 } else { 2 };
        let run = site.untouched(|| site.run(&["render", "--vault", vault.to_str().unwrap()]));
        run.ends(code, &[words]);
        assert!(!site.root().join("nodes").exists() && !site.root().join("site").exists());
    };
    for inside in ["nodes", "nodes/vault", "site/www/vault", ".plasmagen", ".plasmagen/vault"] {
        refuses(Path::new(inside), "which plasmagen writes or serves in public");
    }
    refuses(Path::new("/nix/store/x/vault"), "in the Nix store");
    fs::write(site.root().join("flake.nix"), "{ }").unwrap();
    refuses(Path::new("vault"), "flake.nix: Nix copies the whole directory of a flake");
    site.append("\n[vault]\npath = \"keys\"\n");
    site.untouched(|| site.run(&["render"]).ends(2, &["flake.nix"]).code);
    site.run(&["render", "--vault", "../vault"]).ends(0, &[]);

    // A link hides nothing.
    let site = Site::rendered();
    site.append(NODE04);
    symlink(site.root().join("nodes"), site.path().join("link")).unwrap();
    let run = site.untouched(|| site.run(&["render", "--vault", "../link/vault"]));
    run.ends(2, &["which plasmagen writes or serves in public"]);
}

#[test]
fn a_vault_that_was_moved_is_still_the_vault() {
    let site = Site::rendered();
    let moved = site.path().join("usb stick");
    fs::create_dir(&moved).unwrap();
    copy(&site.vault(), &moved);
    fs::remove_dir_all(site.vault()).unwrap();
    site.append(NODE04);
    site.run(&["render", "--vault", "../usb stick"]).ends(0, &["issued 1 certificate"]);
    fs::rename(&moved, site.vault()).unwrap();
    assert_verified(&site, &["node01", "node02", "node03", "node04"]);
    assert_keys_belong(&site, "after a move");
}

#[test]
fn a_vault_that_cannot_be_written_leaves_everything() {
    let site = Site::new();
    fs::write(site.home().join("data"), "a file").unwrap();
    site.untouched(|| site.run(&["render"]).ends(2, &["plasmagen/my-cluster"]).code);
    assert!(!site.root().join("nodes").exists());
    let site = Site::rendered();
    site.append(NODE04);
    // A directory in the way of the new entry.
    fs::create_dir(site.vault().join("node04.cluster.example.com")).unwrap();
    let run = site.run(&["render"]);
    run.ends(2, &["already has node04.cluster.example.com", "never overwrites a key"]);
    assert!(!site.root().join("nodes/node04.cluster.example.com").exists());
}

/// The vault of cluster `beta`, and a site of `my-cluster` that is not rendered yet, or is.
#[test]
fn the_vault_of_another_cluster_is_refused() {
    let other = Site::new();
    other.edit("\"my-cluster\"", "\"beta\"");
    other.run(&["render"]).ends(0, &[]);
    let theirs = other.home().join("data/plasmagen/beta");
    for (site, code) in [(Site::new(), 2), (Site::rendered(), 1)] {
        let args = ["render", "--vault", theirs.to_str().unwrap()];
        let run = other.untouched(|| site.untouched(|| site.run(&args)));
        let of = ["is the vault of cluster", "beta", "name the vault of", "with --vault"];
        run.ends(code, &of);
        assert!(!["chmod", "move ", "mv "].iter().any(|word| run.stderr.contains(word)), "{}", run.stderr);
    }
    let site = Site::new();
    site.append(&format!("\n[vault]\npath = \"{}\"\n", theirs.display()));
    site.untouched(|| site.run(&["render"]).ends(2, &["is the vault of cluster beta"]).code);
}

/// Two sites of one name find one vault. The second does not join the first one's cluster, and neither does a site whose
/// vault does not say where it was made; who means it names the vault.
#[test]
fn the_ca_of_another_site_is_not_taken() {
    let site = Site::rendered();
    site.within(site.path(), &["init", "other", "--admin-key", crate::kit::KEY]).ends(0, &[]);
    let other = site.path().join("other");
    let vault = site.vault().canonicalize().unwrap().display().to_string();
    let here = site.root().canonicalize().unwrap().display().to_string();
    let words =
        |of: &str| format!("the vault {vault} already holds the CA{of}, and nodes/ here publishes none");
    let render = format!("run plasmagen render --vault {vault}; if it is another cluster, give it a `name`");
    let run = site.untouched(|| site.within(&other, &["render"]));
    run.ends(2, &[&words(&format!(" of the site in {here}")), &render]);
    assert!(!other.join("nodes").exists());
    fs::remove_file(site.vault().join("ca-1/site")).unwrap();
    site.within(&other, &["render"]).ends(2, &[&words(""), &render]);
    // The inventory may have been copied with its vault.
    let inventory = fs::read_to_string(other.join("inventory.toml")).unwrap();
    fs::write(other.join("inventory.toml"), format!("{inventory}\n[vault]\npath = {vault:?}\n")).unwrap();
    site.within(&other, &["render"]).ends(2, &[&words("")]);
    // The command in the message is for a shell.
    let spaced = site.path().canonicalize().unwrap().join("the vault");
    fs::rename(&vault, &spaced).unwrap();
    fs::write(other.join("inventory.toml"), format!("{inventory}\n[vault]\npath = {spaced:?}\n")).unwrap();
    let render = format!("run plasmagen render --vault '{}'; if", spaced.display());
    site.within(&other, &["render"]).ends(2, &[&render]);
    fs::rename(&spaced, &vault).unwrap();
    // Both ways out.
    let named = inventory.replace("\"my-cluster\"", "\"elm\"");
    fs::write(other.join("inventory.toml"), named).unwrap();
    site.within(&other, &["render"]).ends(0, &["made a certificate authority"]);
    site.shell("rm -r nodes site; mv ../site ../moved").ends(0, &[]);
    let moved = site.path().join("moved");
    site.within(&moved, &["render"]).ends(2, &[&words("")]);
    let took = ["took the certificate authority that the vault", "already holds"];
    site.within(&moved, &["render", "--vault", &vault]).ends(0, &took);
    let again = site.within(&moved, &["render"]);
    assert!(!again.ends(0, &[]).stderr.contains("took the certificate authority"));
}

/// A cluster that gets another name keeps its CA and its vault, once the inventory says so.
#[test]
fn a_renamed_cluster_keeps_its_ca() {
    let site = Site::rendered();
    site.edit("\"my-cluster\"", "\"elm\"");
    let words =
        ["error[PG-H18]", "the CA of another cluster, `my-cluster`", "`former_names = [\"my-cluster\"]`"];
    for args in [&["check"][..], &["render"], &["render", "--check"], &["certs", "status"]] {
        site.untouched(|| site.run(args).ends(1, &words).code);
    }
    site.edit("\"elm\"", "\"elm\"\nformer_names = [\"my-cluster\"]");
    site.append(NODE04);
    site.run(&["render"]).ends(0, &["issued 1 certificate"]);
    site.run(&["check", "--deny-warnings"]).ends(0, &[]);
    site.run(&["secrets", "stage", "node04", "--to", "../out"]).ends(0, &[]);
    assert_verified(&site, &["node01", "node02", "node03", "node04"]);
    // Lost trees: the CA is still the cluster's.
    site.shell("rm -r nodes site").ends(0, &[]);
    site.run(&["render"]).ends(0, &["took the certificate authority"]);
    // CI has no vault.
    fs::remove_dir_all(site.vault()).unwrap();
    site.run(&["check"]).ends(0, &["warning[PG-H19]", "is sound"]);
}

/// The key of a node in the vault.
fn key(site: &Site, node: &str) -> Vec<u8> {
    fs::read(site.vault().join(format!("{node}.cluster.example.com/{node}-key.pem"))).unwrap()
}

#[test]
fn a_removed_name_that_comes_back_has_another_key() {
    let site = Site::new();
    let inventory = fs::read_to_string(site.inventory()).unwrap();
    site.append(NODE04);
    site.run(&["render"]).ends(0, &[]);
    let first = key(&site, "node04");
    for number in [1, 2] {
        let old = key(&site, "node04");
        fs::write(site.inventory(), &inventory).unwrap();
        let shown = site.vault().join("node04.cluster.example.com").canonicalize().unwrap();
        let hint = format!(
            "node04.cluster.example.com was removed. The node's private key stays in {}.",
            shown.display()
        );
        site.run(&["render"]).ends(0, &[&hint, "`removed` of [cluster]", "plasmagen explain PG-G06"]);
        assert_eq!(key(&site, "node04"), old, "nothing is removed");
        // Another machine of that name.
        site.append(NODE04);
        site.edit("3c:ec:ef:00:00:04", &format!("3c:ec:ef:00:04:0{number}"));
        site.edit("SERIAL0004", &format!("SERIAL004{number}"));
        let run = site.run(&["render"]);
        run.ends(0, &["issued 1 certificate", "node04.cluster.example.com has a new key", "/.retired"]);
        assert!(key(&site, "node04") != old, "the old key was used again");
        let retired =
            site.vault().join(format!(".retired/node04.cluster.example.com.{number}/node04-key.pem"));
        assert_eq!(fs::read(retired).unwrap(), old);
    }
    assert!(key(&site, "node04") != first);
    assert_keys_belong(&site, "after a return");
    assert_verified(&site, &["node01", "node02", "node03", "node04"]);
}

/// Another work tree rendered the node with the same vault, or this one lost the node's directory before it was committed: the
/// machine may run with its key, which must stay.
#[test]
fn a_machine_that_another_work_tree_knows_keeps_its_key() {
    let site = Site::rendered();
    site.shell("cp -r . ../other").ends(0, &[]);
    site.append(NODE04);
    site.run(&["render"]).ends(0, &["issued 1 certificate"]);
    let first = key(&site, "node04");
    let inventory = fs::read_to_string(site.inventory()).unwrap();
    site.shell("cp -r ../other ../third").ends(0, &[]);
    // A new network card: the serial number is that of the same machine.
    let other_card = inventory.replace("3c:ec:ef:00:00:04", "3c:ec:ef:00:00:44");
    for (tree, inventory) in [("other", &inventory), ("third", &other_card)] {
        fs::write(site.path().join(tree).join("inventory.toml"), inventory).unwrap();
        site.run(&["render", &format!("../{tree}/inventory.toml")]).ends(0, &["issued 1 certificate"]);
        assert_eq!(key(&site, "node04"), first, "the key of a living node was replaced");
    }
    assert!(!site.vault().join(".retired").exists());
    // Once the node was removed, its certificate is revoked, and the key is not used again.
    site.edit(NODE04, "");
    site.run(&["render"]).ends(0, &["node04.cluster.example.com was removed"]);
    site.append(NODE04);
    site.run(&["render"]).ends(0, &["node04.cluster.example.com has a new key"]);
    assert!(key(&site, "node04") != first && site.vault().join(".retired").exists());
}

/// A certificate that was removed to be issued anew, and trees that are lost: the machines are where they were.
#[test]
fn a_node_that_stays_keeps_its_key() {
    let site = Site::rendered();
    let before = key(&site, "node01");
    site.shell("rm nodes/node01*/node01-cert.pem").ends(0, &[]);
    site.run(&["render"]).ends(0, &["issued 1 certificate"]);
    site.shell("rm -r nodes site").ends(0, &[]);
    site.run(&["render"]).ends(0, &["issued 3 certificates"]);
    assert_eq!(key(&site, "node01"), before);
    assert!(!site.vault().join(".retired").exists());
}
