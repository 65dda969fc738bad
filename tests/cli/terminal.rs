//! Colours on terminals, and pipes whose reader is gone.

use std::fs;
use std::io::pipe;
use std::process::Stdio;

use crate::check::{refuse, warn};
use crate::kit::{PLASMAGEN, Run, Site};

const ESCAPE: char = '\x1b';

/// Runs the shell's `command` at a terminal; both of its outputs come as one.
fn at_terminal(site: &Site, command: &str) -> String {
    let command = command.replace("$P", PLASMAGEN);
    let run = site.tool("script", "bsdutils", &["-qec", &command, "/dev/null"]);
    run.stdout
}

#[test]
fn colours_are_for_terminals_unless_something_else_is_said() {
    let site = Site::new();
    warn(&site);
    for (command, coloured) in [
        ("TERM=xterm $P check", true),
        ("TERM=xterm $P check --color never", false),
        ("TERM=xterm NO_COLOR=1 $P check", false),
        ("TERM=xterm NO_COLOR= $P check", true),
        ("TERM=xterm NO_COLOR=1 $P check --color always", true),
        ("TERM=dumb $P check", false),
        ("TERM=xterm $P check nowhere.toml", true),
        ("TERM=xterm $P --color never check nowhere.toml", false),
        ("TERM=xterm $P --help", true),
        ("TERM=xterm $P render --check", true),
        ("TERM=xterm $P render --check --full 2>/dev/null", true),
        ("TERM=xterm $P render --check --color never", false),
        ("TERM=xterm $P render --check 2>&1 | cat", false),
        ("TERM=xterm $P check 2>&1 | cat", false),
        ("TERM=xterm $P check --color always 2>&1 | cat", true),
    ] {
        let output = at_terminal(&site, command);
        let words = ["PG-F01", "there is no inventory", "Exit status:", "+++ "];
        assert!(words.iter().any(|word| output.contains(word)), "{command}: {output}");
        assert_eq!(output.contains(ESCAPE), coloured, "{command}: {output}");
    }
}

#[test]
fn colours_change_no_word_of_a_diff() {
    let site = Site::rendered();
    site.edit("SERIAL0001", "SERIAL0009");
    let plain = site.run(&["render", "--check"]).stdout;
    let coloured = site.run(&["render", "--check", "--color", "always"]).stdout;
    assert!(coloured.contains("\x1b[32m+") && coloured.contains("\x1b[31m-"), "{coloured}");
    let stripped = coloured.split('\x1b').map(|part| part.split_once('m').map_or(part, |(_, text)| text));
    assert_eq!(stripped.collect::<String>(), plain);
}

#[test]
fn no_colours_go_into_a_pipe() {
    let site = Site::new();
    warn(&site);
    for (args, coloured) in [
        (&["check"][..], false),
        (&["check", "--color", "auto"], false),
        (&["check", "--color", "never"], false),
        (&["check", "--color", "always"], true),
        (&["--color", "always", "check"], true),
        (&["render", "--color=always"], true),
        (&["render"], false),
    ] {
        let run = site.run(args);
        run.ends(0, &["PG-F01"]);
        assert!(!run.stdout.contains(ESCAPE));
        assert_eq!(run.stderr.contains(ESCAPE), coloured, "{args:?}");
    }
    let forced = site.shell("CLICOLOR_FORCE=1 $P check");
    assert!(forced.stderr.contains(ESCAPE), "{forced:?}");
}

/// Runs the program with the readers of its outputs gone before it starts.
fn into_closed_pipes(site: &Site, args: &[&str]) -> Option<i32> {
    let mut command = site.command(PLASMAGEN);
    command.current_dir(site.root()).args(args).env("RUST_BACKTRACE", "0");
    let writer = || pipe().unwrap().1;
    command.stdout(writer()).stderr(writer()).stdin(Stdio::null()).status().unwrap().code()
}

