//! Read back by `iptables-save` and `ip6tables-save`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ipnet::IpNet;

use crate::firewalls::model::{self, Firewall, Refusal, Rule};
use crate::firewalls::{in_namespace, trees};

/// What the kernel has after it has taken both files twice.
pub(crate) fn loaded(v4: &Path, v6: &Path) -> Firewall {
    let (mut firewall, other) = (of_family(v4, false), of_family(v6, true));
    firewall.input.extend(other.input);
    assert_eq!(other.routing, None, "a gateway forwards IPv4");
    if firewall.routing.is_some() {
        assert_eq!(
            (&firewall.forward, other.forward),
            (&None, Some(BTreeSet::new())),
            "IPv6 is left as it is"
        );
        return firewall;
    }
    assert_eq!(firewall.forward.is_some(), other.forward.is_some(), "the families differ");
    firewall.forward = firewall.forward.zip(other.forward).map(|(v4, v6)| &v4 | &v6);
    firewall
}

fn of_family(path: &Path, v6: bool) -> Firewall {
    let tool = if v6 { "ip6tables" } else { "iptables" };
    let script = format!(
        "{tool}-restore --test \"$1\" && {tool}-restore \"$1\" && {tool}-restore \"$1\" && {tool}-save -t filter && \
         if grep -q '^\\*nat$' \"$1\"; then {tool}-save -t nat; fi"
    );
    let saved = in_namespace("iptables", &script, &[path]);
    let policy = |chain: &str| {
        saved.lines().find_map(|line| line.strip_prefix(&format!(":{chain} "))?.split(' ').next())
    };
    assert_eq!((policy("INPUT"), policy("OUTPUT")), (Some("DROP"), Some("ACCEPT")));
    let rules = |chain: &str| -> Vec<&str> {
        saved.lines().filter_map(|line| line.strip_prefix(&format!("-A {chain} "))).collect()
    };
    assert_eq!(rules("OUTPUT"), Vec::<&str>::new());

    let input = rules("INPUT");
    let icmp = if v6 { "-p ipv6-icmp -j ACCEPT" } else { "-p icmp -j ACCEPT" };
    let established = "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT";
    let general = [established, "-i lo -j ACCEPT", icmp, "-m conntrack --ctstate INVALID -j DROP"];
    assert_eq!(input[..4], general);

    let all: IpNet = if v6 { "::/0" } else { "0.0.0.0/0" }.parse().unwrap();
    let forward = (policy("FORWARD") == Some("ACCEPT")).then(|| {
        let rules = rules("FORWARD");
        assert!(rules.first().is_none_or(|first| *first == established));
        rules.iter().skip(1).map(|rule| dropped(rule)).collect::<BTreeSet<Refusal>>()
    });
    let routed = rules("FORWARD");
    let (inside, opened): (Vec<_>, Vec<_>) = input[4..].iter().partition(|rule| rule.ends_with(" -j INSIDE"));
    let routing = (policy("FORWARD") == Some("DROP") && !routed.is_empty()).then(|| {
        assert_eq!(routed[0], established);
        assert_eq!(input[4..4 + inside.len()], inside);
        let addresses = reached(&rules("INSIDE"));
        let masqueraded = rules("POSTROUTING");
        let inside = inside
            .into_iter()
            .map(|rule| model::reached_words(&Parts::of(rule).device.unwrap(), addresses.iter().copied()));
        let routed = routed[1..].iter().map(|rule| {
            if *rule == general[3] { model::INVALID.to_owned() } else { routed_words(rule, all) }
        });
        inside.chain(routed).chain(masqueraded.iter().map(|rule| nat_words(rule))).collect()
    });
    Firewall { input: opened.into_iter().map(|rule| opens(rule, all)).collect(), forward, routing }
}

/// Reads the addresses of a gateway from the chain that drops packets to all others.
fn reached(rules: &[&str]) -> Vec<IpNet> {
    let (last, returned) = rules.split_last().unwrap();
    assert_eq!(*last, "-j DROP");
    let address = |rule: &&str| {
        let parts = Parts::of(rule);
        assert_eq!(parts.verdict, "RETURN", "{rule}");
        parts.destination.unwrap().parse().unwrap()
    };
    returned.iter().map(address).collect()
}

/// A rule of a gateway, in the words of the model.
fn routed_words(rule: &str, all: IpNet) -> String {
    let mut parts = Parts::of(rule);
    match (parts.destination.take(), parts.out.take()) {
        (Some(to), None) => {
            assert_eq!(
                (parts.verdict.as_str(), parts.traffic().as_str(), &parts.source),
                ("DROP", "any", &None),
                "{rule}"
            );
            format!("not to {to}")
        }
        (None, None) => {
            assert_eq!((parts.verdict.as_str(), parts.traffic().as_str()), ("ACCEPT", "any"), "{rule}");
            format!("from {} by {}", parts.source.unwrap(), parts.device.unwrap())
        }
        (None, Some(out)) => {
            assert_eq!((parts.verdict.as_str(), parts.traffic().as_str()), ("ACCEPT", "any"), "{rule}");
            assert_eq!(parts.device.as_ref(), Some(&out));
            format!("from {} within {out}", parts.source.unwrap())
        }
        (Some(to), Some(out)) => {
            assert_eq!(parts.verdict, "ACCEPT", "{rule}");
            model::inward_words(&parts.opening(all), to.parse().unwrap(), &out)
        }
    }
}

