//! Firewalls: what nft and iptables say that the kernel loaded, in a network namespace of its own.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::SaidOfEach;
use crate::agreement::facts::{Facts, Kind, Said};
use crate::agreement::namespace::script;
use crate::agreement::tree::Tree;
use crate::firewalls::model::protocol_number;

pub(crate) fn read(trees: &[Tree]) -> SaidOfEach {
    let nodes = nft(trees, "firewall.nft", &["open port", "forwarding"], |tree| {
        let files = tree.of_nodes("firewall.nft").into_iter();
        files.map(|(dir, path, _)| (tree.node(dir), tree.path(path))).collect()
    });
    let site = nft(trees, "site/firewall/*.nft", OF_SITE, |tree| of_site(tree, ".nft"));
    let tables = iptables(trees);
    let all = nodes.into_iter().zip(site).zip(tables);
    all.map(|((nodes, site), tables)| vec![nodes, site, tables]).collect()
}

const OF_SITE: &[Kind] = &["open port of the site", "forwarding of the site"];

/// The machines, and their files.
type Files = Vec<(String, PathBuf)>;

/// The provisioner's file, and each profile's.
fn of_site(tree: &Tree, extension: &str) -> Files {
    let files = tree.between("site/firewall/", extension);
    files.map(|(machine, path, _)| (format!("firewall of {machine}"), tree.path(path))).collect()
}

/// Loads each file as it is written, and prints one line of JSON for it.
const NFT: &str = r#"
for file; do printf 'flush ruleset\ninclude "%s"\nlist ruleset\n' "$file"; done | nft -j -i 2>&1"#;

fn nft(
    trees: &[Tree],
    source: &'static str,
    kinds: &'static [Kind],
    files: impl Fn(&Tree) -> Files,
) -> Vec<Said> {
    let all: Vec<Files> = trees.iter().map(files).collect();
    let paths: Vec<Vec<PathBuf>> =
        all.iter().map(|files| files.iter().map(|file| file.1.clone()).collect()).collect();
    let listed = script("nft", NFT, &paths);
    let mut rulesets = listed
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("nft: {line}")));
    let said = |files: &Files| {
        let mut facts = Facts::default();
        for (machine, path) in files {
            let ruleset = rulesets.next().unwrap_or_else(|| panic!("nothing of {}", path.display()));
            for item in ruleset["nftables"].as_array().unwrap() {
                if let Some(chain) = item.get("chain") {
                    policy(machine, kinds, chain, &mut facts);
                } else if let Some(rule) = item.get("rule") {
                    if let Some(reached) = reached(rule) {
                        reached.into_iter().for_each(|fact| facts.add(machine, kinds[1], fact));
                        continue;
                    }
                    let (kind, fact) = rule_of(rule, kinds);
                    fact.into_iter().for_each(|fact| facts.add(machine, kind, fact));
                }
            }
        }
        Said { source, kinds, facts }
    };
    all.iter().map(said).collect()
}

fn policy(machine: &str, kinds: &[Kind], chain: &Value, facts: &mut Facts) {
    match (chain["name"].as_str().unwrap(), chain["policy"].as_str().unwrap()) {
        ("input", "drop") => {}
        ("postrouting", "accept") => {}
        ("forward", policy) => facts.add(machine, kinds[1], policy),
        other => panic!("{machine}: {other:?}"),
    }
}

/// Reads the rule of a gateway that says by which addresses the machines behind an interface reach the gateway.
fn reached(rule: &Value) -> Option<Vec<String>> {
    let expr = rule["expr"].as_array()?;
    let [device, to, verdict] = expr.as_slice() else { return None };
    let addresses = to["match"]["right"]["set"].as_array().filter(|_| rule["chain"] == "input")?;
    assert!(verdict.get("drop").is_some() && to["match"]["op"] == "!=", "{rule}");
    let device = device["match"]["right"].as_str().unwrap();
    let addresses = addresses.iter().map(|address| format!("reached by {}", subnet(address)));
    Some(addresses.chain([format!("reached so through {device}")]).collect())
}

