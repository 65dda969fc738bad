//! Networks as operators have them are sound: rules of addresses, links and BMCs cry no wolf.
use plasmagen::check::{Checked, check};
use plasmagen::outputs;
use plasmagen::plan::{Certificates, HostKeys, Plan, Zones};

/// What all sites have. `@` stands for what differs, and `%` for the number of a node.
const SITE: &str = r#"
schema = 1
[cluster]
name = "site"
domain = "site.example.com"
bootstrap = ["n1", "n2", "n3"]
state_version = "24.11"
admin_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL845TiWoOe2XrCMNfJUqPLN1eh7VXS0D1UnHilzay57 ops@example.com"]
[provisioner]
allow = ["PG-F21"]
network = "boot"
address = "10.0.1.10"
interface = "eth0"
[network.boot]
roles = ["provisioning"]
vlan = 100
subnet = "10.0.1.0/24"
gateway = "10.0.1.1"
pool = "10.0.1.150-10.0.1.250"
[network.mgmt]
roles = ["management"]
vlan = 10
subnet = "172.16.0.0/24"
gateway = "172.16.0.1"
[network.core]
@core
[profile.control-plane]
allow = ["PG-D12"]
services = ["chainfire", "flaredb"]
disk.single = {}
@interfaces
"#;

const NODE: &str = r#"
[node.n%]
profile = "control-plane"
mac = "3c:ec:ef:00:00:0%"
address.boot = "10.0.1.1%"
disks = ["/dev/disk/by-id/wwn-0x500%"]
serial = "S%"
@node
"#;

const CORE: &str = r#"roles = ["cluster"]
vlan = 200
subnet = "10.0.2.0/24"
gateway = "10.0.2.1"
dns = ["10.0.2.1"]"#;
const TWO: &str = "interface.eth0 = { network = \"boot\" }\ninterface.eth1 = { network = \"core\" }";
const ADDRESS: &str = "address.core = \"10.0.2.1%\"";

fn site(core: &str, interfaces: &str, node: &str) -> Checked {
    let site = SITE.replace("@core", core).replace("@interfaces", interfaces);
    let nodes = (1..=3).map(|n| NODE.replace("@node", node).replace('%', &n.to_string()));
    check((site + &nodes.collect::<String>()).as_bytes()).unwrap()
}

/// The codes of a site whose nodes have one address in `core`, beside what `more` says.
fn codes(core: &str, interfaces: &str, more: &str) -> Vec<&'static str> {
    let checked = site(core, interfaces, &format!("{ADDRESS}\n{more}"));
    checked.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

#[test]
fn sound_sites_are_said_nothing_of() {
    let bond = |mode: &str| {
        format!(
            "interface.eth0 = {{ network = \"boot\" }}\n\
             interface.bond0 = {{ network = \"core\", mtu = 9000, bond = {{ mode = \"{mode}\", members = [\"eth1\", \"eth2\"] }} }}"
        )
    };
    let bmc = r#"bmc = { address = "172.16.0.6%", user = "root", password_file = "bmc/n%" }"#;
    let operator = r#"bmc = { address = "172.16.0.6%", user = "operator" }"#;
    let vlan = |mtu: &str| {
        format!(
            "interface.eth0 = {{ network = \"boot\"{mtu} }}\n\
             interface.\"eth0.200\" = {{ network = \"core\", tagged = true{mtu} }}"
        )
    };
    let air_gapped =
        CORE.replace("gateway = \"10.0.2.1\"\n", "").replace("[\"10.0.2.1\"]", "[\"10.0.1.10\"]");
    for (what, core, interfaces, node) in [
        ("two interfaces", CORE, TWO, ""),
        ("BMCs behind a router", CORE, TWO, bmc),
        ("a BMC with another user", CORE, TWO, operator),
        ("a VLAN beside the boot network", CORE, &vlan(""), ""),
        ("jumbo frames on a VLAN and its link", CORE, &vlan(", mtu = 9000"), ""),
        ("a bond with LACP beside the boot network", CORE, &bond("802.3ad"), ""),
        ("a bond without", CORE, &bond("active-backup"), ""),
        ("resolvers of somebody else's", &CORE.replace("[\"10.0.2.1\"]", "[\"1.1.1.1\"]"), TWO, ""),
        ("no way out", &air_gapped, TWO, ""),
        ("a small subnet", &CORE.replace("0/24\"", "0/27\"\nreverse_zone = \"none\""), TWO, ""),
        ("a large subnet", &CORE.replace("10.0.2.0/24", "10.0.2.0/23"), TWO, ""),
        (
            "static IPv6 in a /112",
            &format!("{CORE}\nsubnet6 = \"fd00:2::/112\"\ngateway6 = \"fd00:2::1\""),
            TWO,
            "address6.core = \"fd00:2::1%\"",
        ),
        (
            "clients with a gateway",
            &format!(
                "{CORE}\n[network.users]\nroles = [\"client\"]\nsubnet = \"203.0.113.0/28\"\n\
                 reverse_zone = \"0-28.113.0.203.in-addr.arpa\"\ngateway = \"203.0.113.1\""
            ),
            &format!("{TWO}\ninterface.eth2 = {{ network = \"users\" }}"),
            "address.users = \"203.0.113.1%\"",
        ),
    ] {
        let found = codes(core, interfaces, node);
        assert!(found.is_empty(), "{what}: {found:?}");
    }
}

