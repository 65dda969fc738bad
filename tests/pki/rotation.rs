//! TLS stacks read the two CAs of a rotation, and servers and clients that are deployed one after the other go on talking.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use plasmagen::check::check;
use plasmagen::model::Cluster;
use plasmagen::pki::Vault;
use plasmagen::pki::cluster::{IssueOrder, Renewals, Rotation, RotationStage};
use plasmagen::plan::Certificates;
use plasmagen::site::{self, Rendered, RotationStep};
use plasmagen::write::CommitOptions;
use tempfile::TempDir;
use test_kit::process::{printed, run, spawn};
use time::OffsetDateTime;

use crate::certificates::kit::INVENTORY;
use crate::support::{NOW, gnutls_verify, openssl_verify};

const NODES: [&str; 2] = ["node01", "node02"];

/// A site with its vault.
struct Site {
    dir: TempDir,
    inventory: String,
}

impl Site {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), inventory: INVENTORY.to_owned() }
    }

    fn cluster(&self) -> Cluster {
        let checked = check(self.inventory.as_bytes()).unwrap();
        checked.cluster.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
    }

    fn vault(&self) -> Vault {
        Vault::open_or_new(&self.dir.path().join("vault"), &[]).unwrap()
    }

    fn render(&self, renewals: Renewals, now: OffsetDateTime) -> anyhow::Result<Rendered> {
        let order = IssueOrder { renewals, ..IssueOrder::default() };
        let options = CommitOptions::default();
        site::render(self.dir.path(), self.cluster(), options, now, &order, |_| Ok(self.vault()))
    }

    fn rotate(&self, step: RotationStep, now: OffsetDateTime) {
        site::rotate(self.dir.path(), &self.cluster(), step, now, |_| Ok(self.vault())).unwrap();
    }

    fn certificates(&self) -> Certificates {
        Certificates::gather(self.dir.path(), &self.cluster()).unwrap()
    }

    fn stage(&self) -> RotationStage {
        Rotation::look(&self.cluster(), &self.certificates()).unwrap().stage
    }

    /// What node `name` runs with.
    fn machine(&self, name: &str) -> Machine {
        let (certificates, cluster) = (self.certificates(), self.cluster());
        let node = cluster.nodes.iter().find(|node| node.name.as_str() == name).unwrap();
        let key = self.dir.path().join(format!("vault/{}/{name}-key.pem", node.fqdn));
        Machine {
            dir: tempfile::tempdir().unwrap(),
            ca: certificates.ca.unwrap(),
            leaf: certificates.nodes[&node.name].clone(),
            key: fs::read_to_string(key).unwrap(),
        }
    }
}

/// The files that a machine has been deployed with.
struct Machine {
    dir: TempDir,
    ca: String,
    leaf: String,
    key: String,
}

impl Machine {
    /// The arguments for CA, certificate and key, after the words that a program has for them.
    fn files(&self, words: [&str; 3]) -> Vec<String> {
        let texts = [&self.ca, &self.leaf, &self.key];
        let write = |(word, text): (&str, &String)| {
            let path: PathBuf = self.dir.path().join(word.trim_start_matches('-'));
            fs::write(&path, text).unwrap();
            [word.to_owned(), path.to_str().unwrap().to_owned()]
        };
        words.into_iter().zip(texts).flat_map(write).collect()
    }

    /// Starts a TLS server that asks for a client's certificate; returns the port.
    fn serve(&self) -> (Child, u16) {
        let mut server = Command::new("openssl");
        server.args(["s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-tls1_2"]);
        server.args(["-Verify", "1", "-verify_return_error"]).args(self.files(["-CAfile", "-cert", "-key"]));
        // At the end of its input, s_server ends the connection.
        server.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = spawn("openssl", &mut server);
        let lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let port =
            lines.map(Result::unwrap).find_map(|line| line.strip_prefix("ACCEPT 127.0.0.1:")?.parse().ok());
        (server, port.unwrap_or_else(|| panic!("s_server does not say where it listens")))
    }

