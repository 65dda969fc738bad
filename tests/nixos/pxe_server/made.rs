//! What the module makes from its options alone is what is rendered for other systems.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::pxe_server::kit::{cards_without_file, evaluate, reference_without_file, rendered};

#[test]
fn options_alone_make_the_rendered_kea() {
    let sites = [reference_without_file("kea"), cards_without_file("kea")];
    let servers = evaluate(&sites.each_ref().map(|(server, _)| server));
    for ((_, site), server) in sites.iter().zip(servers) {
        let made = &server["config"]["services"]["kea"]["dhcp4"];
        let mut file: Value = serde_json::from_str(rendered(site, "kea-dhcp4.json")).unwrap();
        let subnet = file["Dhcp4"]["subnet4"][0].as_object_mut().unwrap();
        // The network's name, for readers. The options do not have it.
        assert!(subnet.remove("user-context").unwrap()["network"].is_string());
        // By MAC address in Nix, by name in the file.
        let by_address = |reservation: &Value| reservation["hw-address"].to_string();
        subnet["reservations"].as_array_mut().unwrap().sort_by_key(by_address);
        let mut made_settings = made["settings"].clone();
        let made_subnet = &mut made_settings["subnet4"][0];
        made_subnet["reservations"].as_array_mut().unwrap().sort_by_key(by_address);
        assert_eq!(made_settings, file["Dhcp4"]);
        assert_eq!(made["configFile"], Value::Null);
    }
}

#[test]
fn options_alone_make_the_rendered_dnsmasq() {
    let sites = [reference_without_file("dnsmasq"), cards_without_file("dnsmasq")];
    let servers = evaluate(&sites.each_ref().map(|(server, _)| server));
    for ((_, site), server) in sites.iter().zip(servers) {
        compare_dnsmasq(&server["config"]["services"], rendered(site, "dnsmasq.conf"));
    }
}

fn compare_dnsmasq(services: &Value, file: &str) {
    assert_eq!(services["atftpd"]["enable"], false, "dnsmasq serves TFTP itself");
    // As NixOS writes them: `key` for true, `key=value` for each of a list.
    let mut made = BTreeSet::new();
    for (key, value) in services["dnsmasq"]["settings"].as_object().unwrap() {
        for value in value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice) {
            made.insert(match value {
                Value::Bool(true) => key.clone(),
                Value::String(text) => format!("{key}={text}"),
                other => format!("{key}={other}"),
            });
        }
    }
    // The file quotes words, which says the same.
    let network = if file.contains("network/boot") { "network/boot" } else { "network/provisioning" };
    let text = file.replace(network, "network/own").replace('"', "");
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert_eq!(made, lines.iter().map(|line| (*line).to_owned()).collect());
    // Of the boot files whose tags fit, the last one counts.
    let of_file: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("dhcp-boot=")).collect();
    assert_eq!(services["dnsmasq"]["settings"]["dhcp-boot"], json!(of_file));
}

/// The directives of the server with those that it inherits, and of each of its locations, as the rendered nginx.conf
/// has them.
fn nginx_blocks(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let (_, server) = text.split_once("http {\n").unwrap();
    let mut blocks = BTreeMap::new();
    let mut name = String::from("server");
    for line in server.lines().map(|line| line.split(" #").next().unwrap().trim()) {
        if let Some(location) = line.strip_prefix("location ").and_then(|line| line.strip_suffix(" {")) {
            location.clone_into(&mut name);
        } else if line == "}" {
            "server".clone_into(&mut name);
        } else if line.ends_with(';') {
            blocks.entry(name.clone()).or_insert_with(BTreeSet::new).insert(line.to_owned());
        }
    }
    blocks
}

#[test]
fn nginx_has_the_locations_of_the_rendered_file() {
    let (server, site) = reference_without_file("kea");
    let host = &evaluate(&[server])[0]["config"]["services"]["nginx"]["virtualHosts"]["pxe-server"];
    let lines = |text: &Value| {
        let lines = text.as_str().unwrap().lines().map(|line| line.trim().to_owned());
        lines.filter(|line| line.ends_with(';')).collect::<BTreeSet<_>>()
    };
    let mut made = BTreeMap::new();
    for (name, location) in host["locations"].as_object().unwrap() {
        let mut directives = lines(&location["extraConfig"]);
        for (option, directive) in
            [("alias", "alias"), ("root", "root"), ("tryFiles", "try_files"), ("return", "return")]
        {
            match &location[option] {
                Value::Null => {}
                Value::String(value) => drop(directives.insert(format!("{directive} {value};"))),
                value => drop(directives.insert(format!("{directive} {value};"))),
            }
        }
        made.insert(name.clone(), directives);
    }
    for loader in ["ipxe.efi", "undionly.kpxe"] {
        let directives = made.remove(&format!("= /boot/tftp/{loader}")).unwrap();
        assert!(
            directives.contains("disable_symlinks off;"),
            "the TFTP root has links to the store: {directives:?}"
        );
    }
    let mut file = nginx_blocks(rendered(&site, "nginx.conf"));
    let of_server = file.remove("server").unwrap();
    assert_eq!(made, file);

    let listen = host["listen"].as_array().unwrap().iter();
    let listen = listen.map(|socket| {
        let parameters = socket["extraParameters"].as_array().unwrap();
        let parameters: Vec<_> = parameters.iter().map(|word| word.as_str().unwrap()).collect();
        format!("listen {}:{} {};", socket["addr"].as_str().unwrap(), socket["port"], parameters.join(" "))
    });
    let mut directives = lines(&host["extraConfig"]);
    directives.extend(listen);
    // NixOS says these for all servers.
    let nixos = ["default_type", "log_format", "access_log", "server_tokens"];
    let missing: Vec<_> = of_server
        .difference(&directives)
        .filter(|line| !nixos.contains(&line.split(' ').next().unwrap()))
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
    // Machines ask by address.
    assert_eq!(host["default"], true);
}
