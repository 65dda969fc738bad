//! What stands in `site/dns/`, as BIND's own programs read it, against the inventory.

mod named;
mod published;
mod serials;
mod zones;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use plasmagen::artifact::ArtifactSet;
use plasmagen::outputs;
use plasmagen::plan::{Plan, Zones};
use test_kit::{case_dirs, repository, run};

/// The golden cases, the reference, and one with what these do not have.
fn inventories() -> Vec<PathBuf> {
    // The reference, servers by address, and a provisioner with two interfaces.
    let others = [".", "tests/outputs/dns", "tests/servers/live/racks"];
    case_dirs().into_iter().chain(others.map(|dir| repository().join(dir))).collect()
}

/// What is rendered below `site/dns/`, by file name.
fn files(plan: &Plan) -> BTreeMap<String, String> {
    of(&outputs::render(plan).unwrap())
}

fn of(artifacts: &ArtifactSet) -> BTreeMap<String, String> {
    let file = |artifact: &plasmagen::artifact::Artifact| {
        let name = artifact.path.as_str().strip_prefix("site/dns/")?;
        Some((name.to_owned(), String::from_utf8(artifact.body.clone()).unwrap()))
    };
    artifacts.iter().filter_map(file).collect()
}

/// The zones among `files`, as they are once they were published.
fn published(files: &BTreeMap<String, String>) -> Zones {
    let zones = files.iter().filter(|(name, _)| name.ends_with(".zone"));
    Zones(zones.map(|(name, text)| (name.clone(), text.clone())).collect())
}

/// The name of the zone in the file `name`.
fn zone_of(file: &str) -> String {
    file.strip_suffix(".zone").unwrap().replace('+', "/")
}

/// A record: owner, type, data; names have their final dots.
type Record = (String, String, String);

/// The records of the zone in `path`, as named-compilezone prints them, which must find nothing to complain of.
fn compile(zone: &str, path: &Path, servers_inside: bool) -> Vec<Record> {
    // Names outside of the zone it would ask the machine's own resolver for.
    let integrity = if servers_inside { "full" } else { "local" };
    let mut command = Command::new("named-compilezone");
    command.args(["-i", integrity]);
    command.args(["-k", "fail", "-m", "fail", "-M", "fail", "-n", "fail", "-r", "fail", "-S", "fail"]);
    let output = run("bind9-utils", command.args(["-o", "-", zone]).arg(path));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{zone}: {said}");
    let lines: Vec<&str> = said.lines().collect();
    assert!(
        matches!(lines[..], [loaded, "OK"] if loaded.starts_with(&format!("zone {zone}/IN: loaded serial "))),
        "{said}"
    );
    String::from_utf8(output.stdout).unwrap().lines().map(record).collect()
}

/// A line as named-compilezone and dig print it: owner, TTL, class, type, data.
fn record(line: &str) -> Record {
    let mut words = line.split_whitespace();
    let (owner, _ttl, class, kind) =
        (words.next().unwrap(), words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
    assert_eq!(class, "IN", "{line}");
    (owner.to_owned(), kind.to_owned(), words.collect::<Vec<_>>().join(" "))
}
