//! `dhcpd.conf`: dhcpd accepts it, and a strict parser of its grammar (dhcpd.conf(5)) tells what it says.

use std::collections::BTreeMap;

use super::{SaidOfEach, StandIns};
use crate::agreement::facts::{Facts, Said};
use crate::agreement::namespace::script;
use crate::agreement::tree::Tree;

pub(crate) fn read(trees: &[Tree]) -> SaidOfEach {
    let files = StandIns::new(trees, FILE, "# the user's own\n");
    script("dhcpd", DHCPD, &files.paths);
    super::each(trees, |tree| {
        let mut facts = Facts::default();
        let items = parse(tree.file(FILE));
        items.iter().for_each(|item| top(item, &mut facts));
        check_addresses(&items);
        complete_platforms(&mut facts);
        Said { source: FILE, kinds: KINDS, facts }
    })
}

const FILE: &str = "site/pxe/dhcpd.conf";

const DHCPD: &str = r#"for file; do dhcpd -4 -t -cf "$file" || { cat "$file" >&2; exit 1; }; done"#;

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
    "extra of dhcpd",
];

/// A statement with its words; with a block, where it has one.
#[derive(Clone, Debug)]
struct Item {
    words: Vec<String>,
    block: Option<Vec<Item>>,
}

impl Item {
    fn words(&self) -> Vec<&str> {
        self.words.iter().map(String::as_str).collect()
    }
}

/// The words of a text: braces, semicolons and commas by themselves, a string with a quote before it.
fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' => rest[1..].find('"').unwrap() + 2,
            '{' | '}' | ';' | ',' | '=' => 1,
            c if c.is_whitespace() => 1,
            _ => rest.find(|c: char| c.is_whitespace() || "{};,=\"#".contains(c)).unwrap_or(rest.len()),
        };
        let (word, after) = rest.split_at(length);
        if !first.is_whitespace() && first != '#' {
            found.push(word.strip_suffix('"').unwrap_or(word).to_owned());
        }
        rest = after;
    }
    found
}

fn parse(text: &str) -> Vec<Item> {
    let mut words = words(text).into_iter();
    let items = items(&mut words);
    assert!(words.next().is_none(), "a brace too many");
    items
}

/// The statements up to the brace that closes them.
fn items(words: &mut std::vec::IntoIter<String>) -> Vec<Item> {
    let (mut all, mut statement) = (Vec::new(), Vec::new());
    while let Some(word) = words.next() {
        match word.as_str() {
            ";" => all.push(Item { words: std::mem::take(&mut statement), block: None }),
            "{" => all.push(Item { words: std::mem::take(&mut statement), block: Some(items(words)) }),
            "}" => break,
            _ => statement.push(word),
        }
    }
    assert!(statement.is_empty(), "{statement:?} does not end");
    all
}

/// What a statement outside of any block says.
fn top(item: &Item, facts: &mut Facts) {
    let words = item.words();
    match (words.as_slice(), &item.block) {
        (["subnet", network, "netmask", mask], Some(block)) => {
            let net = ipnet::Ipv4Net::with_netmask(network.parse().unwrap(), mask.parse().unwrap()).unwrap();
            facts.add(net, "subnet", net);
            block.iter().for_each(|item| subnet(net, item, facts));
        }
        (["if", condition @ ..], Some(block)) => {
            assert_eq!(condition.join(" "), IPXE);
            block.iter().for_each(|item| boot("iPXE", item, facts));
        }
        (["else"], Some(block)) => chain("", block, facts),
        (["group"], Some(block)) => group(block, facts),
        (["host", name], Some(block)) => bmc(name, block, facts),
        (["next-server", address], None) => facts.add("site", "next server", address),
        (["include", file], None) => facts.add("site", "extra of dhcpd", &file[1..]),
        (["default-lease-time" | "max-lease-time", _], None)
        | (["authoritative"] | ["ignore-client-uids", "true"], None)
        | (
            ["option", "architecture-type", "code", "93", "=", "array", "of", "unsigned", "integer", "16"],
            None,
        )
        | (["option", "space", "ipxe"] | ["option", "ipxe.no-pxedhcp", "1"], None)
        | (["option", "ipxe-encap-opts", "code", "175", "=", "encapsulate", "ipxe"], None)
        | (["option", "ipxe.no-pxedhcp", "code", "176", "=", "unsigned", "integer", "8"], None) => {}
        other => panic!("{FILE} says {:?}, which no reader knows", other.0),
    }
}

