//! What the module makes of its options, and what it refuses.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};
use test_kit::repository;

use crate::pxe_server::kit::{RUNBOOK, evaluate, try_evaluate, with};

/// Further interfaces that are the first one, by name and by address.
const OF_THE_FIRST: &str = "enable = true; dhcp.configFile = \"/a\"; otherInterfaces.eth0 = \"10.0.9.10\";";
const WITH_ITS_ADDRESS: &str =
    "enable = true; dhcp.configFile = \"/a\"; otherInterfaces.eth1 = \"10.0.100.10\";";

#[test]
fn bad_options_are_refused() {
    let host = "which is no host of 10.0.100.0/255.255.255.0";
    let cases = [
        ("subnet = \"10.0.100.0\";", "", "Set services.centra-pxe-server.dhcp.subnet and netmask, or"),
        ("subnet = \"10.0.100.0\"", "subnet = \"10.0.100.1\"", "is no subnet"),
        ("netmask = \"255.255.255.0\"", "netmask = \"255.0.255.0\"", "is no subnet"),
        ("netmask = \"255.255.255.0\"", "netmask = \"0.0.0.0\"", "is no subnet"),
        ("broadcast = \"10.0.100.255\"", "broadcast = \"10.0.100.127\"", "not the last address"),
        ("serverAddress = \"10.0.100.10\"", "serverAddress = \"10.0.101.10\"", host),
        ("serverAddress = \"10.0.100.10\"", "serverAddress = \"10.0.100.0\"", host),
        ("serverAddress = \"10.0.100.10\"", "serverAddress = \"10.0.100.255\"", host),
        ("serverAddress = \"10.0.100.10\"", "serverAddress = \"10.0.100.150\"", "leased to another machine"),
        ("enable = true;", "enable = true; otherInterfaces.eth1 = \"10.0.9.10\";", "describe one network"),
        ("enable = true;", OF_THE_FIRST, "other than eth0"),
        ("enable = true;", WITH_ITS_ADDRESS, "has the address 10.0.100.10 twice"),
        ("router = \"10.0.100.1\"", "router = \"10.0.99.1\"", host),
        ("end = \"10.0.100.200\"", "end = \"10.0.100.255\"", host),
        ("end = \"10.0.100.200\"", "end = \"10.0.100.99\"", "ends before it starts"),
        ("ipAddress = \"10.0.100.51\"", "ipAddress = \"10.0.200.51\"", host),
        ("ipAddress = \"10.0.100.51\"", "ipAddress = \"10.0.100.100\"", "machine could have it already"),
        ("ipAddress = \"10.0.100.51\"", "ipAddress = \"10.0.100.200\"", "machine could have it already"),
        ("ipAddress = \"10.0.100.51\"", "ipAddress = \"10.0.100.10\"", "machine could have it already"),
        ("ipAddress = \"10.0.100.51\"", "ipAddress = \"10.0.100.50\"", "the address 10.0.100.50;"),
        ("hostname = \"node02\"", "hostname = \"NODE01\"", "the host name node01;"),
        (
            "hostname = \"node02\"",
            "otherMacs = [ \"52:54:00:12:34:56\" ]; hostname = \"node02\"",
            "the MAC address 52:54:00:12:34:56;",
        ),
        (
            "hostname = \"node02\"",
            "otherMacs = [ \"52:54:00:12:34:6A\" ]; hostname = \"node02\"",
            "not how a MAC address is compared",
        ),
        ("52:54:00:12:34:57", "52:54:00:12:34:5A", "not how a MAC address is compared"),
        ("52:54:00:12:34:57", "52-54-00-12-34-57", "not how a MAC address is compared"),
        ("52:54:00:12:34:57", "52:54:00:12:34", "not how a MAC address is compared"),
        ("enable = true;", "enable = true; loaders.\"a/b\" = \"/a\";", "files in the TFTP root"),
        ("enable = true;", "enable = true; isGateway = true;", "NixOS' own firewall forwards packets"),
        (
            "subnet = \"10.0.100.0\"",
            "backend = \"dnsmasq\"; configFile6 = \"/a\"; subnet = \"10.0.100.0\"",
            "is not for dnsmasq, which has both families",
        ),
    ];
    let servers: Vec<String> = cases.iter().map(|(original, changed, _)| with(original, changed)).collect();
    for ((_, changed, expected), server) in cases.iter().zip(evaluate(&servers)) {
        let failed: Vec<&str> =
            server["failed"].as_array().unwrap().iter().map(|message| message.as_str().unwrap()).collect();
        assert_eq!(failed.len(), 1, "{changed}: {failed:#?}");
        assert!(failed[0].contains(expected), "{changed}: {failed:#?}");
    }
    assert_eq!(evaluate(&[RUNBOOK])[0]["failed"], json!([]));
    let far = [with("router = \"10.0.100.1\"", "configFile = \"/etc/own.json\"; router = \"10.0.99.1\"")];
    assert_eq!(evaluate(&far)[0]["failed"], json!([]), "the file knows its networks better");
}

