//! A cluster whose BMCs are programs, in a network of its own: each BMC has the address that the inventory says.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use test_kit::process::unshare_as_root;
use test_kit::{repository, run, target};

/// The password of every BMC: no word of it stands anywhere else.
pub(crate) const PASSWORD: &str = "zaq1-XSW2-cde3";

/// A script that runs in the network of the BMCs, and the directory of the site.
pub(crate) struct Bench {
    pub(crate) dir: TempDir,
    script: String,
    runs: usize,
}

/// How a run of plasmagen ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// It ended with `code`, and said all of `words`.
    #[track_caller]
    pub(crate) fn ends(&self, code: i32, words: &[&str]) -> &Self {
        assert_eq!(self.code, code, "{self:#?}");
        for word in words {
            assert!(
                self.stdout.contains(word) || self.stderr.contains(word),
                "{word:?} is not in: {self:#?}"
            );
        }
        self
    }

    /// It said none of `words`.
    #[track_caller]
    pub(crate) fn lacks(&self, words: &[&str]) -> &Self {
        for word in words {
            assert!(!self.stdout.contains(word) && !self.stderr.contains(word), "{word:?} is in: {self:#?}");
        }
        self
    }

    /// The result as JSON: the object of the first node.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str::<Value>(&self.stdout).unwrap_or_else(|why| panic!("{why}: {self:#?}"))["nodes"]
            [0]
        .take()
    }
}

/// The answers and the state of the BMCs at the end of the script.
pub(crate) struct Played {
    dir: TempDir,
    pub(crate) runs: Vec<Run>,
}

impl Played {
    /// The lines of the BMC of `node`.
    pub(crate) fn log(&self, node: &str) -> Vec<Value> {
        let log = fs::read_to_string(self.dir.path().join(node).join("log")).unwrap_or_default();
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The starts of the machine of `node`: from where it booted, and in which mode.
    pub(crate) fn boots(&self, node: &str) -> Vec<(String, String)> {
        let starts = self.log(node).into_iter().filter(|line| line["event"] == "on");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        starts.map(|line| (text(&line["boots"]), text(&line["mode"]))).collect()
    }

    /// The requests to the BMC of `node` of that method.
    pub(crate) fn requests(&self, node: &str, method: &str) -> Vec<Value> {
        self.log(node).into_iter().filter(|line| line["method"] == method).collect()
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.dir.path().join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
    }
}

impl Bench {
    /// The reference's inventory with a vault that has the BMCs' passwords. `edit` changes the text of the inventory.
    pub(crate) fn new(edit: impl Fn(&str) -> String) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let inventory = fs::read_to_string(repository().join("inventory.toml")).unwrap();
        fs::write(dir.path().join("inventory.toml"), edit(&inventory)).unwrap();
        let vault = dir.path().join("vault/bmc");
        fs::create_dir_all(&vault).unwrap();
        for path in [dir.path().join("vault"), vault.clone()] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
        }
        let bench = Self { dir, script: String::new(), runs: 0 };
        for node in NODES {
            bench.password(node.0, &format!("{PASSWORD}\n"));
        }
        bench.certificate("idrac", &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
        bench
    }

