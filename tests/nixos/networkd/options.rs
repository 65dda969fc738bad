//! The options of the network, and that a site overrides them.

use serde_json::{Value, json};
use test_kit::nix;
use test_kit::repository;

use super::golden;
use crate::profiles::kit::{config, evaluate};

fn network<'a>(machine: &'a Value, device: &str) -> &'a Value {
    &machine["systemd"]["network"]["networks"][format!("40-{device}")]
}

#[test]
fn nodes_run_networkd_and_take_no_address_from_anybody() {
    let reference = nix::evaluate(&repository().join("nodes"));
    let bonded = golden();
    for node in reference.as_object().unwrap().values().chain(bonded.as_object().unwrap().values()) {
        let networking = &node["networking"];
        assert_eq!([&networking["useNetworkd"], &networking["useDHCP"]], [true, false]);
        assert_eq!(node["boot"]["kernel"]["sysctl"]["net.ipv6.conf.*.accept_ra"], 0);
        for (device, interface) in networking["interfaces"].as_object().unwrap() {
            assert_eq!(network(node, device)["networkConfig"]["IPv6AcceptRA"], false, "{device}");
            assert_ne!(interface["useDHCP"], true, "{device}");
        }
    }
}

/// networkd has no route without a link, and NixOS refuses one.
#[test]
fn each_gateway_names_its_link() {
    let all = golden();
    let networking = &all["r1n1.racks.example.com"]["networking"];
    for (option, address) in [("defaultGateway", "10.9.0.1"), ("defaultGateway6", "2001:db8:9::1")] {
        let gateway = json!({ "address": address, "interface": "bond0.200", "metric": null });
        assert_eq!(networking[option], gateway);
    }
    let refused = evaluate(&["{ networking.defaultGateway = \"10.0.0.1\"; }"]).remove(0);
    assert!(refused["failed"].to_string().contains("interface is not optional"), "{refused}");
}

#[test]
fn the_link_to_the_gateway_is_waited_for_and_no_other() {
    let all = golden();
    let required =
        |node: &Value, device: &str| network(node, device)["linkConfig"]["RequiredForOnline"].clone();
    let [tagged, untagged] = [&all["r1n1.racks.example.com"], &all["r2n1.racks.example.com"]];
    for device in ["eth0", "lan1", "lan2", "bond0", "bond0.300"] {
        assert_eq!(required(tagged, device), false, "{device}");
    }
    assert_eq!([required(tagged, "bond0.200"), required(untagged, "bond0")], [true, true]);
    let wait = &tagged["systemd"]["network"]["wait-online"];
    assert_eq!([&wait["anyInterface"], &wait["timeout"]], [&json!(true), &json!(30)]);
    // Without a gateway, any link will do.
    let island = config("{ networking.interfaces.eth0 = { }; }");
    assert_eq!(required(&island, "eth0"), true);
}

#[test]
fn a_site_may_keep_the_scripts_of_nixos() {
    let scripted = config("{ networking.useNetworkd = false; networking.defaultGateway = \"10.0.0.1\"; }");
    assert_eq!(scripted["systemd"]["network"]["networks"], json!({}));
    assert_eq!(scripted["boot"]["kernel"]["sysctl"]["net.ipv6.conf.*.accept_ra"], 0);
    assert_eq!(scripted["networking"]["useDHCP"], false);
}

#[test]
fn a_site_overrides_the_network() {
    let machine = config(
        "{ networking.interfaces.eth0 = { }; services.resolved.enable = true; \
         systemd.network.networks.\"40-eth0\" = { networkConfig.IPv6AcceptRA = true; \
         linkConfig.RequiredForOnline = \"routable\"; }; systemd.network.wait-online.timeout = 5; }",
    );
    let eth0 = network(&machine, "eth0");
    assert_eq!(eth0["networkConfig"]["IPv6AcceptRA"], true);
    assert_eq!(eth0["linkConfig"]["RequiredForOnline"], "routable");
    assert_eq!(machine["systemd"]["network"]["wait-online"]["timeout"], 5);
    assert_eq!(machine["services"]["resolved"]["enable"], true);
    assert_eq!(
        config("{ }")["services"]["resolved"]["enable"],
        false,
        "NixOS' default with networkd is true"
    );
}
