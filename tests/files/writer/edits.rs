//! What a person did in our trees is never lost silently.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::thread;
use std::time::Duration;

use plasmagen::write::check;

use crate::writer::kit::{
    assert_no_leftover, clone, discard, holding, new, old, set, snapshot, strace, touched, write,
};
use test_kit::memory;

const HARDWARE: &str = "nodes/n1.example.com/hardware.nix";

/// The commit is refused with all of `words`, and has changed nothing.
fn refuses(root: &Path, words: &[&str]) {
    let before = touched(root);
    for files in [old(), new()] {
        let error = format!("{:#}", write(root, &files).unwrap_err());
        for word in words {
            assert!(error.contains(word), "{word:?} is not in: {error}");
        }
    }
    assert_eq!(touched(root), before);
    assert!(!root.join(".plasmagen/stage").exists());
}

#[test]
fn a_modified_file_is_reported_and_only_discarded_on_request() {
    let root = holding(&old());
    fs::write(root.path().join(HARDWARE), "{ mine = true; }\n").unwrap();
    refuses(root.path(), &["modified nodes/n1.example.com/hardware.nix", "--discard-edits"]);
    let outcome = discard(root.path(), &old()).unwrap();
    assert_eq!(outcome.changed, [HARDWARE]);
    assert_eq!(snapshot(root.path(), "nodes"), snapshot(holding(&old()).path(), "nodes"));
}

#[test]
fn a_modified_file_that_would_be_removed_is_reported() {
    let root = holding(&old());
    fs::write(root.path().join("nodes/n2.example.com/disko.nix"), "{ mine = true; }\n").unwrap();
    refuses(root.path(), &["modified nodes/n2.example.com/disko.nix"]);
}

#[test]
fn an_executable_bit_is_an_edit_and_other_bits_are_not() {
    let root = clone(holding(&old()).path());
    let file = root.path().join(HARDWARE);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(write(root.path(), &old()).unwrap().is_unchanged(), "a checkout with another umask");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o744)).unwrap();
    refuses(root.path(), &["modified nodes/n1.example.com/hardware.nix"]);
}

#[test]
fn a_checkout_with_another_umask_gets_our_modes_with_the_next_commit() {
    let root = holding(&old());
    let kept = root.path().join("nodes/n1.example.com/disko.nix");
    fs::set_permissions(&kept, fs::Permissions::from_mode(0o600)).unwrap();
    write(root.path(), &new()).unwrap();
    assert_eq!(snapshot(root.path(), "nodes"), snapshot(holding(&new()).path(), "nodes"));
}

#[test]
fn things_that_are_not_ours_are_reported() {
    let root = holding(&old());
    let outside = root.path().join("outside");
    fs::write(&outside, "mine").unwrap();
    fs::write(root.path().join("nodes/notes.txt"), "mine").unwrap();
    symlink(&outside, root.path().join("nodes/n1.example.com/link")).unwrap();
    fs::remove_file(root.path().join("site/pxe/dhcpd.conf")).unwrap();
    symlink(&outside, root.path().join("site/pxe/dhcpd.conf")).unwrap();
    fs::create_dir(root.path().join("site/empty")).unwrap();
    refuses(
        root.path(),
        &[
            "added nodes/notes.txt",
            "symbolic link nodes/n1.example.com/link",
            "symbolic link site/pxe/dhcpd.conf",
            "added site/empty/",
        ],
    );
    discard(root.path(), &new()).unwrap();
    assert_eq!(fs::read_to_string(outside).unwrap(), "mine", "never through a link");
    for tree in ["nodes", "site"] {
        assert_eq!(snapshot(root.path(), tree), snapshot(holding(&new()).path(), tree));
    }
}

#[test]
fn a_directory_replaced_by_a_link_is_not_followed() {
    let root = holding(&old());
    let outside = memory::tempdir();
    fs::rename(root.path().join("site/pxe"), outside.path().join("pxe")).unwrap();
    symlink(outside.path().join("pxe"), root.path().join("site/pxe")).unwrap();
    refuses(root.path(), &["symbolic link site/pxe"]);
    discard(root.path(), &new()).unwrap();
    assert_eq!(fs::read_to_string(outside.path().join("pxe/dhcpd.conf")).unwrap(), "# old\n");
}

#[test]
fn what_is_already_as_wanted_is_no_edit() {
    let root = holding(&old());
    fs::write(root.path().join(HARDWARE), &new()[HARDWARE]).unwrap();
    write(root.path(), &new()).unwrap();

    // As after a merge: files and manifest of the new version lie there, the state is of the old.
    let merged = holding(&old());
    for tree in ["nodes", "site"] {
        fs::remove_dir_all(merged.path().join(tree)).unwrap();
        fs::rename(clone(holding(&new()).path()).keep().join(tree), merged.path().join(tree)).unwrap();
    }
    assert!(write(merged.path(), &new()).unwrap().is_unchanged());
}

