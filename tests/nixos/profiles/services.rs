//! The services: what each is told, what is refused.

use serde_json::{Value, json};

use crate::profiles::kit::{SERVICES, all_services, config, error_of, evaluate, only_failure};

#[test]
fn every_service_has_a_unit_a_configuration_and_its_ports() {
    let machine = config(&all_services());
    let ports = |name: &str| -> Vec<u64> {
        let file = &machine["environment"]["etc"][format!("nixos/{name}.toml")]["source"];
        let keys = ["port", "raft_port", "gossip_port", "health_port"];
        keys.iter().filter_map(|key| file[key].as_u64()).collect()
    };
    for (name, expected) in [
        ("chainfire", &[2379, 2380, 2381][..]),
        ("fiberlb", &[9092]),
        ("flaredb", &[2479, 2480]),
        ("flashdns", &[53, 853]),
        ("iam", &[8080]),
        ("k8shost", &[10250]),
        ("plasmavmc", &[9090]),
        ("prismnet", &[9091]),
    ] {
        assert_eq!(ports(name), expected, "{name}");
        let unit = &machine["systemd"]["services"][name]["serviceConfig"];
        assert_eq!(
            unit["ExecStart"],
            format!("/nix/store/{name}/bin/{name}-server --config /etc/nixos/{name}.toml")
        );
        assert_eq!([&unit["StateDirectory"], &unit["StateDirectoryMode"]], [&json!(name), &json!("0700")]);
    }
    for name in SERVICES {
        let is_root = ["k8shost", "plasmavmc", "prismnet"].contains(&name);
        let unit = &machine["systemd"]["services"][name]["serviceConfig"];
        assert_eq!(unit["User"], if is_root { Value::Null } else { json!(name) }, "{name}");
        assert_eq!(machine["users"]["users"].get(name).is_none(), is_root, "{name}");
    }
}

#[test]
fn services_log_to_the_journal_unless_they_are_told_otherwise() {
    let logging =
        |module: &str| config(module)["environment"]["etc"]["nixos/iam.toml"]["source"]["logging"].clone();
    let runbook = json!({ "level": "info", "format": "json", "output": "journal" });
    assert_eq!(logging("{ services.iam.enable = true; }"), runbook);
    let changed = logging("{ services.iam = { enable = true; settings.logging.level = \"debug\"; }; }");
    assert_eq!(changed, json!({ "level": "debug", "format": "json", "output": "journal" }));
}

#[test]
fn a_site_loosens_one_restriction_and_keeps_the_others() {
    let machine = config(
        "{ services.iam.enable = true; systemd.services.iam.serviceConfig = { ProcSubset = \"all\"; \
         SystemCallFilter = [ \"@system-service\" ]; RestartSec = 1; }; }",
    );
    let unit = &machine["systemd"]["services"]["iam"]["serviceConfig"];
    assert_eq!([&unit["ProcSubset"], &unit["ProtectProc"]], ["all", "invisible"]);
    assert_eq!([&unit["SystemCallFilter"], &unit["RestartSec"]], [&json!(["@system-service"]), &json!(1)]);
}

/// Rule G09, for whoever uses the modules without an inventory.
#[test]
fn a_port_is_one_services() {
    let iam = "services.iam = { enable = true; port =";
    let both = |port: &str, other: &str| format!("{{ {iam} {port}; }}; {other} }}");
    let listener = "plasmagen.listeners = [ { owner = \"services.myapp.port\"; port = 7000; } ];";
    let cases = [
        (
            both("2379", "services.chainfire.enable = true;"),
            "services.chainfire.port and services.iam.port are both 2379/tcp",
        ),
        (
            both("2381", "services.chainfire.enable = true;"),
            "services.chainfire.gossipPort and services.iam.port are both 2381/tcp",
        ),
        (both("22", ""), "services.iam.port and services.openssh.ports are both 22/tcp"),
        (both("7000", listener), "services.iam.port and services.myapp.port are both 7000/tcp"),
        (both("9000", "services.iam.healthPort = 9000;"), "services.iam.healthPort and services.iam.port"),
        (
            "{ services.flashdns.enable = true; \
             plasmagen.listeners = [ { owner = \"own\"; port = 53; protocol = \"udp\"; } ]; }"
                .to_owned(),
            "own and services.flashdns.port are both 53/udp",
        ),
    ];
    let modules: Vec<_> = cases.iter().map(|(module, _)| module).collect();
    for ((module, expected), machine) in cases.iter().zip(evaluate(&modules)) {
        let message = only_failure(&machine, module);
        let mut names: Vec<_> = expected.split(" are both ").next().unwrap().split(" and ").collect();
        names.sort_unstable();
        assert!(names.iter().all(|name| message.contains(name)), "{message}");
        let place = expected.split(" are both ").nth(1).unwrap_or("9000/tcp");
        assert!(message.contains(place) && message.contains("another port"), "{message}");
    }
    // The other protocol, or a service that is not enabled.
    let fine = [
        both("2379", "services.chainfire.port = 2379;"),
        both("53", "plasmagen.listeners = [ { owner = \"own\"; port = 53; protocol = \"udp\"; } ];"),
    ];
    for machine in evaluate(&fine) {
        assert_eq!(machine["failed"], json!([]));
    }
}

/// Rule H14: what is in the store, everybody reads.
#[test]
fn no_setting_names_a_file_in_the_store() {
    let iam = |settings: &str| format!("{{ services.iam = {{ enable = true; settings = {settings}; }}; }}");
    let refused = [
        ("{ tls.key_path = ./configuration.nix; }", "settings.tls.key_path"),
        ("{ tls.key_path = \"${./configuration.nix}\"; }", "settings.tls.key_path"),
        ("{ tls.key_path = \"/nix/store/0000-node01-key.pem\"; }", "settings.tls.key_path"),
        ("{ auth.tokens = [ \"a\" ./configuration.nix ]; }", "settings.auth.tokens"),
        ("{ token_file = /etc/token; }", "settings.token_file"),
    ];
    let modules: Vec<_> = refused.iter().map(|(settings, _)| iam(settings)).collect();
    for ((settings, place), machine) in refused.iter().zip(evaluate(&modules)) {
        let message = only_failure(&machine, settings);
        assert!(message.contains(place) && message.contains("Nix store"), "{message}");
        assert!(message.contains("\"/etc/nixos/secrets/file\""), "what to write instead: {message}");
    }
    // The runbook's way with sops-nix, 10.3: a path at run time is a string.
    let fine = [
        iam("{ tls.key_path = \"/run/secrets/node01/tls-key\"; }"),
        iam("{ motd = \"see /nix/store\"; dir = \"/nix/store-of-ours\"; }"),
    ];
    for machine in evaluate(&fine) {
        assert_eq!(machine["failed"], json!([]));
    }
}

#[test]
fn values_of_the_wrong_kind_are_no_options() {
    for (module, expected) in [
        ("{ services.iam.raftPort = \"2380\"; }", "services.iam.raftPort"),
        ("{ services.iam.openFirewall = \"eth0\"; }", "services.iam.openFirewall"),
        ("{ services.iam.clusterInterfaces = [ \"a b\" ]; }", "services.iam.clusterInterfaces"),
        ("{ plasmagen.secrets.backend = \"vault\"; }", "plasmagen.secrets.backend"),
    ] {
        // An option that nothing reads is not looked at: every service is enabled.
        let error = error_of(&module.replace("{ ", "{ services.iam.enable = true; "));
        assert!(error.contains(expected) && error.contains("is not of type"), "{module}: {error}");
    }
}
