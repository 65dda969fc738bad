//! The rendered files of every golden case and of the reference, each read by what will read it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::web::kit::{Machine, pxe};
use plasmagen::model::DhcpServer;
use test_kit::{case_dirs, repository, run};

#[test]
fn nginx_accepts_its_configuration() {
    for dir in case_dirs().iter().map(AsRef::as_ref).chain([repository()]) {
        let (plan, files) = pxe(dir);
        let mut machine = Machine::new(&plan, files.path());
        machine.run("nginx -t -q -c $PWD/nginx.conf -g 'daemon on; master_process on;' >said 2>&1 || { cat said >&2; exit 1; }");
        machine.run("test ! -s said || { cat said >&2; exit 1; }");
        machine.go();
    }
}

/// The variables that a shell has after it has read `file`.
fn variables(file: &Path) -> BTreeMap<String, String> {
    let output =
        run("dash", Command::new("env").args(["-i", "sh", "-euac", ". \"$1\"; env", "sh"]).arg(file));
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let pairs = text.lines().map(|line| line.split_once('=').unwrap());
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn etc_default_says_the_facts_of_the_model() {
    for dir in case_dirs().iter().map(AsRef::as_ref).chain([repository()]) {
        let (plan, files) = pxe(dir);
        let provisioner = &plan.cluster.provisioner;
        let root = format!("{}/tftp", provisioner.web_root);
        // Both servers take one address: with several interfaces they listen at any.
        let address = match provisioner.interfaces().count() {
            1 => provisioner.home.address.to_string(),
            _ => "0.0.0.0".to_owned(),
        };
        let hpa = variables(&files.path().join("tftpd-hpa.default"));
        assert_eq!((&hpa["TFTP_DIRECTORY"], &hpa["TFTP_ADDRESS"]), (&root, &format!("{address}:69")));
        assert!(hpa["TFTP_OPTIONS"].split(' ').any(|word| word == "--secure"));
        assert!(!hpa["TFTP_OPTIONS"].contains("--create"));
        let atftpd = variables(&files.path().join("atftpd.default"));
        let words: Vec<_> = atftpd["OPTIONS"].split(' ').collect();
        assert_eq!(
            (words[..2].to_vec(), *words.last().unwrap()),
            (vec!["--bind-address", &address], root.as_str())
        );
        let health = variables(&files.path().join("pxe-health.default"));
        assert_eq!(health["ARMED"], format!("{}/armed", provisioner.web_root));
        let units = &health["UNITS"];
        let (dhcp, tftp) = match provisioner.dhcp {
            DhcpServer::Kea => ("kea-dhcp4-server", "tftpd-hpa"),
            DhcpServer::Isc => ("isc-dhcp-server", "tftpd-hpa"),
            DhcpServer::Dnsmasq => ("dnsmasq", "dnsmasq"),
        };
        let expected = format!("dhcp={dhcp}.service tftp={tftp}.service http=nginx.service");
        assert_eq!(*units, expected);
    }
}

#[test]
fn the_checker_is_one_program() {
    let (_, files) = pxe(repository());
    let program = repository().join("profiles/pxe-server/health.sh");
    assert_eq!(fs::read(files.path().join("pxe-health")).unwrap(), fs::read(&program).unwrap());
    let output = run("shellcheck", Command::new("shellcheck").arg(program));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
