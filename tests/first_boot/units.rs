//! The units as Nix makes them, started by systemd itself: what their sandbox takes from the programs, they do without.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::kit::Site;
use crate::nix;

/// Where the reference's units look for credentials, and where they are here.
const SECRETS: [&str; 2] = ["/etc/nixos/secrets", "/run/secrets"];

/// The unit file of a service that Nix has evaluated, with the programs of this repository.
fn unit_file(unit: &Value) -> String {
    let mut text = "[Unit]\nDefaultDependencies=no\n[Service]\nStandardOutput=append:/run/said\n".to_owned();
    text.push_str("StandardError=inherit\n");
    for (key, value) in unit["serviceConfig"].as_object().unwrap() {
        for value in value.as_array().unwrap_or(&vec![value.clone()]) {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let value = match value.split_once("-programs/") {
                Some((_, line)) => format!("/bin/bash /run/programs/{line}"),
                None => value,
            };
            writeln!(text, "{key}={}", value.replace(SECRETS[0], SECRETS[1])).unwrap();
        }
    }
    text
}

/// Replaces what must be there.
fn replaced(text: &str, original: &str, changed: &str) -> String {
    assert!(text.contains(original), "{original} is not in {text}");
    text.replace(original, changed)
}

fn write_units(site: &Site, repository: &Path) {
    let units = site.path("units");
    fs::create_dir(&units).unwrap();
    let write = |name: &str, text: &str| fs::write(units.join(name), text).unwrap();
    let all = nix::evaluate(&repository.join("nodes"));
    let node = &all["node01.example.com"]["systemd"]["services"];
    let join = unit_file(&node["chainfire-cluster-join"]);
    let join = replaced(&join, "--config-source", "--health-timeout 1 --config-source");
    write("chainfire-cluster-join.service", &replaced(&join, "RestartSec=15", "RestartSec=1"));
    let health = unit_file(&node["chainfire-health"]);
    write("chainfire-health.service", &health);
    write("chainfire-unwell.service", &replaced(&health, "--path /health", "--path /nowhere"));
    let service = |line: &str| format!("[Unit]\nDefaultDependencies=no\n[Service]\n{line}\n");
    let python = repository.join("tests/first_boot/systemd/chainfire.py");
    let line = format!(
        "ExecStart=/usr/bin/env PATH={} python3 -B {} {}",
        std::env::var_os("PATH").unwrap().display(),
        python.display(),
        repository.display()
    );
    write("chainfire.service", &service(&line));
    let session = repository.join("tests/first_boot/systemd/session");
    let line = format!(
        "ExecStart=/bin/bash {}\nStandardOutput=file:/mnt/said\nStandardError=file:/mnt/errors",
        session.display()
    );
    write("session.service", &service(&line));
    write("session.target", "[Unit]\nDefaultDependencies=no\nWants=session.service\n");
}

/// Only root can read them, as on a node.
fn write_secrets(site: &Site) {
    let secrets = site.path("secrets");
    fs::create_dir(&secrets).unwrap();
    let mut config: Value = serde_json::from_str(&site.read("node01", "cluster-config.json")).unwrap();
    config["initial_peers"] = json!(["node01.example.com:2380"]);
    for (name, text) in [
        ("ca-cert.pem", site.read("node01", "ca_path")),
        ("node01-cert.pem", site.read("node01", "cert_path")),
        ("node01-key.pem", site.read("node01", "key_path")),
        ("later.json", config.to_string()),
    ] {
        fs::write(secrets.join(name), text).unwrap();
        fs::set_permissions(secrets.join(name), fs::Permissions::from_mode(0o400)).unwrap();
    }
}

#[test]
fn systemd_starts_them() {
    let site = Site::new();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    write_units(&site, repository);
    write_secrets(&site);
    fs::create_dir(site.path("groups")).unwrap();
    let boot = repository.join("tests/first_boot/systemd/boot");
    let output = Command::new("bash").arg(boot).arg(site.path("")).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let said = fs::read_to_string(site.path("said"));
    let said =
        said.unwrap_or_else(|error| panic!("{error}: {errors} (as root, with Debian's package systemd)"));
    let expected = [
        "no-configuration exit-code 0 78 failed failed",
        "no-service exit-code ",
        "no-service-health exit-code 0 1 failed failed",
        "joined success ",
        "healthy success 0 0 inactive dead",
        "mark -rw------- chainfire-cluster-join",
        "again success 0 0 active exited",
        "unwell exit-code 0 1 failed failed",
        "untouched",
        "no-key exit-code 0 243 failed failed",
        "said {\"level\":\"ERROR\",\"message\":\"Configuration file not found: /run/secrets/cluster-config.json\"}",
        "said {\"level\":\"INFO\",\"message\":\"Bootstrap node, cluster initialized\"}",
        "said {\"level\":\"ERROR\",\"message\":\"chainfire is not healthy: HTTP 404\"}",
    ];
    for line in expected {
        assert!(said.lines().any(|said| said.starts_with(line)), "{line:?} is not in:\n{said}{errors}");
    }
    let lines = said.lines().filter_map(|line| line.strip_prefix("said "));
    assert!(lines.clone().count() > 8, "{said}");
    for line in lines {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{line:?} is not in JSON: {said}");
    }
    assert!(
        !said.contains("joined success 0 "),
        "it was started again by systemd, not by the session: {said}"
    );
    assert!(output.status.success(), "{said}{errors}");
}
