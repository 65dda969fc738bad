//! The audit log: its rules, the unit that loads them, and what becomes of a line that auditctl does not take.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::{Value, json};
use test_kit::process::run;
use test_kit::repository;

use crate::profiles::kit::config;

#[test]
fn what_decides_over_the_cluster_is_audited() {
    let machine = config("{ }");
    let audit = &machine["security"]["audit"];
    assert_eq!([&audit["enable"], &machine["security"]["auditd"]["enable"]], [true, true]);
    let rules: Vec<_> =
        audit["rules"].as_array().unwrap().iter().map(|rule| rule.as_str().unwrap()).collect();
    for watched in ["dir=/etc/nixos/secrets", "dir=/etc/nixos ", "path=/etc/shadow", "dir=/etc/ssh"] {
        assert!(rules.iter().any(|rule| rule.contains(watched)), "{watched}: {rules:#?}");
    }
    for call in ["clock_settime", "finit_module"] {
        for arch in ["b64", "b32"] {
            let both = |rule: &&str| rule.contains(call) && rule.contains(arch);
            assert!(rules.iter().any(both), "{call} {arch}: {rules:#?}");
        }
    }
    // These alone would fill the log: chronyd, Raft, and every program that starts.
    for flood in ["adjtimex", "/var/lib", "execve"] {
        assert!(!rules.iter().any(|rule| rule.contains(flood)), "{flood}: {rules:#?}");
    }
    // NixOS writes each rule with echo, in single quotes.
    assert!(!rules.iter().any(|rule| rule.contains('\'')), "{rules:#?}");
    assert!(rules.contains(&"--backlog_wait_time 0") && audit["rateLimit"] != 0);
    let etc = |name: &str| machine["environment"]["etc"][name]["text"].as_str().unwrap().to_owned();
    let auditd = etc("audit/auditd.conf");
    assert!(auditd.contains("max_log_file_action = rotate\n"), "{auditd}");
    let forwarded = etc("audit/plugins.d/syslog.conf");
    assert!(
        forwarded.contains("active = yes\n") && forwarded.contains("/bin/audisp-syslog\n"),
        "{forwarded}"
    );

    let quiet = config("{ security.audit.enable = false; security.auditd.enable = false; }");
    assert_eq!(quiet["environment"]["etc"].get("audit/auditd.conf"), None);
}

/// NixOS 24.11 loads its rules by one unit, later releases by another: neither runs beside this one.
#[test]
fn one_unit_loads_the_rules_on_every_release() {
    let services = |module: &str| config(module)["systemd"]["services"].clone();
    let audited = services("{ }");
    assert_eq!([&audited["audit"]["enable"], &audited["audit-rules-nixos"]["enable"]], [false; 2]);
    let unit = &audited["plasmagen-audit"];
    let after = unit["after"].as_array().unwrap();
    assert!(after.contains(&json!("systemd-tmpfiles-setup.service")), "{after:?}");
    assert_eq!(unit["wantedBy"], json!(["sysinit.target"]));
    let start = unit["serviceConfig"]["ExecStart"].as_str().unwrap();
    assert!(start.ends_with("-load.sh /nix/store/audit/bin/auditctl /nix/store/audit.rules"), "{start}");
    for quiet in ["{ plasmagen.audit.enable = false; }", "{ security.audit.enable = false; }"] {
        let services = services(quiet);
        assert_eq!([services.get("plasmagen-audit"), services.get("audit")], [None; 2], "{quiet}");
    }
}

/// Runs load.sh with `rules` and an auditctl that fails for the lines that contain a word of `refused`.
/// Returns the exit status, the output, and the calls of auditctl that succeeded.
fn load(rules: &Value, refused: &str) -> (Option<i32>, String, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let auditctl = format!(
        "#!/bin/sh\nif echo \"$*\" | grep -qE -e '{refused}'; then echo refused >&2; exit 255; fi\n\
         echo \"$*\" >>'{}'\n",
        path("calls").display()
    );
    fs::write(path("auditctl"), auditctl).unwrap();
    fs::set_permissions(path("auditctl"), fs::Permissions::from_mode(0o755)).unwrap();
    let rules = rules.as_array().unwrap().iter().map(|rule| format!("{}\n", rule.as_str().unwrap()));
    let file = format!("-b 8192\n-f 1\n-r 1000\n# a comment\n\n{}-e 1\n", rules.collect::<String>());
    fs::write(path("rules"), file).unwrap();
    let program = repository().join("profiles/audit/load.sh");
    let output = run("bash", Command::new("bash").arg(program).args([path("auditctl"), path("rules")]));
    let said = String::from_utf8(output.stdout).unwrap();
    let calls = fs::read_to_string(path("calls")).unwrap();
    (output.status.code(), said, calls.lines().map(str::to_owned).collect())
}

#[test]
fn a_line_that_is_refused_keeps_no_rule_away() {
    let machine = config("{ }");
    let load = |refused| load(&machine["security"]["audit"]["rules"], refused);
    let (status, said, all) = load("nothing");
    assert_eq!((status, said.as_str()), (Some(0), ""));
    assert_eq!((all[0].as_str(), all.last().map(String::as_str)), ("-D", Some("-e 1")));
    let rules = |calls: &[String]| calls.iter().filter(|call| call.starts_with("-a ")).count();
    assert!(rules(&all) > 12 && all.contains(&"--backlog_wait_time 0".to_owned()), "{all:?}");

    // Linux 6.19, by nixpkgs issue 513202.
    let (status, said, calls) = load("^(-b|-f|-r|-e|--backlog_wait_time) ");
    assert_eq!((status, rules(&calls)), (Some(0), rules(&all)), "{said}");
    for setting in ["-b 8192", "-r 1000", "--backlog_wait_time 0", "-e 1"] {
        assert!(said.contains(&format!("without the setting '{setting}'")), "{setting}: {said}");
    }

    // A directory that is not there.
    let (status, said, calls) = load("dir=/etc/nixos/secrets");
    assert_eq!((status, calls.len()), (Some(1), all.len() - 1), "{said}");
    assert!(said.contains("lacks the rule '-a always,exit -F dir=/etc/nixos/secrets"), "{said}");
}
