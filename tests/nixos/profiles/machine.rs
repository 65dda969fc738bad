//! Access, hardening, time and logs of every machine, and that a site may say otherwise.

use serde_json::{Value, json};

use crate::profiles::kit::config;

#[test]
fn root_comes_in_by_the_keys_of_the_inventory_only() {
    let machine = config("{ }");
    let ssh = &machine["services"]["openssh"];
    let settings = &ssh["settings"];
    for off in
        ["PasswordAuthentication", "KbdInteractiveAuthentication", "X11Forwarding", "AllowAgentForwarding"]
    {
        assert_eq!(settings[off], false, "{off}");
    }
    assert_eq!(settings["PermitRootLogin"], "prohibit-password");
    assert_eq!([&settings["LoginGraceTime"], &settings["LogLevel"]], [&json!(30), &json!("VERBOSE")]);
    assert_eq!([&ssh["enable"], &ssh["authorizedKeysInHomedir"]], [true, false]);
    // The key that `plasmagen secrets stage` brings, and no other.
    let path = "/etc/ssh/ssh_host_ed25519_key";
    assert_eq!(ssh["hostKeys"], json!([{ "type": "ed25519", "path": path }]));
    assert_eq!(machine["users"]["mutableUsers"], false);
    // Root has no password for it: a machine whose /boot is broken would wait there, without SSH.
    assert_eq!(machine["systemd"]["enableEmergencyMode"], false);
    assert_eq!(machine["security"]["sudo"]["execWheelOnly"], true);
    assert_eq!(machine["security"]["pam"]["services"]["su"]["requireWheel"], true);
}

#[test]
fn the_kernel_refuses_what_nobody_needs() {
    let machine = config("{ }");
    let sysctl = &machine["boot"]["kernel"]["sysctl"];
    for (key, value) in [
        ("fs.protected_hardlinks", 1),
        ("fs.protected_symlinks", 1),
        ("fs.protected_fifos", 2),
        ("fs.protected_regular", 2),
        ("fs.suid_dumpable", 0),
        ("kernel.dmesg_restrict", 1),
        ("kernel.unprivileged_bpf_disabled", 1),
        ("kernel.yama.ptrace_scope", 1),
        ("net.ipv4.conf.default.send_redirects", 0),
        ("net.ipv6.conf.all.accept_redirects", 0),
    ] {
        assert_eq!(sysctl[key], value, "{key}");
    }
    // Tenants' machines and pods live on these.
    let taken: Vec<_> = sysctl
        .as_object()
        .unwrap()
        .keys()
        .filter(|key| ["forward", "userns", "user.max_", "bpf_jit"].iter().any(|part| key.contains(part)))
        .collect();
    assert!(taken.is_empty(), "{taken:?}");
    assert_eq!(machine["systemd"]["coredump"]["extraConfig"], "ProcessSizeMax=0\nStorage=none\n");
}

#[test]
fn the_clock_is_right_before_services_start() {
    let machine = config("{ services.chainfire.enable = true; }");
    let chrony = &machine["services"]["chrony"];
    assert_eq!(chrony["enable"], true);
    assert_eq!(chrony["initstepslew"]["enabled"], false, "it steps over 1,000 seconds only");
    assert_eq!(chrony["extraConfig"], "makestep 1.0 3\n");
    let services = &machine["systemd"]["services"];
    let wait = &services["chrony-wait"];
    assert_eq!([&wait["before"], &wait["wantedBy"]], [&json!(["time-sync.target"]); 2]);
    let start = wait["serviceConfig"]["ExecStart"].as_str().unwrap();
    assert!(start.contains(" waitsync 30 "), "not for ever: {start}");
    for order in ["wants", "after"] {
        let units = services["chainfire"][order].as_array().unwrap();
        assert!(units.contains(&json!("time-sync.target")), "{order}: {units:?}");
    }
    let other = config("{ services.chrony.enable = false; }");
    assert_eq!(other["systemd"]["services"].get("chrony-wait"), None);
}

#[test]
fn logs_are_kept_for_a_week_and_no_longer() {
    let machine = config("{ services.journald.extraConfig = \"MaxRetentionSec=30day\"; }");
    let journald = &machine["services"]["journald"];
    assert_eq!(journald["storage"], "persistent");
    assert_eq!(
        journald["extraConfig"],
        "MaxFileSec=1day\nMaxRetentionSec=7day\nSystemMaxUse=2G\n\nMaxRetentionSec=30day",
        "the site's own line comes last, and so counts"
    );
    assert_eq!(machine["services"]["rsyslogd"]["defaultConfig"], "", "no second log that nobody rotates");
}