#[test]
fn the_default_route_is_that_of_the_network_with_a_gateway() {
    let core = format!("{CORE}\n[network.storage]\nroles = [\"cluster\"]\nsubnet = \"10.0.3.0/24\"");
    let interfaces = "interface.eth0 = { network = \"boot\" }\n\
                      interface.eth1 = { network = \"storage\", mtu = 9000 }\ninterface.eth2 = { network = \"core\" }";
    let node = format!("{ADDRESS}\naddress.storage = \"10.0.3.1%\"");
    let checked = site(&core, interfaces, &node);
    assert!(checked.diagnostics.is_empty(), "{:?}", checked.diagnostics);
    let node = &checked.cluster.unwrap().nodes[0];
    assert_eq!(node.gateway, Some([10, 0, 2, 1].into()));
    assert_eq!(node.resolvers, [std::net::IpAddr::from([10, 0, 2, 1])]);
}

#[test]
fn a_machine_may_boot_through_a_bond_and_name_its_members() {
    let interfaces = "interface.bond0 = { network = \"boot\", bond = { mode = \"802.3ad\", members = [\"lan0\", \"lan1\"] } }\n\
                      interface.\"bond0.200\" = { network = \"core\", tagged = true }";
    let members = "interface.lan0.mac = \"3c:ec:ef:00:00:0%\"\ninterface.lan1.mac = \"3c:ec:ef:00:01:0%\"";
    // The frame acknowledges D12, which is not found here.
    assert_eq!(codes(CORE, interfaces, members), ["PG-A13", "PG-D11"]);
}

#[test]
fn racks_may_count_their_vlans_alike() {
    let rack =
        "[network.boot2]\nroles = [\"provisioning\", \"client\"]\nvlan = 100\nsubnet = \"10.0.4.0/24\"";
    assert_eq!(codes(&format!("{CORE}\n{rack}"), TWO, ""), ["PG-D08"]);
    let known = rack.replace("vlan", "allow = [\"PG-D08\"]\nvlan");
    assert!(codes(&format!("{CORE}\n{known}"), TWO, "").is_empty());
}

/// A second cluster network without a gateway, on an interface whose name comes first: other members reach the first.
#[test]
fn raft_is_reached_in_the_network_with_the_gateway() {
    let core =
        format!("{CORE}\n[network.backup]\nroles = [\"cluster\"]\nvlan = 300\nsubnet = \"10.0.3.0/24\"");
    let interfaces = format!("{TWO}\ninterface.bak0 = {{ network = \"backup\" }}");
    let node =
        format!("{ADDRESS}\naddress.backup = \"10.0.3.1%\"\ninterface.bak0.mac = \"3c:ec:ef:00:01:0%\"");
    let checked = site(&core, &interfaces, &node);
    let cluster = checked.cluster.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
    let plan = Plan {
        cluster,
        certificates: Certificates::default(),
        host_keys: HostKeys::default(),
        zones: Zones::default(),
    };
    let files = outputs::render(&plan).unwrap();
    let configs = files.iter().filter(|file| file.path.as_str().ends_with("/cluster-config.json"));
    let addresses = configs.map(|file| {
        let config: serde_json::Value = serde_json::from_slice(&file.body).unwrap();
        config["raft_addr"].as_str().unwrap().to_owned()
    });
    assert_eq!(addresses.collect::<Vec<_>>(), ["10.0.2.11:2380", "10.0.2.12:2380", "10.0.2.13:2380"]);
}
