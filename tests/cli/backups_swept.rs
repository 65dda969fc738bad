//! `vault backup` and `vault restore`, killed or failing at each of their system calls: the old backup or the new one, no
//! vault or the whole vault, and the next run succeeds.

use std::fs;
use std::os::unix::process::ExitStatusExt;

use test_kit::strace::{Call, SIGKILL, inject};

use crate::backups::{back_up, restore, vaulted};
use crate::swept::calls;
use crate::{faults, sealing, secrets};

/// Each of `calls` as the last one of a run, and the first and the last of each name as one that finds the disk full, or broken.
fn plan_faults(calls: &[Call]) -> Vec<(Call, &'static str)> {
    let killed = calls.iter().map(|call| (call.clone(), "signal=KILL"));
    let failing = faults::ends(calls.to_vec()).into_iter();
    let failing = failing.flat_map(|call| ["error=ENOSPC", "error=EIO"].map(|error| (call.clone(), error)));
    killed.chain(failing).collect()
}

#[test]
fn a_backup_is_the_old_one_or_the_new_one() {
    let site = sealing::site();
    let args = ["vault", "backup", "--to", "../vault.age"];
    site.run(&args).ends(0, &[]);
    let (file, record) = (site.path().join("vault.age"), site.vault().join(".backup.json"));
    let (old, old_record) = (fs::read(&file).unwrap(), fs::read(&record).unwrap());
    let (keys, saved) = (secrets::secrets(&site), vaulted(&site.vault()));
    let calls = calls(&site, &args, "plasmagen-new");
    assert!(calls.len() > 12, "only {calls:#?}");
    for (call, fault) in plan_faults(&calls) {
        fs::write(&file, &old).unwrap();
        fs::write(&record, &old_record).unwrap();
        let (status, run, log) = faults::strace(&site, &inject(&call.name, fault, call.nth), &args);
        let when = format!("{fault} at {call}");
        assert!(status.signal() == Some(SIGKILL) || log.contains("(INJECTED)"), "no {when}");
        assert!(!secrets::leaks((run.stdout.clone() + &run.stderr).as_bytes(), &keys), "{when}");
        let is_old = fs::read(&file).unwrap() == old;
        assert!(!is_old || run.code != Some(0), "{when}: {run:?}");
        if !is_old {
            let _ = fs::remove_dir_all(site.path().join("new"));
            restore(&site, "vault.age", &["--identity", "../ops.key", "--vault", "../new"]).ends(0, &[]);
            assert_eq!(vaulted(&site.path().join("new")), saved, "{when}");
        }
        let left = ["vault.age.plasmagen-new"].map(|name| site.path().join(name).exists());
        assert!(left == [false] || status.signal() == Some(SIGKILL), "{when}");
        back_up(&site, "vault.age", &[]).ends(0, &[]);
        assert!(!site.path().join("vault.age.plasmagen-new").exists(), "something is left {when}");
    }
    assert_eq!(vaulted(&site.vault()), saved);
}

#[test]
fn a_vault_is_restored_whole_or_not_at_all() {
    let site = sealing::site();
    // What plasmagen does not know is put into place before or after the keys, in the order of the file system.
    for (dir, file) in [("a-notes", "text"), ("z-notes", "text"), ("", "README")] {
        let dir = site.vault().join(dir);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join(file), "mine\n").unwrap();
    }
    site.shell(&format!("chmod -R go= {}", site.vault().display())).ends(0, &[]);
    back_up(&site, "vault.age", &[]).ends(0, &[]);
    let (keys, saved) = (secrets::secrets(&site), vaulted(&site.vault()));
    let new = site.path().join("new");
    let args = ["vault", "restore", "../vault.age", "--identity", "../ops.key", "--vault", "../new"];
    let calls = calls(&site, &args, "/new");
    assert!(calls.len() > 30, "only {calls:#?}");
    for (call, fault) in plan_faults(&calls) {
        let _ = fs::remove_dir_all(&new);
        let (status, run, log) = faults::strace(&site, &inject(&call.name, fault, call.nth), &args);
        let when = format!("{fault} at {call}");
        let is_killed = status.signal() == Some(SIGKILL);
        assert!(is_killed || log.contains("(INJECTED)"), "no {when}");
        assert!(!secrets::leaks((run.stdout.clone() + &run.stderr).as_bytes(), &keys), "{when}");
        let found = if new.exists() { vaulted(&new) } else { Vec::new() };
        let is_whole = found == saved;
        assert!(is_whole || run.code != Some(0), "{when}: {run:?}");
        let is_begun = new.join(".plasmagen-staged").exists();
        let has_entries = || {
            fs::read_dir(&new)
                .unwrap()
                .any(|entry| !entry.unwrap().file_name().to_str().unwrap().starts_with('.'))
        };
        if !is_whole && new.exists() && has_entries() {
            assert!(is_begun, "half a vault {when}: {found:#?}");
        }
        if is_begun {
            // Nobody takes half of a vault for a whole one.
            let words = ["was interrupted", "plasmagen vault restore FILE"];
            site.run(&["check", "--vault", "../new"]).ends(1, &words);
        }
        site.run(&args).ends(0, &[]);
        assert_eq!(vaulted(&new), saved, "{when}");
    }
}
