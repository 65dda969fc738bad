//! The rendered `pxe-server.nix` says what the inventory says.

use std::fs;
use std::net::Ipv4Addr;

use plasmagen::model::{Cluster, DhcpServer, Role, System};
use plasmagen::outputs;
use serde_json::{Value, json};

use crate::pxe_server::kit::{rendered, replaced};
use test_kit::nix;
use test_kit::{case_dirs, plan, repository, with_two_interfaces};

#[test]
fn every_rendered_server_is_its_inventory() {
    let two = with_two_interfaces();
    let cases: Vec<_> =
        case_dirs().into_iter().chain([repository().to_owned(), two.path().to_owned()]).collect();
    let servers = tempfile::tempdir().unwrap();
    let mut clusters = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let plan = plan(case);
        let dir = servers.path().join(format!("{index:03}"));
        fs::create_dir(&dir).unwrap();
        for artifact in outputs::render(&plan).unwrap().iter() {
            // A gateway names its firewall by a path.
            if artifact.path.as_str() == "site/firewall/provisioner.nft" {
                fs::create_dir_all(servers.path().join("firewall")).unwrap();
                fs::write(servers.path().join("firewall/provisioner.nft"), &artifact.body).unwrap();
            }
            if let Some(name) = artifact.path.as_str().strip_prefix("site/pxe/") {
                fs::write(dir.join(name), &artifact.body).unwrap();
            }
        }
        clusters.push(plan.cluster);
    }
    let all = nix::try_evaluate_servers(servers.path()).unwrap();
    let all: Vec<&Value> = all.as_object().unwrap().values().collect();
    assert_eq!(all.len(), clusters.len());
    for (cluster, server) in clusters.iter().zip(all) {
        assert_eq!(server["failed"], json!([]), "{}", cluster.name);
        compare(cluster, &server["config"]);
    }
}

/// ISC dhcpd is gone from NixOS.
#[test]
fn isc_becomes_kea_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let inventory = fs::read_to_string(repository().join("inventory.toml")).unwrap();
    let isc = replaced(&inventory, "\ndhcp = \"kea\"", "\ndhcp = \"isc\"");
    fs::write(dir.path().join("inventory.toml"), isc).unwrap();
    let site = outputs::render(&plan(dir.path())).unwrap();
    let text = rendered(&site, "pxe-server.nix");
    assert!(text.contains("# The inventory says isc, which NixOS no longer has: kea serves"), "{text}");
    assert!(text.contains("backend = \"kea\";") && text.contains("configFile = ./kea-dhcp4.json;"), "{text}");
}

/// Whether the provisioner is the gateway of one of its networks.
fn is_gateway(cluster: &Cluster) -> bool {
    let mut interfaces = cluster.provisioner.interfaces();
    interfaces.any(|interface| cluster.networks[&interface.network].gateway == Some(interface.address))
}

/// Each interface of the provisioner is served, and open for its machines.
fn compare_interfaces(cluster: &Cluster, config: &Value) {
    let provisioner = &cluster.provisioner;
    let services = &config["services"];
    let options = &services["centra-pxe-server"];
    let others = provisioner.other_interfaces.iter();
    let others: Value = others.map(|other| (other.name.to_string(), json!(other.address))).collect();
    assert_eq!(options["otherInterfaces"], others);
    let listen = services["nginx"]["virtualHosts"]["pxe-server"]["listen"].as_array().unwrap();
    let firewall = &config["networking"]["firewall"]["interfaces"];
    for interface in provisioner.interfaces() {
        let open = &firewall[interface.name.as_str()];
        if is_gateway(cluster) {
            assert_eq!(*open, Value::Null, "the rendered ruleset has the openings");
            continue;
        }
        assert_eq!(open["allowedTCPPorts"], json!([provisioner.http_port]));
        assert!(open["allowedUDPPorts"].as_array().unwrap().starts_with(&[json!(67), json!(69)]));
    }
    let home = provisioner.home.address.to_string();
    let addresses =
        if provisioner.other_interfaces.is_empty() { vec![&*home, "127.0.0.1"] } else { vec!["0.0.0.0"] };
    assert!(listen.iter().map(|listen| listen["addr"].as_str().unwrap()).eq(addresses), "{listen:?}");
    let tftp = &services["atftpd"]["extraOptions"];
    if provisioner.dhcp != DhcpServer::Dnsmasq {
        let any = if provisioner.other_interfaces.is_empty() {
            provisioner.home.address
        } else {
            Ipv4Addr::UNSPECIFIED
        };
        assert_eq!(tftp[0], format!("--bind-address {any}"));
    }
}