/// Whether each group has nodes at the one address of the provisioner that its URLs name: that of the subnet, or the first.
fn check_addresses(items: &[Item]) {
    let next_server = |items: &[Item]| {
        let mut found = items.iter().filter(|item| item.words[0] == "next-server");
        found.next().map(|item| item.words[1].clone())
    };
    let home = next_server(items).unwrap();
    let subnets = items.iter().filter(|item| item.words[0] == "subnet");
    let others: Vec<(ipnet::Ipv4Net, String)> = subnets
        .filter_map(|item| {
            let net =
                ipnet::Ipv4Net::with_netmask(item.words[1].parse().unwrap(), item.words[3].parse().unwrap());
            Some((net.unwrap(), next_server(item.block.as_ref()?)?))
        })
        .collect();
    // With one address, the facts tell.
    let groups = items.iter().filter(|item| item.words[0] == "group" && !others.is_empty());
    for group in groups {
        let mut all = group.block.as_deref().unwrap_or_default().to_vec();
        while let Some(item) = all.pop() {
            let expected = match item.words().as_slice() {
                ["fixed-address", address] => {
                    let address: std::net::Ipv4Addr = address.parse().unwrap();
                    let other = others.iter().find(|(net, _)| net.contains(&address));
                    Some(other.map_or(&home, |(_, server)| server).clone())
                }
                _ => None,
            };
            if let Some(expected) = expected {
                let text = format!("{:?}", group.block.as_ref().unwrap()[0]);
                let urls = text.split("http://").skip(1).map(|url| url.split(':').next().unwrap());
                assert!(
                    urls.clone().count() > 0 && urls.clone().all(|host| host == expected),
                    "{expected}: {text}"
                );
            }
            all.extend(item.block.into_iter().flatten());
        }
    }
}

/// Adds what the file says of machines of a platform at the provisioner's other addresses: nothing, where no node of that platform
/// stands, and so whatever is expected there.
fn complete_platforms(facts: &mut Facts) {
    let of = |kind| facts.0.iter().filter(move |fact| fact.kind == kind);
    let servers: Vec<String> = of("next server").map(|fact| fact.value.clone()).collect();
    let is_of_platform = |subject: &str| subject.contains("-linux-");
    let urls =
        of("boot file").filter(|fact| is_of_platform(&fact.subject) && fact.value.starts_with("http://"));
    let urls: Vec<_> =
        urls.map(|fact| (fact.subject.clone(), fact.value["http://".len()..].to_owned())).collect();
    for (subject, url) in urls {
        let (_, path) = url.split_once(':').unwrap();
        servers.iter().for_each(|server| facts.add(&subject, "boot file", format!("http://{server}:{path}")));
    }
}

/// How iPXE names itself: as text, or in a list of classes.
const IPXE: &str = "option user-class = \"iPXE or substring(option user-class , 0 , 5) = 04:69:50:58:45";

/// The nodes of a platform, and what they load.
fn group(block: &[Item], facts: &mut Facts) {
    let (boots, hosts) = block.split_first().unwrap();
    let (words, chain_of) = (boots.words(), boots.block.as_ref().unwrap());
    assert_eq!(words.join(" "), format!("if not (option{})", IPXE.strip_prefix("option").unwrap()));
    // What its nodes load in doubt tells which platform it is.
    let other = chain_of.last().unwrap().block.as_ref().unwrap();
    let [filename, file] = other[0].words()[..] else { panic!("{:?}", other[0].words) };
    assert_eq!(filename, "filename");
    let platform = match file {
        "\"ipxe.efi" => "x86_64-linux-uefi",
        "\"undionly.kpxe" => "x86_64-linux-bios",
        "\"ipxe-arm64.efi" => "aarch64-linux-uefi",
        other => panic!("{FILE} has a group with {other}"),
    };
    chain(&format!("{platform} "), chain_of, facts);
    for item in hosts {
        let words = item.words();
        let (["host", key], Some(block)) = (words.as_slice(), &item.block) else {
            panic!("{FILE} says {words:?} in a group, which no reader knows")
        };
        // A node has a host for each of its NICs.
        let name = key.split_once('.').map_or(*key, |(name, _)| name);
        facts.add(name, "platform", platform);
        block.iter().for_each(|item| host(name, item, facts));
    }
}

