//! Directories that are not ours, that others hold, or whose disk refuses.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use plasmagen::fs::Held;
use plasmagen::publish::{DisarmSelection, WebRoot, WebRootLock, disarm, list_armed};

use test_kit::process::{is_root, unshare_as_root};
use test_kit::{Version, run};

use crate::publish::armed::{arm_at, node, target};
use crate::publish::kit::{
    MAC, MADE, NOW, PLASMAGEN, all, arguments, faults, holding, look, run_timer, snapshot,
};

fn refused(root: &Path) -> String {
    format!("{:#}", all(root, Version::Old).unwrap_err())
}

#[test]
fn a_foreign_directory_is_refused_and_untouched() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("thesis.tex"), "years").unwrap();
    assert!(refused(root.path()).contains("it holds thesis.tex"), "{}", refused(root.path()));
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    // A directory in which only its owner can have put something, below a name of ours.
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("nixos/worker/current")).unwrap();
    fs::write(root.path().join("nixos/worker/current/bzImage"), "by hand").unwrap();
    assert!(refused(root.path()).contains("it holds nixos"));
}

#[test]
fn what_tmpfiles_makes_is_no_obstacle() {
    let root = tempfile::tempdir().unwrap();
    for dir in ["nixos/worker", "armed", "tftp", "ipxe", "lost+found"] {
        fs::create_dir_all(root.path().join(dir)).unwrap();
    }
    fs::write(root.path().join("tftp/ipxe.efi"), "my own build").unwrap();
    all(root.path(), Version::Old).unwrap();
    assert_eq!(look(root.path(), "after"), (Version::Old, Version::Old));
    assert_eq!(fs::read_to_string(root.path().join("tftp/ipxe.efi")).unwrap(), "my own build");
    assert_eq!(faults(root.path()), []);
}

/// I06.
#[test]
fn no_link_leads_out_of_the_root() {
    for (link, needs) in
        [("nixos", None), ("nixos/worker", Some("nixos")), ("site", None), (".plasmagen/stage", None)]
    {
        let (root, elsewhere) = (holding(Version::None), tempfile::tempdir().unwrap());
        drop(WebRootLock::acquire(root.path()).unwrap());
        if let Some(parent) = needs {
            fs::create_dir(root.path().join(parent)).unwrap();
        }
        let _ = fs::remove_dir(root.path().join(link));
        symlink(elsewhere.path(), root.path().join(link)).unwrap();
        let _ = refused(root.path());
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0, "{link}");
    }
    // The names of the site, too.
    let (root, elsewhere) = (holding(Version::None), tempfile::tempdir().unwrap());
    drop(WebRootLock::acquire(root.path()).unwrap());
    symlink(elsewhere.path(), root.path().join("ipxe")).unwrap();
    assert!(refused(root.path()).contains("ipxe is a symbolic link to somewhere else"));
}

#[test]
fn one_run_at_a_time() {
    let root = holding(Version::Old);
    let lock = WebRootLock::acquire(root.path()).unwrap();
    let error = all(root.path(), Version::New).unwrap_err();
    assert_eq!(error.downcast_ref::<Held>().map(|held| held.pid), Some(Some(std::process::id())));
    let output = run("cargo", Command::new(PLASMAGEN).args(arguments(root.path(), Version::New)));
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert_eq!(look(root.path(), "meanwhile"), (Version::Old, Version::Old));
    drop(lock);
    all(root.path(), Version::New).unwrap();
}

/// A lock for all that a publication could collide with; nothing keeps anybody from disarming.
#[test]
fn arming_waits_for_a_run_at_work_and_disarming_does_not() {
    let root = holding(Version::Old);
    let targets = [node("node01")];
    let arm = || arm_at(root.path(), &[target(&targets[0], &[])], NOW, false);
    arm().unwrap();
    let lock = WebRootLock::acquire(root.path()).unwrap();
    assert!(arm().unwrap_err().is::<Held>());
    // Another program holds the lock of armed/, as everybody can who may read there.
    let armed = fs::File::open(root.path().join("armed")).unwrap();
    armed.lock().unwrap();
    let web_root = WebRoot::open(root.path()).unwrap();
    assert_eq!(disarm(&web_root, DisarmSelection::All).unwrap().disarmed.len(), 1);
    drop(lock);
    let error = format!("{:#}", arm().unwrap_err());
    assert!(
        error.contains("nothing has changed") && error.contains("another program holds the lock"),
        "{error}"
    );
    drop(armed);
    arm().unwrap();
}

/// A run is killed and leaves a list that nobody can read any more.
#[test]
fn a_list_of_half_done_machines_that_nobody_can_read_keeps_nobody_from_disarming() {
    for kind in ["directory", "pipe", "giant", "garbage"] {
        let root = holding(Version::Old);
        let targets = [node("node01")];
        let arm = || arm_at(root.path(), &[target(&targets[0], &[])], NOW, false);
        arm().unwrap();
        let list = root.path().join(".plasmagen/disarm");
        match kind {
            "directory" => fs::create_dir(&list).unwrap(),
            "pipe" => assert!(run("coreutils", Command::new("mkfifo").arg(&list)).status.success()),
            "giant" => fs::File::create(&list).unwrap().set_len(1 << 40).unwrap(),
            _ => fs::write(&list, b"\xff\x00../../x\n").unwrap(),
        }
        let web_root = WebRoot::open(root.path()).unwrap();
        if kind != "garbage" {
            let found = faults(root.path());
            assert!(found.iter().any(|fault| fault.path == ".plasmagen/disarm"), "{kind}: {found:?}");
            let error = format!("{:#}", arm().unwrap_err());
            assert!(error.contains("could not read .plasmagen/disarm: remove it"), "{kind}: {error}");
        }
        assert_eq!(list_armed(&web_root).unwrap().len(), 1, "{kind}");
        let files = [MAC.to_owned()];
        let outcome = disarm(&web_root, DisarmSelection::Files(&files)).unwrap();
        assert_eq!(outcome.disarmed.len(), 1, "{kind}");
        assert_eq!(list_armed(&web_root).unwrap(), [], "{kind}");
    }
}