/// Reads a rule: a port that is open, or packets that are not forwarded; nothing for the rules that every firewall begins with.
fn rule_of(rule: &Value, kinds: &[Kind]) -> (Kind, Option<String>) {
    let expr = rule["expr"].to_string();
    if rule["chain"] == "forward" && expr.contains("nfproto") && expr.contains("ipv6") {
        // The file for iptables leaves IPv6 as it is.
        return (kinds[1], None);
    }
    if rule["chain"] == "postrouting"
        || expr.contains("accept") && !expr.contains("established") && rule["chain"] == "forward"
    {
        return (kinds[1], Some(routed(rule)));
    }
    if rule["chain"] == "forward" && !(expr.contains("invalid") && expr.contains("drop")) {
        let subnet = rule["expr"].as_array().unwrap().iter().find_map(|part| {
            let matched = part.get("match")?;
            (matched["left"]["payload"]["field"] == "daddr").then(|| subnet(&matched["right"]))
        });
        assert!(subnet.is_some() == expr.contains("drop"), "{expr}");
        let port = rule["expr"].as_array().unwrap().iter().find_map(|part| packets(part.get("match")?));
        let port = port.map(|port| format!(" {port}")).unwrap_or_default();
        return (kinds[1], subnet.map(|subnet| format!("not to {subnet}{port}")));
    }
    let opening = opening(rule);
    let general = |words: &[&str]| words.iter().all(|word| expr.contains(word));
    assert!(opening.is_some() || GENERAL.iter().any(|words| general(words)), "{expr}");
    (kinds[0], opening)
}

/// Reads a rule of a gateway: the packets that are forwarded or masqueraded.
fn routed(rule: &Value) -> String {
    let (mut verdict, mut words) = ("lets", Hop::default());
    for part in rule["expr"].as_array().unwrap() {
        let Some(matched) = part.get("match") else {
            verdict = if part.get("masquerade").is_some() { "masquerades" } else { verdict };
            assert!(part.get("accept").is_some() || verdict == "masquerades", "{part}");
            continue;
        };
        let (left, right) = (&matched["left"], &matched["right"]);
        let device = || right.as_str().unwrap().to_owned();
        match (left["meta"]["key"].as_str(), left["payload"]["field"].as_str()) {
            (Some("iifname"), _) => words.through = Some(device()),
            (Some("oifname"), _) if matched["op"] == "!=" => words.by = Some(format!("not {}", device())),
            (Some("oifname"), _) => words.by = Some(device()),
            (Some("nfproto"), _) => words.from = Some("0.0.0.0/0".to_owned()),
            (_, Some("saddr")) => words.from = Some(subnet(right)),
            (_, Some("daddr")) => words.to = Some(subnet(right)),
            _ => words.packets = Some(packets(matched).unwrap()),
        }
    }
    // Of a rule that compares an address of the receiver, nft does not list the family again.
    words.from = words.from.or_else(|| Some("0.0.0.0/0".to_owned()));
    words.say(verdict)
}

/// The packets that a rule of a gateway is for.
#[derive(Default)]
struct Hop {
    packets: Option<String>,
    from: Option<String>,
    through: Option<String>,
    to: Option<String>,
    by: Option<String>,
}

impl Hop {
    fn say(self, verdict: &str) -> String {
        let part = |word: &str, value: Option<String>| {
            value.map(|value| format!(" {word} {value}")).unwrap_or_default()
        };
        let packets = self.packets.unwrap_or_else(|| "any".to_owned());
        let [from, through] = [part("from", self.from), part("through", self.through)];
        format!("{verdict} {packets}{from}{through}{}{}", part("to", self.to), part("by", self.by))
    }
}

/// The rules that open no port, by words of them.
const GENERAL: [&[&str]; 4] = [
    &["established", "related", "accept"],
    &["iifname", "\"lo\"", "accept"],
    &["icmp", "ipv6-icmp", "accept"],
    &["invalid", "drop"],
];

/// The port that a rule opens, to whom and what for.
fn opening(rule: &Value) -> Option<String> {
    let (mut from, mut traffic, mut through) = (None, None, String::new());
    for part in rule["expr"].as_array()? {
        let Some(matched) = part.get("match") else {
            assert!(part.get("accept").is_some() || part.get("drop").is_some(), "{part}");
            continue;
        };
        let (left, right) = (&matched["left"], &matched["right"]);
        match (left["meta"]["key"].as_str(), left["payload"]["field"].as_str()) {
            (Some("iifname"), _) => through = format!(" through {}", right.as_str()?),
            (Some("nfproto"), _) => {
                from = Some(if right == "ipv4" { "0.0.0.0/0" } else { "::/0" }.to_owned());
            }
            (_, Some("saddr")) => from = Some(subnet(right)),
            _ => traffic = Some(packets(matched)?),
        }
        assert_eq!(matched["op"], "==");
    }
    let comment = rule.get("comment").and_then(Value::as_str)?;
    let traffic = traffic.unwrap_or_else(|| "any".to_owned());
    Some(format!("{traffic} from {}{through} ({comment})", from?))
}

