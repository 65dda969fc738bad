//! `dnsmasq.conf`: dnsmasq accepts it (`--test`), and a strict parser of the options that we use (dnsmasq(8)).

use std::collections::{BTreeMap, BTreeSet, HashMap};
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
        reader.judge_boots();
        Said { source: FILE, kinds: KINDS, facts: reader.facts }
    })
}

const FILE: &str = "site/pxe/dnsmasq.conf";

const KINDS: &[&str] = &[
    "MAC in DHCP",
    "platform",
    "name in DHCP",
    "reserved IPv4",
    "BMC in DHCP",
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
    machines: BTreeMap<String, String>,
    /// The subnets of each family that a tag means.
    subnets: HashMap<(String, bool), IpNet>,
    /// The boot files, each with the tags that it needs.
    boots: Vec<(Vec<String>, String)>,
    /// The vendor classes, each with the tags that it needs.
    classes: Vec<(Vec<String>, String)>,
    platforms: BTreeSet<String>,
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
                self.boots.push((tags.iter().map(|tag| (*tag).to_owned()).collect(), (*file).to_owned()));
                self.facts.add("site", "next server", address);
            }
            ("dhcp-option-force", [tags @ .., "option:vendor-class", class]) => {
                self.classes.push((tags.iter().map(|tag| (*tag).to_owned()).collect(), (*class).to_owned()));
            }
            ("dhcp-option-force", [tag, "encap:175", "176", "1b"]) => {
                assert_eq!(self.machines[tag.strip_prefix("tag:").unwrap()], "iPXE");
            }
            ("dhcp-range", [set, rest @ ..]) => self.range(set.strip_prefix("set:").unwrap(), rest),
            ("dhcp-option", [tag, option, values @ ..]) => {
                self.of_subnet(tag.strip_prefix("tag:").unwrap(), option, values);
            }
            ("dhcp-host", [rest @ .., name]) => self.host(rest, name),
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

    /// The boot file of each kind of machine: of the files whose tags the machine has, the last one counts.
    fn judge_boots(&mut self) {
        let mut kinds: Vec<(String, Vec<String>)> = vec![("none".to_owned(), vec![])];
        for (tag, machine) in &self.machines {
            kinds.push((machine.clone(), vec![tag.clone()]));
        }
        for platform in &self.platforms {
            let tag = format!("platform/{platform}");
            kinds.push((format!("{platform} none"), vec![tag.clone()]));
            for (architecture, machine) in self.machines.iter().filter(|(_, machine)| *machine != "iPXE") {
                kinds.push((format!("{platform} {machine}"), vec![tag.clone(), architecture.clone()]));
            }
        }
        // Machines of a network with another interface of the provisioner have the tag of the network.
        let networks = self.boots.iter().flat_map(|(needed, _)| needed);
        let networks = networks.filter_map(|needed| Some(needed.strip_prefix("tag:")?.to_owned()));
        let networks: BTreeSet<String> = networks.filter(|tag| tag.starts_with("network/")).collect();
        let places: Vec<Option<&String>> = std::iter::once(None).chain(networks.iter().map(Some)).collect();
        for ((machine, kind_tags), place) in
            kinds.iter().flat_map(|kind| places.iter().map(move |place| (kind, place)))
        {
            let tags: Vec<String> = kind_tags.iter().chain(*place).cloned().collect();
            let has = |needed: &[String]| {
                needed.iter().all(|needed| {
                    let needed = needed.strip_prefix("tag:").unwrap();
                    match needed.strip_prefix('!') {
                        Some(absent) => !tags.iter().any(|tag| tag == absent),
                        None => tags.iter().any(|tag| tag == needed),
                    }
                })
            };
            let class = self.classes.iter().rfind(|(needed, _)| has(needed));
            // On other systems' architectures no node of a platform boots by TFTP, whatever its firmware announces.
            let boots = self.boots.iter().rfind(|(needed, _)| has(needed) && !needed.is_empty());
            let (needed, file) = boots.unwrap_or_else(|| &self.boots[0]);
            let names_architecture = kind_tags.len() < 2 || needed.contains(&format!("tag:{}", kind_tags[1]));
            if names_architecture {
                self.facts.add(machine, "boot file", file);
                class.iter().for_each(|(_, class)| self.facts.add(machine, "vendor class", class));
            } else {
                assert!(class.is_none(), "{machine}");
            }
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

    fn host(&mut self, words: &[&str], name: &str) {
        if let Some(node) = name.strip_suffix("-bmc") {
            return self.facts.add(node, "BMC in DHCP", words.join(" "));
        }
        let (mut macs, mut addresses) = (vec![], vec![]);
        for word in words {
            if let Some(platform) = word.strip_prefix("set:platform/") {
                self.platforms.insert(platform.to_owned());
                self.facts.add(name, "platform", platform);
            } else if word.len() == 17 && word.matches(':').count() == 5 {
                macs.push(*word);
            } else {
                addresses.push(*word);
            }
        }
        assert!(!macs.is_empty());
        for address in addresses {
            let (mac_kind, name_kind, kind) = if address.parse::<Ipv4Addr>().is_ok() {
                ("MAC in DHCP", "name in DHCP", "reserved IPv4")
            } else {
                ("MAC in DHCPv6", "name in DHCPv6", "reserved IPv6")
            };
            macs.iter().for_each(|mac| self.facts.add(name, mac_kind, mac));
            self.facts.add(name, name_kind, name);
            self.facts.add(name, kind, address.trim_matches(['[', ']']));
        }
    }
}
