//! Random changes of random inventories.

use test_kit::dice::Dice;

use super::pairs::{Pair, sound};

/// A change of an inventory: none where the inventory has nothing of the kind.
type Mutation = fn(&str, &mut Dice) -> Option<String>;

const MUTATIONS: &[(&str, Mutation)] = &[
    ("MTU", |text, _| swap_all(text, "mtu = 9000", "mtu = 8000")),
    ("bond mode", |text, dice| {
        let modes = ["mode = \"active-backup\"", "mode = \"balance-xor\"", "mode = \"802.3ad\""];
        swap_all(text, dice.pick(&modes), dice.pick(&modes))
    }),
    ("bond members", |text, _| swap_all(text, "[\"eth1\", \"eth2\"]", "[\"eth2\", \"eth3\"]")),
    ("VLAN", |text, dice| {
        let vlan = 100 + dice.pick(&[1, 2, 10, 20, 30]);
        let text = swap_all(text, &format!("vlan = {vlan}\n"), &format!("vlan = {}\n", vlan + 800))?;
        Some(text.replace(&format!(".{vlan}\" ="), &format!(".{}\" =", vlan + 800)))
    }),
    ("layout", |text, dice| {
        let layouts = [
            "disk.single = { format = \"xfs\" }",
            "disk.single = { esp = \"1G\" }",
            "disk.luks = {}",
            "disk.luks = { unlock = \"tpm2\" }",
            "disk.lvm = { swap = \"8G\" }",
            "disk.lvm = { volume.db = { size = \"9G\", mount = \"/var/lib/chainfire\" } }",
        ];
        replace_line(text, "disk.", dice.pick(&layouts), dice)
    }),
    ("kernel parameters", |text, dice| {
        replace_line(text, "kernel_params = ", "kernel_params = [\"quiet\"]", dice)
    }),
    ("services", |text, dice| {
        let services = ["[\"chainfire\", \"flaredb\"]", "[\"chainfire\", \"flaredb\", \"iam\", \"k8shost\"]"];
        replace_line(text, "services = ", &format!("services = {}", dice.pick(&services)), dice)
    }),
    ("serial number", |text, dice| replace_line(text, "serial = ", "serial = \"S77\"", dice)),
    ("MAC address", |text, dice| replace_line(text, "mac = ", "mac = \"3c:ec:ef:77:77:70\"", dice)),
    ("disk", |text, dice| replace_line(text, "disks = ", "disks = [\"/dev/disk/by-id/ata-OTHER_77\"]", dice)),
    ("addresses", swap_addresses),
    ("gateway", |text, dice| remove_line(text, "gateway = ", dice)),
    ("IPv6 gateway", |text, dice| remove_line(text, "gateway6 = ", dice)),
    ("resolvers", |text, dice| remove_line(text, "dns = ", dice)),
    ("formed", |text, _| {
        swap_all(text, "\nformed = true\n", "\n")
            .or_else(|| swap_all(text, "\n[cluster]\n", "\n[cluster]\nformed = true\n"))
    }),
    ("release", |text, _| swap_all(text, "state_version = \"24.11\"", "state_version = \"25.11\"")),
    ("time servers", |text, _| append(text, "[ntp]", "servers = [\"time.example.net\"]")),
    ("log host", |text, _| append(text, "[logging]", "forward = \"log.example.net\"")),
    ("Raft port", |text, _| append(text, "[service.chainfire]", "raft_port = 3380")),
    ("port", |text, _| append(text, "[service.iam]", "port = 8181")),
    ("settings", |text, _| append(text, "[service.flaredb]", "settings.log_level = \"debug\"")),
    ("firewall", |text, _| {
        append(text, "[firewall]", "open.vrrp = { protocol = \"vrrp\", from = [\"10.0.0.0/8\"] }")
    }),
    ("domain", |text, _| {
        let at = text.find("\ndomain = \"")?;
        Some(format!("{}\ndomain = \"moved.{}", &text[..at], &text[at + "\ndomain = \"".len()..]))
    }),
    ("firmware", |text, dice| {
        replace_line(text, "disks = ", "firmware = \"bios\"\ndisks = [\"/dev/disk/by-id/ata-BIOS_1\"]", dice)
    }),
    ("hardware", |text, dice| replace_line(text, "hardware = ", "hardware = \"hpe-dl380\"", dice)),
    ("a node's name", rename),
    ("a node's profile", |text, dice| {
        let profile = dice.pick(&["control-plane", "worker", "all-in-one", "storage"]);
        replace_line(text, "profile = ", &format!("profile = \"{profile}\""), dice)
    }),
    ("a node less", remove_node),
    ("virtual addresses", |text, dice| {
        let at = text.find("\n[vip]\n")?;
        let rest = remove_line(&text[at + 1 + "[vip]\n".len()..], "", dice)?;
        Some(format!("{}\n[vip]\n{rest}", &text[..at]))
    }),
];