/// A rule of masquerading, in the words of the model.
fn nat_words(rule: &str) -> String {
    let masqueraded = rule.replacen("! -o ", "-o ", 1);
    let parts = Parts::of(&masqueraded);
    let from = parts.source.unwrap();
    match (parts.verdict.as_str(), parts.destination, parts.out) {
        ("ACCEPT", None, None) => format!("{from} is itself"),
        ("ACCEPT", Some(to), None) => format!("{from} is itself to {to}"),
        ("MASQUERADE", None, Some(out)) if masqueraded != rule => {
            format!("{from} is masqueraded but by {out}")
        }
        _ => panic!("{rule}"),
    }
}

/// The arguments of a saved rule.
fn arguments(rule: &str) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut rest = rule;
    while !rest.is_empty() {
        let quoted = rest.strip_prefix('"').and_then(|text| text.split_once('"'));
        let (argument, after) = quoted.or_else(|| rest.split_once(' ')).unwrap_or((rest, ""));
        arguments.push(argument.to_owned());
        rest = after.trim_start();
    }
    arguments
}

/// Reads the packets that a rule keeps from being forwarded.
fn dropped(rule: &str) -> Refusal {
    let parts = Parts::of(rule);
    assert_eq!((parts.verdict.as_str(), &parts.device), ("DROP", &None), "{rule}");
    let traffic = parts.traffic();
    let port = (traffic != "any").then_some((traffic, parts.comment));
    Refusal { subnet: parts.destination.unwrap().parse().unwrap(), port }
}

/// Reads the packets that a rule lets in. A rule without a source means `all`.
fn opens(rule: &str, all: IpNet) -> Rule {
    let parts = Parts::of(rule);
    assert_eq!((parts.verdict.as_str(), &parts.destination, &parts.out), ("ACCEPT", &None, &None), "{rule}");
    parts.opening(all)
}

/// The options of a saved rule.
#[derive(Default)]
struct Parts {
    source: Option<String>,
    destination: Option<String>,
    device: Option<String>,
    out: Option<String>,
    protocol: Option<String>,
    ports: Option<String>,
    comment: String,
    verdict: String,
}

impl Parts {
    fn of(rule: &str) -> Self {
        let mut parts = Self::default();
        let arguments = arguments(rule);
        for pair in arguments.chunks(2) {
            let [option, value] = pair else { panic!("{arguments:?}") };
            match option.as_str() {
                "-i" => parts.device = Some(value.clone()),
                "-o" => parts.out = Some(value.clone()),
                "-s" => parts.source = Some(value.clone()),
                "-d" => parts.destination = Some(value.clone()),
                "-p" => parts.protocol = Some(value.clone()),
                "-m" => {}
                "--dport" => parts.ports = Some(value.replace(':', "-")),
                "--comment" => parts.comment.clone_from(value),
                "-j" => parts.verdict.clone_from(value),
                _ => panic!("{option}: {arguments:?}"),
            }
        }
        parts
    }

    /// The packets that the rule lets in. A rule without a source means `all`.
    fn opening(self, all: IpNet) -> Rule {
        let source = self.source.as_ref().map_or(all, |source| source.parse().unwrap());
        Rule { traffic: self.traffic(), source, device: self.device, comment: self.comment }
    }

    /// Ports, or another protocol, in the words of the model.
    fn traffic(&self) -> String {
        match (&self.protocol, &self.ports) {
            (Some(protocol), Some(ports)) => format!("{protocol} {ports}"),
            (Some(protocol), None) => model::protocol_number(protocol),
            (None, _) => "any".to_owned(),
        }
    }
}

#[test]
fn loads_as_one_of_its_family() {
    for (cluster, tree) in trees() {
        for (tool, extension) in [("iptables", "iptables"), ("ip6tables", "ip6tables")] {
            let path = tree.join(format!("site/firewall/{}.{extension}", cluster.profiles[0].name));
            let text = fs::read_to_string(&path).unwrap();
            let sources = text.lines().filter_map(|line| line.split(" -s ").nth(1)?.split(' ').next());
            let sources: Vec<IpNet> = sources.map(|source| source.parse().unwrap()).collect();
            assert!(
                sources.iter().all(|source| source.addr().is_ipv6() == (extension == "ip6tables")),
                "{}",
                path.display()
            );
            // The last rule of the second file is refused, after all that stands before it.
            let dir = tempfile::tempdir().unwrap();
            let other = dir.path().join("other");
            fs::write(
                &other,
                text.replace("INPUT DROP", "INPUT ACCEPT").replace("COMMIT", "-A NOWHERE -j ACCEPT\nCOMMIT"),
            )
            .unwrap();
            let save = format!("{tool}-save -t filter | grep -v '^#'");
            let script = format!(
                "cd \"$3\" && {tool}-restore \"$1\" && {save} > before && ! {tool}-restore \"$2\" 2>/dev/null && \
                 {save} > after && cmp before after && grep -q ':INPUT DROP' after"
            );
            in_namespace("iptables", &script, &[&path, &other, dir.path()]);
        }
    }
}
