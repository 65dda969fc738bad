//! The units as Nix makes them, started by systemd itself: what their sandbox takes from the programs, they do without.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::first_boot::kit::Site;
use test_kit::nix;

/// Where the reference's units look for credentials, and where they are here.
const SECRETS: [&str; 2] = ["/etc/nixos/secrets", "/run/secrets"];

/// The head of the unit file of a service that Nix has evaluated: what of its dependencies is here, too.
fn unit_head(unit: &Value) -> String {
    let mut text = "[Unit]\nDefaultDependencies=no\n".to_owned();
    for (key, option) in [("Requires", "requires"), ("Wants", "wants"), ("After", "after")] {
        let others = unit[option].as_array().unwrap().iter().map(|other| other.as_str().unwrap());
        for other in others.filter(|other| other.ends_with(".service")) {
            writeln!(text, "{key}={other}").unwrap();
        }
    }
    let limits = [&unit["startLimitIntervalSec"], &unit["startLimitBurst"]];
    writeln!(text, "StartLimitIntervalSec={}\nStartLimitBurst={}", limits[0], limits[1]).unwrap();
    text
}

/// The unit file, with the programs of this repository.
fn unit_file(unit: &Value) -> String {
    let mut text = unit_head(unit);
    text.push_str("[Service]\nStandardOutput=append:/run/said\nStandardError=inherit\n");
    for (key, value) in unit["serviceConfig"].as_object().unwrap() {
        for value in value.as_array().unwrap_or(&vec![value.clone()]) {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let value = match value.split_once("-programs/") {
                Some((_, line)) => format!("/bin/bash /run/programs/{line}"),
                None if value.contains("-check.sh ") => {
                    "/bin/bash /run/programs/check.sh /usr/bin/openssl /run/secrets/list %i".to_owned()
                }
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
    let list = &all["node01.example.com"]["environment"]["etc"]["plasmagen/files-of-services"]["source"];
    fs::write(site.path("secrets/list"), list.as_str().unwrap().replace(SECRETS[0], SECRETS[1])).unwrap();
    let node = &all["node01.example.com"]["systemd"]["services"];
    let check = replaced(&unit_file(&node["plasmagen-secrets@"]), "/run/said", "/run/looked");
    write("plasmagen-secrets@.service", &check);
    let join = unit_file(&node["chainfire-cluster-join"]);
    let join = replaced(&join, "--config-source", "--health-timeout 1 --config-source");
    write("chainfire-cluster-join.service", &replaced(&join, "RestartSec=15", "RestartSec=1"));
    let health = unit_file(&node["chainfire-health"]);
    write("chainfire-health.service", &health);
    write("chainfire-unwell.service", &replaced(&health, "--path /health", "--path /nowhere"));
    let service = |unit: &Value, line: &str| format!("{}[Service]\n{line}\n", unit_head(unit));
    let python = repository.join("tests/nixos/first_boot/systemd/chainfire.py");
    let line = format!(
        "ExecStart=/usr/bin/env PATH={} python3 -B {} {}",
        std::env::var_os("PATH").unwrap().display(),
        python.display(),
        repository.display()
    );
    write("chainfire.service", &service(&node["chainfire"], &line));
    let session = repository.join("tests/nixos/first_boot/systemd/session");
    let line = format!(
        "ExecStart=/bin/bash {}\nStandardOutput=file:/mnt/said\nStandardError=file:/mnt/errors",
        session.display()
    );
    let alone = json!({ "requires": [], "wants": [], "after": [], "startLimitIntervalSec": 10, "startLimitBurst": 5 });
    write("session.service", &service(&alone, &line));
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
    write_secrets(&site);
    write_units(&site, repository);
    fs::create_dir(site.path("groups")).unwrap();
    let boot = repository.join("tests/nixos/first_boot/systemd/boot");
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
        "key-missed exit-code 0 1 failed failed",
        "waits success 0 0 inactive dead",
        "looked <3>/run/secrets/node01-key.pem is missing; it is for chainfire flaredb iam",
        "came of itself",
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
