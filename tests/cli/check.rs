//! `check`: every fault, and the exit code.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::kit::{PLASMAGEN, Site};

/// Makes a warning of the disk of node01 (PG-F01).
pub(crate) fn warn(site: &Site) {
    site.edit("/dev/disk/by-id/nvme-EXAMPLE_DISK_00000001_1", "/dev/sda");
}

/// Makes two errors.
pub(crate) fn refuse(site: &Site) {
    site.edit("mac = \"3c:ec:ef:00:00:02\"", "mac = \"3c:ec:ef:00:00\"");
    site.edit("10.0.200.12", "10.0.201.12");
}

#[test]
fn a_sound_inventory_is_said_to_be() {
    let site = Site::new();
    let run = site.run(&["check"]);
    run.ends(0, &[]);
    assert_eq!(
        (run.stdout.as_str(), run.stderr.as_str()),
        ("", "inventory.toml is sound: 3 nodes, 0 warnings\n")
    );
    let quiet = site.run(&["check", "--quiet"]);
    assert_eq!((quiet.code, quiet.stdout + &quiet.stderr), (Some(0), String::new()));
    assert!(!site.root().join(".plasmagen").exists(), "check writes nothing");
}

#[test]
fn a_refused_inventory_is_shown_with_every_fault() {
    let site = Site::new();
    refuse(&site);
    for args in [&["check"][..], &["check", "-q"], &["check", "--deny-warnings"]] {
        let run = site.run(args);
        run.ends(
            1,
            &[
                "3c:ec:ef:00:00\"",
                "10.0.201.12",
                "inventory.toml:",
                "help: ",
                "is refused: 2 errors, 0 warnings",
            ],
        );
        assert_eq!(run.stderr.matches("error[PG-").count(), 2, "{}", run.stderr);
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn warnings_refuse_only_when_they_are_denied() {
    let site = Site::new();
    warn(&site);
    site.run(&["check"]).ends(0, &["warning[PG-F01]", "/dev/sda", "is sound: 3 nodes, 1 warning\n"]);
    let quiet = site.run(&["check", "--quiet"]);
    assert_eq!((quiet.code, quiet.stderr.as_str()), (Some(0), ""));
    for args in [&["check", "--deny-warnings"][..], &["check", "--deny-warnings", "--quiet"]] {
        let run = site.run(args);
        run.ends(1, &["warning[PG-F01]", "is refused: 0 errors, 1 warning, which --deny-warnings denies"]);
        assert!(!run.stderr.contains("sound"), "{}", run.stderr);
    }
    site.edit("serial = \"SERIAL0001\"", "serial = \"SERIAL0001\"\nallow = [\"PG-F01\"]");
    site.run(&["check", "--deny-warnings"]).ends(0, &["0 warnings"]);
}

#[test]
fn what_is_no_text_is_refused() {
    let site = Site::new();
    let text = fs::read(site.inventory()).unwrap();
    fs::write(site.inventory(), [&text[..], b"# \xff\n"].concat()).unwrap();
    let line = text.iter().filter(|byte| **byte == b'\n').count() + 1;
    site.run(&["check"]).ends(1, &["PG-A01", &format!("the inventory is not UTF-8: see line {line}")]);
    fs::write(site.inventory(), [b"\xef\xbb\xbf", &text[..]].concat()).unwrap();
    site.run(&["check"]).ends(1, &["PG-A01", "byte order mark"]);
    fs::write(site.inventory(), "").unwrap();
    site.run(&["check"]).ends(1, &["PG-A04", "the inventory is empty", "plasmagen init"]);
    for bad in [
        &b"\0"[..],
        b"=",
        b"[",
        b"\"",
        b"a = \"\\",
        b"[[a]]\n[a]",
        b"a.b = 1\na = 2",
        b"\r",
        b"schema = 1\n[",
    ] {
        fs::write(site.inventory(), bad).unwrap();
        site.run(&["check"]).ends(1, &["is refused"]);
    }
}

#[test]
fn an_inventory_cut_short_anywhere_is_refused_or_read() {
    let site = Site::new();
    let text = fs::read(site.inventory()).unwrap();
    let all = site.path().join("cut.sh");
    // One shell for all runs: a process each.
    for at in (0..text.len()).step_by(97) {
        fs::write(site.root().join(format!("{at}.cut")), &text[..at]).unwrap();
    }
    fs::write(&all, "for cut in *.cut; do $P check $cut >/dev/null 2>&1; echo $?; done").unwrap();
    let run = site.shell(&format!(". {}", all.display()));
    let codes: Vec<_> = run.stdout.lines().collect();
    assert_eq!(codes.len(), text.len().div_ceil(97));
    assert!(codes.iter().all(|code| *code == "1" || *code == "0"), "{codes:?}");
}

/// Only `check` and `render` are about warnings; other commands say that there are some.
#[test]
fn other_commands_count_warnings_in_one_line() {
    let site = Site::rendered();
    warn(&site);
    for args in [&["show"][..], &["certs", "status"], &["secrets", "stage", "node02", "--to", "../staged"]] {
        let run = site.run(args);
        run.ends(0, &["1 warning: plasmagen check\n"]);
        assert!(!run.stderr.contains("PG-F01"), "{run:?}");
        assert!(!site.run(&[args, &["-q"]].concat()).stderr.contains("warning"));
        let _ = std::fs::remove_dir_all(site.path().join("staged"));
    }
    for args in [&["check"][..], &["render"], &["render", "--check"]] {
        site.run(args).ends(0, &["warning[PG-F01]"]);
    }
}

#[test]
fn what_cannot_be_read_is_an_error_of_its_own() {
    let site = Site::new();
    site.within(site.path(), &["check"])
        .ends(2, &["error: there is no inventory inventory.toml", "plasmagen init DIR"]);
    site.run(&["check", "else.toml"]).ends(2, &["there is no inventory else.toml"]);
    site.run(&["check", ""]).ends(2, &["a value is required for '[INVENTORY]...'"]);
    site.within(site.path(), &["check", "site"])
        .ends(2, &["site is a directory", "such as site/inventory.toml"]);
    site.run(&["check", "inventory.toml/x"]).ends(2, &["could not read the inventory inventory.toml/x"]);
    site.run(&["check", "/proc/self/mem"]).ends(2, &["could not read the inventory /proc/self/mem"]);
    site.run(&["check", "/dev/zero"])
        .ends(2, &["could not read the inventory /dev/zero: it is a device, no regular file"]);
}

#[test]
fn an_unreadable_inventory_is_said_to_be() {
    let site = Site::new();
    fs::set_permissions(site.inventory(), fs::Permissions::from_mode(0o000)).unwrap();
    let run = if test_kit::process::is_root() {
        // Root reads everything: be nobody. The program may lie where nobody can come.
        let program = site.path().join("plasmagen");
        fs::copy(PLASMAGEN, &program).unwrap();
        let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", program.to_str().unwrap(), "check"];
        site.tool("setpriv", "util-linux", &nobody)
    } else {
        site.run(&["check"])
    };
    run.ends(2, &["could not read the inventory inventory.toml: Permission denied"]);
}

#[test]
fn an_inventory_is_found_wherever_it_is() {
    let site = Site::new();
    site.within(site.path(), &["check", "site/inventory.toml"]).ends(0, &["site/inventory.toml is sound"]);
    let absolute = site.inventory();
    site.within(&site.home(), &["check", absolute.to_str().unwrap()]).ends(0, &["is sound"]);
    symlink(&absolute, site.home().join("link.toml")).unwrap();
    site.within(&site.home(), &["check", "link.toml"]).ends(0, &["link.toml is sound"]);
    site.within(&site.home(), &["check", "../site/inventory.toml"]).ends(0, &["is sound"]);
    site.shell("cat inventory.toml | $P check /dev/stdin").ends(0, &["/dev/stdin is sound"]);
    // A name that begins with a hyphen, one with a newline, and one that is not UTF-8.
    site.shell("cp inventory.toml ./-x && $P check -- -x").ends(0, &["-x is sound"]);
    site.shell("cp inventory.toml $'a\\nb' && $P check $'a\\nb'").ends(0, &["is sound"]);
    site.shell("cp inventory.toml $'\\xff.toml' && $P check $'\\xff.toml'").ends(0, &["is sound"]);
    refuse(&site);
    site.within(site.path(), &["check", "site/inventory.toml"]).ends(1, &["--> site/inventory.toml:"]);
}

/// FAULTS 38: a core dump would hold the keys in memory.
#[test]
fn a_program_that_is_aborted_dumps_no_core() {
    let site = Site::new();
    let script = "ulimit -c unlimited; mkfifo pipe; sleep 60 >pipe & $P check --stdin-filename x <pipe & \
                  until grep -q 'Max core file size *1 ' /proc/$!/limits; do kill -0 $! || exit 9; done; \
                  kill -ABRT $!; wait $!; status=$?; kill %1; exit $status";
    assert_eq!(site.shell(script).code, Some(128 + 6));
}