#[test]
fn a_reader_that_is_gone_changes_neither_work_nor_exit_code() {
    let site = Site::new();
    assert_eq!(into_closed_pipes(&site, &["--help"]), Some(0));
    assert_eq!(into_closed_pipes(&site, &["bogus"]), Some(2));
    assert_eq!(into_closed_pipes(&site, &["check"]), Some(0));
    assert_eq!(into_closed_pipes(&site, &["check", "nowhere"]), Some(2));
    assert_eq!(into_closed_pipes(&site, &["render", "--check"]), Some(1));
    assert_eq!(into_closed_pipes(&site, &["render"]), Some(0));
    site.run(&["render", "--check"]).ends(0, &[]);
    assert_eq!(into_closed_pipes(&site, &["render", "--check"]), Some(0));
    assert_eq!(into_closed_pipes(&site, &["certs", "status"]), Some(0));
    refuse(&site);
    assert_eq!(into_closed_pipes(&site, &["check"]), Some(1));
    assert_eq!(into_closed_pipes(&site, &["init", "."]), Some(2));
}

#[test]
fn head_takes_what_it_wants() {
    let site = Site::new();
    let bad: String = (0..2000).map(|n| format!("[node.N{n}]\n")).collect();
    site.append(&bad);
    let run = site.shell("$P check 2>&1 | head -1; echo ${PIPESTATUS[0]}");
    assert_eq!(run.stdout.lines().count(), 2, "{run:?}");
    assert!(run.stdout.starts_with("error[PG-") && run.stdout.ends_with("\n1\n"), "{run:?}");
}

#[test]
fn a_full_disk_behind_standard_output_is_an_error() {
    let site = Site::rendered();
    let full = |args: &str| site.shell(&format!("$P {args} > /dev/full"));
    full("certs status").ends(2, &["could not write to standard output: No space left on device"]);
    site.edit("SERIAL0001", "SERIAL0009");
    site.append("# later\n");
    fs::remove_file(site.root().join("site/pxe/dhcpd.conf")).unwrap();
    full("render --check").ends(2, &["could not write to standard output"]);
}

#[test]
fn closed_descriptors_are_no_fault() {
    let site = Site::new();
    let run: Run = site.shell("$P render <&- >&- 2>&-; echo $?; $P render --check <&- >&- 2>&-; echo $?");
    assert_eq!(run.stdout, "0\n0\n");
}

/// Names of files and texts in them may be a stranger's: no line of the terminal begins with such a text.
#[test]
fn a_line_feed_of_a_stranger_begins_no_line() {
    const FORGED: &str = "x\nerror: forged\r\x1b[2J";
    let site = Site::rendered();
    let config = "nodes/node01.cluster.example.com/cluster-config.json";
    let text = site.read(config).replace("\"node01\"", &serde_json::to_string(FORGED).unwrap());
    let exchanged = site.copy();
    fs::write(exchanged.root().join(config), text).unwrap();
    exchanged.shell("rm nodes/node0[23]*/cluster-config.json").ends(0, &[]);
    let named = site.copy();
    let dir = named.root().join(format!("nodes/{FORGED}"));
    fs::create_dir(&dir).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", dir.join("ca-cert.pem")).unwrap();
    named.shell("rm nodes/*/node0?-cert.pem nodes/node*/ca-cert.pem").ends(0, &[]);
    let vault = site.copy();
    fs::create_dir(vault.path().join(FORGED)).unwrap();
    fs::write(vault.path().join(FORGED).join(FORGED), "").unwrap();
    let place = format!("../{FORGED}");
    for (site, args, code) in [
        (&exchanged, &["check"][..], 1),
        (&exchanged, &["render"], 1),
        (&named, &["check"], 2),
        (&named, &["certs", "status"], 2),
        (&vault, &["check", "--vault", &place], 1),
        (&vault, &["render", "--vault", &place], 1),
        (&vault, &["check", &place], 2),
    ] {
        let run = site.run(args);
        run.ends(code, &["forged"]);
        let raw = run.stderr.contains([ESCAPE, '\r'])
            || run.stderr.lines().any(|line| line.starts_with("error: forged"));
        assert!(!raw, "{args:?}: {}", run.stderr);
    }
}
