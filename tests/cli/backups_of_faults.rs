//! Backups of vaults with faults, and what the vault's commands say where nodes/ or the vault cannot be read.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use crate::backups::{back_up, restore, vaulted};
use crate::certificates::assert_keys_belong;
use crate::host_keys::{full, keys};
use crate::kit::Site;
use crate::sealing;

#[test]
fn no_backup_lacks_a_key_in_silence() {
    let site = sealing::site();
    let key = site.vault().join("ca-1/ca-key.pem");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    for file in ["new.age", "other.age"] {
        let run = site.untouched(|| back_up(&site, file, &[]));
        run.ends(
            2,
            &["ca-key.pem has mode 0640", "chmod 600", "no backup is made that lacks this", "--force"],
        );
        assert!(!site.path().join(file).exists());
    }
    back_up(&site, "forced.age", &["--force"]).ends(0, &["and so has the backup"]);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    back_up(&site, "new.age", &[]).ends(0, &["backed up 7 keys"]);
}

/// A fault in nodes/ hides neither the vault nor the way to back it up.
#[test]
fn a_broken_ca_in_nodes_does_not_hide_the_vault() {
    let site = sealing::site();
    back_up(&site, "old.age", &[]).ends(0, &[]);
    for script in [
        "for file in nodes/*/ca-cert.pem; do sed -i 3d $file; done",
        "sed -i 3d nodes/node02.*/ca-cert.pem",
        "for file in nodes/*/ca-cert.pem; do echo '<<<<<<< HEAD' >$file; done",
    ] {
        let copy = site.copy();
        copy.shell(script).ends(0, &[]);
        for command in ["status", "verify"] {
            let run = copy.run(&["vault", command]);
            assert_eq!(run.code, Some(1), "{script}: {}", run.stderr);
            let text = &run.stdout;
            assert!(text.contains("ca-cert.pem") && text.contains("from git"), "{script}: {text}");
            assert!(
                command == "verify" || text.contains("node01.cluster.example.com  node"),
                "{script}: {text}"
            );
        }
        back_up(&copy, "new.age", &[]).ends(1, &["backed up 7 keys"]);
        let args = ["--identity", "../ops.key", "--vault", "../new"];
        let words = ["ca-cert.pem", "restore nodes/ from git, and restore the backup then"];
        restore(&copy, "old.age", &args).ends(2, &words);
        assert!(!copy.path().join("new").exists(), "{script}");
    }
}

/// The key that a backup brings back may have been revoked since: no certificate is issued for it.
#[test]
fn a_restored_key_that_was_revoked_is_not_used_again() {
    let site = sealing::site();
    back_up(&site, "old.age", &[]).ends(0, &[]);
    let key =
        |site: &Site| fs::read_to_string(site.vault().join(full("node02")).join("node02-key.pem")).unwrap();
    let leaked = key(&site);
    site.run(&["certs", "renew", "node02", "--new-key"]).ends(0, &[]);
    fs::remove_dir_all(site.vault()).unwrap();
    let words = ["restore a newer backup", "plasmagen certs renew node02 --new-key"];
    restore(&site, "old.age", &["--identity", "../ops.key"]).ends(0, &words);
    let copy = site.copy();
    // The command that is named, and the one that used to be.
    copy.run(&["check"]).ends(1, &["error[PG-H04]", "plasmagen certs renew node02 --new-key"]);
    copy.run(&["certs", "renew", "node02", "--new-key"]).ends(0, &[]);
    site.shell("rm nodes/node02.*/node02-cert.pem").ends(0, &[]);
    site.run(&["render", "--discard-edits"]).ends(0, &["has a new key, since the vault's was revoked"]);
    for site in [&site, &copy] {
        assert_ne!(key(site), leaked);
        assert_keys_belong(site, "after the restore");
        site.run(&["vault", "verify"]).ends(0, &[]);
        site.run(&["check", "--deny-warnings"]).ends(0, &[]);
    }
}

