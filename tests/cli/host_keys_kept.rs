//! SSH host keys in the vault and in nodes/: a machine keeps the key that it has, and a key that is lost is told.

use std::fs;

use crate::host_keys::{find, full, keys, private, public};
use crate::kit::{Run, Site};
use crate::{backups, sealing};

/// Makes a host key as a machine does, beside the site; returns its public half without the comment.
fn make_own_key(site: &Site, file: &str) -> String {
    site.shell(&format!("ssh-keygen -q -t ed25519 -N '' -C root@own -f ../{file}")).ends(0, &[]);
    let text = fs::read_to_string(site.path().join(format!("{file}.pub"))).unwrap();
    text.strip_suffix(" root@own\n").unwrap().to_owned()
}

/// Stages the secrets of `node` into a new directory.
fn stage(site: &Site, node: &str) -> Run {
    let _ = fs::remove_dir_all(site.path().join("out"));
    site.run(&["secrets", "stage", node, "--to", "../out"])
}

/// The host key that was staged last.
fn staged(site: &Site) -> Option<Vec<u8>> {
    fs::read(site.path().join("out/etc/ssh/ssh_host_ed25519_key")).ok()
}

/// The node was installed without the staged tree, and has made a key of its own.
#[test]
fn an_adopted_key_takes_the_place_of_the_vaults() {
    let site = Site::rendered();
    let (adopted, made) = (make_own_key(&site, "own"), fs::read(private(&site, "node01")).unwrap());
    let old = public(&site, "node01");
    keys(&site, &["adopt", "node01", "--host-key", "../own.pub"]).ends(0, &[]);
    assert_eq!([public(&site, "node01"), find(&site, "node01").unwrap()], [adopted.clone(), adopted.clone()]);
    assert!(site.read("nodes/node01.cluster.example.com/ssh_host_ed25519_key.pub").ends_with(" adopted\n"));
    assert!(!private(&site, "node01").exists());
    let aside = site.vault().join(".retired").join(full("node01") + ".ssh.1/ssh_host_ed25519_key");
    assert_eq!(fs::read(aside).unwrap(), made);
    for args in [&["vault", "verify"][..], &["vault", "status"], &["check"], &["render", "--check"]] {
        site.run(args).ends(0, &[]);
    }
    // The key of the certificate is still staged.
    let words =
        ["staged the key of node01 in", "has an SSH host key of its own", "only before a new installation"];
    stage(&site, "node01").ends(0, &words);
    assert_eq!(staged(&site), None);
    site.untouched(|| site.run(&["render"]).ends(0, &["nothing was touched"]).code);
    site.run(&["certs", "renew", "node01", "--new-key"]).ends(0, &[]);
    assert_eq!(public(&site, "node01"), adopted);
    site.run(&["vault", "verify"]).ends(0, &[]);
    // Without nodes/, nobody knows the key: the vault does not publish one that the machine does not have.
    let copy = site.copy();
    copy.shell("rm -r nodes site").ends(0, &[]);
    let named = ["render", "--vault", copy.vault().to_str().unwrap()].map(str::to_owned);
    let named: Vec<_> = named.iter().map(String::as_str).collect();
    copy.run(&named).ends(0, &["no SSH host key was made for node01"]);
    assert_eq!((find(&copy, "node01"), find(&copy, "node02")), (None, find(&site, "node02")));

    // A machine that has the vault's old key after all.
    let file = site.path().join("old.pub");
    fs::write(&file, old.clone() + "\n").unwrap();
    keys(&site, &["adopt", "node01", "--host-key", "../old.pub"]).ends(0, &[]);
    assert_eq!(
        (public(&site, "node01"), fs::read(private(&site, "node01")).unwrap()),
        (old.clone(), made.clone())
    );
    stage(&site, "node01").ends(0, &["the key and the SSH host key of node01"]);
    assert_eq!(staged(&site).unwrap(), made);
    site.untouched(|| keys(&site, &["adopt", "node01", "--host-key", "../old.pub"]).ends(0, &[]).code);

    keys(&site, &["adopt", "node01", "--host-key", "../own.pub"]).ends(0, &[]);
    keys(&site, &["make", "node01"]).ends(0, &["made 1 SSH host key"]);
    assert!(![adopted, old].contains(&public(&site, "node01")));
    stage(&site, "node01").ends(0, &["the key and the SSH host key of node01"]);
    site.run(&["vault", "verify"]).ends(0, &[]);
}

