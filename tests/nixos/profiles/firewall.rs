//! What NixOS' own firewall opens for a service.

use serde_json::{Value, json};

use crate::profiles::kit::{all_services, config, evaluate};

fn opened(module: &str) -> Value {
    let mut firewall = config(module)["networking"]["firewall"].clone();
    for default in ["enable", "checkReversePath"] {
        assert_eq!(firewall.as_object_mut().unwrap().remove(default), Some(json!(true)), "{default}");
    }
    firewall
}

#[test]
fn nothing_is_open_unless_it_is_said() {
    let nothing = json!({ "allowedTCPPorts": [], "allowedUDPPorts": [], "interfaces": {} });
    assert_eq!(opened(&all_services()), nothing);
    let disabled = opened("{ services.iam = { openFirewall = true; clusterInterfaces = [ \"eth1\" ]; }; }");
    assert_eq!(disabled, nothing, "nobody listens");
}

#[test]
fn clients_reach_the_api_and_nothing_else() {
    let firewall = opened("{ services.chainfire = { enable = true; openFirewall = true; }; }");
    assert_eq!(
        firewall,
        json!({ "allowedTCPPorts": [2379], "allowedUDPPorts": [], "interfaces": {} }),
        "no port of Raft or gossip"
    );
    let firewall = opened("{ services.chainfire = { enable = true; openFirewall = [ \"eth2\" ]; }; }");
    let eth2 = json!({ "allowedTCPPorts": [2379], "allowedUDPPorts": [] });
    assert_eq!(firewall["interfaces"], json!({ "eth2": eth2 }));
    assert_eq!(firewall["allowedTCPPorts"], json!([]));
    let dns = opened("{ services.flashdns = { enable = true; openFirewall = true; }; }");
    assert_eq!([&dns["allowedTCPPorts"], &dns["allowedUDPPorts"]], [&json!([53]); 2]);
}

#[test]
fn other_nodes_reach_every_port_through_the_named_interfaces() {
    let firewall = opened(
        "{ services.chainfire = { enable = true; port = 4000; clusterInterfaces = [ \"eth1\" ]; \
         openFirewall = [ \"eth2\" ]; }; \
         services.flashdns = { enable = true; clusterInterfaces = [ \"eth1\" ]; }; }",
    );
    let interfaces = &firewall["interfaces"];
    let mut tcp: Vec<u64> =
        interfaces["eth1"]["allowedTCPPorts"].as_array().unwrap().iter().flat_map(Value::as_u64).collect();
    tcp.sort_unstable();
    assert_eq!(tcp, [53, 853, 2380, 2381, 4000]);
    assert_eq!(interfaces["eth1"]["allowedUDPPorts"], json!([53]));
    assert_eq!(interfaces["eth2"]["allowedTCPPorts"], json!([4000]));
    assert_eq!(firewall["allowedTCPPorts"], json!([]));
}

/// On a node of plasmagen it would open nothing, and look as if it did.
#[test]
fn a_firewall_that_is_off_opens_nothing_and_says_so() {
    let off = "networking.firewall.enable = false; services.iam.enable = true;";
    let all = evaluate(&[
        format!("{{ {off} services.iam.openFirewall = true; }}"),
        format!("{{ {off} services.iam.clusterInterfaces = [ \"eth1\" ]; }}"),
        format!("{{ {off} }}"),
    ]);
    for machine in &all[..2] {
        let warning = machine["warnings"][0].as_str().unwrap();
        assert!(warning.contains("services.iam") && warning.contains("firewall.nft"), "{warning}");
    }
    assert_eq!(all[2]["warnings"], json!([]));
}
