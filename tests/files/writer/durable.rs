//! What is on disk before the trees are exchanged and before the old ones are dropped, by the order of system calls.

use test_kit::strace::Traced;

use crate::writer::kit::{holding, new, old, strace};

/// The calls of a commit of `files` over the old version, with the paths behind descriptors.
fn trace(files: &crate::writer::kit::Files) -> Vec<String> {
    let root = holding(&old());
    let calls = "trace=openat,write,fsync,syncfs,mkdirat,linkat,renameat,renameat2,unlinkat,rmdir";
    let Traced { output, log } = strace(&["-y", "-e", calls], root.path(), "", files);
    assert!(output.status.success(), "{output:?}");
    // The process id goes, and where the test happens to be.
    let lines = log.lines().filter_map(|line| line.split_once(' '));
    lines.map(|(_, call)| call.trim_start().replace(root.path().to_str().unwrap(), "ROOT")).collect()
}

/// Where the only call that starts with the first of `parts` and contains all of them is.
fn at(trace: &[String], parts: &[&str]) -> usize {
    let is = |call: &String| call.starts_with(parts[0]) && parts.iter().all(|part| call.contains(part));
    let found: Vec<_> = (0..trace.len()).filter(|n| is(&trace[*n])).collect();
    assert_eq!(found.len(), 1, "{parts:?} in {trace:#?}");
    found[0]
}

fn assert_rest_is_in_order(trace: &[String], staged: usize) {
    let journal = at(trace, &["fsync(", "ROOT/.plasmagen/journal.new>"]);
    let named = at(trace, &["renameat(", "\"journal.new\"", "\"journal\""]);
    let nodes = at(trace, &["renameat2(", "\"nodes\"", "RENAME_EXCHANGE"]);
    let site = at(trace, &["renameat2(", "\"site\"", "RENAME_EXCHANGE"]);
    let root = at(trace, &["fsync(", "<ROOT>"]);
    let stage = (site..trace.len()).find(|n| trace[*n].starts_with("fsync(") && trace[*n].contains("stage>"));
    let done = at(trace, &["unlinkat(", "\"journal\""]);
    let states: Vec<_> = (0..trace.len())
        .filter(|n| trace[*n].contains("fsync(") && trace[*n].contains(".plasmagen>"))
        .collect();
    assert!(staged < journal && journal < named && named < states[0] && states[0] < nodes, "{trace:#?}");
    assert!(nodes < site && site < root && root < done && done < states[1], "{trace:#?}");
    assert!(stage.is_some_and(|stage| stage < done), "{trace:#?}");
    let dropped = (done + 1..trace.len())
        .find(|n| trace[*n].starts_with("unlinkat(") || trace[*n].starts_with("rmdir("));
    assert!(dropped.is_some_and(|dropped| states[1] < dropped), "{trace:#?}");
}

#[test]
fn few_files_are_synced_each_and_so_are_their_directories() {
    let trace = trace(&new());
    let mut last = 0;
    for path in [
        "nodes",
        "nodes/manifest.json",
        "nodes/n1.example.com",
        "nodes/n1.example.com/hardware.nix",
        "nodes/n3.example.com",
        "nodes/n3.example.com/disko.nix",
        "site",
        "site/pxe",
        "site/pxe/dhcpd.conf",
        "site/www/index.html",
        "site/manifest.json",
    ] {
        let synced = at(&trace, &["fsync(", &format!("ROOT/.plasmagen/stage/{path}>")]);
        let written =
            trace.iter().rposition(|call| call.starts_with("write(") && call.contains(&format!("{path}>")));
        assert!(written.is_none_or(|written| written < synced), "{path}");
        last = last.max(synced);
    }
    // A directory is synced after the last name in it.
    let linked = at(&trace, &["linkat(", "\"disko.nix\""]);
    assert!(linked < at(&trace, &["fsync(", "ROOT/.plasmagen/stage/nodes/n1.example.com>"]));
    assert_rest_is_in_order(&trace, last);
}

#[test]
fn many_files_are_synced_at_once() {
    let mut many = new();
    many.extend((0..100).map(|n| (format!("nodes/many/{n}"), "x".to_owned())));
    let trace = trace(&many);
    let staged = at(&trace, &["syncfs("]);
    let written = trace.iter().rposition(|call| call.starts_with("write(") && call.contains("/stage/"));
    assert!(written.is_some_and(|written| written < staged));
    assert!(!trace.iter().any(|call| call.starts_with("fsync(") && call.contains("stage/nodes")));
    assert_rest_is_in_order(&trace, staged);
}