/// The ports, or the number of another protocol, that a comparison asks for.
fn packets(matched: &Value) -> Option<String> {
    let (left, right) = (&matched["left"], &matched["right"]);
    if left["meta"]["key"] == "l4proto" {
        let word = || {
            right.as_str().map(protocol_number).or_else(|| right.as_u64().map(|number| number.to_string()))
        };
        return word();
    }
    let ports = match right["range"].as_array() {
        Some(range) => format!("{}-{}", range[0], range[1]),
        None => right.as_u64()?.to_string(),
    };
    let payload = &left["payload"];
    (payload["field"] == "dport").then(|| format!("{} {ports}", payload["protocol"].as_str().unwrap()))
}

/// A subnet; nft leaves out the length of a single host.
fn subnet(right: &Value) -> String {
    let prefix = &right["prefix"];
    match (prefix["addr"].as_str(), right.as_str()) {
        (Some(address), _) => format!("{address}/{}", prefix["len"]),
        (None, Some(host)) => host_net(host),
        (None, None) => right.to_string(),
    }
}

fn host_net(host: &str) -> String {
    format!("{host}/{}", if host.contains(':') { 128 } else { 32 })
}

/// Loads each file, and prints what the kernel has of it.
const IPTABLES: &str = r#"
for file; do
  case $file in *.ip6tables) tool=ip6tables ;; *) tool=iptables ;; esac
  $tool-restore <"$file" || exit 1
  if grep -q '^\*nat$' "$file"; then $tool-save -t nat | grep '^-A POSTROUTING'; fi
  $tool-save -t filter || exit 1
done"#;

fn iptables(trees: &[Tree]) -> Vec<Said> {
    let all: Vec<Files> = trees
        .iter()
        .map(|tree| {
            [".iptables", ".ip6tables"].iter().flat_map(|extension| of_site(tree, extension)).collect()
        })
        .collect();
    let paths: Vec<Vec<PathBuf>> =
        all.iter().map(|files| files.iter().map(|file| file.1.clone()).collect()).collect();
    let saved = script("iptables", IPTABLES, &paths);
    let mut tables = saved.split("\nCOMMIT\n");
    let said = |files: &Files| {
        let mut facts = Facts::default();
        for (machine, path) in files {
            let v6 = path.extension().unwrap() == "ip6tables";
            // Of a chain that the file leaves alone, the kernel's policy is printed.
            let left_alone = !fs::read_to_string(path).unwrap().contains("\n:FORWARD ");
            let lines = tables.next().unwrap().lines();
            for line in
                lines.filter(|line| !(line.starts_with('#') || left_alone && line.starts_with(":FORWARD ")))
            {
                table_line(machine, v6, line, &mut facts);
            }
        }
        Said { source: "site/firewall/*.iptables and *.ip6tables", kinds: OF_SITE, facts }
    };
    all.iter().map(said).collect()
}

fn table_line(machine: &str, v6: bool, line: &str, facts: &mut Facts) {
    let words = words(line);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if gateway_line(machine, &words, facts) {
        return;
    }
    match words.as_slice() {
        ["*filter"] | [":INPUT", "DROP", _] | [":OUTPUT", "ACCEPT", _] => {}
        [":FORWARD", policy, _] => facts.add(machine, OF_SITE[1], policy.to_lowercase()),
        ["-A", "FORWARD", "-d", subnet, "-j", "DROP"] => {
            facts.add(machine, OF_SITE[1], format!("not to {}", whole(subnet)));
        }
        [
            "-A",
            "FORWARD",
            "-d",
            subnet,
            "-p",
            protocol,
            rest @ ..,
            "-m",
            "comment",
            "--comment",
            _,
            "-j",
            "DROP",
        ] => {
            let packets = match rest {
                ["-m", _, "--dport", port] => format!("{protocol} {}", port.replace(':', "-")),
                [] => protocol_number(protocol),
                other => panic!("{machine}: {other:?}"),
            };
            facts.add(machine, OF_SITE[1], format!("not to {} {packets}", whole(subnet)));
        }
        [
            "-A",
            "INPUT" | "FORWARD",
            "-m",
            "conntrack",
            "--ctstate",
            "RELATED,ESTABLISHED",
            "-j",
            "ACCEPT",
        ]
        | ["-A", "INPUT", "-i", "lo", "-j", "ACCEPT"]
        | ["-A", "INPUT", "-p", "icmp" | "ipv6-icmp", "-j", "ACCEPT"]
        | ["-A", "INPUT" | "FORWARD", "-m", "conntrack", "--ctstate", "INVALID", "-j", "DROP"] => {}
        ["-A", "INPUT", rest @ .., "-j", "ACCEPT"] => {
            facts.add(machine, OF_SITE[0], input_rule(machine, v6, rest));
        }
        other => panic!("{machine}: {other:?}"),
    }
}