/// Replaces all of `from`, if there is any.
fn swap_all(text: &str, from: &str, to: &str) -> Option<String> {
    (from != to && text.contains(from)).then(|| text.replace(from, to))
}

/// The places of the lines that begin with `start`.
fn lines_of(text: &str, start: &str) -> Vec<(usize, usize)> {
    let mut at = 0;
    let mut found = Vec::new();
    for line in text.split_inclusive('\n') {
        if line.starts_with(start) && line.contains('=') {
            found.push((at, at + line.len()));
        }
        at += line.len();
    }
    found
}

/// Replaces one of the lines that begin with `start`.
fn replace_line(text: &str, start: &str, line: &str, dice: &mut Dice) -> Option<String> {
    let lines = lines_of(text, start);
    let (from, to) = (!lines.is_empty()).then(|| dice.pick(&lines))?;
    Some(format!("{}{line}\n{}", &text[..from], &text[to..]))
}

/// Removes one of the lines that begin with `start`.
fn remove_line(text: &str, start: &str, dice: &mut Dice) -> Option<String> {
    let lines = lines_of(text, start);
    let (from, to) = (!lines.is_empty()).then(|| dice.pick(&lines))?;
    Some(format!("{}{}", &text[..from], &text[to..]))
}

/// Adds a line to a table that is not there yet.
fn append(text: &str, table: &str, line: &str) -> Option<String> {
    (!text.contains(table)).then(|| format!("{text}\n{table}\n{line}\n"))
}

/// Exchanges an address of two nodes.
fn swap_addresses(text: &str, dice: &mut Dice) -> Option<String> {
    let lines = lines_of(text, "address");
    let one = (lines.len() > 1).then(|| dice.pick(&lines))?;
    let key = text[one.0..one.1].split(" = ").next()?;
    let alike: Vec<_> =
        lines.iter().copied().filter(|line| *line != one && text[line.0..line.1].starts_with(key)).collect();
    let other = (!alike.is_empty()).then(|| dice.pick(&alike))?;
    let (first, last) = (one.min(other), one.max(other));
    let between = &text[first.1..last.0];
    let (head, tail) = (&text[..first.0], &text[last.1..]);
    Some(format!("{head}{}{between}{}{tail}", &text[last.0..last.1], &text[first.0..first.1]))
}

/// The names of nodes.
fn names(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.strip_prefix("[node.")?.strip_suffix(']')).collect()
}

fn rename(text: &str, dice: &mut Dice) -> Option<String> {
    let name = dice.pick(&names(text));
    let text = swap_all(text, &format!("[node.{name}]"), "[node.renamed]")?;
    let (head, rest) = text.split_once("bootstrap = ")?;
    let (list, tail) = rest.split_once('\n')?;
    let list = list.replace(&format!("\"{name}\""), "\"renamed\"");
    Some(format!("{head}bootstrap = {list}\n{tail}"))
}

fn remove_node(text: &str, dice: &mut Dice) -> Option<String> {
    let name = dice.pick(&names(text));
    let at = text.find(&format!("\n[node.{name}]\n"))?;
    let end = text[at + 1..].find("\n[").map_or(text.len(), |end| at + 1 + end);
    Some(format!("{}{}", &text[..at], &text[end..]))
}

/// The inventory `old` with that number, and one that differs in one to four ways.
pub(super) fn random_pair(number: u64, old: &str) -> Pair {
    let dice = &mut Dice::new(number + (1 << 32));
    let cluster = sound(old).unwrap_or_else(|| panic!("random inventory {number} is refused"));
    // Most changes are refused for some inventories: a node cannot leave the first voters, for example.
    for _ in 0..1000 {
        let (mut new, mut changes) = (old.to_owned(), Vec::new());
        for _ in 0..=dice.below(4) {
            let (name, mutation) = dice.pick(MUTATIONS);
            if let Some(changed) = mutation(&new, dice) {
                new = changed;
                changes.push(name);
            }
        }
        let nodes: Vec<String> = cluster.nodes.iter().map(|node| node.name.to_string()).collect();
        let node = &nodes[dice.below(u32::try_from(nodes.len()).unwrap()) as usize];
        let name = format!("random inventory {number}, {}, {node}", changes.join(" and "));
        if new != old
            && let Some(pair) = Pair::new(name, old, &new, node)
            && pair.differs()
        {
            return pair;
        }
    }
    panic!("nothing of random inventory {number} can be changed:\n{old}")
}
