//! `dhcpd.conf` read back, line by line as it is written.

use ipnet::{IpNet, Ipv4Net};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use crate::dhcp::facts::{Subnet, Subnets, boots, keep, subnets, table};
use crate::dhcp::sites::sites;

/// What stands in quotes.
fn quoted(text: &str) -> String {
    text.trim_matches('"').to_owned()
}

fn addresses(text: &str) -> Vec<IpAddr> {
    text.split(", ").map(|address| address.parse().unwrap()).collect()
}

fn read(text: &str) -> Subnets {
    let mut all = Subnets::new();
    let (mut net, mut host) = (None, (String::new(), String::new()));
    for line in text.lines() {
        let line = line.trim().trim_end_matches(['{', ';']).trim_end();
        if let Some(rest) = line.strip_prefix("subnet ") {
            let (address, mask) = rest.split_once(" netmask ").unwrap();
            let [address, mask]: [Ipv4Addr; 2] = [address.parse().unwrap(), mask.parse().unwrap()];
            let subnet = IpNet::V4(Ipv4Net::with_netmask(address, mask).unwrap());
            assert!(all.insert(subnet, Subnet::default()).is_none());
            net = Some(subnet);
        } else if let Some(name) = line.strip_prefix("host ") {
            // A node has a host for each of its NICs.
            (net, host.0) = (None, name.split('.').next().unwrap().to_owned());
        } else if let Some(mac) = line.strip_prefix("hardware ethernet ") {
            host.1 = mac.to_owned();
        } else if let Some(address) = line.strip_prefix("fixed-address ") {
            assert!(keep(&mut all, (host.1.clone(), address.parse().unwrap(), host.0.clone())), "{line}");
        } else if let Some(name) = line.strip_prefix("option host-name ") {
            assert_eq!(quoted(name), host.0);
        } else if let Some(subnet) = net.and_then(|net| all.get_mut(&net)) {
            if let Some((first, last)) = line.strip_prefix("range ").and_then(|range| range.split_once(' ')) {
                subnet.pool = Some((first.parse().unwrap(), last.parse().unwrap()));
            } else if let Some(routers) = line.strip_prefix("option routers ") {
                subnet.routers = addresses(routers);
            } else if let Some(resolvers) = line.strip_prefix("option domain-name-servers ") {
                subnet.resolvers = addresses(resolvers);
            } else if let Some(domain) = line.strip_prefix("option domain-name ") {
                subnet.domain = Some(quoted(domain));
            }
        }
    }
    all
}

#[test]
fn dhcpd_says_what_the_model_says() {
    for site in sites() {
        let text = site.file("dhcpd.conf");
        assert_eq!(read(text), subnets(&site.cluster, true), "{}", site.name);
        assert!(text.contains(&format!("\nnext-server {};\n", site.cluster.provisioner.home.address)));
        assert!(text.contains("\nauthoritative;\n") && text.contains("\nignore-client-uids true;"));
        assert!(!text.contains("shared-network"), "each network is a subnet of its own");
    }
}

/// The architectures that a condition compares the entries of option 93 with.
fn announced(condition: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let condition = condition.split(" { ").next().unwrap();
    for part in condition.split(" or ") {
        let rest =
            part.strip_prefix("substring(option architecture-type, ").unwrap_or_else(|| panic!("{part}"));
        let bytes = rest.split_once(", 2) = ").unwrap().1;
        all.push(bytes.split(' ').next().unwrap().replace(':', ""));
    }
    all.dedup();
    all
}

#[test]
fn dhcpd_has_a_boot_file_for_each_architecture() {
    for site in sites() {
        // By platform and architecture; without a platform, of unknown machines.
        let mut found = BTreeMap::<(Option<String>, String), (String, bool)>::new();
        let (mut platform, mut who, mut http) = (None, vec![], false);
        // What machines load from the address of another interface is asked of the server itself, by packets.
        let mut is_elsewhere = false;
        for line in site.file("dhcpd.conf").lines() {
            let line = line.trim();
            if let Some(rest) = line.strip_prefix("# Nodes of the platform ") {
                is_elsewhere = rest.split(',').next().unwrap().contains(" in ");
            }
            is_elsewhere |= line.ends_with("# the provisioner's address in this network");
            if is_elsewhere {
                continue;
            }
            if let Some(rest) = line.strip_prefix("# Nodes of the platform ") {
                platform = Some(rest.split(',').next().unwrap().to_owned());
            } else if line.starts_with("if option user-class = \"iPXE\" or ") {
                assert!(found.is_empty(), "iPXE is the first");
                who = vec!["ipxe".to_owned()];
            } else if line == "} else {" {
                who = vec!["other".to_owned()];
            } else if line.contains("option architecture-type, ") {
                who = announced(line.split_once(' ').unwrap().1.trim_start_matches("elsif "));
            } else if line == "option vendor-class-identifier \"HTTPClient\";" {
                http = true;
            } else if let Some(file) = line.strip_prefix("filename ") {
                let boot = (quoted(file.trim_end_matches(';')), std::mem::take(&mut http));
                for who in who.drain(..) {
                    assert!(
                        found.insert((platform.clone(), who), boot.clone()).is_none(),
                        "{line} is there twice"
                    );
                }
            }
        }
        let mut expected = boots(&site.cluster);
        assert_eq!(Some(found[&(None, "ipxe".to_owned())].clone()), expected.remove("ipxe"));
        let platforms: BTreeSet<String> = found.keys().filter_map(|(platform, _)| platform.clone()).collect();
        let boot_of = |platform: Option<&str>, architecture: &str| {
            let key = |architecture: &str| (platform.map(str::to_owned), architecture.to_owned());
            found.get(&key(architecture)).unwrap_or_else(|| &found[&key("other")]).clone()
        };
        let found = table(&Vec::from_iter(platforms), boot_of);
        assert_eq!(found, expected, "{}", site.name);
    }
}
