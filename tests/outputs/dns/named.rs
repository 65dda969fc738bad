//! A name server on the loopback interface, started with what was rendered.

use std::fs;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use plasmagen::check::check;
use plasmagen::plan::{Certificates, HostKeys, Plan, Zones};

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
    /// Serves the zones in `dir`, at a port that was free, and no other names.
    fn start(dir: &Path) -> Self {
        Self::start_with(dir, "recursion no;")
    }

    /// Serves the zones in `dir`, at a port that was free, with further `options`.
    fn start_with(dir: &Path, options: &str) -> Self {
        let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let site = dir.display();
        let conf = format!(
            "options {{ directory \"{site}\"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; \
             pid-file none; {options} notify no; dnssec-validation no; session-keyfile none; }};\n\
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

/// The company's name server: its website, a machine in the /24 of which the site has a part, and a record for both.
fn start_company(dir: &Path) -> Named {
    let head = "$TTL 60\n@ IN SOA ns.corp.example.net. ops.corp.example.net. 1 3600 900 1209600 60\n\
                @ IN NS ns.corp.example.net.\n";
    let zones = [
        ("corp.example.net", "ns A 127.0.0.1\nwww A 192.0.2.80\n"),
        ("0.4.10.in-addr.arpa", "200 PTR printer.corp.example.net.\n"),
    ];
    let mut conf = String::new();
    for (zone, records) in zones {
        fs::write(dir.join(format!("{zone}.zone")), format!("{head}{records}")).unwrap();
        conf += &format!("zone \"{zone}\" {{ type primary; file \"{zone}.zone\"; }};\n");
    }
    fs::write(dir.join("named.conf"), conf).unwrap();
    Named::start(dir)
}

/// B13 and B14: with a zone of the site, the company's names do not exist; with `zone = false` and
/// `reverse_zone = "none"`, the name server of the site finds them by asking the company's.
#[test]
fn names_of_somebody_else_are_found_unless_the_site_has_their_zone() {
    let text = fs::read_to_string(repository().join("tests/outputs/dns/inventory.toml")).unwrap();
    let keys = "zone = false\nreverse_zone = \"none\"\n";
    assert_eq!(text.matches(keys).count(), 1);
    let company_dir = tempfile::tempdir().unwrap();
    let company = start_company(company_dir.path());
    let forward = format!(
        "recursion yes; forward only; forwarders {{ 127.0.0.1 port {}; }}; empty-zones-enable no;",
        company.port
    );
    let ask = |inventory: &str, questions: [&[&str]; 3]| {
        let cluster = check(inventory.as_bytes()).unwrap().cluster.unwrap();
        let plan = Plan {
            cluster,
            certificates: Certificates::default(),
            host_keys: HostKeys::default(),
            zones: Zones::default(),
        };
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files(&plan) {
            fs::write(dir.path().join(name), text).unwrap();
        }
        let server = Named::start_with(dir.path(), &forward);
        questions.map(|question| {
            server.ask(question).into_iter().map(|(_, _, data)| data).collect::<Vec<_>>().join(" ")
        })
    };
    let (www, printer): (&[&str], &[&str]) = (&["www.corp.example.net", "A"], &["-x", "10.4.0.200"]);
    let answers = ask(&text, [www, printer, &["n1.guests.lab.example.com", "A"]]);
    assert_eq!(answers, ["192.0.2.80", "printer.corp.example.net.", "10.4.0.3"]);
    let answers = ask(&text.replace(keys, ""), [www, printer, &["n1.corp.example.net", "A"]]);
    assert_eq!(answers, ["", "", "10.4.0.3"]);
}
