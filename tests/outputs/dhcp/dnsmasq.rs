//! `dnsmasq.conf` read back, line by line as it is written.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};

use crate::dhcp::facts::{ARCHITECTURES, Subnet, Subnets, boots, keep, subnets, table};
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
        let (name, words) = host.split_last().unwrap();
        let words = words.iter().filter(|word| !word.starts_with("set:platform/"));
        let (addresses, macs): (Vec<&str>, Vec<&str>) =
            words.partition(|word| word.parse::<IpAddr>().is_ok());
        assert!(!addresses.is_empty() && !macs.is_empty());
        for address in addresses.iter().map(|text| text.parse::<IpAddr>().unwrap()) {
            for mac in macs.iter().filter(|_| address.is_ipv4() == ipv4) {
                assert!(keep(&mut all, ((*mac).to_owned(), address, (*name).to_owned())), "{host:?}");
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
        let interfaces: Vec<_> =
            provisioner.interfaces().map(|interface| [interface.name.as_str()]).collect();
        assert_eq!(lines(&site, "interface"), interfaces);
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

/// The last of `lines` whose tags are among `tags`, as dnsmasq chooses it: first among those that need a tag.
fn last<'a>(lines: &'a [Vec<&'a str>], tags: &[String]) -> Option<&'a [&'a str]> {
    let has = |tag: &str| tags.iter().any(|given| given == tag);
    let fits = |line: &&Vec<&str>| {
        let mut needed = line.iter().map_while(|word| word.strip_prefix("tag:"));
        needed.all(|tag| tag.strip_prefix('!').map_or_else(|| has(tag), |absent| !has(absent)))
    };
    let needs_none = |line: &&Vec<&str>| !line[0].starts_with("tag:");
    let found = lines.iter().rfind(|line| fits(line) && !needs_none(line));
    let found = found.or_else(|| lines.iter().rfind(needs_none))?;
    let tags = found.iter().take_while(|word| word.starts_with("tag:")).count();
    Some(&found[tags..])
}

#[test]
fn dnsmasq_has_a_boot_file_for_each_architecture() {
    for site in sites() {
        for fields in lines(&site, "dhcp-match") {
            let [tag, "option:client-arch", number] = fields[..] else { panic!("{fields:?}") };
            assert_eq!(tag, format!("set:arch/{:04x}", number.parse::<u16>().unwrap()));
        }
        assert_eq!(lines(&site, "dhcp-match").len(), ARCHITECTURES.len() - 1);
        assert_eq!(lines(&site, "dhcp-userclass"), [["set:class/ipxe", "iPXE"]]);
        let hosts = lines(&site, "dhcp-host");
        let platforms = hosts.iter().flatten().filter_map(|word| word.strip_prefix("set:platform/"));
        let platforms: BTreeSet<String> = platforms.map(str::to_owned).collect();
        let (boot, force) = (lines(&site, "dhcp-boot"), lines(&site, "dhcp-option-force"));
        let server = site.cluster.provisioner.home.address.to_string();
        let boot_with = |tags: &[String]| {
            let [file, "", next_server] = last(&boot, tags).unwrap() else { panic!("{tags:?}") };
            assert_eq!(*next_server, server);
            let forced = last(&force, tags);
            ((*file).to_owned(), forced == Some(&["option:vendor-class", "HTTPClient"]))
        };
        let tags_of = |platform: Option<&str>, architecture: &str| {
            let mut tags = vec![format!("arch/{architecture}")];
            tags.extend(platform.map(|name| format!("platform/{name}")));
            tags
        };
        let boot_of =
            |platform: Option<&str>, architecture: &str| boot_with(&tags_of(platform, architecture));
        let mut found = table(&Vec::from_iter(platforms.clone()), boot_of);
        let ipxe = boot_with(&["class/ipxe".to_owned()]);
        // iPXE announces an architecture too, and runs on nodes.
        for platform in platforms.iter().map(|name| Some(name.as_str())).chain([None]) {
            for architecture in ARCHITECTURES {
                let tags = [tags_of(platform, architecture), vec!["class/ipxe".to_owned()]].concat();
                assert_eq!(boot_with(&tags), ipxe);
            }
        }
        found.insert("ipxe".to_owned(), ipxe);
        assert_eq!(found, boots(&site.cluster), "{}", site.name);
        assert!(force.contains(&vec!["tag:class/ipxe", "encap:175", "176", "1b"]));
    }
}
