//! `vault status` and `vault verify`: the entries of a vault, and each fault with its way out.

use std::fs;
use std::os::unix::fs::symlink;

use crate::kit::{NODE04, Site};
use crate::situations::{plant, set_mode};

#[test]
fn a_sound_vault_matches_the_rendered_site() {
    let site = Site::rendered();
    let run = site.untouched(|| site.run(&["vault", "status"]));
    run.ends(0, &["of cluster my-cluster: matches nodes/"]);
    let expected = "\
entry                       kind  keys  state
ca-1                        CA       1  matches nodes/
node01.cluster.example.com  node     2  matches nodes/
node02.cluster.example.com  node     2  matches nodes/
node03.cluster.example.com  node     2  matches nodes/
no backup yet: plasmagen vault backup --to FILE
";
    assert_eq!(run.stdout, expected);
    let run = site.untouched(|| site.run(&["vault", "verify"]));
    run.ends(0, &["7 keys, each private and usable"]);
    assert_eq!(run.stdout, "");

    // A node that is not rendered yet needs no key; the key of a removed node is kept.
    site.append(NODE04);
    site.run(&["vault", "verify"]).ends(0, &[]);
    site.run(&["render"]).ends(0, &[]);
    let text = fs::read_to_string(site.inventory()).unwrap().replace(NODE04, "");
    fs::write(site.inventory(), text).unwrap();
    let run = site.run(&["vault", "status"]);
    assert!(run.ends(0, &[]).stdout.contains("node04.cluster.example.com  node     2  no node of the"));
    let json = site.run(&["vault", "status", "--format", "json"]).ends(0, &[]).stdout.clone();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["cluster"], "my-cluster");
    assert_eq!(json["entries"].as_array().unwrap().len(), 5);
    assert_eq!(json["entries"][0]["kind"], "authority");
    assert_eq!(json["faults"], serde_json::json!([]));
}

/// Makes a fault in the vault of a rendered site.
type Prepare = fn(&Site);

/// Copies a file of the vault over another.
fn copy_over(site: &Site, from: &str, to: &str) {
    fs::copy(site.vault().join(from), site.vault().join(to)).unwrap();
}

/// Where the key of node01 lies in the vault.
const KEY: &str = "node01.cluster.example.com/node01-key.pem";

/// The faults, each with the words that the commands say of it.
#[rustfmt::skip]
const FAULTS: [(&str, Prepare, &[&str]); 13] = [
    ("a lost key", |site| fs::remove_file(site.vault().join(KEY)).unwrap(),
        &["node01.cluster.example.com: no usable node01-key.pem. Bring the entry back from a backup: plasmagen vault restore FILE --vault DIR"]),
    ("a lost entry", |site| fs::remove_dir_all(site.vault().join("node02.cluster.example.com")).unwrap(),
        &["nodes/node02.cluster.example.com/: the vault has no key for the certificate of node02"]),
    ("the key of another node", |site| copy_over(site, KEY, "node02.cluster.example.com/node02-key.pem"),
        &["node02.cluster.example.com: the certificate in nodes/node02.cluster.example.com/ is for another key"]),
    ("a key that was cut short", |site| fs::write(site.vault().join(KEY), "-----BEGIN PRIVATE KEY-----\n").unwrap(),
        &["no usable node01-key.pem", "not a private key that plasmagen can use"]),
    ("a key that is no text", |site| fs::write(site.vault().join(KEY), b"\xff\xfe").unwrap(),
        &["node01-key.pem is not UTF-8 text"]),
    ("half a CA", |site| fs::remove_file(site.vault().join("ca-1/ca-key.pem")).unwrap(),
        &["ca-1: half a CA, without a usable key. Bring the entry back from a backup: plasmagen vault restore FILE --vault DIR"]),
    ("a CA with another key", |site| copy_over(site, KEY, "ca-1/ca-key.pem"),
        &["ca-1: the key is not that of the CA certificate"]),
    ("no CA at all", |site| fs::remove_dir_all(site.vault().join("ca-1")).unwrap(),
        &["nodes/: the CA `my-cluster CA 1` in nodes/ is not in the vault"]),
    ("a key that others may read", |site| set_mode(&site.vault().join(KEY), 0o640),
        &["node01-key.pem has mode 0640", "chmod 600"]),
    ("an entry that others may enter", |site| set_mode(&site.vault().join("ca-1"), 0o755),
        &["ca-1 has mode 0755", "chmod 700"]),
    ("a link", |site| { fs::remove_file(site.vault().join(KEY)).unwrap(); symlink("/etc/hosts", site.vault().join(KEY)).unwrap() },
        &["node01-key.pem is neither a file nor a directory"]),
    ("a key that is retired and was cut short", |site| retire(site, "junk"),
        &[".retired/node09.cluster.example.com.1: could not use node09-key.pem"]),
    ("the CA of another cluster", |site| site.edit("\"my-cluster\"", "\"beta\"\nformer_names = [\"gamma\"]"),
        &["ca-1: `my-cluster CA 1`, which is the CA of another cluster, `my-cluster`: name the vault of this cluster"]),
];

/// Puts a retired entry into the vault, with a file of this text.
fn retire(site: &Site, text: &str) {
    let entry = site.vault().join(".retired/node09.cluster.example.com.1");
    fs::create_dir_all(&entry).unwrap();
    fs::write(entry.join("node09-key.pem"), text).unwrap();
    for path in [&entry.join("node09-key.pem"), &entry, entry.parent().unwrap()] {
        set_mode(path, if path.is_dir() { 0o700 } else { 0o600 });
    }
}

#[test]
fn each_fault_is_told_with_its_way_out() {
    let sound = Site::rendered();
    for (what, prepare, words) in FAULTS {
        let site = sound.copy();
        prepare(&site);
        let vault = site.home().join("data/plasmagen/my-cluster");
        for command in ["status", "verify"] {
            let args = ["vault", command, "--vault", vault.to_str().unwrap()];
            let run = site.untouched(|| site.run(&args));
            assert_eq!(run.code, Some(1), "{what}: {}{}", run.stdout, run.stderr);
            for word in words {
                assert!(run.stdout.contains(word), "{what}: {word} is not in {}", run.stdout);
            }
            assert_eq!(run.stdout.matches("fault  ").count(), 1, "{what}: {}", run.stdout);
        }
    }
}

#[test]
fn a_vault_that_cannot_be_examined_is_told() {
    let site = Site::rendered();
    let refuses = |args: &[&str], words: &[&str]| {
        for command in ["status", "verify"] {
            site.untouched(|| site.run(&[&["vault", command], args].concat()).ends(1, words).code);
        }
    };
    refuses(&["--vault", "../nowhere"], &["there is no vault at", "nowhere: name the vault with --vault"]);
    let empty = site.path().join("empty");
    fs::create_dir(&empty).unwrap();
    set_mode(&empty, 0o700);
    refuses(&["--vault", "../empty"], &["only an empty directory"]);
    set_mode(&site.vault(), 0o750);
    refuses(&[], &["has mode 0750", "chmod 700"]);
    set_mode(&site.vault(), 0o700);
    plant(&site, "");
    refuses(&[], &["private keys"]);
}
