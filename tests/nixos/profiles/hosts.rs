//! The names that a machine finds in /etc/hosts.

use serde_json::{Value, json};

use crate::profiles::kit::config;

fn hosts(module: &str) -> Value {
    config(module)["networking"]["hosts"].clone()
}

#[test]
fn a_name_with_an_address_of_the_network_has_no_loopback_address() {
    let names = json!(["node01.example.com", "node01"]);
    let nobody = json!([]);
    let node = hosts("{ networking.hosts.\"10.0.0.1\" = [ \"node01.example.com\" \"node01\" ]; }");
    assert_eq!(node, json!({ "10.0.0.1": names, "127.0.0.2": nobody, "::1": nobody }));

    // NixOS' lines: without them the name would have no address at all.
    let alone = hosts("{ networking.hosts.\"10.0.0.2\" = [ \"node02.example.com\" \"node02\" ]; }");
    assert_eq!([&alone["127.0.0.2"], &alone["::1"]], [&names; 2]);
}

#[test]
fn other_names_of_loopback_addresses_stay() {
    let node = hosts(
        "{ networking.hosts = { \"10.0.0.1\" = [ \"node01.example.com\" ]; \"::1\" = [ \"api.local\" ]; \
         \"127.0.0.1\" = [ \"api.local\" ]; }; }",
    );
    assert_eq!([&node["::1"], &node["127.0.0.1"]], [&json!(["api.local"]); 2]);
}
