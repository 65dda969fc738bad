//! Disks that are full, read-only, mounted or layered: real ones, in a mount namespace of the driver's own.

use std::path::Path;
use std::process::Output;

use tempfile::TempDir;

use test_kit::process::{printed, unshare_as_root};

use crate::writer::driver::shell_function;
use crate::writer::kit::{Files, assert_no_leftover, clone, feed, holding, new, old, snapshot};

/// Runs `script` in a new mount namespace, with `$ROOT` and `commit ROOT [ACT]`, the driver. Standard input is `input`.
fn namespace(root: &Path, script: &str, input: &Files) -> Output {
    let script = format!("set -e; ROOT={}; {}; {script}", root.display(), shell_function());
    feed("util-linux", unshare_as_root(&["--mount"]).args(["sh", "-c", &script]), input)
}

fn assert_old(root: &TempDir) {
    let old = holding(&old());
    for tree in ["nodes", "site"] {
        assert_eq!(snapshot(root.path(), tree), snapshot(old.path(), tree));
    }
    assert_no_leftover(root.path(), "after a refusal");
}

/// Commits the old version to a tmpfs with `option`, then a large one, which fails, then the old one again.
fn on_small_tmpfs(option: &str, large: &Files) {
    let (root, spec) = (tempfile::tempdir().unwrap(), tempfile::NamedTempFile::new().unwrap());
    std::fs::write(spec.path(), serde_json::to_string(&old()).unwrap()).unwrap();
    let script = format!(
        "mount -t tmpfs -o {option} tmpfs $ROOT; commit $ROOT < {old} > /dev/null; \
         if commit $ROOT; then exit 9; fi; ls $ROOT/.plasmagen; commit $ROOT < {old}",
        old = spec.path().display()
    );
    let output = namespace(root.path(), &script, large);
    let text = printed(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("No space left on device"), "{text}");
    assert!(
        text.contains("CommitOutcome { added: [], changed: [], removed: [] }"),
        "the old version is whole: {text}"
    );
    assert!(text.contains("lock") && !text.contains("stage\n") && !text.contains("journal\n"), "{text}");
}

#[test]
fn a_full_disk_leaves_the_old_version() {
    let mut large = new();
    large.insert("site/www/large".into(), "x".repeat(1_000_000));
    on_small_tmpfs("size=400k", &large);
}

#[test]
fn a_disk_without_inodes_leaves_the_old_version() {
    let mut many = new();
    many.extend((0..100).map(|n| (format!("nodes/n{n}/x"), String::new())));
    on_small_tmpfs("nr_inodes=60", &many);
}

#[test]
fn a_read_only_disk_can_be_checked_and_refuses_a_commit() {
    let root = clone(holding(&old()).path());
    let script = "mount --bind $ROOT $ROOT; mount -o remount,ro,bind $ROOT; commit $ROOT ";
    let output = namespace(root.path(), script, &new());
    assert_eq!(output.status.code(), Some(2));
    assert!(printed(&output).contains("could not make .plasmagen/: Read-only file system"), "{output:?}");

    let output = namespace(root.path(), &format!("{script} check"), &new());
    assert!(output.status.success() && printed(&output).contains("+++ site/www/index.html"), "{output:?}");
    assert_old(&root);
}

#[test]
fn a_mount_point_is_refused_and_the_other_tree_taken_back() {
    let root = holding(&old());
    let output = namespace(root.path(), "mount --bind $ROOT/site $ROOT/site; commit $ROOT", &new());
    assert_eq!(output.status.code(), Some(2));
    assert!(printed(&output).contains("site/ is a mount point"), "{output:?}");
    assert_old(&root);
}

#[test]
fn a_lower_layer_of_an_overlay_is_refused() {
    let lower = clone(holding(&old()).path());
    let script = "mount -t tmpfs tmpfs /mnt; mkdir /mnt/upper /mnt/work /mnt/merged; mount -t overlay overlay -o \
                  redirect_dir=off,lowerdir=$ROOT,upperdir=/mnt/upper,workdir=/mnt/work /mnt/merged; \
                  commit /mnt/merged";
    let output = namespace(lower.path(), script, &new());
    assert_eq!(output.status.code(), Some(2));
    assert!(printed(&output).contains("lower layer of an overlay"), "{output:?}");
    assert_old(&lower);
}
