//! `dnsmasq.conf`: dnsmasq accepts it (`--test`), and a strict parser of the options that we use (dnsmasq(8)).

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};

use super::{SaidOfEach, StandIns};
use crate::agreement::facts::{Facts, Said};
use crate::agreement::namespace::script;
use crate::agreement::tree::Tree;

pub(crate) fn read(trees: &[Tree]) -> SaidOfEach {
    let files = StandIns::new(trees, FILE, "# the user's own\n");
    script(
        "dnsmasq",
        r#"for file; do dnsmasq --test -C "$file" || { cat "$file" >&2; exit 1; }; done"#,
        &files.paths,
    );
    super::each(trees, |tree| {
        let mut reader = Reader::default();
        for line in tree.file(FILE).lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (option, value) = line.split_once('=').unwrap_or((line, ""));
            reader.option(option, &fields(value));
        }
        Said { source: FILE, kinds: KINDS, facts: reader.facts }
    })
}

const FILE: &str = "site/pxe/dnsmasq.conf";

const KINDS: &[&str] = &[
    "MAC in DHCP",
    "name in DHCP",
    "reserved IPv4",
    "subnet",
    "broadcast",
    "pool",
    "router",
    "resolver",
    "domain",
    "boot file",
    "vendor class",
    "next server",
    "extra of dnsmasq",
    "reserved IPv6",
    "MAC in DHCPv6",
    "name in DHCPv6",
    "IPv6 subnet",
    "IPv6 pool",
    "IPv6 resolver",
    "IPv6 domain",
    "TFTP root",
];

/// The fields of a value; within quotes, nothing ends one.
fn fields(value: &str) -> Vec<String> {
    let (mut all, mut quoted) = (vec![String::new()], false);
    for c in value.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => all.push(String::new()),
            _ => all.last_mut().unwrap().push(c),
        }
    }
    all
}

#[derive(Default)]
struct Reader {
    facts: Facts,
    /// The machines that a tag means.
    machines: HashMap<String, String>,
    /// The subnets of each family that a tag means.
    subnets: HashMap<(String, bool), IpNet>,
}

impl Reader {
    fn option(&mut self, option: &str, fields: &[String]) {
        let words: Vec<&str> = fields.iter().map(String::as_str).collect();
        match (option, words.as_slice()) {
            ("dhcp-userclass", [set, "iPXE"]) => self.machine(set, "iPXE"),
            ("dhcp-match", [set, "option:client-arch", number]) => {
                self.machine(set, &format!("{:#04x}", number.parse::<u16>().unwrap()));
            }
            ("dhcp-boot", [tags @ .., file, "", address]) => {
                let machine = self.tagged(tags);
                self.facts.add(machine, "boot file", file);
                self.facts.add("site", "next server", address);
            }
            ("dhcp-option-force", [tags @ .., "option:vendor-class", class]) => {
                let machine = self.tagged(tags);
                self.facts.add(machine, "vendor class", class);
            }
            ("dhcp-option-force", [tag, "encap:175", "176", "1b"]) => assert_eq!(self.tagged(&[tag]), "iPXE"),
            ("dhcp-range", [set, rest @ ..]) => self.range(set.strip_prefix("set:").unwrap(), rest),
            ("dhcp-option", [tag, option, values @ ..]) => {
                self.of_subnet(tag.strip_prefix("tag:").unwrap(), option, values);
            }
            ("dhcp-host", [mac, rest @ .., name]) => self.host(mac, rest, name),
            ("conf-file", [path]) => self.facts.add("site", "extra of dnsmasq", path),
            ("tftp-root", [path]) => self.facts.add("site", "TFTP root", path),
            ("port", ["0"])
            | ("no-hosts" | "bind-dynamic" | "enable-tftp" | "dhcp-authoritative", [""])
            | ("dhcp-ignore-clid" | "no-ping", [""])
            | ("interface" | "dhcp-lease-max", [_]) => {}
            other => panic!("{FILE} says {other:?}, which no reader knows"),
        }
    }

    fn machine(&mut self, set: &str, machine: &str) {
        let tag = set.strip_prefix("set:").unwrap().to_owned();
        assert!(self.machines.insert(tag, machine.to_owned()).is_none(), "{set} is set twice");
    }

    /// The machines that all of `tags` mean.
    fn tagged(&self, tags: &[&str]) -> String {
        let tags: Vec<&str> = tags.iter().map(|tag| tag.strip_prefix("tag:").unwrap()).collect();
        let ipxe = |tag: &str| self.machines[tag] == "iPXE";
        match tags.as_slice() {
            [] => "none".to_owned(),
            [tag] if ipxe(tag) => "iPXE".to_owned(),
            [tag, but] if ipxe(but.strip_prefix('!').unwrap()) => self.machines[*tag].clone(),
            other => panic!("{FILE}: whom does {other:?} mean?"),
        }
    }

    fn range(&mut self, tag: &str, words: &[&str]) {
        let (net, first, last) = match words {
            [first, last, mask, broadcast, _] => {
                let net =
                    Ipv4Net::with_netmask(first.parse().unwrap(), mask.parse().unwrap()).unwrap().trunc();
                self.facts.add(net, "broadcast", broadcast);
                (IpNet::V4(net), first, last)
            }
            [first, last, length, _] => {
                let first_address: IpAddr = first.parse().unwrap();
                (IpNet::new(first_address, length.parse().unwrap()).unwrap().trunc(), first, last)
            }
            other => panic!("{FILE}: the range {other:?}"),
        };
        let v4 = net.addr().is_ipv4();
        let (subnet, pool) = if v4 { ("subnet", "pool") } else { ("IPv6 subnet", "IPv6 pool") };
        self.facts.add(net, subnet, net);
        if *last == "static" {
            assert_eq!(*first, net.network().to_string());
        } else {
            self.facts.add(net, pool, format!("{first}-{last}"));
        }
        assert!(self.subnets.insert((tag.to_owned(), v4), net).is_none(), "{tag} is set twice");
    }

    fn of_subnet(&mut self, tag: &str, option: &str, values: &[&str]) {
        let kind = match option {
            "option:router" => "router",
            "option:dns-server" => "resolver",
            "option:domain-name" => "domain",
            "option6:dns-server" => "IPv6 resolver",
            "option6:domain-search" => "IPv6 domain",
            other => panic!("{FILE} says {other} of {tag}, which no reader knows"),
        };
        let subnet = self.subnets[&(tag.to_owned(), !option.starts_with("option6:"))];
        for value in values {
            self.facts.add(subnet, kind, value.trim_matches(['[', ']']));
        }
    }

    fn host(&mut self, mac: &str, addresses: &[&str], name: &str) {
        for address in addresses {
            let (mac_kind, name_kind, kind) = if address.parse::<Ipv4Addr>().is_ok() {
                ("MAC in DHCP", "name in DHCP", "reserved IPv4")
            } else {
                ("MAC in DHCPv6", "name in DHCPv6", "reserved IPv6")
            };
            self.facts.add(name, mac_kind, mac);
            self.facts.add(name, name_kind, name);
            self.facts.add(name, kind, address.trim_matches(['[', ']']));
        }
    }
}