#[test]
fn two_at_once_are_one_after_the_other_or_refused() {
    let root = holding(Version::None);
    let runs: Vec<_> = [Version::Old, Version::New, Version::Old, Version::New]
        .map(|version| {
            let mut command = Command::new(PLASMAGEN);
            command.args(arguments(root.path(), version)).stderr(Stdio::piped());
            command.spawn().unwrap()
        })
        .into_iter()
        .map(|child| child.wait_with_output().unwrap())
        .collect();
    let codes: Vec<_> = runs.iter().map(|run| run.status.code().unwrap()).collect();
    assert!(codes.contains(&0) && codes.iter().all(|code| [0, 3].contains(code)), "{runs:?}");
    let (bundle, site) = look(root.path(), "after");
    assert!(bundle != Version::None && bundle == site);
    assert_eq!(faults(root.path()), []);
}

#[test]
fn modes_do_not_depend_on_the_umask() {
    let (root, strict) = (holding(Version::Old), holding(Version::None));
    let mut script = format!("umask 077; exec {PLASMAGEN}");
    for argument in arguments(strict.path(), Version::Old) {
        script += &format!(" '{argument}'");
    }
    let output = run("dash", Command::new("sh").args(["-c", &script]));
    assert!(output.status.success(), "{output:?}");
    run_timer(strict.path(), NOW);
    // Times differ, and so do digests of nothing: publications aside, all is the same.
    let read_content = |root: &Path| {
        let mut all = snapshot(root);
        all.retain(|path, _| {
            !path.ends_with("publication.json") && !path.starts_with("tftp") && path != Path::new("")
        });
        all
    };
    assert_eq!(read_content(root.path()), read_content(strict.path()));
    let publication = strict.path().join("site/current/publication.json");
    assert_eq!(fs::metadata(publication).unwrap().permissions().mode() & 0o777, 0o644);
    assert_eq!(faults(strict.path()).iter().filter(|fault| !fault.message.contains("expired")).count(), 0);
}

/// Runs `script` in a new mount namespace, with `$ROOT`, and `$OLD` and `$NEW`, which publish.
fn namespace(root: &Path, script: &str) -> Output {
    let command = |version| format!("{} {}", PLASMAGEN, arguments(root, version).join(" "));
    let script = format!(
        "set -e; ROOT={}; OLD='{}'; NEW='{}'; {script}",
        root.display(),
        command(Version::Old),
        command(Version::New)
    );
    run("util-linux", unshare_as_root(&["--mount"]).args(["sh", "-c", &script]))
}

#[test]
fn a_full_disk_leaves_what_was_there() {
    let root = tempfile::tempdir().unwrap();
    // Room for one version, and not for a second one.
    let script = "mount -t tmpfs -o size=200k tmpfs $ROOT; $OLD; set +e; head -c 1M /dev/zero >$ROOT/tftp/big; $NEW; \
                  echo code $?; set -e; rm $ROOT/tftp/big; readlink $ROOT/nixos/worker/current; ls $ROOT/.plasmagen; \
                  $NEW; readlink $ROOT/nixos/worker/current";
    let output = namespace(root.path(), script);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    let lines: Vec<_> = text.lines().collect();
    let (old, new) = (MADE.id("worker", Version::Old), MADE.id("worker", Version::New));
    assert_eq!(
        (lines[0], lines[1], *lines.last().unwrap()),
        ("code 2", old.as_str(), new.as_str()),
        "{output:?}"
    );
    assert!(String::from_utf8_lossy(&output.stderr).contains("No space left on device"), "{output:?}");
    assert!(!lines.contains(&"stage"), "{text}");
}

#[test]
fn a_read_only_disk_can_be_verified_and_refuses_to_be_published_to() {
    let root = holding(Version::Old);
    let verify = format!("{PLASMAGEN} verify $ROOT");
    let script = format!(
        "mount --bind $ROOT $ROOT; mount -o remount,ro,bind $ROOT; set +e; {verify}; echo $?; $NEW; echo $?"
    );
    let output = namespace(root.path(), &script);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // The clock is the machine's here, and what was published at `NOW` may have expired.
    let codes: Vec<_> = text.lines().filter(|line| line.len() == 1).collect();
    assert!(matches!(codes[..], ["0" | "1", "2"]), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("Read-only file system"), "{output:?}");
    assert_eq!(look(root.path(), "after"), (Version::Old, Version::Old));
}

#[test]
fn another_user_can_read_everything() {
    let root = holding(Version::Old);
    fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let script = format!(
        "find -L {}/nixos {}/ipxe -type f -print0 | xargs -0 cat",
        root.path().display(),
        root.path().display()
    );
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "sh", "-c", &script]);
    if !is_root() {
        // Nobody else to be: then the modes are all that is compared, above.
        return;
    }
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut total = 0;
    while let Ok(read @ 1..) = reader.fill_buf().map(<[u8]>::len) {
        total += read;
        reader.consume(read);
    }
    assert!(child.wait().unwrap().success() && total > 16_000, "{total}");
}
