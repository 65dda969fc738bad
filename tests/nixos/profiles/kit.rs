//! Machines to evaluate: node01 with one module each.

use std::fs;
use std::path::Path;

use serde_json::Value;

use test_kit::nix;

/// All services that there are.
pub(crate) const SERVICES: [&str; 8] =
    ["chainfire", "fiberlb", "flaredb", "flashdns", "iam", "k8shost", "plasmavmc", "prismnet"];

/// What NixOS makes of each of `modules`, all by one call of Nix: its `failed` assertions, `warnings` and `config`.
pub(crate) fn evaluate(modules: &[impl AsRef<str>]) -> Vec<Value> {
    let dir = tempfile::tempdir().unwrap();
    evaluate_in(dir.path(), modules)
}

/// The same two directories below `dir`, where a module may find files of its own.
pub(crate) fn evaluate_in(dir: &Path, modules: &[impl AsRef<str>]) -> Vec<Value> {
    try_evaluate_in(dir, modules).unwrap_or_else(|error| panic!("{error}"))
}

/// What Nix says against `module`.
pub(crate) fn error_of(module: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    try_evaluate_in(dir.path(), &[module]).unwrap_err()
}

fn try_evaluate_in(dir: &Path, modules: &[impl AsRef<str>]) -> Result<Vec<Value>, String> {
    let machines = dir.join("machines");
    fs::create_dir(&machines).unwrap();
    for (index, module) in modules.iter().enumerate() {
        let machine = machines.join(format!("{index:03}"));
        fs::create_dir(&machine).unwrap();
        let text = format!(
            "{{ plasmagen, ... }}: {{ imports = [ plasmagen.nixosModules.default ({}) ];\n\
             networking.hostName = \"node01\"; networking.domain = \"example.com\";\n\
             nixpkgs.hostPlatform = \"x86_64-linux\"; system.stateVersion = \"24.11\"; }}\n",
            module.as_ref()
        );
        fs::write(machine.join("configuration.nix"), text).unwrap();
    }
    let all = nix::try_evaluate_machines(&machines)?;
    Ok(all.as_object().unwrap().values().cloned().collect())
}

/// The whole configuration of the machine with `module`.
pub(crate) fn config(module: &str) -> Value {
    let machine = evaluate(&[module]).remove(0);
    assert_eq!(machine["failed"], Value::Array(Vec::new()), "{module}");
    machine["config"].clone()
}

/// The one assertion that fails.
pub(crate) fn only_failure<'a>(machine: &'a Value, module: &str) -> &'a str {
    let failed = machine["failed"].as_array().unwrap();
    assert_eq!(failed.len(), 1, "{module}: {failed:#?}");
    failed[0].as_str().unwrap()
}

/// A module with all services enabled, as a node runs them.
pub(crate) fn all_services() -> String {
    let key = "settings.tls.key_path = \"/etc/nixos/secrets/node01-key.pem\";";
    let enabled: String =
        SERVICES.iter().map(|name| format!("services.{name} = {{ enable = true; {key} }};\n")).collect();
    format!("{{ {enabled} }}")
}