/// Reads a line that only the file of a gateway has: whether the line is one.
fn gateway_line(machine: &str, words: &[&str], facts: &mut Facts) -> bool {
    match words {
        [":INSIDE", "-", _] | ["-A", "INSIDE", "-j", "DROP"] => {}
        ["-A", "INPUT", "-i", device, "-j", "INSIDE"] => {
            facts.add(machine, OF_SITE[1], format!("reached so through {device}"));
        }
        ["-A", "INSIDE", "-d", subnet, "-j", "RETURN"] => {
            facts.add(machine, OF_SITE[1], format!("reached by {}", whole(subnet)));
        }
        ["-A", "POSTROUTING", rest @ .., "-j", verdict] => {
            let verdict = if *verdict == "MASQUERADE" { "masquerades" } else { "lets" };
            facts.add(machine, OF_SITE[1], routed_line(machine, rest, verdict));
        }
        ["-A", "FORWARD", rest @ .., "-j", "ACCEPT"] if rest.contains(&"-i") || rest.contains(&"-o") => {
            facts.add(machine, OF_SITE[1], routed_line(machine, rest, "lets"));
        }
        _ => return false,
    }
    true
}

/// Reads a rule of a gateway with the options `rest`.
fn routed_line(machine: &str, rest: &[&str], verdict: &str) -> String {
    let (mut words, mut port) = (Hop::default(), None);
    let (mut rest, mut not) = (rest.to_vec(), "");
    if let Some(at) = rest.iter().position(|word| *word == "!") {
        rest.remove(at);
        not = "not ";
    }
    for pair in rest.chunks(2) {
        match pair {
            ["-s", subnet] => words.from = Some(whole(subnet)),
            ["-d", subnet] => words.to = Some(whole(subnet)),
            ["-i", device] => words.through = Some((*device).to_owned()),
            ["-o", device] => words.by = Some(format!("{not}{device}")),
            ["-p", value] => words.packets = Some((*value).to_owned()),
            ["--dport", value] => port = Some(value.replace(':', "-")),
            ["--comment", _] | ["-m", "tcp" | "udp" | "comment"] => {}
            other => panic!("{machine}: {other:?}"),
        }
    }
    words.packets = match (words.packets, port) {
        (Some(protocol), Some(port)) => Some(format!("{protocol} {port}")),
        (Some(protocol), None) => Some(protocol_number(&protocol)),
        (None, _) => None,
    };
    words.from = words.from.or_else(|| Some("0.0.0.0/0".to_owned()));
    words.say(verdict)
}

/// The packets that a rule of INPUT with the options `rest` lets in, to whom and what for.
fn input_rule(machine: &str, v6: bool, rest: &[&str]) -> String {
    let (mut from, mut through) = (if v6 { "::/0" } else { "0.0.0.0/0" }.to_owned(), String::new());
    let (mut port, mut protocol, mut comment) = ("", "", "");
    for pair in rest.chunks(2) {
        match pair {
            ["-s", subnet] => from = whole(subnet),
            ["-i", device] => through = format!(" through {device}"),
            ["-p", value] => protocol = value,
            ["--dport", value] => port = value,
            ["--comment", value] => comment = value,
            ["-m", "tcp" | "udp" | "comment"] => {}
            other => panic!("{machine}: {other:?}"),
        }
    }
    let packets = match (protocol, port) {
        ("", _) => "any".to_owned(),
        (protocol, "") => protocol_number(protocol),
        (protocol, port) => format!("{protocol} {}", port.replace(':', "-")),
    };
    format!("{packets} from {from}{through} ({comment})")
}

fn whole(subnet: &str) -> String {
    if subnet.contains('/') { subnet.to_owned() } else { host_net(subnet) }
}

/// The words of a line; what stands in quotes is one.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('"').enumerate();
    parts
        .flat_map(|(at, part)| match at % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        })
        .collect()
}