/// An older backup is no newer one's equal: the key that nodes/ publishes is nowhere in it.
#[test]
fn a_vault_that_is_older_than_a_host_key_is_told_and_replaces_no_backup() {
    let site = sealing::site();
    backups::back_up(&site, "v1.age", &[]).ends(0, &[]);
    keys(&site, &["make", "node01"]).ends(0, &["holds 1 key that no backup has", "plasmagen vault backup"]);
    backups::back_up(&site, "v2.age", &[]).ends(0, &["backed up 8 keys"]);
    let newer = fs::read(site.path().join("v2.age")).unwrap();
    fs::remove_dir_all(site.vault()).unwrap();
    let identity = ["--identity", "../ops.key"];
    let words =
        ["1 fault", "node01.cluster.example.com: the vault does not have the SSH host key of nodes/node01"];
    backups::restore(&site, "v1.age", &identity).ends(0, &words);
    for command in ["status", "verify"] {
        let run = site.run(&["vault", command]);
        run.ends(1, &["1 fault"]);
        for word in ["restore a newer backup", "plasmagen keys make node01", "plasmagen keys adopt node01"] {
            assert!(run.stdout.contains(word), "{word}: {}", run.stdout);
        }
    }
    stage(&site, "node01").ends(2, &["does not have the SSH host key", "restore a newer backup"]);
    assert_eq!(staged(&site), None);
    stage(&site, "node02").ends(0, &["the SSH host key of node02"]);
    backups::back_up(&site, "v2.age", &[]).ends(2, &["has faults"]);
    // A vault without a fault of its own may lack what an older backup has, too.
    let lost =
        ["v2.age holds what the vault does not: node01.cluster.example.com/ssh_host_ed25519_key", "--force"];
    backups::back_up(&site, "v2.age", &identity).ends(2, &lost);
    assert_eq!(fs::read(site.path().join("v2.age")).unwrap(), newer);
    backups::back_up(&site, "v3.age", &[]).ends(1, &["1 fault, and so has the backup"]);

    // The ways out that the fault names.
    let copy = site.copy();
    copy.shell("rm -r ../home/data/plasmagen").ends(0, &[]);
    backups::restore(&copy, "v2.age", &identity).ends(0, &["restored 8 keys"]);
    copy.run(&["vault", "verify"]).ends(0, &[]);
    let copy = site.copy();
    keys(&copy, &["make", "node01"]).ends(0, &[]);
    copy.run(&["vault", "verify"]).ends(0, &[]);
    let file = format!("nodes/{}/ssh_host_ed25519_key.pub", full("node01"));
    keys(&site, &["adopt", "node01", "--host-key", &file]).ends(0, &[]);
    site.run(&["vault", "verify"]).ends(0, &[]);
    // The entry lacks its host key, and nobody said that the machine has one of its own.
    fs::remove_file(private(&copy, "node02")).unwrap();
    copy.run(&["vault", "verify"]).ends(1, &["1 fault"]);
    stage(&copy, "node02").ends(2, &["does not have the SSH host key"]);
}

/// The commands that the messages name lead out of each wrong file in nodes/.
#[test]
fn wrong_files_in_nodes_are_replaced_by_command() {
    let site = Site::rendered();
    make_own_key(&site, "own");
    let file = |node: &str| site.root().join(format!("nodes/{}/ssh_host_ed25519_key.pub", full(node)));
    let text = fs::read_to_string(file("node02")).unwrap();
    let conflict = format!("<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> other\n");
    for (wrong, word) in [
        (conflict.as_str(), "could not use nodes/node03."),
        (&text[..40], "could not use nodes/node03."),
        (&text, "node02 and node03 have one SSH host key"),
    ] {
        let out = [
            &["adopt", "node03", "--host-key", "../own.pub", "--discard-edits"][..],
            &["make", "node03", "--discard-edits"],
        ];
        for command in out {
            let copy = site.copy();
            let place = copy.root().join(file("node03").strip_prefix(site.root()).unwrap());
            fs::write(place, wrong).unwrap();
            copy.untouched(|| {
                copy.run(&["render"])
                    .ends(2, &[word, "plasmagen keys adopt node03", "plasmagen keys make node03"])
                    .code
            });
            copy.untouched(|| copy.run(&["render", "--check"]).ends(2, &[word]).code);
            copy.run(&["vault", "verify"]).ends(1, &["1 fault"]);
            keys(&copy, &["status", "--root", "../web"]).ends(0, &[]);
            stage(&copy, "node01").ends(0, &["the SSH host key of node01"]);
            keys(&copy, command).ends(0, &[]);
            copy.run(&["vault", "verify"]).ends(0, &[]);
            copy.run(&["render", "--check"]).ends(0, &[]);
            assert_ne!(public(&copy, "node03"), public(&copy, "node02"));
        }
    }
}