#[test]
fn bad_values_are_no_options_type() {
    for (original, changed, option) in [
        ("serverAddress = \"10.0.100.10\"", "serverAddress = \"10.0.100.010\"", "serverAddress"),
        ("serverAddress = \"10.0.100.10\"", "serverAddress = \"10.0.100.256\"", "serverAddress"),
        ("interface = \"eth0\"", "interface = \"eth0; id\"", "interface"),
        ("interface = \"eth0\";", "interface = \"eth0\"; webRoot = \"/srv/a b\";", "webRoot"),
        ("interface = \"eth0\";", "interface = \"eth0\"; httpPort = 80800;", "httpPort"),
        ("interface = \"eth0\";", "interface = \"eth0\"; dhcp.backend = \"isc\";", "dhcp.backend"),
        ("hostname = \"node02\"", "hostname = \"node02,ignore\"", "hostname"),
        ("hostname = \"node02\"", "hostname = \"\"", "hostname"),
    ] {
        let error = try_evaluate(&[with(original, changed)]).unwrap_err();
        assert!(error.contains(option) && error.contains("is not of type"), "{changed}: {error}");
    }
    for (original, changed, expected) in [
        ("interface = \"eth0\";", "", "`services.centra-pxe-server.interface' is used but not defined"),
        ("router =", "gateway =", "`services.centra-pxe-server.dhcp.gateway' does not exist"),
    ] {
        let error = try_evaluate(&[with(original, changed)]).unwrap_err();
        assert!(error.contains(expected), "{changed}: {error}");
    }
}

/// Without `enable` nothing is there.
#[test]
fn the_module_is_silent_until_it_is_enabled() {
    let server = &evaluate(&[with("enable = true;", "")])[0]["config"];
    assert_eq!(server["services"]["kea"]["dhcp4"]["enable"], false);
    assert_eq!([&server["systemd"]["services"], &server["environment"]["etc"]], [&json!({}), &json!({})]);
}

#[test]
fn the_tftp_root_links_to_loaders_and_leaves_files_alone() {
    let arm = with("enable = true;", "enable = true; systems = [ \"x86_64-linux\" \"aarch64-linux\" ];");
    let other_loader = with("enable = true;", "enable = true; loaders.\"ipxe.efi\" = \"/etc/own.efi\";");
    let root = "/var/lib/pxe-boot";
    for (server, loaders) in [
        (
            RUNBOOK,
            json!({ "undionly.kpxe": "/nix/store/ipxe/undionly.kpxe", "ipxe.efi": "/nix/store/ipxe/ipxe.efi" }),
        ),
        (
            &other_loader,
            json!({ "undionly.kpxe": "/nix/store/ipxe/undionly.kpxe", "ipxe.efi": "/etc/own.efi" }),
        ),
        (
            &arm,
            json!({ "undionly.kpxe": "/nix/store/ipxe/undionly.kpxe", "ipxe.efi": "/nix/store/ipxe/ipxe.efi",
                "ipxe-arm64.efi": "/nix/store/ipxe-aarch64/ipxe.efi" }),
        ),
    ] {
        let config = &evaluate(&[server])[0]["config"];
        let tmpfiles = &config["systemd"]["tmpfiles"]["settings"]["pxe-server"];
        for (name, source) in loaders.as_object().unwrap() {
            let link = &tmpfiles[format!("{root}/tftp/{name}")];
            assert_eq!(link["L"]["argument"], format!("/etc/plasmagen/loaders/{name}"));
            assert_eq!(link.as_object().unwrap().len(), 1, "L+ would remove what publish has put there");
            assert_eq!(config["environment"]["etc"][format!("plasmagen/loaders/{name}")]["source"], *source);
        }
        let directories = ["", "/tftp", "/armed", "/nixos", "/nixos/control-plane"];
        for directory in directories {
            let rule = &tmpfiles[format!("{root}{directory}")]["d"];
            assert_eq!([&rule["mode"], &rule["user"]], [":0755", ":root"], "{directory}");
        }
        let expected = loaders.as_object().unwrap().len() + directories.len();
        assert_eq!(tmpfiles.as_object().unwrap().len(), expected);
    }
}

