//! `vault backup` and `vault restore`: a lost vault comes back from one file, and nothing else does.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use test_kit::tree::{contents, entries};

use crate::certificates::assert_keys_belong;
use crate::kit::{NODE04, Run, Site};
use crate::{sealing, secrets};

/// Backs the vault up into `file`, beside the site.
pub(crate) fn back_up(site: &Site, file: &str, args: &[&str]) -> Run {
    site.run(&[&["vault", "backup", "--to", &format!("../{file}")], args].concat())
}

/// Restores `file`, beside the site.
pub(crate) fn restore(site: &Site, file: &str, args: &[&str]) -> Run {
    site.run(&[&["vault", "restore", &format!("../{file}")], args].concat())
}

/// The files of a vault that a backup holds, by path.
pub(crate) fn vaulted(vault: &Path) -> Vec<(PathBuf, String)> {
    let mut files: Vec<_> = contents(vault).into_iter().collect();
    files
        .retain(|(path, _)| path.to_str().is_some_and(|path| !["", ".lock", ".backup.json"].contains(&path)));
    files
}

#[test]
fn a_lost_laptop_is_restored_from_the_backup() {
    let site = sealing::site();
    site.append(NODE04);
    site.run(&["render"]).ends(0, &["holds 9 keys that no backup has: plasmagen vault backup --to FILE"]);
    // A key that was retired, and one of a kind that a later version stores.
    let retired = site.vault().join(".retired/node09.cluster.example.com.1");
    fs::create_dir_all(&retired).unwrap();
    let key = site.vault().join("node01.cluster.example.com/node01-key.pem");
    fs::copy(&key, retired.join("node09-key.pem")).unwrap();
    fs::write(key.with_file_name("later"), "secret of a later version").unwrap();
    site.shell(&format!("chmod -R go= {}", site.vault().display())).ends(0, &[]);
    let run = back_up(&site, "vault.age", &["--identity", "../rsa"]);
    run.ends(
        0,
        &["backed up 11 keys to ../vault.age", "encrypted to 2 recipients", "with the key of a recipient"],
    );
    let status = site.run(&["vault", "status"]).ends(0, &[]).stdout.clone();
    assert!(status.contains("which holds every key"), "{status}");
    let text = fs::read(site.path().join("vault.age")).unwrap();
    assert!(text.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----\n"));
    assert!(!secrets::leaks(&text, &secrets::secrets(&site)));

    let saved = vaulted(&site.vault());
    fs::remove_dir_all(site.home().join("data")).unwrap();
    site.append(
        &NODE04
            .replace("04", "05")
            .replace("10.0.100.53", "10.0.100.54")
            .replace(".14", ".15")
            .replace("10.0.10.53", "10.0.10.54"),
    );
    site.untouched(|| site.run(&["render"]).ends(2, &["plasmagen vault restore FILE"]).code);
    site.run(&["check"]).ends(0, &["PG-H19", "plasmagen vault restore FILE"]);
    site.untouched(|| {
        let words =
            ["is encrypted to 2 recipients", "--identity KEYFILE", "age -d -i KEYFILE FILE | plasmagen"];
        restore(&site, "vault.age", &[]).ends(2, &words).code
    });
    let run = restore(&site, "vault.age", &["--identity", "../ops.key"]);
    run.ends(0, &["restored 11 keys of cluster my-cluster, backed up at 2"]);
    assert_eq!(vaulted(&site.vault()), saved);
    for (path, _) in entries(&site.vault()) {
        let mode = fs::symlink_metadata(&path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
    }
    site.run(&["vault", "verify"]).ends(0, &[]);
    let again = site.untouched(|| restore(&site, "vault.age", &["--identity", "../ops.key"]));
    again.ends(0, &["holds the 11 keys of ../vault.age already, nothing was touched"]);
    let run = site.run(&["render"]);
    run.ends(0, &["issued 1 certificate", "holds 2 keys that no backup has"]);
    assert_keys_belong(&site, "after the restore");
    let status = site.run(&["vault", "status"]).stdout;
    assert!(status.contains("2 keys since then"), "{status}");
    // The vault has more than the backup now, and all of the backup.
    restore(&site, "vault.age", &["--identity", "../ops.key"]).ends(0, &["already"]);
    back_up(&site, "vault.age", &[]).ends(0, &["backed up 13 keys", "with the key of this run"]);
}

#[test]
fn age_and_cpio_restore_without_plasmagen() {
    let site = sealing::site();
    back_up(&site, "vault.age", &[]).ends(0, &[]);
    let saved = vaulted(&site.vault());
    for key in ["ops.key", "rsa"] {
        let script = format!(
            "umask 022; mkdir ../{key}.d && cd ../{key}.d && age -d -i ../{key} ../vault.age | cpio -id --quiet && \
             find . -mindepth 1 -printf '%m\\n' | sort -u"
        );
        let run = site.shell(&script);
        assert_eq!(run.ends(0, &[]).stdout, "600\n700\n", "{}", run.stderr);
        assert_eq!(vaulted(&site.path().join(format!("{key}.d"))), saved);
    }
    site.shell("age -d -i ../safe.key ../vault.age").ends(1, &["no identity matched"]);
    // A key with a passphrase is for age to decrypt with, and so is one of a plugin.
    site.shell("cd ..; cp rsa locked; chmod 600 locked; ssh-keygen -q -p -N secret -f locked").ends(0, &[]);
    let words = [
        "../locked",
        "an SSH key with a passphrase",
        "age -d -i KEYFILE FILE | plasmagen vault restore /dev/stdin",
    ];
    restore(&site, "vault.age", &["--identity", "../locked", "--vault", "../new"]).ends(2, &words);
    let script = "age -d -i ../ops.key ../vault.age | $P vault restore /dev/stdin --vault ../new";
    site.shell(script).ends(0, &["restored 7 keys"]);
    assert_eq!(vaulted(&site.path().join("new")), saved);
}

/// Makes another backup of the bytes of a sound one, or of nothing.
type Damage = fn(&[u8]) -> Vec<u8>;

/// The bytes of an armoured age file.
fn unarmoured(text: &[u8]) -> Vec<u8> {
    let lines = str::from_utf8(text).unwrap().lines().filter(|line| !line.starts_with('-'));
    BASE64_STANDARD.decode(lines.collect::<String>()).unwrap()
}

/// Flips a bit of the byte at that thousandth of the age file.
fn flipped(text: &[u8], thousandth: usize) -> Vec<u8> {
    let mut bytes = unarmoured(text);
    let at = (bytes.len() - 1) * thousandth / 1000;
    bytes[at] ^= 1;
    bytes
}

const CHANGED: &str = "it was cut short or changed since it was made";

/// Damaged backups, with the words that say so.
#[rustfmt::skip]
const DAMAGES: [(&str, Damage, &str); 13] = [
    ("nothing", |_| Vec::new(), "../broken.age cannot be restored"),
    ("a line of the armour", |text| text[..text.len() / 2].to_vec(), CHANGED),
    ("armour without its end", |text| text[..text.len() - 40].to_vec(), CHANGED),
    ("half of the file", |text| { let bytes = unarmoured(text); bytes[..bytes.len() / 2].to_vec() }, CHANGED),
    ("one byte less", |text| { let bytes = unarmoured(text); bytes[..bytes.len() - 1].to_vec() }, CHANGED),
    ("the header alone", |text| unarmoured(text)[..300].to_vec(), CHANGED),
    ("one byte more", |text| [unarmoured(text), vec![0]].concat(), CHANGED),
    ("another first byte", |text| flipped(text, 0), "it is no age file"),
    ("another byte in the middle", |text| flipped(text, 500), CHANGED),
    ("another last byte", |text| flipped(text, 1000), CHANGED),
    ("something after the end", |text| [text, b"junk\n"].concat(), CHANGED),
    ("another file", |_| b"hello\n".to_vec(), "it is no age file"),
    ("the name of another cluster", |text| renamed(text, b"xx-cluster"), "../broken.age is a backup of another cluster, xx-cluster"),
];

/// Writes another name of the same length into the label of a backup.
fn renamed(text: &[u8], name: &[u8]) -> Vec<u8> {
    let mut bytes = unarmoured(text);
    let at = bytes.windows(name.len()).position(|window| window == b"my-cluster").unwrap();
    bytes[at..at + name.len()].copy_from_slice(name);
    bytes
}

#[test]
fn a_damaged_or_foreign_backup_is_refused_and_changes_nothing() {
    let site = sealing::site();
    back_up(&site, "vault.age", &[]).ends(0, &[]);
    let whole = fs::read(site.path().join("vault.age")).unwrap();
    let refuses = |file: &str, args: &[&str], words: &[&str]| {
        let args = [&["--vault", "../new"], args].concat();
        let run = site.untouched(|| restore(&site, file, &args));
        assert_eq!(run.code, Some(2), "{words:?}: {}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
        run.ends(2, words);
        assert!(!site.path().join("new").exists(), "{words:?}");
    };
    for (_, damage, words) in DAMAGES {
        fs::write(site.path().join("broken.age"), damage(&whole)).unwrap();
        refuses("broken.age", &["--identity", "../ops.key"], &[words]);
    }
    for (key, words) in [
        ("safe.key", "it is encrypted to other keys than the one that was given"),
        ("host", "it is encrypted to other keys than the one that was given"),
        ("rsa.pub", "line 1 is no age secret key"),
        ("vault.age", "it is protected by a passphrase"),
        ("nowhere", "could not read ../nowhere"),
    ] {
        refuses("vault.age", &["--identity", &format!("../{key}")], &[words]);
    }
    // Archives that somebody else has encrypted, or nobody.
    let script =
        "set -e; cd ..; mkdir -p evil; echo x >evil/x; (cd evil; echo x | cpio -o -H newc --quiet) >evil.cpio
                  age -r $(age-keygen -y ops.key) -o evil.age evil.cpio";
    site.shell(script).ends(0, &[]);
    refuses("evil.age", &["--identity", "../ops.key"], &["it is no backup of a vault"]);
    refuses("evil.cpio", &[], &["it does not begin with its list of files"]);
    refuses("nowhere.age", &[], &["could not read ../nowhere.age"]);
    refuses("evil", &[], &["could not read ../evil", "directory"]);
    fs::File::create(site.path().join("huge")).unwrap().set_len(1 << 40).unwrap();
    refuses("huge", &[], &["it is too large"]);
    // Under a label that was changed to fit, the MAC of age does not.
    fs::write(site.path().join("broken.age"), renamed(&whole, b"xx-cluster")).unwrap();
    site.edit("\"my-cluster\"", "\"xx-cluster\"\nformer_names = [\"my-cluster\"]");
    refuses("broken.age", &["--identity", "../ops.key"], &[CHANGED]);
    // The backup of a cluster that was renamed is still the cluster's.
    let args = ["--identity", "../ops.key", "--vault", "../new"];
    restore(&site, "vault.age", &args).ends(0, &["restored 7 keys of cluster my-cluster"]);
}

#[test]
fn a_vault_that_is_there_is_not_overwritten() {
    let (site, other) = (sealing::site(), sealing::site());
    back_up(&site, "vault.age", &[]).ends(0, &[]);
    let args = ["--identity", "../ops.key"];
    let key = site.vault().join("node01.cluster.example.com/node01-key.pem");
    fs::remove_file(&key).unwrap();
    let words = ["there is a vault at", "never overwrites a key", "move that vault away"];
    site.untouched(|| restore(&site, "vault.age", &args).ends(2, &words).code);
    // The way out that the faults of a vault name.
    restore(&site, "vault.age", &[&args[..], &["--vault", "../new"]].concat()).ends(0, &[]);
    fs::copy(site.path().join("new/node01.cluster.example.com/node01-key.pem"), &key).unwrap();
    site.run(&["vault", "verify"]).ends(0, &[]);
    // Another site of the same name.
    fs::copy(site.path().join("vault.age"), other.path().join("vault.age")).unwrap();
    let key = site.path().join("ops.key");
    let args = ["--identity", key.to_str().unwrap(), "--vault", "../new"];
    let words = ["holds none of the CAs that nodes/ publishes", "another cluster of this name"];
    restore(&other, "vault.age", &args).ends(2, &words);
    assert!(!other.path().join("new").exists());
    // A backup that is older than nodes/ is restored, and what is missing is told.
    site.append(NODE04);
    site.run(&["render"]).ends(0, &[]);
    fs::remove_dir_all(site.vault()).unwrap();
    let run = restore(&site, "vault.age", &["--identity", "../ops.key"]);
    run.ends(0, &["restored 7 keys", "no key for the certificate of node04", "it is older than nodes/"]);
}

#[test]
fn only_an_older_backup_of_the_cluster_is_replaced() {
    let site = sealing::site();
    let file = site.path().join("vault.age");
    let refuses = |to: &str, args: &[&str], words: &[&str]| {
        let before = fs::read(&file).ok();
        site.untouched(|| back_up(&site, to, args).ends(2, words).code);
        assert_eq!(fs::read(&file).ok(), before, "{words:?}");
    };
    for (to, words) in [
        ("site/nodes/x.age", "which plasmagen writes or serves in public"),
        ("home/data/plasmagen/my-cluster/x.age", "which plasmagen writes or serves in public"),
        ("nowhere/x.age", "the directory for the backup: make it first"),
        ("home", "is no file"),
    ] {
        refuses(to, &[], &[words]);
    }
    fs::write(&file, "my notes").unwrap();
    refuses("vault.age", &[], &["is there already and no older backup", "--force"]);
    back_up(&site, "vault.age", &["--force"]).ends(0, &[]);
    back_up(&site, "vault.age", &[]).ends(0, &[]);
    refuses("vault.age", &["--identity", "../safe.key"], &["it is encrypted to other keys"]);
    site.edit("\"my-cluster\"", "\"beta\"");
    let vault = site.vault();
    let named = ["--vault", vault.to_str().unwrap()];
    refuses("vault.age", &named, &["is a backup of another cluster, my-cluster"]);
    site.edit("\"beta\"", "\"my-cluster\"");

    // A vault that has lost a key does not replace the backup that has it, whatever is backed up elsewhere meanwhile.
    let entry = site.vault().join("node01.cluster.example.com");
    fs::rename(&entry, site.path().join("aside")).unwrap();
    refuses("vault.age", &[], &["has faults, and", "may hold what is lost", "--force"]);
    let run = site.run(&["vault", "verify"]);
    assert!(
        run.ends(1, &["1 fault"]).stdout.contains("no key for the certificate of node01"),
        "{}",
        run.stdout
    );
    // Nothing in nodes/ tells of the keys any more: only the record of the last backup does.
    for file in ["node01-cert.pem", "ssh_host_ed25519_key.pub"] {
        fs::remove_file(site.root().join("nodes/node01.cluster.example.com").join(file)).unwrap();
    }
    let run = site.run(&["vault", "verify"]);
    let words =
        "node01.cluster.example.com/node01-key.pem is in the last backup and not in the vault any more";
    assert!(run.ends(1, &["1 fault"]).stdout.contains(words), "{}", run.stdout);
    back_up(&site, "other.age", &[])
        .ends(1, &["backed up 5 keys", "the vault has 1 fault, and so has the backup"]);
    refuses("vault.age", &[], &["has faults"]);
    fs::rename(site.path().join("aside"), &entry).unwrap();
    site.run(&["vault", "verify"]).ends(0, &[]);
    back_up(&site, "vault.age", &[]).ends(0, &[]);
    fs::remove_dir_all(&entry).unwrap();
    back_up(&site, "vault.age", &["--force"]).ends(0, &["backed up 5 keys"]);
    site.run(&["vault", "verify"]).ends(0, &[]);

    let text = fs::read_to_string(site.inventory()).unwrap();
    fs::write(site.inventory(), text.split("[vault]").next().unwrap()).unwrap();
    refuses("third.age", &[], &["at least two recipients", "plasmagen explain PG-H16"]);
}
