//! `dnsmasq.conf` read back, line by line as it is written.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};

use crate::dhcp::facts::{Boots, Subnet, Subnets, boots, keep, subnets};
use crate::dhcp::sites::{Site, sites};

/// The values of every line `key=…`, split at commas, without quotes. No value of ours has a comma.
fn lines<'a>(site: &'a Site, key: &str) -> Vec<Vec<&'a str>> {
    let prefix = format!("{key}=");
    let values = site.file("dnsmasq.conf").lines().filter_map(|line| line.strip_prefix(&prefix));
    values.map(|value| value.split(',').map(|field| field.trim_matches(['"', '[', ']'])).collect()).collect()
}

/// The network that each tag means, of one family.
fn ranges(site: &Site, ipv4: bool) -> (Subnets, BTreeMap<String, IpNet>) {
    let (mut all, mut tags) = (Subnets::new(), BTreeMap::new());
    for range in lines(site, "dhcp-range") {
        let [tag, first, last, length, ..] = range[..] else { panic!("{range:?}") };
        let first: IpAddr = first.parse().unwrap();
        if first.is_ipv4() != ipv4 {
            continue;
        }
        let length = length.parse().unwrap_or_else(|_| {
            let mask: Ipv4Addr = length.parse().unwrap();
            Ipv4Net::with_netmask(Ipv4Addr::UNSPECIFIED, mask).unwrap().prefix_len()
        });
        let net = IpNet::new(first, length).unwrap().trunc();
        let pool = (last != "static").then(|| (first, last.parse().unwrap()));
        assert!(all.insert(net, Subnet { pool, ..Subnet::default() }).is_none());
        assert!(tags.insert(tag.strip_prefix("set:").unwrap().to_owned(), net).is_none());
    }
    (all, tags)
}

fn read(site: &Site, ipv4: bool) -> Subnets {
    let (mut all, tags) = ranges(site, ipv4);
    let prefix = if ipv4 { "option:" } else { "option6:" };
    for option in lines(site, "dhcp-option") {
        let Some(name) = option[1].strip_prefix(prefix) else { continue };
        let subnet = all.get_mut(&tags[option[0].strip_prefix("tag:").unwrap()]).unwrap();
        let addresses = || option[2..].iter().map(|address| address.parse().unwrap()).collect();
        match name {
            "router" => subnet.routers = addresses(),
            "dns-server" => subnet.resolvers = addresses(),
            "domain-name" | "domain-search" => subnet.domain = Some(option[2].to_owned()),
            other => panic!("{other}"),
        }
    }
    for host in lines(site, "dhcp-host") {
        let ([mac, name], addresses) = ([host[0], host[host.len() - 1]], &host[1..host.len() - 1]);
        assert!(!addresses.is_empty());
        for address in addresses.iter().map(|text| text.parse::<IpAddr>().unwrap()) {
            if address.is_ipv4() == ipv4 {
                assert!(keep(&mut all, (mac.to_owned(), address, name.to_owned())), "{host:?}");
            }
        }
    }
    all
}

#[test]
fn dnsmasq_says_what_the_model_says() {
    for site in sites() {
        for ipv4 in [true, false] {
            assert_eq!(read(&site, ipv4), subnets(&site.cluster, ipv4), "{}", site.name);
        }
        let provisioner = &site.cluster.provisioner;
        assert_eq!(lines(&site, "interface"), [[provisioner.interface.as_str()]]);
        assert_eq!(lines(&site, "tftp-root"), [[format!("{}/tftp", provisioner.web_root)]]);
        assert_eq!(lines(&site, "port"), [["0"]], "no DNS");
        // Without one, dnsmasq names itself as the router.
        let routers =
            lines(&site, "dhcp-option").iter().filter(|fields| fields[1] == "option:router").count();
        assert_eq!(routers, subnets(&site.cluster, true).len());
        let kept: usize = [true, false]
            .iter()
            .flat_map(|ipv4| subnets(&site.cluster, *ipv4).into_values())
            .map(|subnet| subnet.hosts.len())
            .sum();
        assert!(lines(&site, "dhcp-lease-max")[0][0].parse::<usize>().unwrap() >= kept);
        let longest = site.file("dnsmasq.conf").lines().map(str::len).max().unwrap();
        assert!(longest < 1024, "dnsmasq takes the rest of a longer line for another");
    }
}

#[test]
fn dnsmasq_has_a_boot_file_for_each_architecture() {
    for site in sites() {
        let tags: BTreeMap<String, String> = lines(&site, "dhcp-match")
            .iter()
            .map(|fields| {
                let [tag, "option:client-arch", number] = fields[..] else { panic!("{fields:?}") };
                (tag.replacen("set:", "tag:", 1), format!("{:04x}", number.parse::<u16>().unwrap()))
            })
            .collect();
        assert_eq!(lines(&site, "dhcp-userclass"), [["set:class/ipxe", "iPXE"]]);
        let back: Vec<String> = lines(&site, "dhcp-option-force")
            .iter()
            .filter(|fields| fields[1..] == ["tag:!class/ipxe", "option:vendor-class", "HTTPClient"])
            .map(|fields| fields[0].to_owned())
            .collect();
        let mut found = Boots::new();
        let server = site.cluster.provisioner.address.to_string();
        for boot in lines(&site, "dhcp-boot") {
            let (who, http, rest) = match boot[0] {
                "tag:class/ipxe" => ("ipxe", false, &boot[1..]),
                tag if tags.contains_key(tag) => {
                    assert_eq!(boot[1], "tag:!class/ipxe", "iPXE also tells the architecture");
                    (tags[tag].as_str(), back.iter().any(|other| other == tag), &boot[2..])
                }
                _ => ("other", false, &boot[..]),
            };
            assert_eq!(rest[1..], ["", server.as_str()]);
            assert!(
                found.insert(who.to_owned(), (rest[0].to_owned(), http)).is_none(),
                "{who} is there twice"
            );
        }
        assert_eq!(found, boots(&site.cluster), "{}", site.name);
        assert!(lines(&site, "dhcp-option-force").contains(&vec![
            "tag:class/ipxe",
            "encap:175",
            "176",
            "1b"
        ]));
    }
}