#[test]
fn the_firewall_is_nixos_own_or_the_rendered_one() {
    let file = with("enable = true;", "enable = true; firewallFile = \"/etc/provisioner.nft\";");
    let shut = with("enable = true;", "enable = true; openFirewall = false;");
    let all = evaluate(&[RUNBOOK, &file, &shut]);
    let networking = |index: usize| &all[index]["config"]["networking"];
    // Nothing through every interface.
    let firewall = |enable: bool, interfaces: Value| json!({ "enable": enable, "interfaces": interfaces, "allowedTCPPorts": [], "allowedUDPPorts": [], "checkReversePath": true });
    let open = json!({ "eth0": { "allowedTCPPorts": [8080], "allowedUDPPorts": [67, 69] } });
    assert_eq!(networking(0)["firewall"], firewall(true, open));
    assert_eq!(networking(1)["firewall"], firewall(false, json!({})));
    assert_eq!(networking(1)["nftables"]["rulesetFile"], "/etc/provisioner.nft");
    assert_eq!(networking(1)["nftables"]["flushRuleset"], false);
    assert_eq!(networking(2)["firewall"], firewall(true, json!({})));
}

/// A machine asks for an address in another network, and the answer takes another way.
#[test]
fn nixos_lets_in_what_is_answered_through_another_interface() {
    let of = |more: &str| {
        let enabled =
            format!("enable = true; dhcp.configFile = \"/a\"; otherInterfaces.eth1 = \"10.0.9.10\"; {more}");
        with("enable = true;", &enabled)
    };
    let shut = of("openFirewall = false;");
    let file = of("firewallFile = \"/etc/provisioner.nft\";");
    let all = evaluate(&[&of(""), &shut, &file]);
    let check = |index: usize| &all[index]["config"]["networking"]["firewall"]["checkReversePath"];
    assert_eq!((check(0), check(1), check(2)), (&json!("loose"), &json!("loose"), &json!(true)));
}

#[test]
fn a_timer_asks_what_the_servers_are() {
    let dnsmasq = with("dhcp = {", "dhcp = { backend = \"dnsmasq\";");
    for (server, units) in [
        (RUNBOOK, "dhcp=kea-dhcp4-server.service tftp=atftpd.service http=nginx.service"),
        (&dnsmasq, "dhcp=dnsmasq.service tftp=dnsmasq.service http=nginx.service"),
    ] {
        let systemd = &evaluate(&[server])[0]["config"]["systemd"];
        let service = &systemd["services"]["pxe-health"]["serviceConfig"];
        let command = service["ExecStart"].as_str().unwrap();
        let armed = "/var/lib/pxe-boot/armed";
        let expected = format!("health.sh --state /run/pxe-health --armed {armed} {units}");
        assert!(command.ends_with(&expected), "{command}");
        // It removes files there, also those of another user, and nowhere else; flock is not in every path.
        assert_eq!(service["ReadWritePaths"], json!([format!("-{armed}")]));
        assert_eq!(
            [&service["ProtectSystem"], &service["CapabilityBoundingSet"]],
            [&json!("strict"), &json!("CAP_DAC_OVERRIDE")]
        );
        assert_eq!(read_rendered_unit(), list_settings(service));
        let path = systemd["services"]["pxe-health"]["path"].as_array().unwrap();
        assert!(path.iter().any(|package| package.as_str().unwrap().contains("util-linux")), "{path:?}");
        assert_eq!(
            [&service["RuntimeDirectory"], &service["RuntimeDirectoryPreserve"]],
            [&json!("pxe-health"), &json!(true)]
        );
        assert_eq!(systemd["timers"]["pxe-health"]["wantedBy"], json!(["timers.target"]));
        // An address that is missing for long does not keep nginx from starting once it is there.
        assert_eq!(systemd["services"]["nginx"]["startLimitIntervalSec"], 0);
        for unit in ["nginx", if server == RUNBOOK { "atftpd" } else { "dnsmasq" }] {
            assert_eq!(systemd["services"][unit]["after"], json!(["network-online.target"]), "{unit}");
        }
    }
}

/// The settings of a service that NixOS makes, but the program, in the words of a unit file.
fn list_settings(service: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::Bool(true) => "yes".to_owned(),
        Value::Array(values) => {
            values.iter().map(|value| value.as_str().unwrap()).collect::<Vec<_>>().join(" ")
        }
        value => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
    };
    let settings = service.as_object().unwrap().iter().filter(|(key, _)| *key != "ExecStart");
    settings.map(|(key, value)| (key.clone(), text(value))).collect()
}

/// The settings of the rendered service for Debian, but the program.
fn read_rendered_unit() -> BTreeMap<String, String> {
    let unit = fs::read_to_string(repository().join("site/pxe/pxe-health.service")).unwrap();
    let (_, service) = unit.split_once("[Service]\n").unwrap();
    let settings = service.lines().filter_map(|line| line.split_once('='));
    let settings = settings.filter(|(key, _)| !["ExecStart", "EnvironmentFile"].contains(key));
    settings.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}
