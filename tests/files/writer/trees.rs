//! What a commit leaves on disk, and what `check` says of it.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use plasmagen::write::{Side, check, unified_diff};

use test_kit::strace::Traced;

use crate::writer::driver::shell_function;
use crate::writer::kit::{
    assert_no_leftover, clone, discard, feed, files, holding, new, old, set, snapshot, strace, touched, write,
};

#[test]
fn both_trees_hold_exactly_the_artifacts_and_their_manifests() {
    let root = holding(&old());
    let outcome = write(root.path(), &new()).unwrap();
    assert_eq!(outcome.added, ["nodes/n3.example.com/disko.nix", "site/www/index.html"]);
    assert_eq!(
        outcome.changed,
        [
            "nodes/manifest.json",
            "nodes/n1.example.com/hardware.nix",
            "site/manifest.json",
            "site/pxe/dhcpd.conf"
        ]
    );
    assert_eq!(outcome.removed, ["nodes/n2.example.com/disko.nix", "site/scripts/removed.sh"]);

    let site = snapshot(root.path(), "site");
    let body = |path: &str| site[std::path::Path::new(path)].as_str();
    assert_eq!(body("pxe/dhcpd.conf"), "100644 # new\n");
    assert_eq!(body("scripts/provision.sh"), "100755 #!/bin/sh\n# kept\n");
    assert_eq!(body("scripts"), "40755 ");
    assert_eq!(site.len(), 8, "{:?}", site.keys());
    // sha256sum of `# new`, with its newline.
    let sum = "a9e3182e383f2fbe2af283826afb8ba3f572f3c2dabac77b7381198684cc659e";
    assert!(body("manifest.json").contains(sum), "{}", body("manifest.json"));
    assert_no_leftover(root.path(), "after a commit");
}

#[test]
fn same_artifacts_same_bytes() {
    let (one, two) = (holding(&new()), holding(&old()));
    write(two.path(), &new()).unwrap();
    for tree in ["nodes", "site"] {
        assert_eq!(snapshot(one.path(), tree), snapshot(two.path(), tree));
    }
}

#[test]
fn an_unchanged_commit_touches_and_reads_nothing() {
    let root = holding(&old());
    let before = touched(root.path());
    assert!(write(root.path(), &old()).unwrap().is_unchanged());
    let calls = "trace=openat,open,creat,write,mkdirat,linkat,link,rename,renameat,renameat2,unlink,unlinkat,rmdir,\
                 fchmod,fchmodat,chmod,utimensat,truncate,ftruncate,symlinkat,fsync,syncfs";
    let Traced { output, log } = strace(&["-y", "-e", calls], root.path(), "", &old());
    assert!(output.status.success(), "{output:?}");
    assert!(log.contains("/nodes>"), "the trace shows no look at the trees: {log}");
    for line in log.lines().filter(|line| line.contains(root.path().to_str().unwrap())) {
        let harmless =
            line.contains("O_RDONLY") || line.contains("EEXIST") || line.contains(".plasmagen/lock");
        assert!(harmless || line.contains("\"lock\", O_RDWR|O_CREAT"), "{line}");
    }
    for name in ["disko.nix", "dhcpd.conf", "manifest.json"] {
        assert!(!log.contains(name), "{name} is opened");
    }
    assert_eq!(touched(root.path()), before);
}

#[test]
fn files_that_stay_are_not_written_again() {
    let root = holding(&old());
    let kept = root.path().join("nodes/n1.example.com/disko.nix");
    let before = touched(root.path())[&kept];
    write(root.path(), &new()).unwrap();
    let after = touched(root.path())[&kept];
    assert_eq!((before.0, before.1, before.2), (after.0, after.1, after.2));
}

#[test]
fn a_tree_that_stays_is_left_alone_when_the_other_changes() {
    let root = holding(&old());
    let mut files = old();
    files.insert("site/pxe/dhcpd.conf".into(), "# more\n".into());
    let before = touched(root.path());
    write(root.path(), &files).unwrap();
    let after = touched(root.path());
    assert!(
        before
            .iter()
            .filter(|(path, _)| path.starts_with(root.path().join("nodes")))
            .all(|(p, t)| after[p] == *t)
    );
}

