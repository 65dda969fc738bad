//! `secrets encrypt`: what age makes of the files, and which are written.

use std::fs;
use std::path::Path;

use test_kit::tree::entries;

use crate::kit::{Run, Site};
use crate::secrets;

/// A site whose inventory lists two recipients, of which `ops.key` in the site's parent is one's identity.
pub(crate) fn site() -> Site {
    let site = Site::rendered();
    let made = site.shell(
        "set -e; cd ..; age-keygen -o ops.key 2>/dev/null; age-keygen -o safe.key 2>/dev/null
         ssh-keygen -q -t ed25519 -N '' -C root@node01 -f host
         ssh-keygen -q -t rsa -b 3072 -N '' -C safe -f rsa
         printf '\\n[vault]\\nrecipients = [\"%s\", \"%s\"]\\n' \"$(age-keygen -y ops.key)\" \"$(cat rsa.pub)\" >>site/inventory.toml",
    );
    made.ends(0, &[]);
    site
}

pub(crate) fn encrypt(site: &Site, args: &[&str]) -> Run {
    site.run(&[&["secrets", "encrypt", "--to", "keys"], args].concat())
}

/// What age reads from the file of `node` with the identity `identity`.
fn decrypted(site: &Site, node: &str, identity: &str) -> Run {
    let file = format!("keys/{node}-key.pem.age");
    site.tool("age", "age", &["--decrypt", "-i", &format!("../{identity}"), &file])
}

fn vaulted(site: &Site, node: &str) -> String {
    fs::read_to_string(site.vault().join(format!("{node}.cluster.example.com/{node}-key.pem"))).unwrap()
}