#[test]
fn a_missing_file_is_made_again() {
    let root = holding(&old());
    fs::remove_file(root.path().join(HARDWARE)).unwrap();
    fs::remove_dir_all(root.path().join("site/pxe")).unwrap();
    let outcome = write(root.path(), &old()).unwrap();
    assert_eq!(outcome.added, [HARDWARE, "site/pxe/dhcpd.conf"]);
    assert_eq!(snapshot(root.path(), "nodes"), snapshot(holding(&old()).path(), "nodes"));
    // The leftover of files of ours that were removed by hand is ours too.
    fs::remove_file(root.path().join("nodes/n2.example.com/disko.nix")).unwrap();
    assert_eq!(
        write(root.path(), &new()).unwrap().removed,
        ["nodes/n2.example.com/", "site/scripts/removed.sh"]
    );
}

#[test]
fn a_missing_tree_is_made_again() {
    let root = holding(&old());
    fs::remove_dir_all(root.path().join("site")).unwrap();
    write(root.path(), &old()).unwrap();
    assert_eq!(snapshot(root.path(), "site"), snapshot(holding(&old()).path(), "site"));
}

#[test]
fn a_directory_that_is_not_ours_is_refused_even_when_edits_are_discarded() {
    let refuses = |root: &Path| {
        refuses(root, &["site/ is not known to be plasmagen's", "Move it away", "site/manifest.json"]);
        assert!(format!("{:#}", discard(root, &new()).unwrap_err()).contains("not known"));
        assert!(check(root, &set(&new())).is_err());
    };
    let foreign = tempfile::tempdir().unwrap();
    fs::create_dir_all(foreign.path().join("site/src")).unwrap();
    fs::create_dir(foreign.path().join("nodes")).unwrap();
    fs::write(foreign.path().join("site/src/app.js"), "mine").unwrap();
    refuses(foreign.path());
    // Other programs have manifests too.
    fs::write(foreign.path().join("site/manifest.json"), "{\"name\": \"app\"}").unwrap();
    refuses(foreign.path());
    // A merge conflict.
    let conflict = holding(&old());
    let manifest = conflict.path().join("site/manifest.json");
    let body = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, format!("<<<<<<< HEAD\n{body}")).unwrap();
    refuses(conflict.path());
}

#[test]
fn an_empty_directory_is_taken() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("nodes")).unwrap();
    fs::create_dir(root.path().join("site")).unwrap();
    write(root.path(), &old()).unwrap();
    assert_eq!(snapshot(root.path(), "site"), snapshot(holding(&old()).path(), "site"));
}

#[test]
fn a_tree_or_state_that_is_no_directory_is_refused() {
    let outside = holding(&old());
    let root = tempfile::tempdir().unwrap();
    symlink(outside.path().join("nodes"), root.path().join("nodes")).unwrap();
    refuses(root.path(), &["nodes is a symbolic link", "Remove the link"]);
    fs::remove_file(root.path().join("nodes")).unwrap();
    fs::write(root.path().join("nodes"), "mine").unwrap();
    refuses(root.path(), &["nodes is not a directory"]);
    assert_eq!(fs::read_to_string(root.path().join("nodes")).unwrap(), "mine");

    let root = tempfile::tempdir().unwrap();
    symlink(outside.path(), root.path().join(".plasmagen")).unwrap();
    assert!(write(root.path(), &old()).is_err());
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 3, "nothing is made behind the link");
}

#[test]
fn a_file_that_is_saved_while_a_commit_goes_on_is_not_lost() {
    let root = holding(&old());
    let (path, mine) = (root.path(), root.path().join(HARDWARE));
    let output = thread::scope(|scope| {
        // Two seconds before the first link to the stage.
        let slow = ["-e", "trace=linkat", "-e", "inject=linkat:delay_enter=2000000:when=1"];
        let run = scope.spawn(move || strace(&slow, path, "", &new()).output);
        while !path.join(".plasmagen/stage").exists() {
            thread::sleep(Duration::from_millis(5));
        }
        // As editors do it: another file takes the name.
        fs::write(mine.with_extension("swp"), "{ mine = true; }\n").unwrap();
        fs::rename(mine.with_extension("swp"), &mine).unwrap();
        run.join().unwrap()
    });
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("nodes/ was changed while this run was going on")
    );
    assert_eq!(fs::read_to_string(&mine).unwrap(), "{ mine = true; }\n");
    assert_no_leftover(root.path(), "after a late edit");
}