/// What NixOS is told to run and the options equal the model.
fn compare(cluster: &Cluster, config: &Value) {
    let provisioner = &cluster.provisioner;
    let services = &config["services"];
    let options = &services["centra-pxe-server"];
    assert_eq!(options["interface"], provisioner.home.name.as_str());
    assert_eq!(options["serverAddress"], provisioner.home.address.to_string());
    compare_interfaces(cluster, config);
    assert_eq!(options["httpPort"], provisioner.http_port);
    assert_eq!(options["webRoot"], provisioner.web_root.as_str());
    let network = &cluster.networks[&provisioner.home.network];
    let subnet = network.subnet.unwrap();
    let dhcp = &options["dhcp"];
    assert_eq!(dhcp["subnet"], subnet.network().to_string());
    assert_eq!(dhcp["netmask"], subnet.netmask().to_string());
    assert_eq!(dhcp["broadcast"], subnet.broadcast().to_string());
    assert_eq!(dhcp["router"], json!(network.gateway));
    assert_eq!(dhcp["domain"], json!(network.domain));
    let resolvers: Vec<_> = network.dns.iter().filter(|address| address.is_ipv4()).collect();
    assert_eq!(dhcp["domainNameServers"], json!(resolvers));
    let pool = network.pool.map(|pool| json!({ "start": pool.first, "end": pool.last }));
    assert_eq!(dhcp["range"], json!(pool));

    let is_gateway = is_gateway(cluster);
    assert_eq!(options["isGateway"], is_gateway, "{}", cluster.name);
    let forwards = &config["boot"]["kernel"]["sysctl"]["net.ipv4.conf.all.forwarding"];
    assert_eq!(*forwards, if is_gateway { json!(true) } else { Value::Null });
    assert_eq!(config["networking"]["firewall"]["enable"], !is_gateway);

    let nodes = options["nodes"].as_object().unwrap();
    assert_eq!(nodes.len(), cluster.nodes.len());
    for node in &cluster.nodes {
        let address = node.reservation().and_then(|reservation| reservation.address);
        let expected = json!({
            "profile": node.image(), "hostname": node.name, "ipAddress": address, "otherMacs": node.boot_macs()[1..],
            "system": node.system, "firmware": node.firmware,
        });
        assert_eq!(nodes[&node.mac.to_string()], expected, "{}", node.name);
    }
    let arm = cluster.nodes.iter().any(|node| node.system == System::Aarch64);
    assert_eq!(options["loaders"].get("ipxe-arm64.efi").is_some(), arm, "{}", cluster.name);

    // A file is shown by its last component, and exists; NixOS wants one of `configFile` and `settings`.
    let [kea4, kea6, dnsmasq] = [&services["kea"]["dhcp4"], &services["kea"]["dhcp6"], &services["dnsmasq"]];
    let uses_dnsmasq = provisioner.dhcp == DhcpServer::Dnsmasq;
    assert_eq!([&kea4["enable"], &dnsmasq["enable"]], [!uses_dnsmasq, uses_dnsmasq]);
    let has6 =
        cluster.networks.values().any(|network| network.is(Role::Provisioning) && network.subnet6.is_some());
    assert_eq!(kea6["enable"], !uses_dnsmasq && has6);
    assert_eq!(services["atftpd"]["enable"], !uses_dnsmasq);
    if uses_dnsmasq {
        let files = dnsmasq["settings"]["conf-file"].as_array().unwrap();
        assert!(files.len() == 1 && files[0].as_str().unwrap().ends_with("-dnsmasq.conf"), "{files:?}");
        assert_eq!(dnsmasq["settings"].as_object().unwrap().len(), 1, "the file says everything");
    } else {
        assert_eq!(kea4["configFile"], "kea-dhcp4.json");
        assert_eq!(kea6["configFile"], if has6 { json!("kea-dhcp6.json") } else { Value::Null });
        assert_eq!([&kea4["settings"], &kea6["settings"]], [&Value::Null, &Value::Null]);
        assert_eq!(services["atftpd"]["root"], format!("{}/tftp", provisioner.web_root));
    }
}
