//! Completions in the real shells, and the manual.

use std::fs;

use crate::kit::{PLASMAGEN, Site};

/// Runs `script` in `shell`, with the program in `$PATH` and the script of its completions at `$S`.
fn complete(site: &Site, shell: &str, script: &str) -> String {
    let printed = site.run(&["completions", shell]);
    let file = site.path().join("completions");
    fs::write(&file, &printed.ends(0, &[]).stdout).unwrap();
    let bin = std::path::Path::new(PLASMAGEN).parent().unwrap().display();
    let script = format!("export PATH=\"{bin}:$PATH\"; S={}; {script}", file.display());
    let script = if shell == "fish" { script.replace("; S=", "; set S ") } else { script };
    let run = site.tool(shell, shell, &["-c", &script]);
    run.ends(0, &[]);
    assert_eq!(run.stderr, "", "{shell}");
    run.stdout
}

/// What bash offers after `words`.
fn bash(site: &Site, words: &str) -> Vec<String> {
    let last = words.split(' ').next_back().unwrap();
    let script = format!(
        "source $S; COMP_WORDS=({words}{}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMP_TYPE=9; \
         _clap_complete_plasmagen plasmagen '{last}' 2>&1; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        if last.is_empty() { "''" } else { "" }
    );
    complete(site, "bash", &script).lines().map(|line| line.trim_end().to_owned()).collect()
}

#[test]
fn bash_completes_commands_formats_nodes_and_rules() {
    let site = Site::new();
    assert_eq!(bash(&site, "plasmagen ex"), ["explain"]);
    assert_eq!(bash(&site, "plasmagen check --format s"), ["sarif"]);
    assert_eq!(bash(&site, "plasmagen check inventory.t"), ["inventory.toml"]);
    assert_eq!(bash(&site, "plasmagen show no"), ["node01", "node02", "node03"]);
    assert_eq!(bash(&site, "plasmagen secrets st"), ["stage"]);
    assert_eq!(bash(&site, "plasmagen secrets encrypt node0"), ["node01", "node02", "node03"]);
    assert_eq!(bash(&site, "plasmagen lab --node node0"), ["node01", "node02", "node03"]);
    assert_eq!(bash(&site, "plasmagen bundle --base w"), ["worker"]);
    assert_eq!(
        bash(&site, "plasmagen publish --rollback "),
        [
            "control-plane",
            "control-plane-aarch64",
            "worker",
            "worker-aarch64",
            "all-in-one",
            "all-in-one-aarch64",
            "site"
        ]
    );
    let rules = bash(&site, "plasmagen explain PG-C1");
    assert!(rules.contains(&"PG-C13".to_owned()) && rules.len() > 3, "{rules:?}");
}

#[test]
fn fish_completes_rules_with_their_titles() {
    let site = Site::new();
    let offered = complete(&site, "fish", "source $S; complete -C 'plasmagen explain PG-C13'");
    assert_eq!(offered, "PG-C13\ta reserved address lies outside every pool\n");
}

#[test]
fn zsh_completes_rules_sourced_or_from_its_path_of_functions() {
    let site = Site::new();
    // As zsh's completion system calls a function; what it offers is printed.
    let ask = "_describe() { print -l ${(P)3} }; words=(plasmagen explain PG-C13); CURRENT=3";
    let begin = "autoload -U compinit; compinit -D -u";
    let sourced = format!("{begin}; source $S; {ask}; $_comps[plasmagen]");
    let loaded =
        format!("mkdir d; mv $S d/_plasmagen; fpath=($PWD/d $fpath); {begin}; {ask}; $_comps[plasmagen]");
    for script in [sourced, loaded] {
        let offered = complete(&site, "zsh", &script);
        assert_eq!(offered, "PG-C13:a reserved address lies outside every pool\n");
    }
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let site = Site::new();
    site.run(&["man", "--out", "new/man1"]).ends(0, &[]);
    let mut pages: Vec<_> = fs::read_dir(site.root().join("new/man1"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    pages.sort();
    for page in [
        "plasmagen.1",
        "plasmagen-check.1",
        "plasmagen-explain.1",
        "plasmagen-certs-status.1",
        "plasmagen-secrets-stage.1",
    ] {
        assert!(pages.iter().any(|found| found == page), "{pages:?}");
    }
    assert_eq!(site.run(&["man"]).ends(0, &[]).stdout, site.read("new/man1/plasmagen.1"));
    assert!(site.read("new/man1/plasmagen-check.1").contains("stdin\\-filename"));
    fs::write(site.root().join("file"), "").unwrap();
    site.run(&["man", "--out", "file"]).ends(2, &["could not write the manual to file"]);
    // The formatter has nothing against them.
    let formatted =
        site.shell("groff -man -Kutf8 -Tutf8 -ww -z new/man1/*.1 2>&1 || echo install groff-base");
    assert_eq!(formatted.stdout, "");
}