/// Releases after 24.11 have options where 24.11 has lines or nothing, and refuse the lines.
#[test]
fn a_later_nixos_is_told_in_its_own_options() {
    let any = "lib.mkOption { type = lib.types.attrsOf lib.types.anything; }";
    let machine = config(&format!(
        "({{ lib, ... }}: {{ options.security.auditd = {{ settings = {any}; plugins = {any}; }}; \
         options.services.journald.settings = {any}; options.systemd.coredump.settings = {any}; \
         options.services.chrony.makestep = {any}; \
         config.services.journald.settings.Journal.MaxRetentionSec = \"30day\"; }})"
    ));
    let auditd = &machine["security"]["auditd"];
    assert_eq!(auditd["settings"]["max_log_file_action"], "rotate");
    // The settings that NixOS 24.11 has in a file.
    for (key, value) in
        [("log_format", json!("enriched")), ("flush", json!("incremental_async")), ("freq", json!(50))]
    {
        assert_eq!(auditd["settings"][key], value, "{key}");
    }
    assert_eq!(auditd["plugins"]["syslog"]["active"], true);
    assert_eq!(machine["environment"]["etc"].get("audit/auditd.conf"), None);
    let journald = &machine["services"]["journald"];
    let journal = json!({
        "Storage": "persistent", "SystemMaxUse": "2G", "MaxRetentionSec": "30day", "MaxFileSec": "1day",
    });
    assert_eq!([&journald["settings"]["Journal"], &journald["extraConfig"]], [&journal, &json!("")]);
    let coredump = &machine["systemd"]["coredump"];
    assert_eq!(coredump["settings"]["Coredump"], json!({ "Storage": "none", "ProcessSizeMax": "0" }));
    assert_eq!(coredump["extraConfig"], "");
    // NixOS writes the line that 24.11 lacks: a second one would win, whatever the option says.
    let chrony = &machine["services"]["chrony"];
    let makestep = json!({ "enable": true, "threshold": 1, "limit": 3 });
    assert_eq!([&chrony["makestep"], &chrony["extraConfig"]], [&makestep, &json!("")]);
}

#[test]
fn a_site_says_otherwise_by_saying_it() {
    let machine = config(
        "{ services.openssh.settings.X11Forwarding = true; users.mutableUsers = true; \
         boot.kernel.sysctl.\"kernel.dmesg_restrict\" = 0; services.openssh.authorizedKeysInHomedir = true; \
         systemd.coredump.extraConfig = \"Storage=external\"; security.audit.rateLimit = 0; \
         services.chrony.extraConfig = \"makestep 0.1 -1\"; }",
    );
    assert_eq!(machine["services"]["openssh"]["settings"]["X11Forwarding"], true);
    assert_eq!(machine["services"]["openssh"]["authorizedKeysInHomedir"], true);
    assert_eq!(machine["users"]["mutableUsers"], true);
    assert_eq!(machine["boot"]["kernel"]["sysctl"]["kernel.dmesg_restrict"], 0);
    assert_eq!(machine["systemd"]["coredump"]["extraConfig"], "Storage=external");
    assert_eq!(machine["security"]["audit"]["rateLimit"], 0);
    let chrony: &Value = &machine["services"]["chrony"]["extraConfig"];
    assert!(chrony.as_str().unwrap().ends_with("makestep 0.1 -1"), "{chrony}");
}

/// A part of the profiles that a site replaces by its own is switched off as a whole.
#[test]
fn a_site_switches_off_a_part() {
    let machine = config(
        "{ services.openssh.enable = false; plasmagen.access.enable = false; plasmagen.hardening.enable = false; \
         plasmagen.audit.enable = false; }",
    );
    assert_eq!([&machine["services"]["openssh"]["enable"], &machine["users"]["mutableUsers"]], [false, true]);
    assert_eq!(machine["boot"]["kernel"]["sysctl"].get("kernel.dmesg_restrict"), None);
    assert_eq!(machine["systemd"]["coredump"]["extraConfig"], "");
    assert_eq!(
        [&machine["security"]["audit"]["enable"], &machine["security"]["auditd"]["enable"]],
        [false; 2]
    );
    assert_eq!(machine["security"]["audit"]["rules"], json!([]));
    // SSH alone, with the other settings of access.
    let machine = config("{ services.openssh.enable = false; }");
    assert_eq!(
        [&machine["services"]["openssh"]["enable"], &machine["users"]["mutableUsers"]],
        [false, false]
    );
}