#[test]
fn age_decrypts_to_the_vaults_key_for_each_recipient_and_nobody_else() {
    let site = site();
    encrypt(&site, &[]).ends(0, &["encrypted 3 keys to 2 recipients and the host key of each node in keys"]);
    let names: Vec<_> = entries(&site.root().join("keys")).into_keys().skip(1).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    for node in ["node01", "node02", "node03"] {
        for identity in ["ops.key", "rsa"] {
            assert!(decrypted(&site, node, identity).ends(0, &[]).stdout == vaulted(&site, node), "{node}");
        }
        decrypted(&site, node, "safe.key").ends(1, &["no identity matched"]);
        let text = site.read(&format!("keys/{node}-key.pem.age"));
        assert!(text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"), "{text}");
        assert!(!secrets::leaks(text.as_bytes(), &secrets::secrets(&site)));
    }
}

#[test]
fn a_nodes_own_ssh_key_reads_its_own_file() {
    let site = site();
    let host = fs::read_to_string(site.path().join("host.pub")).unwrap();
    encrypt(&site, &["node01", "--recipient", &host])
        .ends(0, &["encrypted 1 key to 3 recipients and the node's host key in keys"]);
    assert!(decrypted(&site, "node01", "host").ends(0, &[]).stdout == vaulted(&site, "node01"));
    encrypt(&site, &[]).ends(0, &["kept", "node01-key.pem.age: --force", "encrypted 2 keys to 2"]);
    decrypted(&site, "node02", "host").ends(1, &[]);
    // One who is listed already is not one more.
    let listed = fs::read_to_string(site.path().join("rsa.pub")).unwrap();
    encrypt(&site, &["node01", "--force", "--recipient", &listed]).ends(0, &["to 2 recipients"]);
    decrypted(&site, "node01", "host").ends(1, &[]);
    // Whoever may read one key may not read all.
    for nodes in [&[][..], &["node01", "node02"]] {
        let run = encrypt(&site, &[nodes, &["--recipient", &host]].concat());
        run.ends(2, &["--recipient needs a single NODE", "[vault]"]);
    }
}

#[test]
fn what_is_there_stays_unless_forced() {
    let site = site();
    encrypt(&site, &[]).ends(0, &[]);
    let keys = site.root().join("keys");
    let before = entries(&keys);
    let kept = encrypt(&site, &[]);
    kept.ends(0, &["node01-key.pem.age: --force replaces it"]);
    assert!(!kept.stderr.contains("encrypted"), "{}", kept.stderr);
    assert_eq!(before, entries(&keys));
    encrypt(&site, &["--force", "node02"]).ends(0, &["encrypted 1 key"]);
    let changed = entries(&keys).iter().filter(|(path, entry)| before[*path].body != entry.body).count();
    assert_eq!(changed, 1);
    // A node that is named twice is one, and a directory no key: then nothing is written at all.
    encrypt(&site, &["--force", "node02", "node02"]).ends(0, &["encrypted 1 key"]);
    let in_the_way = keys.join("node03-key.pem.age");
    fs::remove_file(&in_the_way).unwrap();
    fs::create_dir(&in_the_way).unwrap();
    let before = entries(&keys);
    for force in [&[][..], &["--force"]] {
        encrypt(&site, force).ends(2, &["node03-key.pem.age is a directory", "move it away"]);
    }
    assert_eq!(before, entries(&keys));
    // In the place of a link comes a file: what the link leads to stays.
    let file = keys.join("node01-key.pem.age");
    fs::write(site.path().join("aim"), "aim").unwrap();
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("../../aim", &file).unwrap();
    encrypt(&site, &["node01"]).ends(0, &["kept"]);
    encrypt(&site, &["node01", "--force"]).ends(0, &[]);
    assert!(file.symlink_metadata().unwrap().is_file());
    assert_eq!(fs::read_to_string(site.path().join("aim")).unwrap(), "aim");
}

#[test]
fn recipients_are_two_at_least_and_known_to_age() {
    let site = Site::rendered();
    let teaching = ["at least two recipients", "plasmagen explain PG-H16", "[vault]", "age-keygen"];
    encrypt(&site, &[]).ends(2, &teaching);
    const AGE: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    encrypt(&site, &["node01", "--recipient", AGE, "--recipient", AGE]).ends(2, &teaching);
    for (text, words) in [
        ("age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8q", "this is no age recipient"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL845TiWoOe2XrCMNfJU", "no SSH key that age encrypts to"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk", "this is a private key"),
        ("AGE-SECRET-KEY-1QQQQ", "this is a private key"),
    ] {
        let run = encrypt(&site, &["node01", "--recipient", text]);
        run.ends(2, &[words]);
        assert!(!run.stderr.contains(text), "{}", run.stderr);
    }
    encrypt(&site, &["node01", "--recipient", ""]).ends(2, &["--recipient is empty", "ssh-keyscan"]);
    // A plugin's: its checksum is good, and only the plugin can encrypt to it.
    let plugin = "age1yubikey1q2w7u3vpya839jxxuq8g0sedh3d740d4xvn639sqhr95ejj8vu3hyfumptt";
    let run = encrypt(&site, &["node01", "--recipient", plugin, "--recipient", AGE]);
    run.ends(2, &["age-plugin-yubikey", "plasmagen secrets stage"]);
    assert!(!site.root().join("keys").exists());
}

#[test]
fn it_may_lie_in_a_flake_but_not_in_what_is_plasmagens() {
    let site = site();
    fs::write(site.root().join("flake.nix"), "{ }").unwrap();
    for dir in ["nodes/keys", "site/www", ".plasmagen"] {
        let run = site.untouched(|| site.run(&["secrets", "encrypt", "--to", dir]));
        run.ends(2, &["the directory for encrypted keys", "which plasmagen writes or serves in public"]);
    }
    encrypt(&site, &[]).ends(0, &[]);
    assert!(Path::new(&site.root().join("keys/node03-key.pem.age")).exists());
}

#[test]
fn a_key_of_another_certificate_is_not_encrypted() {
    let site = site();
    site.shell(
        "cd $XDG_DATA_HOME/plasmagen/my-cluster && cp node02.*/node02-key.pem node01.*/node01-key.pem",
    )
    .ends(0, &[]);
    encrypt(&site, &[]).ends(1, &["error[PG-H04]", "the certificate of `node01` is for another key"]);
    assert!(!site.root().join("keys").exists(), "all or none");
    fs::remove_dir_all(site.home()).unwrap();
    encrypt(&site, &["node02"]).ends(2, &["has no key for node02.cluster.example.com", "--vault"]);
}
