//! A name server on the loopback interface, started with what was rendered.

use std::fs;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::dns::published::names;
use crate::dns::{files, record};
use test_kit::process::spawn;
use test_kit::{plan, repository, run};

/// A running server, which ends with its test.
struct Named {
    process: Child,
    port: u16,
}

impl Drop for Named {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Named {
    /// Serves the zones in `dir`, at a port that was free.
    fn start(dir: &Path) -> Self {
        let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let site = dir.display();
        let conf = format!(
            "options {{ directory \"{site}\"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; \
             pid-file none; recursion no; notify no; dnssec-validation no; session-keyfile none; }};\n\
             controls {{ }};\ninclude \"{site}/named.conf\";\n"
        );
        let main = dir.join("main.conf");
        fs::write(&main, conf).unwrap();
        fs::write(dir.join("log"), "").unwrap();
        let log = fs::OpenOptions::new().append(true).open(dir.join("log")).unwrap();
        let mut command = Command::new("/usr/sbin/named");
        command
            .args(["-g", "-n", "1", "-c"])
            .arg(&main)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let process = spawn("bind9", &mut command);
        let mut server = Self { process, port };
        let start = Instant::now();
        while !fs::read_to_string(dir.join("log")).unwrap().lines().any(|line| line.ends_with(" running")) {
            let log = || fs::read_to_string(dir.join("log")).unwrap();
            assert!(server.process.try_wait().unwrap().is_none(), "named ended: {}", log());
            assert!(start.elapsed() < Duration::from_secs(60), "named does not start: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// What it answers to one question of `dig`.
    fn ask(&self, question: &[&str]) -> Vec<(String, String, String)> {
        let mut command = Command::new("dig");
        command.args(["@127.0.0.1", "-p", &self.port.to_string(), "+noall", "+answer", "+tries=5"]);
        let output = run("bind9-dnsutils", command.args(question));
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{said}");
        said.lines().filter(|line| !line.starts_with(';') && !line.is_empty()).map(record).collect()
    }
}

#[test]
fn a_name_server_answers_in_both_directions() {
    let plan = plan(repository());
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files(&plan) {
        fs::write(dir.path().join(name), text).unwrap();
    }
    let server = Named::start(dir.path());
    for (address, name) in names(&plan.cluster) {
        let (address, back) = (address.to_string(), server.ask(&["-x", &address.to_string()]));
        let to = server.ask(&[&name, "A"]);
        assert_eq!(to, [(name.clone(), "A".to_owned(), address)]);
        assert_eq!(back.len(), 1);
        assert_eq!((back[0].1.as_str(), &back[0].2), ("PTR", &name));
    }
    assert_eq!(server.ask(&["node99.example.com", "A"]), []);
    assert_eq!(server.ask(&["-x", "10.0.200.99"]), []);
    let soa = server.ask(&["example.com", "SOA"]);
    assert_eq!(soa[0].2, "boot.example.com. hostmaster.example.com. 1 3600 900 1209600 3600");
}
