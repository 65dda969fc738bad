//! Programs in namespaces of their own: a network that nothing else sees, and mounts that nothing else gets.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::agreement::tree::Tree;
use test_kit::process::{run, unshare};

/// Runs a shell script with `arguments`, those of one tree together, in two processes side by side; what both print, in
/// order. A script that fails fails the test.
pub(crate) fn script(program: &str, script: &str, arguments: &[Vec<PathBuf>]) -> String {
    let script = format!("PATH=$PATH:/usr/sbin:/sbin\n{script}");
    let run = |trees: &[Vec<PathBuf>]| {
        let mut command = unshare(&["--net", "--mount", "sh", "-c", &script, "sh"]);
        let output = run("util-linux", command.args(trees.iter().flatten()));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program}: {said}\n{}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stdout).unwrap()
    };
    let (first, second) = arguments.split_at(arguments.len() / 2);
    let (first, second) = rayon::join(|| run(first), || run(second));
    first + &second
}

/// A script that makes the interfaces of all provisioners.
pub(crate) fn interfaces(trees: &[Tree]) -> String {
    let names: BTreeSet<&str> = trees
        .iter()
        .flat_map(|tree| tree.cluster.provisioner.interfaces())
        .map(|interface| interface.name.as_str())
        .collect();
    let add =
        |(at, name): (usize, &str)| format!("ip link add {name} type veth peer name peer{at} || exit 1\n");
    names.into_iter().enumerate().map(add).collect()
}