/// The rest of an interrupted restore is put into place, whatever came first.
#[test]
fn a_restore_that_stopped_after_another_entry_goes_on() {
    let site = sealing::site();
    let other = site.vault().join("notes");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("text"), "mine").unwrap();
    site.shell(&format!("chmod -R go= {}", site.vault().display())).ends(0, &[]);
    back_up(&site, "vault.age", &[]).ends(0, &[]);
    let saved = vaulted(&site.vault());
    let new = site.path().join("new");
    let args = ["--identity", "../ops.key", "--vault", "../new"];
    restore(&site, "vault.age", &args).ends(0, &[]);
    // As a run that died between two moves leaves it.
    let staged = new.join(".plasmagen-staged");
    fs::create_dir(&staged).unwrap();
    for entry in fs::read_dir(&new).unwrap().map(|entry| entry.unwrap()) {
        let name = entry.file_name();
        if !["notes", ".lock", ".plasmagen-staged"].contains(&name.to_str().unwrap()) {
            fs::rename(entry.path(), staged.join(&name)).unwrap();
        }
    }
    site.run(&["check", "--vault", "../new"]).ends(1, &["was interrupted", "plasmagen vault restore FILE"]);
    restore(&site, "vault.age", &args).ends(0, &[]);
    assert_eq!(vaulted(&new), saved);
}

/// Everybody can write a file that looks like a backup: its header is read in a time that is short.
#[test]
fn a_header_of_any_size_is_refused_at_once() {
    let site = sealing::site();
    let start = Instant::now();
    for (words, header) in [
        ("cut short or changed", format!("age-encryption.org/v1\n-> X {}\n\n--- AAAA\n", "A".repeat(20_000))),
        ("cut short or changed", format!("age-encryption.org/v1\n-> X {}\n\n", "A".repeat(20_000))),
        ("its header is larger", format!("age-encryption.org/v1\n{}", "-> X AAAA\n\n".repeat(1 << 18))),
        ("its header is larger", format!("age-encryption.org/v1\n-> X {}", "A".repeat(1 << 20))),
    ] {
        fs::write(site.path().join("evil.age"), header).unwrap();
        restore(&site, "evil.age", &["--identity", "../ops.key", "--vault", "../new"]).ends(2, &[words]);
        back_up(&site, "evil.age", &[]).ends(2, &["no older backup", words]);
    }
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    // As many recipients as a site has operators.
    let script = "recipients=$(for n in $(seq 60); do age-keygen 2>/dev/null | age-keygen -y; done | sed 's/.*/\"&\",/')
                  sed -i \"s/^recipients = \\[/&$(echo $recipients) /\" inventory.toml";
    site.shell(script).ends(0, &[]);
    back_up(&site, "many.age", &["--identity", "../ops.key"]).ends(0, &["encrypted to 62 recipients"]);
}

/// A run that was stopped holds up no other for ever.
#[test]
fn a_vault_that_another_run_holds_is_told() {
    let site = sealing::site();
    let script = "exec 9>>$0; flock 9; $P vault backup --to ../vault.age";
    let lock = site.vault().join(".lock");
    let run = site.shell(&script.replace("$0", lock.to_str().unwrap()));
    run.ends(3, &["could not lock the vault", "another plasmagen is using the vault", "run again"]);
    assert!(!site.path().join("vault.age").exists());
}

#[test]
fn a_new_host_key_reminds_of_the_backup_and_of_encrypted_files() {
    let site = sealing::site();
    back_up(&site, "vault.age", &[]).ends(0, &[]);
    sealing::encrypt(&site, &[]).ends(0, &[]);
    let kept = sealing::encrypt(&site, &[]).stderr;
    assert!(kept.contains("node03-key.pem.age: --force") && !kept.contains("cannot decrypt"), "{kept}");
    let words = [
        "holds 1 key that no backup has: plasmagen vault backup",
        "plasmagen secrets encrypt NODE --to DIR --force",
    ];
    keys(&site, &["make", "node03"]).ends(0, &words);
    let kept = sealing::encrypt(&site, &[]).stderr;
    assert!(kept.contains("so that node03 cannot decrypt it"), "{kept}");
    assert_eq!(kept.matches("cannot decrypt").count(), 1, "{kept}");
    sealing::encrypt(&site, &["node03", "--force"]).ends(0, &[]);
    let kept = sealing::encrypt(&site, &[]).stderr;
    assert!(!kept.contains("cannot decrypt"), "{kept}");
}

#[test]
fn a_directory_with_almost_the_name_of_a_ca_is_no_ca() {
    let site = sealing::site();
    for name in ["ca-01", "ca-+1", "ca-+7"] {
        fs::create_dir(site.vault().join(name)).unwrap();
        fs::set_permissions(site.vault().join(name), fs::Permissions::from_mode(0o700)).unwrap();
    }
    site.run(&["vault", "verify"]).ends(0, &[]);
    site.run(&["certs", "renew", "node01"]).ends(0, &[]);
}