    /// Whether `client` can talk to this machine, each with its certificate: by OpenSSL and by GnuTLS.
    fn talks_to(&self, client: &Self) -> bool {
        let (mut server, port) = self.serve();
        let mut openssl = Command::new("openssl");
        openssl.args(["s_client", "-tls1_2", "-verify_return_error", "-verify_ip", "127.0.0.1"]);
        openssl.args(["-connect", &format!("127.0.0.1:{port}")]).stdin(Stdio::null());
        let by_openssl = run("openssl", openssl.args(client.files(["-CAfile", "-cert", "-key"])));
        server.wait().unwrap();

        let (mut server, port) = self.serve();
        let mut gnutls = Command::new("gnutls-cli");
        gnutls.args(["--priority", "NORMAL:-VERS-TLS1.3", "--verify-hostname", "localhost", "--port"]);
        gnutls.args([&port.to_string(), "127.0.0.1"]).stdin(Stdio::null());
        let words = ["--x509cafile", "--x509certfile", "--x509keyfile"];
        let by_gnutls = run("gnutls-bin", gnutls.args(client.files(words)));
        server.wait().unwrap();
        let (openssl, gnutls) = (by_openssl.status.success(), by_gnutls.status.success());
        assert_eq!(openssl, gnutls, "{}\n{}", printed(&by_openssl), printed(&by_gnutls));
        openssl
    }
}

#[test]
fn machines_of_neighbouring_steps_talk_to_each_other() {
    let (site, now) = (Site::new(), OffsetDateTime::now_utc());
    site.render(Renewals::None, now).unwrap();
    let mut steps = vec![NODES.map(|name| site.machine(name))];
    let mut record = || steps.push(NODES.map(|name| site.machine(name)));
    site.rotate(RotationStep::Begin, now);
    record();
    site.render(Renewals::NewCa, now).unwrap();
    record();
    site.rotate(RotationStep::Finish, now);
    record();
    for [one, two] in &steps {
        gnutls_verify(&one.ca, &one.leaf, &["--verify-hostname", "node01.lab.example.com"]).unwrap();
        assert!(one.talks_to(two));
    }
    for pair in steps.windows(2) {
        let ([one, _], [_, two]) = (&pair[0], &pair[1]);
        assert!(one.talks_to(two) && two.talks_to(one));
    }
    // Who skips a step is cut off: that is why all nodes are deployed between two steps.
    for pair in steps.windows(3) {
        let ([one, _], [_, two]) = (&pair[0], &pair[2]);
        assert!(!one.talks_to(two) && !two.talks_to(one));
    }
}

/// A rotation with another domain: the machines keep their old names until the new CA signs.
#[test]
fn another_domain_needs_another_ca() {
    let mut site = Site::new();
    site.render(Renewals::None, NOW).unwrap();
    let old_leaf = site.machine("node01").leaf;
    site.inventory = site.inventory.replace("\"lab.example.com\"", "\"lab.example.org\"");
    let refused = |site: &Site| format!("{:#}", site.render(Renewals::None, NOW).unwrap_err());
    let first = refused(&site);
    assert!(first.contains("plasmagen certs rotate begin") && first.contains("node01"), "{first}");
    site.rotate(RotationStep::Begin, NOW);
    let path = site.dir.path().join("nodes/node01.lab.example.com/node01-cert.pem");
    assert_eq!(fs::read_to_string(path).unwrap(), old_leaf);
    // Of several refusals the first node's is told, whichever thread was first.
    for _ in 0..20 {
        let told = refused(&site);
        let is_of_first =
            told.contains("in the certificate of node01, but lab CA 2, which takes its place, may: issue");
        assert!(is_of_first, "{told}");
    }
    site.render(Renewals::NewCa, NOW).unwrap();
    site.rotate(RotationStep::Finish, NOW);
    assert_eq!(site.stage(), RotationStage::Single);
    let Machine { ca, leaf, .. } = site.machine("node01");
    openssl_verify(&ca, &leaf, 1, &["-verify_hostname", "node01.lab.example.org"]).unwrap();
}