    /// Writes the password of the BMC of `node`.
    pub(crate) fn password(&self, node: &str, text: &str) {
        let path = self.path(&format!("vault/bmc/{node}"));
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Makes the certificate `name`.pem, which is signed by its key `name`.key, as BMCs have one.
    pub(crate) fn certificate(&self, name: &str, key: &[&str]) {
        self.openssl(
            &[
                &["req", "-x509", "-nodes", "-days", "30", "-subj", "/CN=idrac"],
                key,
                &["-keyout", &format!("{name}.key"), "-out", &format!("{name}.pem")],
            ]
            .concat(),
        );
    }

    /// Runs OpenSSL in the directory of the site.
    pub(crate) fn openssl(&self, arguments: &[&str]) {
        let output = run("openssl", Command::new("openssl").args(arguments).current_dir(self.dir.path()));
        assert!(output.status.success(), "{arguments:?}: {output:#?}");
    }

    /// Adds lines to the script, which runs in bash.
    pub(crate) fn shell(&mut self, lines: &str) -> &mut Self {
        self.script += lines;
        self.script.push('\n');
        self
    }

    /// Starts the BMC of `node` with Redfish; `manners` is its environment.
    pub(crate) fn redfish(&mut self, node: &str, manners: &str) -> &mut Self {
        self.redfish_with(node, "idrac", manners)
    }

    /// As [`redfish`](Self::redfish), with the certificate `certificate`.pem.
    pub(crate) fn redfish_with(&mut self, node: &str, certificate: &str, manners: &str) -> &mut Self {
        let (address, serial) = find(node);
        let fake = repository().join("tests/bmc/fakes/redfish.py");
        let line = format!(
            "mkdir -p {node}; SERIAL={serial} env {manners} python3 {} {address} admin vault/bmc/{node} {certificate}.pem \
             {certificate}.key {node} 2>>{node}/errors & {node}=$!; wait_tcp {address} 443",
            fake.display()
        );
        self.shell(&line)
    }

    /// Records the certificate of the BMC of `node`, as an operator who has compared it does.
    pub(crate) fn trust(&mut self, node: &str) -> &mut Self {
        self.trust_certificate(node, "idrac")
    }

    fn trust_certificate(&mut self, node: &str, certificate: &str) -> &mut Self {
        let line = format!(
            "$plasmagen power trust {node} --vault vault --quiet --fingerprint \"$(openssl x509 -in {certificate}.pem -noout \
             -fingerprint -sha256 | sed 's/.*=//')\" >/dev/null"
        );
        self.shell(&line)
    }

    /// Runs `plasmagen power` with these words.
    pub(crate) fn power(&mut self, words: &str) -> &mut Self {
        self.power_in("", words, "")
    }

    /// As [`power`](Self::power), behind the command line `before` and with `after` behind it.
    pub(crate) fn power_in(&mut self, before: &str, words: &str, after: &str) -> &mut Self {
        let n = self.runs;
        self.runs += 1;
        self.shell(&format!(
            "code=0; {before} $plasmagen power {words} --vault vault </dev/null >out{n} 2>err{n} {after} || code=$?; echo $code >code{n}"
        ))
    }

    /// Runs the script to its end, which ends every program in it.
    pub(crate) fn play(self) -> Played {
        let addresses: String = NODES.iter().fold(String::new(), |mut lines, (_, address, _)| {
            let _ = writeln!(lines, "ip address add {address}/32 dev lo");
            lines
        });
        let begin = format!(
            "ip link set lo up\n{addresses}plasmagen={}\nbmc={}\n{WAITS}",
            target().join("debug/plasmagen").display(),
            target().join("bmc/bin").display()
        );
        let mut command = unshare_as_root(&["--net", "--pid", "--mount-proc", "--fork", "--kill-child"]);
        command
            .args(["bash", "-uc", &format!("set -e\n{begin}{}", self.script)])
            .current_dir(self.dir.path());
        let output = run("util-linux", &mut command);
        assert!(output.status.success(), "{output:#?}\n{}", self.script);
        let runs = (0..self.runs).map(|n| read_run(self.dir.path(), n)).collect();
        Played { dir: self.dir, runs }
    }
}

/// The nodes of the reference: the addresses of their BMCs, and their serial numbers.
const NODES: [(&str, &str, &str); 5] = [
    ("node01", "10.0.10.50", "CN7475139H0023"),
    ("node02", "10.0.10.51", "CN7475139H0024"),
    ("node03", "10.0.10.52", "CN7475139H0025"),
    ("node04", "10.0.10.54", "S329745X9B01234"),
    ("node05", "10.0.10.55", "S329745X9B01235"),
];

/// The address of the BMC of `node`, and the serial number of its machine.
pub(crate) fn find(node: &str) -> (&'static str, &'static str) {
    let (_, address, serial) = NODES.iter().find(|(name, ..)| *name == node).unwrap();
    (address, serial)
}

const WAITS: &str = r#"
wait_tcp() { for _ in $(seq 200); do if (: >"/dev/tcp/$1/$2") 2>/dev/null; then return; fi; sleep 0.05; done; return 1; }
"#;

fn read_run(dir: &Path, n: usize) -> Run {
    let read = |name: &str| fs::read_to_string(dir.join(format!("{name}{n}"))).unwrap();
    let run = Run { code: read("code").trim().parse().unwrap(), stdout: read("out"), stderr: read("err") };
    assert!(!run.stderr.contains("panicked"), "{run:#?}");
    assert!(!run.stdout.contains(PASSWORD) && !run.stderr.contains(PASSWORD), "{run:#?}");
    run
}

/// The reference as it is.
pub(crate) fn as_it_is(inventory: &str) -> String {
    inventory.to_owned()
}

/// The reference, where every BMC speaks Redfish.
pub(crate) fn all_redfish(inventory: &str) -> String {
    inventory.replace("protocol = \"ipmi\"", "protocol = \"redfish\"")
}

/// The reference, as a formed cluster.
pub(crate) fn formed(inventory: &str) -> String {
    inventory.replace("formed = false", "formed = true")
}
