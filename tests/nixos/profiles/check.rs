//! `profiles/secrets/check.sh`, which looks at a service's keys before it starts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use test_kit::run;

struct Node {
    dir: TempDir,
}

impl Node {
    /// A node with a key, its certificate, and a list that two services share.
    fn new() -> Self {
        let node = Self { dir: tempfile::tempdir().unwrap() };
        node.issue("node01");
        let line = |service: &str, setting: &str, file: &str| {
            format!("{service}\t{setting}\t{}\n", node.path(file).display())
        };
        let files = [("cert_path", "node01-cert.pem"), ("key_path", "node01-key.pem")];
        let mut list =
            "# plasmagen secrets stage node01 --to DIR\n# and here: systemctl start iam\n".to_owned();
        for service in ["chainfire", "iam"] {
            list.extend(files.iter().map(|(setting, file)| line(service, setting, file)));
        }
        fs::write(node.path("list"), list).unwrap();
        node
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn issue(&self, name: &str) {
        let [key, certificate] = ["key", "cert"].map(|kind| self.path(&format!("{name}-{kind}.pem")));
        let mut command = Command::new("openssl");
        command
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
            .args(["-subj", "/CN=node01", "-days", "1"])
            .args([Path::new("-keyout"), &key, Path::new("-out"), &certificate]);
        let output = run("openssl", &mut command);
        assert!(output.status.success(), "{output:?}");
    }

    /// Whether all is well for iam, and what is said.
    fn check(&self) -> (bool, String) {
        self.check_for("iam")
    }

    fn check_for(&self, service: &str) -> (bool, String) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/secrets/check.sh");
        let output = Command::new("bash")
            .arg(script)
            .arg("openssl")
            .arg(self.path("list"))
            .arg(service)
            .output()
            .unwrap();
        assert!(output.stdout.is_empty(), "{output:?}");
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    }

    fn refused(&self, expected: &str) -> String {
        let (fits, text) = self.check();
        assert!(!fits && text.contains(expected), "{expected}: {text}");
        assert!(text.contains("<3>plasmagen secrets stage node01 --to DIR\n"), "what to do: {text}");
        assert!(text.ends_with("<3>and here: systemctl start iam\n"), "{text}");
        assert!(!text.contains("PRIVATE KEY"), "{text}");
        text
    }
}

#[test]
fn a_node_with_its_files_is_silent() {
    assert_eq!(Node::new().check(), (true, String::new()));
}

#[test]
fn a_missing_key_is_named_once_with_its_services() {
    let node = Node::new();
    fs::remove_file(node.path("node01-key.pem")).unwrap();
    let text = node.refused("node01-key.pem is missing; it is for chainfire iam\n");
    assert_eq!(text.matches("is missing").count(), 1, "{text}");
}

/// A key of the site's own program is no reason to keep a voter down.
#[test]
fn a_file_of_another_service_is_not_asked_for() {
    let node = Node::new();
    let list = fs::read_to_string(node.path("list")).unwrap();
    let line = format!("myapp\tkey_path\t{}\n", node.path("myapp-key.pem").display());
    fs::write(node.path("list"), list + &line).unwrap();
    assert_eq!(node.check_for("chainfire"), (true, String::new()));
    let (fits, text) = node.check_for("myapp");
    assert!(!fits && text.contains("myapp-key.pem is missing; it is for myapp\n"), "{text}");
}

#[test]
fn every_fault_is_told() {
    let node = Node::new();
    fs::write(node.path("node01-key.pem"), "").unwrap();
    fs::remove_file(node.path("node01-cert.pem")).unwrap();
    fs::create_dir(node.path("node01-cert.pem")).unwrap();
    let text = node.refused("node01-key.pem is empty");
    assert!(text.contains("node01-cert.pem is no file that root can read"), "{text}");
}

#[test]
fn a_key_of_another_node_is_told() {
    let node = Node::new();
    node.issue("other");
    fs::copy(node.path("other-key.pem"), node.path("node01-key.pem")).unwrap();
    let text = node.refused("is not the key of");
    assert_eq!(text.matches("is not the key of").count(), 1, "the services share them: {text}");
}

#[test]
fn what_is_no_key_and_no_certificate_is_told() {
    let node = Node::new();
    let [key, certificate] = ["node01-key.pem", "node01-cert.pem"].map(|file| node.path(file));
    let good = fs::read(&certificate).unwrap();
    fs::write(&certificate, "none").unwrap();
    node.refused("node01-cert.pem is no certificate");
    fs::write(&certificate, good).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&key, "none").unwrap();
    node.refused("node01-key.pem is no private key");
}
