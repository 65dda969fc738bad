//! Nodes of the reference with certificates of their own, and scenarios that are played with them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use test_kit::process::{self, unshare};

use crate::first_boot::outcome::Outcome;

/// The voters of the reference.
pub(crate) const VOTERS: [&str; 3] = ["node01", "node02", "node03"];

/// The addresses of the nodes in the reference's cluster network.
const ADDRESSES: [(&str, &str); 5] = [
    ("node01", "10.0.200.10"),
    ("node02", "10.0.200.11"),
    ("node03", "10.0.200.12"),
    ("node04", "10.0.200.20"),
    ("node05", "10.0.200.21"),
];

/// The reference, rendered with a CA of its own.
pub(crate) struct Site {
    dir: tempfile::TempDir,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::named("prod-cluster")
    }

    /// The reference as the cluster `name`, whose CA bears its name.
    pub(crate) fn named(name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let site = Self { dir };
        let inventory =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("inventory.toml")).unwrap();
        fs::create_dir(site.path("site")).unwrap();
        fs::write(
            site.path("site/inventory.toml"),
            inventory.replace("\"prod-cluster\"", &format!("{name:?}")),
        )
        .unwrap();
        let mut render = Command::new(env!("CARGO_BIN_EXE_plasmagen"));
        render.args(["render", "--quiet", "inventory.toml", "--vault"]).arg(site.path("vault"));
        assert!(render.current_dir(site.path("site")).status().unwrap().success());
        for (node, address) in ADDRESSES {
            site.give_credentials(node);
            let config: Value = serde_json::from_str(&site.read(node, "cluster-config.json")).unwrap();
            assert_eq!(config["raft_addr"], format!("{address}:2380"), "the reference has other addresses");
        }
        let names = ADDRESSES.map(|(node, address)| format!("{address} {node}.example.com {node}\n"));
        fs::write(site.path("hosts"), format!("127.0.0.1 localhost\n{}", names.concat())).unwrap();
        site
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// What systemd would give the units of `node`: LoadCredential= in profiles/first-boot.
    fn give_credentials(&self, node: &str) {
        let credentials = self.path("credentials").join(node);
        fs::create_dir_all(&credentials).unwrap();
        let public = self.path("site/nodes").join(format!("{node}.example.com"));
        let key = self.path("vault").join(format!("{node}.example.com/{node}-key.pem"));
        for (name, file) in [
            ("ca_path", public.join("ca-cert.pem")),
            ("cert_path", public.join(format!("{node}-cert.pem"))),
            ("key_path", key),
            ("cluster-config.json", public.join("cluster-config.json")),
        ] {
            fs::copy(file, credentials.join(name)).unwrap();
        }
    }

    pub(crate) fn read(&self, node: &str, name: &str) -> String {
        fs::read_to_string(self.path("credentials").join(node).join(name)).unwrap()
    }

    /// Replaces a credential of `node`.
    pub(crate) fn write(&self, node: &str, name: &str, text: &str) {
        fs::write(self.path("credentials").join(node).join(name), text).unwrap();
    }

    /// `run` with another credential `name`, or without it.
    pub(crate) fn with_credential(&self, run: &Value, name: &str, text: Option<&str>) -> Value {
        let all = self.path("credentials");
        let directory = format!("other{}", fs::read_dir(&all).unwrap().count());
        fs::create_dir(all.join(&directory)).unwrap();
        for file in fs::read_dir(all.join(run["node"].as_str().unwrap())).unwrap().map(Result::unwrap) {
            fs::copy(file.path(), all.join(&directory).join(file.file_name())).unwrap();
        }
        match text {
            Some(text) => fs::write(all.join(&directory).join(name), text).unwrap(),
            None => fs::remove_file(all.join(&directory).join(name)).unwrap(),
        }
        let mut run = run.clone();
        run["credentials"] = json!(directory);
        run
    }

    /// The service `name` of `node`, with what else the scenario says of it: services.py.
    pub(crate) fn service(&self, name: &str, node: &str, more: Value) -> Value {
        let file = |name: &str| self.path("credentials").join(node).join(name);
        let mut given = json!({
            "service": name,
            "node": node,
            "certificate": [file("cert_path"), file("key_path"), file("ca_path")],
        });
        if let (Value::Object(given), Value::Object(more)) = (&mut given, more) {
            given.extend(more);
        }
        given
    }

    /// The service `name` of each of `nodes`, healthy and empty.
    pub(crate) fn services(&self, name: &str, nodes: &[&str]) -> Vec<Value> {
        nodes.iter().map(|node| self.service(name, node, json!({}))).collect()
    }

    /// Plays `scenario`: scenario.py.
    pub(crate) fn play(&self, scenario: Value) -> Outcome {
        let mut scenario = scenario;
        scenario["addresses"] = ADDRESSES.into_iter().collect();
        let hosts = json!([self.path("hosts"), "/etc/hosts"]);
        match &mut scenario["mounts"] {
            Value::Array(mounts) => mounts.push(hosts),
            none => *none = json!([hosts]),
        }
        fs::write(self.path("scenario.json"), scenario.to_string()).unwrap();
        let mut python = unshare(&["--net", "--mount", "python3", "-B"]);
        python.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nixos/first_boot/scenario.py"));
        let output = process::run("util-linux", python.arg(self.dir.path()));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said} (Debian packages python3, iproute2, util-linux, curl, jq)");
        Outcome(serde_json::from_slice(&output.stdout).unwrap())
    }

    /// Makes the credentials of `node` those that `other`, another site, gave it, save the CA's certificate.
    pub(crate) fn swap_identity(&self, node: &str, other: &Self) {
        for name in ["cert_path", "key_path"] {
            self.write(node, name, &other.read(node, name));
        }
    }

    /// A directory of certificates as OpenSSL looks them up, with the CA of this site.
    pub(crate) fn hashed_authority(&self) -> PathBuf {
        let dir = self.path("certs");
        fs::create_dir(&dir).unwrap();
        let ca = self.path("credentials/node01/ca_path");
        let hash =
            Command::new("openssl").args(["x509", "-noout", "-hash", "-in"]).arg(&ca).output().unwrap();
        symlink(&ca, dir.join(format!("{}.0", String::from_utf8(hash.stdout).unwrap().trim()))).unwrap();
        dir
    }
}