/// The BMC of a node, which loads nothing.
fn bmc(name: &str, block: &[Item], facts: &mut Facts) {
    let words: Vec<_> = block.iter().map(Item::words).collect();
    let [a, b, c] = &words[..] else { panic!("{FILE} says {words:?} of {name}, which no reader knows") };
    let (["hardware", "ethernet", mac], ["fixed-address", address], ["option", "host-name", quoted]) =
        (&a[..], &b[..], &c[..])
    else {
        panic!("{FILE} says {words:?} of {name}, which no reader knows")
    };
    assert_eq!(&quoted[1..], name);
    facts.add(name.strip_suffix("-bmc").unwrap(), "BMC in DHCP", format!("{mac} {address}"));
}

/// Reads the files that machines load, by architecture; `prefix` stands before each architecture in facts.
fn chain(prefix: &str, items: &[Item], facts: &mut Facts) {
    for item in items {
        let words = item.words();
        let architectures = match words.as_slice() {
            ["if" | "elsif", condition @ ..] => announced(condition),
            ["else"] => vec!["none".to_owned()],
            other => panic!("{FILE} says {other:?}, which no reader knows"),
        };
        for architecture in architectures {
            let machine = format!("{prefix}{architecture}");
            item.block.iter().flatten().for_each(|item| boot(&machine, item, facts));
        }
    }
}

fn subnet(net: ipnet::Ipv4Net, item: &Item, facts: &mut Facts) {
    // What machines of the network load, where that is not what others load.
    if item.block.is_some() || item.words().starts_with(&["next-server"]) {
        return top(item, facts);
    }
    let mut say = |kind, value: String| facts.add(net, kind, value);
    match item.words().as_slice() {
        ["range", first, last] => say("pool", format!("{first}-{last}")),
        ["option", "routers", router] => say("router", (*router).to_owned()),
        ["option", "broadcast-address", address] => say("broadcast", (*address).to_owned()),
        ["option", "domain-name-servers", servers @ ..] => {
            servers
                .iter()
                .filter(|word| **word != ",")
                .for_each(|server| say("resolver", (*server).to_owned()));
        }
        ["option", "domain-name", domain] => say("domain", domain[1..].to_owned()),
        other => panic!("{FILE} says {other:?} of {net}, which no reader knows"),
    }
}

fn host(name: &str, item: &Item, facts: &mut Facts) {
    match item.words().as_slice() {
        ["hardware", "ethernet", mac] => facts.add(name, "MAC in DHCP", mac),
        ["fixed-address", address] => facts.add(name, "reserved IPv4", address),
        ["option", "host-name", quoted] => facts.add(name, "name in DHCP", &quoted[1..]),
        other => panic!("{FILE} says {other:?} of {name}, which no reader knows"),
    }
}

/// The architectures of a condition that compares the first three entries of option 93.
fn announced(condition: &[&str]) -> Vec<String> {
    let mut entries = BTreeMap::<String, Vec<&str>>::new();
    for part in condition.split(|word| *word == "or") {
        let ["substring(option", "architecture-type", ",", at, ",", "2)", "=", bytes] = part else {
            panic!("{FILE} asks for {part:?}, which no reader knows")
        };
        let architecture = format!("0x{}", bytes.strip_prefix("00:").unwrap());
        entries.entry(architecture).or_default().push(at);
    }
    assert!(entries.values().all(|at| at[..] == ["0", "2", "4"]), "{condition:?}");
    entries.into_keys().collect()
}

fn boot(machine: &str, item: &Item, facts: &mut Facts) {
    match item.words().as_slice() {
        ["filename", file] => facts.add(machine, "boot file", &file[1..]),
        ["option", "vendor-class-identifier", class] => facts.add(machine, "vendor class", &class[1..]),
        other => panic!("{FILE} says {other:?} to {machine}, which no reader knows"),
    }
}
