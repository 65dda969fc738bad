//! What several tests share.

#![allow(dead_code, reason = "each test uses its part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use plasmagen::check::check;
use plasmagen::plan::{Certificates, Plan, Zones};

/// The root of the repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The golden cases.
pub(crate) fn case_dirs() -> Vec<PathBuf> {
    let entries = fs::read_dir(repository().join("tests/golden")).unwrap();
    let mut cases: Vec<PathBuf> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    cases.sort();
    assert!(cases.len() >= 6, "golden cases are missing");
    cases
}

/// The plan of the inventory in `dir`, with certificates that say only whose they are.
pub(crate) fn plan(dir: &Path) -> Plan {
    let checked = check(&fs::read(dir.join("inventory.toml")).unwrap()).unwrap();
    assert!(checked.diagnostics.is_empty(), "{}: {:#?}", dir.display(), checked.diagnostics);
    let cluster = checked.cluster.unwrap();
    let nodes =
        cluster.nodes.iter().map(|node| (node.name.clone(), format!("the certificate of {}\n", node.fqdn)));
    let certificates =
        Certificates { ca: Some("the certificate of the CA\n".to_owned()), nodes: nodes.collect() };
    Plan { cluster, certificates, zones: Zones::default() }
}

/// Runs a program that a test needs; a missing one fails the test and names its Debian package.
pub(crate) fn run(package: &str, command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| {
        let program = command.get_program().to_string_lossy().into_owned();
        panic!("{program}: {error}. Install the Debian package {package}")
    })
}