/// A machine keeps its host key under another name, and so does the vault.
#[test]
fn a_new_domain_or_name_keeps_the_host_keys() {
    let site = Site::rendered();
    make_own_key(&site, "own");
    keys(&site, &["adopt", "node03", "--host-key", "../own.pub"]).ends(0, &[]);
    let before = ["node01", "node02", "node03"].map(|node| find(&site, node).unwrap());
    let key = fs::read(private(&site, "node01")).unwrap();
    let copy = site.copy();
    site.edit("\"cluster.example.com\"", "\"new.cluster.example.com\"");
    let run = site.run(&["render"]);
    run.ends(0, &["issued 3 certificates"]);
    assert!(!run.stderr.contains("SSH host key"), "{}", run.stderr);
    assert_eq!(["node01", "node02", "node03"].map(|node| find(&site, node).unwrap()), before);
    assert_eq!(find(&site, "node01.new.cluster.example.com").as_ref(), Some(&before[0]));
    stage(&site, "node01").ends(0, &["the key and the SSH host key of node01"]);
    assert_eq!(staged(&site).unwrap(), key);
    stage(&site, "node03").ends(0, &["node03 has an SSH host key of its own"]);
    site.run(&["vault", "verify"]).ends(0, &[]);
    site.edit("\"new.cluster.example.com\"", "\"cluster.example.com\"");
    site.run(&["render"]).ends(0, &[]);
    assert_eq!(["node01", "node02", "node03"].map(|node| find(&site, node).unwrap()), before);

    copy.edit("[node.node02]", "[node.node05]");
    copy.edit("\"node02\"", "\"node05\"");
    copy.run(&["render", "--install-anew", "node05"]).ends(0, &[]);
    assert_eq!((find(&copy, "node05").as_ref(), find(&copy, "node02")), (Some(&before[1]), None));
    stage(&copy, "node05").ends(0, &["the key and the SSH host key of node05"]);
}

#[test]
fn a_node_without_an_entry_in_the_vault_has_a_way_out() {
    let site = Site::rendered();
    let entry = site.vault().join(full("node03"));
    fs::rename(&entry, site.path().join("aside")).unwrap();
    let words = [
        "has no node03.cluster.example.com",
        "plasmagen vault restore",
        "plasmagen certs renew node03 --new-key",
    ];
    keys(&site, &["make", "node03"]).ends(2, &words);
    site.run(&["certs", "renew", "node03", "--new-key"]).ends(0, &[]);
    keys(&site, &["make", "node03"]).ends(0, &[]);
    site.run(&["vault", "verify"]).ends(0, &[]);
}

/// The certificate of the node is gone as well, so that only the host key in nodes/ tells of a key that is lost.
#[test]
fn a_published_host_key_without_certificate_is_told() {
    let site = Site::rendered();
    site.shell("rm nodes/node03.*/node03-cert.pem").ends(0, &[]);
    let copy = site.copy();
    site.run(&["vault", "verify"]).ends(0, &[]);
    fs::rename(site.vault().join(full("node03")), site.path().join("aside")).unwrap();
    fs::remove_file(private(&copy, "node03")).unwrap();
    for (site, entry) in [(&site, format!("nodes/{}/: ", full("node03"))), (&copy, full("node03") + ": ")] {
        let run = site.run(&["vault", "verify"]);
        let said = &run.ends(1, &["1 fault"]).stdout;
        let words = format!("{entry}the vault does not have the SSH host key");
        assert!(said.contains(&words) && said.contains("plasmagen keys make node03"), "{said}");
        keys(site, &["make", "node03", "--discard-edits"]).ends(0, &["made 1 SSH host key"]);
        site.run(&["vault", "verify"]).ends(0, &[]);
    }
}
