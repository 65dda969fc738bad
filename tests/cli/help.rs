//! What the program says of itself, and what it says to a command line that it does not understand.

use crate::kit::Site;

/// Lists the names of `command`'s subcommands that are not hidden, each below `path`, and those below them.
fn list_commands(command: &clap::Command, path: &[String], found: &mut Vec<Vec<String>>) {
    found.push(path.to_vec());
    for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        let path = [path, &[subcommand.get_name().to_owned()]].concat();
        list_commands(subcommand, &path, found);
    }
}

/// The command lines of all commands, without the program's name. The first is empty: the program alone.
fn commands() -> Vec<Vec<String>> {
    let mut found = Vec::new();
    list_commands(&plasmagen::cli::command(), &[], &mut found);
    for known in [&["lab"][..], &["certs", "status"]] {
        assert!(found.iter().any(|path| path == known), "{known:?} is not among {found:?}");
    }
    found
}

#[test]
fn help_names_every_command_and_exit_code() {
    let site = Site::empty();
    let help = site.within(site.path(), &["--help"]);
    help.ends(0, &[]);
    let commands = commands();
    let names = commands.iter().filter_map(|path| if let [name] = &path[..] { Some(name) } else { None });
    for line in names.map(|name| format!("  {name} ")) {
        assert!(help.stdout.contains(&line), "{line}: {}", help.stdout);
    }
    assert!(!help.stdout.contains('\x1b'), "{}", help.stdout);
    let (_, codes) = help.stdout.split_once("Exit status:").unwrap();
    for line in ["0  done", "1  the inventory", "2  a wrong command line", "3  another run", "4  published"] {
        assert!(codes.contains(line), "{line}: {codes}");
    }
}

#[test]
fn every_command_has_help_that_fits_a_terminal() {
    let site = Site::empty();
    for command in commands() {
        for flag in ["--help", "-h"] {
            let arguments: Vec<&str> = command.iter().map(String::as_str).chain([flag]).collect();
            let help = site.within(site.path(), &arguments);
            help.ends(0, &[]);
            assert!(help.stderr.is_empty() && help.stdout.contains("Usage: plasmagen"), "{help:?}");
            for line in help.stdout.lines() {
                assert!(line.chars().count() <= 100, "{command:?}: {line}");
            }
        }
    }
    let version = site.within(site.path(), &["--version"]);
    assert_eq!(version.ends(0, &[]).stdout, concat!("plasmagen ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn usage_errors_exit_with_2_and_say_what_to_do() {
    let site = Site::new();
    for (args, words) in [
        (&[][..], &["Usage: plasmagen", "Commands:"][..]),
        (&["rendr"], &["a similar subcommand exists: 'render'"]),
        (&["certs"], &["Usage: plasmagen certs", "status"]),
        (&["check", "--deny-warning"], &["a similar argument exists: '--deny-warnings'"]),
        (&["check", "--color", "blue"], &["possible values: auto, always, never"]),
        (&["check", "--format", "xml"], &["possible values: human, concise, json, github, sarif"]),
        (&["check", "--stdin-filename", "a", "b.toml"], &["cannot be used with '[INVENTORY]...'"]),
        (&["render", "one.toml", "two.toml"], &["unexpected argument 'two.toml'"]),
        (&["explain", "C133"], &["no rule and no key is about \"C133\": did you mean PG-C13?"]),
        (&["explain", "\u{9b}x"], &["no rule and no key is about \"\\u{9b}x\": plasmagen explain lists all"]),
        (&["completions", "tcsh"], &["possible values: bash, zsh, fish"]),
        (&["render", "--check", "--discard-edits"], &["cannot be used with '--discard-edits'"]),
        (&["render", "--vault"], &["--vault <DIR>"]),
        (&["init"], &["<DIR>"]),
        (&["show", "nod01"], &["there is no node `nod01`: did you mean `node01`?"]),
        (&["show", "elsewhere"], &["there is no node `elsewhere`: plasmagen show prints a table of nodes"]),
        (&["show", "node01\u{1b}[2J"], &["there is no node `node01\\u{1b}[2J`"]),
        (&["show", "--format", "xml"], &["possible values: human, json"]),
        (&["secrets", "stage", "node01"], &["--to <DIR>"]),
        (&["secrets", "stage", "node01", "node02", "--to", "x"], &["unexpected argument 'node02'"]),
        (
            &["bundle", "--base", "control", "--kernel", "k", "--initrd", "i", "--out", "o"],
            &[
                "invalid value 'control'",
                "possible values: control-plane, worker, all-in-one",
                "'control-plane'",
            ],
        ),
        (&["lab", "--node", "nod01"], &["did you mean `node01`?"]),
        (&["lab", "--timeout", "0s"], &["`0s` is not a time", "`30s`, `10m`, `12h`, `7d`"]),
        (&["lab", "--timeout", "300"], &["`300` is not a time", "`30s`, `10m`, `12h`, `7d`"]),
        (&["publish", "--expires-in", "90"], &["`90` is not a time", "`30s`, `10m`, `12h`, `7d`"]),
        (&["certs", "status", "--format", "xml"], &["possible values: human, json"]),
    ] {
        let run = site.run(args);
        run.ends(2, words);
        assert_eq!(run.stdout, "", "{args:?}");
    }
}
