//! A certificate or an encrypted key that is replaced restarts the services that were handed it, and changes nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use test_kit::nix;

use crate::profiles::kit::SERVICES;

/// The nodes of the reference that are changed, with their services. Node04 gets the services that it does not have.
const NODES: [(&str, &[&str]); 2] = [("node01", &["chainfire", "flaredb", "iam"]), ("node04", &SERVICES)];

/// Where keys come from, and the ending of encrypted keys.
const BACKENDS: [(&str, &str); 3] = [("staged", ""), ("agenix", "age"), ("sops", "sops")];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The machines of one evaluation, each a copy of a node.
struct Machines {
    dir: TempDir,
}

impl Machines {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// Adds the machine `name`, a copy of `node` with `services` and a key from `backend`; returns its directory.
    fn add(&self, name: &str, node: &str, services: &[&str], (backend, ending): (&str, &str)) -> PathBuf {
        let machine = self.dir.path().join(name);
        fs::create_dir(&machine).unwrap();
        for entry in fs::read_dir(root().join(format!("nodes/{node}.example.com"))).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), machine.join(entry.file_name())).unwrap();
        }
        let files = format!(
            "ca_path = \"/etc/nixos/secrets/ca-cert.pem\"; cert_path = \"/etc/nixos/secrets/{node}-cert.pem\"; \
             key_path = \"/etc/nixos/secrets/{node}-key.pem\";"
        );
        let enable =
            |name| format!("services.{name} = {{ enable = true; settings.tls = {{ {files} }}; }};\n");
        let mut module: String = services.iter().map(enable).collect();
        if backend != "staged" {
            fs::create_dir(machine.join("keys")).unwrap();
            fs::write(machine.join(format!("keys/{node}-key.pem.{ending}")), "encrypted").unwrap();
            let stand_in = root().join(format!("tests/nixos/profiles/{backend}.nix"));
            let secrets = format!("{{ backend = \"{backend}\"; directory = ./keys; }}");
            module += &format!("imports = [ {} ]; plasmagen.secrets = {secrets};\n", stand_in.display());
        }
        let configuration = machine.join("configuration.nix");
        let text = fs::read_to_string(&configuration).unwrap();
        fs::write(configuration, text.replace("./disko.nix", &format!("./disko.nix {{ {module} }}")))
            .unwrap();
        machine
    }
}

/// Lists the places at which `new` differs from `old`.
fn list_differences(at: &str, old: &Value, new: &Value, found: &mut BTreeSet<String>) {
    match (old, new) {
        (Value::Object(olds), Value::Object(news)) => {
            for key in olds.keys().chain(news.keys()).collect::<BTreeSet<_>>() {
                let [old, new] = [olds, news].map(|of| of.get(key).unwrap_or(&Value::Null));
                list_differences(&format!("{at}/{key}"), old, new, found);
            }
        }
        _ if old != new => {
            found.insert(at.to_owned());
        }
        _ => {}
    }
}

#[test]
fn a_new_certificate_and_a_new_encrypted_key_restart_each_service_and_nothing_else() {
    let machines = Machines::new();
    let mut cases = Vec::new();
    for (node, services) in NODES {
        for backend in BACKENDS {
            let former = format!("{node}-{}", backend.0);
            machines.add(&former, node, services, backend);
            let certificate = format!("{node}-cert.pem");
            let key = format!("keys/{node}-key.pem.{}", backend.1);
            let files = [
                // The copy lies in another directory, as the next commit of a flake does.
                ("nothing", None, false),
                ("certificate", Some(certificate.as_str()), true),
                ("ca", Some("ca-cert.pem"), true),
                ("cluster", Some("cluster-config.json"), false),
                ("key", Some(key.as_str()), true),
            ];
            for (changed, file, restarts) in files {
                if changed == "key" && backend.0 == "staged" {
                    continue;
                }
                let name = format!("{former}-{changed}");
                let machine = machines.add(&name, node, services, backend);
                if let Some(file) = file {
                    assert!(machine.join(file).is_file(), "{name}");
                    fs::write(machine.join(file), "another").unwrap();
                }
                cases.push((former.clone(), name, if restarts { services } else { &[] }));
            }
        }
    }
    let all = nix::evaluate(machines.dir.path());
    for (former, name, services) in cases {
        let mut found = BTreeSet::new();
        list_differences("", &all[&former], &all[&name], &mut found);
        let expected = services.iter().map(|name| format!("/systemd/services/{name}/restartTriggers"));
        assert_eq!(found, expected.collect(), "{name}");
    }
    // The units that ask a service are handed the files at each start, and end when they have their answer.
    for unit in ["chainfire-cluster-join", "chainfire-health"] {
        let unit = &all["node01-staged"]["systemd"]["services"][unit];
        assert_eq!(unit["serviceConfig"]["Type"], "oneshot");
        assert_eq!(unit["restartTriggers"], json!([]));
    }
}
