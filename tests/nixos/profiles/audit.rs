//! The audit log: its rules, the unit that loads them, and what becomes of a line that auditctl does not take.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::{Value, json};
use test_kit::process::run;
use test_kit::repository;

use crate::profiles::kit::{config, evaluate};

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

/// The units by which NixOS loads its rules, in 24.11 and in 25.11. That of 24.11 is there without the audit log, too.
const OF_NIXOS: [&str; 2] = [
    "systemd.services.audit = { wantedBy = [ \"basic.target\" ]; path = [ pkgs.audit ]; \
     serviceConfig.ExecStart = \"@${pkgs.writeShellScript \"audit-start\" \"auditctl -R\"} audit-start\"; };",
    "systemd.services.audit-rules-nixos = lib.mkIf config.security.audit.enable { wantedBy = [ \"sysinit.target\" ]; \
     serviceConfig.ExecStart = \"${pkgs.audit}/bin/auditctl -R ${pkgs.writeText \"audit.rules\" \"\"}\"; };",
];

/// The enabled units that load audit rules.
fn loaders(machine: &Value) -> Vec<&str> {
    let services = machine["config"]["systemd"]["services"].as_object().unwrap();
    let loads = |unit: &Value| {
        let start = unit["serviceConfig"]["ExecStart"].as_str().unwrap_or_default();
        unit["enable"] == true && ["auditctl", "audit-start"].iter().any(|program| start.contains(program))
    };
    services.iter().filter(|(_, unit)| loads(unit)).map(|(name, _)| name.as_str()).collect()
}

#[test]
fn one_unit_loads_the_rules_on_every_release() {
    let module =
        |units: &str, settings: &str| format!("({{ config, lib, pkgs, ... }}: {{ {units} {settings} }})");
    let quiet = ["plasmagen.audit.enable = false;", "security.audit.enable = false;"];
    let modules = OF_NIXOS.map(|units| [module(units, ""), module(units, quiet[0]), module(units, quiet[1])]);
    let machines = evaluate(&modules.concat());
    for (at, of_nixos) in [(0, &["audit"][..]), (3, &[])] {
        assert_eq!(loaders(&machines[at]), ["plasmagen-audit"]);
        assert_eq!(loaders(&machines[at + 1]), of_nixos, "without the profiles' part");
        assert_eq!(loaders(&machines[at + 2]), of_nixos, "without the audit log");
    }
    let unit = &machines[0]["config"]["systemd"]["services"]["plasmagen-audit"];
    let after = unit["after"].as_array().unwrap();
    assert!(after.contains(&json!("systemd-tmpfiles-setup.service")), "{after:?}");
    assert_eq!(unit["wantedBy"], json!(["sysinit.target"]));
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
    let file = format!(
        "-b 8192\n-f 1\n-r 1000\n# a comment\n\n{}-F dir=/srv -a always,exit\n-e 2\n",
        rules.collect::<String>()
    );
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
    assert_eq!((all[0].as_str(), all.last().map(String::as_str)), ("-D", Some("-e 2")));
    assert!(all.iter().all(|call| call.starts_with('-')), "comments and empty lines are no calls: {all:?}");
    let rules = |calls: &[String]| calls.iter().filter(|call| call.contains("-a ")).count();
    assert!(rules(&all) > 12 && all.contains(&"--backlog_wait_time 0".to_owned()), "{all:?}");

    // Linux 6.19, by nixpkgs issue 513202.
    let (status, said, calls) = load("^(-b|-f|-r|--backlog_wait_time) ");
    assert_eq!((status, rules(&calls)), (Some(0), rules(&all)), "{said}");
    for setting in ["-b 8192", "-r 1000", "--backlog_wait_time 0"] {
        assert!(said.contains(&format!("failed for the setting '{setting}'")), "{setting}: {said}");
    }

    // A directory that is not there, a rule whose list comes last, and the lock of the rules.
    for (refused, line) in [
        ("dir=/etc/nixos/secrets", "-a always,exit -F dir=/etc/nixos/secrets"),
        ("dir=/srv", "-F dir=/srv -a always,exit"),
        ("^-e 2", "-e 2"),
    ] {
        let (status, said, calls) = load(refused);
        assert_eq!((status, calls.len()), (Some(1), all.len() - 1), "{said}");
        assert!(said.contains(&format!("lacks '{line}")), "{said}");
    }
}
