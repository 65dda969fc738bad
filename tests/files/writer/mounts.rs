//! Disks that are full, read-only, mounted or layered: real ones, in a mount namespace of the driver's own.

use std::path::Path;
use std::process::Output;

use tempfile::TempDir;

use crate::writer::kit::{Files, assert_no_leftover, clone, driver, holding, new, old, run, snapshot};

/// Runs `script` in a new mount namespace, with `$ROOT` and `$COMMIT`, the driver. Standard input is `input`.
fn namespace(root: &Path, script: &str, input: &Files) -> Output {
    let script = format!("set -e; ROOT={}; COMMIT={}; {script}", root.display(), driver().display());
    // Who is not root becomes root of a user namespace.
    let flags = if rustix::process::geteuid().is_root() { "-m" } else { "-rm" };
    run("unshare", "util-linux", &[flags, "sh", "-c", &script], input)
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
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
        "mount -t tmpfs -o {option} tmpfs $ROOT; $COMMIT $ROOT < {old} > /dev/null; \
         if $COMMIT $ROOT; then exit 9; fi; ls $ROOT/.plasmagen; $COMMIT $ROOT < {old}",
        old = spec.path().display()
    );
    let output = namespace(root.path(), &script, large);
    let text = text(&output);
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
    let script = "mount --bind $ROOT $ROOT; mount -o remount,ro,bind $ROOT; exec $COMMIT $ROOT ";
    let output = namespace(root.path(), script, &new());
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("could not make .plasmagen/: Read-only file system"), "{output:?}");

    let output = namespace(root.path(), &format!("{script} check"), &new());
    assert!(output.status.success() && text(&output).contains("+++ site/www/index.html"), "{output:?}");
    assert_old(&root);
}

#[test]
fn a_mount_point_is_refused_and_the_other_tree_taken_back() {
    let root = holding(&old());
    let output = namespace(root.path(), "mount --bind $ROOT/site $ROOT/site; exec $COMMIT $ROOT", &new());
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("site/ is a mount point"), "{output:?}");
    assert_old(&root);
}

#[test]
fn a_lower_layer_of_an_overlay_is_refused() {
    let lower = clone(holding(&old()).path());
    let script = "mount -t tmpfs tmpfs /mnt; mkdir /mnt/upper /mnt/work /mnt/merged; mount -t overlay overlay -o \
                  redirect_dir=off,lowerdir=$ROOT,upperdir=/mnt/upper,workdir=/mnt/work /mnt/merged; \
                  exec $COMMIT /mnt/merged";
    let output = namespace(lower.path(), script, &new());
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("lower layer of an overlay"), "{output:?}");
    assert_old(&lower);
}
