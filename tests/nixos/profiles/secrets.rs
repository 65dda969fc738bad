//! Where a node's key comes from: staged, or decrypted by agenix or sops-nix, which the site brings.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::profiles::kit::{config, evaluate, evaluate_in, only_failure};

const IAM: &str = "services.iam = { enable = true; settings.tls = { \
                   key_path = \"/etc/nixos/secrets/node01-key.pem\"; \
                   cert_path = \"/etc/nixos/secrets/node01-cert.pem\"; }; };";

fn stand_in(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nixos/profiles").join(format!("{name}.nix"))
}

/// The site's directory of encrypted keys, beside its machines.
fn keys(files: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let keys = dir.path().join("keys");
    fs::create_dir(&keys).unwrap();
    for file in files {
        fs::write(keys.join(file), "encrypted").unwrap();
    }
    dir
}

fn module(backend: &str, imported: &str, rest: &str) -> String {
    let imports = format!("imports = [ {} ];", stand_in(imported).display());
    format!("{{ {imports} {IAM} plasmagen.secrets = {{ backend = \"{backend}\"; {rest} }}; }}")
}

#[test]
fn the_directory_and_the_keys_get_their_modes_at_every_boot() {
    let machine = config("{ }");
    let rules = &machine["systemd"]["tmpfiles"]["settings"]["plasmagen-secrets"];
    let rule = |path: &str, kind: &str| {
        let rule = &rules[path][kind];
        assert_eq!([&rule["user"], &rule["group"]], ["root", "root"], "{path}");
        rule["mode"].clone()
    };
    assert_eq!(rule("/etc/nixos/secrets", "d"), "0711", "public files by name, no list of them");
    assert_eq!(rule("/etc/nixos/secrets/*-key.pem", "z"), "0400");
    assert_eq!(rule("/etc/nixos", "d"), "0755");
    assert_eq!(rule("/etc/ssh/ssh_host_*_key", "z"), "0600", "a staged one, too");
    assert_eq!(machine["systemd"]["services"].get("plasmagen-secrets@"), None, "nobody needs a file");
}

#[test]
fn services_start_only_after_their_files_were_looked_at() {
    let declaration = "plasmagen.secrets.services.myapp.key_path = \"/etc/nixos/secrets/myapp-key.pem\";";
    let machine = config(&format!("{{ {IAM} {declaration} services.flaredb.enable = true; }}"));
    let services = &machine["systemd"]["services"];
    for name in ["iam", "myapp"] {
        for order in ["requires", "after"] {
            let units = services[name][order].as_array().unwrap();
            let unit = json!(format!("plasmagen-secrets@{name}.service"));
            assert!(units.contains(&unit), "{name} {order}: {units:?}");
        }
    }
    let check = &services["plasmagen-secrets@"]["serviceConfig"];
    assert_eq!([&check["Type"], &check["RemainAfterExit"]], [&json!("oneshot"), &Value::Null]);
    // As often as services are restarted: it is they who have limits.
    assert_eq!(services["plasmagen-secrets@"]["startLimitIntervalSec"], 0);
    let start = check["ExecStart"].as_str().unwrap();
    let listed = "plasmagen/files-of-services";
    assert!(start.ends_with(&format!("check.sh /nix/store/openssl/bin/openssl /etc/{listed} %i")), "{start}");
    assert_eq!(
        machine["environment"]["etc"][listed]["source"],
        "# Where the vault is: plasmagen secrets stage node01 --to DIR
\
         # then: scp DIR/etc/nixos/secrets/node01-key.pem \
         root@node01.example.com:/etc/nixos/secrets/node01-key.pem
\
         # and here: systemctl start iam myapp
\
         iam	cert_path	/etc/nixos/secrets/node01-cert.pem
\
         iam	key_path	/etc/nixos/secrets/node01-key.pem
\
         myapp	key_path	/etc/nixos/secrets/myapp-key.pem
"
    );
}

#[test]
fn agenix_decrypts_the_key_to_where_a_staged_one_lies() {
    let dir = keys(&["node01-key.pem.age"]);
    let all = evaluate_in(dir.path(), &[module("agenix", "agenix", "directory = ../../keys;")]);
    let machine = &all[0]["config"];
    assert_eq!(all[0]["failed"], json!([]));
    assert_eq!(
        machine["age"]["secrets"],
        json!({ "node01-key.pem": {
            "file": "node01-key.pem.age", "path": "/etc/nixos/secrets/node01-key.pem",
            "owner": "root", "group": "root", "mode": "0400", "symlink": false,
        } })
    );
}

#[test]
fn sops_decrypts_the_key_to_where_a_staged_one_lies() {
    let dir = keys(&["node01-key.pem.sops"]);
    let all = evaluate_in(dir.path(), &[module("sops", "sops", "directory = ../../keys;")]);
    assert_eq!(all[0]["failed"], json!([]));
    assert_eq!(
        all[0]["config"]["sops"]["secrets"],
        json!({ "node01-key.pem": {
            "sopsFile": "node01-key.pem.sops", "path": "/etc/nixos/secrets/node01-key.pem",
            "owner": "root", "group": "root", "mode": "0400", "format": "binary",
        } })
    );
}

#[test]
fn what_is_not_there_is_named() {
    let dir = keys(&[]);
    let cases = [
        (module("agenix", "sops", "directory = ../../keys;"), "import agenix.nixosModules.default"),
        (module("sops", "agenix", "directory = ../../keys;"), "sops-nix.nixosModules.sops"),
        (module("agenix", "agenix", ""), "plasmagen.secrets.directory is not set"),
        (module("agenix", "agenix", "directory = ../../keys;"), "`plasmagen secrets encrypt` writes it"),
        (module("sops", "sops", "directory = ../../keys;"), "no node01-key.pem.sops"),
    ];
    let modules: Vec<_> = cases.iter().map(|(module, _)| module).collect();
    let all = evaluate_in(dir.path(), &modules);
    for ((module, expected), machine) in cases.iter().zip(&all) {
        let failed = machine["failed"].to_string();
        assert!(failed.contains(expected.trim_start_matches("import ")), "{module}: {failed}");
    }
    for machine in &all[2..5] {
        only_failure(machine, "one fault, one message");
    }
}

/// Whoever has agenix for other things keeps a staged key.
#[test]
fn a_staged_key_is_nobody_elses() {
    for imported in ["agenix", "sops"] {
        let machine = evaluate(&[module("staged", imported, "")]).remove(0);
        assert_eq!(machine["failed"], json!([]));
        let config = &machine["config"];
        let secrets = [&config["age"]["secrets"], &config["sops"]["secrets"]];
        assert!(secrets.iter().all(|all| all.is_null() || **all == json!({})), "{secrets:?}");
    }
}