/// Every cluster-config.json of the golden cases.
pub(crate) fn configurations() -> Vec<String> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let files = walkdir::WalkDir::new(golden).sort_by_file_name().into_iter().map(Result::unwrap);
    let configurations = files.filter(|file| file.file_name() == "cluster-config.json");
    configurations.map(|file| fs::read_to_string(file.path()).unwrap()).collect()
}

/// A run of `program` on `node`, with limits that are quick to reach.
pub(crate) fn run(program: &str, service: &str, node: &str, limits: &[&str]) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/first-boot/programs").join(program);
    let mut command = vec![json!("bash"), json!(path)];
    let arguments: &[&str] = match (program, service) {
        ("cluster-join.sh", "chainfire") => &["--service", service, "--port", "2379", "--raft-port", "2380"],
        ("cluster-join.sh", _) => &["--service", service, "--port", "2479", "--raft-port", "2480"],
        ("iam-setup.sh", _) => &["--port", "8080"],
        _ => &["--service", service, "--port", "2379", "--path", "/health"],
    };
    command.extend(arguments.iter().chain(limits).map(|word| json!(word)));
    if program == "cluster-join.sh" {
        command.extend(["--config-source", "/etc/nixos/secrets/cluster-config.json"].map(Into::into));
    }
    json!({ "node": node, "service": service, "command": command })
}

/// Time for everything that is to succeed, however busy the machine.
pub(crate) const PATIENT: [&str; 6] =
    ["--health-timeout", "120", "--join-timeout", "120", "--first-pause", "20"];
/// One try.
pub(crate) const ONCE: [&str; 4] = ["--health-timeout", "120", "--join-timeout", "0"];

/// `node` brings its Chainfire into the cluster.
pub(crate) fn join(node: &str) -> Value {
    run("cluster-join.sh", "chainfire", node, &PATIENT)
}

/// The same in one try, which must fail.
pub(crate) fn try_to_join(node: &str) -> Value {
    run("cluster-join.sh", "chainfire", node, &ONCE)
}
