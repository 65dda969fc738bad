//! Servers to evaluate, and what is rendered for them.

use std::fs;

use plasmagen::artifact::ArtifactSet;
use plasmagen::outputs;
use plasmagen::plan::Plan;
use serde_json::Value;

use test_kit::nix;
use test_kit::{plan, repository};

/// The runbook's own example, from its section 5.1.
pub(crate) const RUNBOOK: &str = include_str!("../../nix/pxe-server.nix");

/// What NixOS makes of each of `servers`: all by one call of Nix.
pub(crate) fn evaluate(servers: &[impl AsRef<str>]) -> Vec<Value> {
    try_evaluate(servers).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn try_evaluate(servers: &[impl AsRef<str>]) -> Result<Vec<Value>, String> {
    let dir = tempfile::tempdir().unwrap();
    for (index, text) in servers.iter().enumerate() {
        let directory = dir.path().join(format!("{index:03}"));
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("pxe-server.nix"), text.as_ref()).unwrap();
    }
    let all = nix::try_evaluate_servers(dir.path())?;
    Ok(all.as_object().unwrap().values().cloned().collect())
}

/// The runbook's example with `original` replaced by `changed`.
pub(crate) fn with(original: &str, changed: &str) -> String {
    replaced(RUNBOOK, original, changed)
}

pub(crate) fn replaced(text: &str, original: &str, changed: &str) -> String {
    assert_eq!(text.matches(original).count(), 1, "{original}");
    text.replace(original, changed)
}

/// The text of `site/pxe/NAME`.
pub(crate) fn rendered<'a>(site: &'a ArtifactSet, name: &str) -> &'a str {
    let path = format!("site/pxe/{name}");
    let artifact = site.iter().find(|artifact| artifact.path.as_str() == path);
    std::str::from_utf8(&artifact.unwrap_or_else(|| panic!("no {path}")).body).unwrap()
}

/// The reference's pxe-server.nix with its options alone, and what is rendered beside it.
pub(crate) fn reference_without_file(backend: &str) -> (String, ArtifactSet) {
    without_file(&plan(repository()), backend)
}

/// The golden case `cards` without its second boot network, which the options do not have; otherwise the same.
pub(crate) fn cards_without_file(backend: &str) -> (String, ArtifactSet) {
    let text = fs::read_to_string(repository().join("tests/golden/cards/inventory.toml")).unwrap();
    let mut tables: Vec<&str> = text.split("\n\n").collect();
    tables.retain(|table| {
        !["[network.rack]", "[profile.rack]", "[node.racked]"].iter().any(|name| table.contains(name))
    });
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("inventory.toml"), tables.join("\n\n")).unwrap();
    without_file(&plan(dir.path()), backend)
}

fn without_file(plan: &Plan, backend: &str) -> (String, ArtifactSet) {
    let site = outputs::render(plan).unwrap();
    let text = rendered(&site, "pxe-server.nix");
    let text = replaced(text, "configFile = ./kea-dhcp4.json;", "");
    (replaced(&text, "backend = \"kea\"", &format!("backend = {backend:?}")), site)
}