#[test]
fn modes_do_not_depend_on_the_umask() {
    let root = tempfile::tempdir().unwrap();
    let script = format!("{}; umask 077; commit {}", shell_function(), root.path().display());
    let output = feed("dash", Command::new("sh").args(["-c", &script]), &new());
    assert!(output.status.success(), "{output:?}");
    let plain = holding(&new());
    for tree in ["nodes", "site"] {
        assert_eq!(snapshot(root.path(), tree), snapshot(plain.path(), tree));
    }
}

#[test]
fn many_files_are_committed_too() {
    let many: Vec<_> = (0..500).map(|n| (format!("nodes/n{}/f{n}", n % 100), format!("{n}\n"))).collect();
    let mut all = old();
    all.extend(many);
    let root = holding(&all);
    assert!(write(root.path(), &all).unwrap().is_unchanged());
    assert_eq!(fs::read_to_string(root.path().join("nodes/n7/f407")).unwrap(), "407\n");
    write(root.path(), &old()).unwrap();
    assert_eq!(snapshot(root.path(), "nodes"), snapshot(holding(&old()).path(), "nodes"));
}

#[test]
fn an_empty_set_leaves_two_empty_trees() {
    let root = holding(&old());
    write(root.path(), &files(&[])).unwrap();
    assert_eq!(snapshot(root.path(), "nodes").len(), 2);
    assert!(write(root.path(), &files(&[])).unwrap().is_unchanged());
}

#[test]
fn check_shows_what_a_commit_would_change() {
    let root = clone(holding(&old()).path());
    assert_eq!(check(root.path(), &set(&old())).unwrap(), []);
    let changes = check(root.path(), &set(&new())).unwrap();
    let diff: String = changes.iter().map(unified_diff).collect();
    for part in [
        "--- nodes/n1.example.com/hardware.nix\n+++ nodes/n1.example.com/hardware.nix\n@@ -1 +1 @@\n\
         -{ version = \"old\"; }\n+{ version = \"new\"; }\n",
        "--- nodes/n2.example.com/disko.nix\n+++ /dev/null\n@@ -1 +0,0 @@\n-{ removed = true; }\n",
        "--- /dev/null\n+++ site/www/index.html\n@@ -0,0 +1 @@\n+<p>added</p>\n",
        "--- site/manifest.json\n",
    ] {
        assert!(diff.contains(part), "{part}\nis not in\n{diff}");
    }
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2, "check creates nothing");
    write(root.path(), &new()).unwrap();
    assert_eq!(check(root.path(), &set(&new())).unwrap(), []);
}

#[test]
fn check_shows_what_is_no_text() {
    let root = holding(&old());
    let site = root.path().join("site");
    symlink("/etc/passwd", site.join("link")).unwrap();
    fs::write(site.join("pxe/dhcpd.conf"), b"\0\xff").unwrap();
    let provision = site.join("scripts/provision.sh");
    fs::set_permissions(provision, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let changes = check(root.path(), &set(&old())).unwrap();
    assert_eq!(changes[0].old, Side::Other("symbolic link"));
    assert_eq!(
        changes.iter().map(unified_diff).collect::<String>(),
        "site/link: a symbolic link, which plasmagen did not make\n\
         Binary files site/pxe/dhcpd.conf and site/pxe/dhcpd.conf differ\n\
         site/scripts/provision.sh: becomes executable\n"
    );
    discard(root.path(), &old()).unwrap();
    assert!(fs::read_to_string("/etc/passwd").unwrap().contains("root"), "the target of a link is not ours");
}

/// A repository from elsewhere may hold `.plasmagen/stage/nodes -> ../../..`: removing a stage must end there.
#[test]
fn nothing_is_removed_through_a_symbolic_link_on_the_stage() {
    let root = holding(&old());
    let outside = tempfile::tempdir().unwrap();
    let file = outside.path().join("nodes/thesis/chapter");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "not ours").unwrap();
    let stage = root.path().join(".plasmagen/stage");
    for (link, target) in
        [(stage.clone(), outside.path().to_owned()), (stage.join("nodes"), outside.path().join("nodes"))]
    {
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(target, &link).unwrap();
        write(root.path(), &old()).unwrap();
        assert!(file.exists(), "lost through {}", link.display());
        assert_no_leftover(root.path(), "after a link on the stage");
    }
}
